"""What the cases of a run came to: printed, written, and compared with what is kept."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from penstock.table import format_table
from penstock.testing.markdown import page
from penstock.testing.outcome import (
    CAPABILITIES,
    CASE,
    GATEWAY,
    KIND,
    NOTE,
    REASON,
    STATUS,
    WAY,
    Outcome,
    Status,
)
from penstock.testing.promise import cases_of
from penstock.testing.report import Report, counted
from penstock.testing.suite import GatewayConformance
from penstock.testing.way import Way


@dataclass
class _Gateway:
    """What was seen of one gateway."""

    kind: str
    capabilities: list[str]
    outcomes: dict[tuple[str, Way], Outcome] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)


class Recorder:
    """Collects the reports of one run of pytest.

    Args:
        written: The folder to which reports are written, if any.
        kept: The folder of reports with which they are compared, if any.
    """

    def __init__(self, written: Path | None, kept: Path | None) -> None:
        self._gateways: dict[str, _Gateway] = {}
        self._written = written
        self._kept = kept
        self._remarks: list[str] = []
        self._failures: list[str] = []

    def add(self, report: pytest.TestReport, properties: Mapping[str, str]) -> None:
        """Take account of one phase of one case."""
        gateway = self._gateways.setdefault(
            properties[GATEWAY],
            _Gateway(properties[KIND], list(filter(None, properties[CAPABILITIES].split(",")))),
        )
        place = properties[CASE], Way(properties[WAY])
        if note := properties.get(NOTE):
            gateway.notes[f"{properties[WAY]}, {note}"] = None
        if report.failed or hasattr(report, "wasxfail"):
            gateway.outcomes[place] = Outcome(Status.FAILED)
        elif report.skipped:
            status = Status(properties.get(STATUS, Status.NOT_RUN))
            gateway.outcomes[place] = Outcome(status, properties.get(REASON, ""))
        elif report.when == "call":
            gateway.outcomes[place] = Outcome(Status.PASSED)

    def finish(self) -> bool:
        """Write what was asked for, and compare what is kept; false: something differs."""
        for report in self._reports():
            if self._written:
                self._write(report, self._written)
            elif self._kept and (self._kept / f"{report.gateway}.json").exists():
                self._compare(report, self._kept)
        return not self._failures

    def print(self, terminal: pytest.TerminalReporter) -> None:
        """Print a table for each gateway."""
        for report in self._reports():
            terminal.section(f"conformance of {report.gateway} ({report.kind})")
            terminal.write_line(format_table(["promise", *Way], list(_counts(report))))
            for note in self._gateways[report.gateway].notes:
                terminal.write_line(note)
        for remark in self._remarks:
            terminal.write_line(remark)
        for failure in self._failures:
            terminal.write_line(f"FAILED {failure}", red=True)

    def _reports(self) -> list[Report]:
        cases = cases_of(GatewayConformance).values()
        return [
            Report.of(name, gateway.kind, gateway.capabilities, cases, gateway.outcomes)
            for name, gateway in sorted(self._gateways.items())
        ]

    def _write(self, report: Report, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for suffix, text in _files(report).items():
            (folder / f"{report.gateway}{suffix}").write_text(text, encoding="utf-8")
        self._remarks.append(f"written: {folder}/{report.gateway}.md and .json")

    def _compare(self, report: Report, folder: Path) -> None:
        if not report.complete:
            self._remarks.append(
                f"only a part of the cases of {report.gateway} was run: {folder.name}/"
                f"{report.gateway}.json is not compared"
            )
            return
        stale = [
            f"{report.gateway}{suffix}"
            for suffix, text in _files(report).items()
            if _text_of(folder / f"{report.gateway}{suffix}") != text
        ]
        if stale:
            self._failures.append(
                f"{' and '.join(stale)} in {folder} are not what this run came to: write them "
                f"anew with --conformance-report {folder}"
            )


def _counts(report: Report) -> Iterator[list[str]]:
    """A line for each chapter, and one for all; of a part of the suite, for what was run."""
    for title, rows in (*report.chapters().items(), ("in all", report.rows)):
        seen = {outcome.status for row in rows for outcome in row.outcomes.values()}
        if report.complete or seen & {Status.PASSED, Status.FAILED}:
            yield [title, *(counted(row.outcomes[way] for row in rows) for way in Way)]


def _text_of(file: Path) -> str | None:
    return file.read_text(encoding="utf-8") if file.exists() else None


def _files(report: Report) -> dict[str, str]:
    """The files of a report, by suffix."""
    return {".json": report.to_json(), ".md": page(report)}
