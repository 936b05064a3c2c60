"""Reports as pages of Markdown."""

from collections.abc import Iterator, Sequence
from itertools import chain

from penstock.testing.outcome import Status
from penstock.testing.report import Report, Row, counted
from penstock.testing.way import Way

_MARKS = {
    Status.PASSED: "✓",
    Status.FAILED: "**failed**",
    Status.NOT_DECLARED: "not declared",
    Status.NOT_APPLICABLE: "n/a",
    Status.NOT_RUN: "not run",
}
_GENERATED = "<!-- Generated from a run of the conformance suite: make conformance -->"


def page(report: Report) -> str:
    """What held of one gateway: counts by chapter, then every case."""
    lines = [
        _GENERATED,
        f"# {report.kind}",
        "",
        f"What held of `{report.gateway}` in the [conformance suite](../conformance.md).",
        "",
        f"It declares: {', '.join(report.capabilities) or 'no capabilities'}.",
        "",
        *_table(["promise", *Way], _counts(report)),
    ]
    for title, rows in report.chapters().items():
        head = ["case", "promise", *Way]
        lines += ["", f"## {title}", "", *_table(head, [_line(row) for row in rows])]
        lines += _reasons(rows)
    return "\n".join([*lines, ""])


def overview(reports: Sequence[Report], text: str) -> str:
    """What held of all gateways, all ways together, below a text."""
    links = [f"[{report.kind}](conformance/{report.gateway}.md)" for report in reports]
    titles = dict.fromkeys(chain.from_iterable(report.chapters() for report in reports))
    rows = [
        [title, *(_all_ways(report.chapters().get(title, ())) for report in reports)]
        for title in titles
    ]
    rows.append(["**in all**", *(_all_ways(report.rows) for report in reports)])
    return "\n".join([_GENERATED, text, *_table(["promise", *links], rows), ""])


def _counts(report: Report) -> Iterator[list[str]]:
    for title, rows in (*report.chapters().items(), ("**in all**", report.rows)):
        yield [title, *(counted(row.outcomes[way] for row in rows) for way in Way)]


def _all_ways(rows: Sequence[Row]) -> str:
    return counted(outcome for row in rows for outcome in row.outcomes.values())


def _line(row: Row) -> list[str]:
    promise = f"`{row.source}`: {row.sentence}"
    return [row.case, promise, *(_MARKS[row.outcomes[way].status] for way in Way)]


def _reasons(rows: Sequence[Row]) -> Iterator[str]:
    """Why cases were not run."""
    ways: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        for way, (status, reason) in row.outcomes.items():
            if status is Status.NOT_APPLICABLE:
                ways.setdefault((row.case, reason), []).append(way)
    if ways:
        yield from ["", "Not applicable:", ""]
    for (case, reason), over in ways.items():
        yield f"- {case} ({', '.join(over)}): {reason}"


def _table(head: Sequence[str], rows: Iterator[list[str]] | list[list[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
