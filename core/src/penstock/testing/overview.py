"""The page that shows what held of every gateway, from the reports that are kept.

`python -m penstock.testing.overview --reports FOLDER --output FILE` writes it; with `--check` it
writes nothing, and says what is out of date: the page, or a report of a suite that has changed.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from penstock.testing.markdown import overview, page
from penstock.testing.promise import cases_of
from penstock.testing.report import Report
from penstock.testing.suite import GatewayConformance

_TEXT = """# Conformance

Every gateway is held to the same promises: those of the [plugin contract](../core/src/penstock/plugin), sentence by sentence. The suite is part of penstock; [writing a gateway](writing-a-gateway.md) says how to run it.

Each case is run in three ways: in the process that uses the plugin (`direct`), through the gateway server with penstock's batch protocol (`batch`), and with riff's protocol alone (`riff`). A capability that a gateway does not declare is shown as not declared, and asking for it has to be refused; a case that makes no sense in a way, or of a gateway, is counted as n/a, with the reason on the gateway's page. The counts are of all three ways together.
"""  # noqa: E501 - Markdown has a paragraph in a line


def outdated(folder: Path, file: Path) -> Iterator[str]:
    """What is not as it would be written now."""
    for report in _read(folder):
        name = f"{folder}/{report.gateway}"
        if _cases(report) != _cases(Report.of("", "", (), _SUITE, {})):
            yield f"{name}.json is not of these cases"
        if _text_of(folder / f"{report.gateway}.md") != page(report):
            yield f"{name}.md is not what {report.gateway}.json says"
        if not report.complete:
            yield f"{name}.json is of a run in which cases were left out"
    if _text_of(file) != overview(_read(folder), _TEXT):
        yield f"{file} is not what {folder} says"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the file; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m penstock.testing.overview", description=__doc__
    )
    parser.add_argument("--reports", type=Path, required=True, help="the folder of the reports")
    parser.add_argument("--output", type=Path, required=True, help="the file")
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 when stale")
    options = parser.parse_args(arguments)
    if not options.check:
        options.output.write_text(overview(_read(options.reports), _TEXT), encoding="utf-8")
        return 0
    stale = list(outdated(options.reports, options.output))
    for line in stale:
        sys.stderr.write(f"{line}: run make conformance\n")
    return 1 if stale else 0


_SUITE = tuple(cases_of(GatewayConformance).values())


def _read(folder: Path) -> list[Report]:
    files = sorted(folder.glob("*.json"))
    return [Report.from_json(file.read_text(encoding="utf-8")) for file in files]


def _cases(report: Report) -> list[tuple[str, str, str, str]]:
    return [(row.chapter, row.case, row.source, row.sentence) for row in report.rows]


def _text_of(file: Path) -> str | None:
    return file.read_text(encoding="utf-8") if file.exists() else None


if __name__ == "__main__":
    raise SystemExit(main())
