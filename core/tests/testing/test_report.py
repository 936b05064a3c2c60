"""Reports: what is counted, written, read again, compared and shown."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from penstock.plugin import Capability
from penstock.testing import GatewayConformance
from penstock.testing.markdown import overview, page
from penstock.testing.outcome import Outcome, Status
from penstock.testing.overview import main as write_overview
from penstock.testing.promise import cases_of
from penstock.testing.recorder import Recorder
from penstock.testing.report import Report, counted, unseen
from penstock.testing.way import Way

CASES = cases_of(GatewayConformance)
MEMORY = frozenset(Capability) - {Capability.DURABLE}
ROOT = Path(__file__).parents[3]
PASSED, FAILED = Outcome(Status.PASSED), Outcome(Status.FAILED)
IMPOSSIBLE = Outcome(Status.NOT_APPLICABLE, "it makes no sense")


def outcomes(**changed: Outcome) -> Mapping[tuple[str, Way], Outcome]:
    """All that is for a gateway without durability, passed; but for some cases in process."""
    passed = {
        (case.name, way): PASSED
        for case in CASES.values()
        for way in Way
        if unseen(case, MEMORY, way).status is Status.NOT_RUN
    }
    return passed | {(name, Way.DIRECT): outcome for name, outcome in changed.items()}


def report(**changed: Outcome) -> Report:
    return Report.of("example", "ExampleGateway", MEMORY, CASES.values(), outcomes(**changed))


def test_outcomes_are_counted_by_status() -> None:
    assert counted([PASSED, PASSED]) == "2 passed"
    assert counted([PASSED, IMPOSSIBLE, FAILED]) == "1 failed, 1 passed, 1 n/a"
    assert counted([IMPOSSIBLE, IMPOSSIBLE]) == "not applicable"
    assert counted([Outcome(Status.NOT_DECLARED)] * 2) == "not declared"


def test_what_was_not_run_is_not_declared_or_not_applicable_or_missing() -> None:
    durable = CASES["test_records_outlive_a_restart"]
    assert unseen(durable, MEMORY, Way.BATCH) == Outcome(Status.NOT_DECLARED, "durable")
    assert unseen(durable, frozenset(Capability), Way.BATCH).status is Status.NOT_RUN
    healthy = CASES["test_a_gateway_that_is_well_says_so"]
    assert unseen(healthy, MEMORY, Way.RIFF).status is Status.NOT_APPLICABLE
    assert unseen(healthy, MEMORY, Way.RIFF).reason


def test_a_report_without_a_gap_is_complete() -> None:
    assert report().complete
    assert not report(test_headers_come_back=Outcome(Status.NOT_RUN)).complete


def test_a_report_is_read_as_it_was_written() -> None:
    written = report(test_headers_come_back=FAILED, test_who_joins_gets_a_share=IMPOSSIBLE)
    assert Report.from_json(written.to_json()) == written


def test_the_page_has_a_row_for_each_chapter_and_each_case_and_says_why() -> None:
    text = page(report(test_headers_come_back=FAILED, test_who_joins_gets_a_share=IMPOSSIBLE))
    assert "| messages | 1 failed, 12 passed | 13 passed | 13 passed |" in text
    assert "| durable | not declared | not declared | not declared |" in text
    source, sentence = "Message", "The event's extensions, names in lower case."
    assert f"| headers come back | `{source}`: {sentence} | **failed** | ✓ | ✓ |" in text
    assert "- who joins gets a share (direct): it makes no sense" in text


def test_the_overview_has_a_column_for_each_gateway_and_counts_all_ways() -> None:
    text = overview([report(), report(test_headers_come_back=FAILED)], "Words.")
    assert "Words." in text
    assert "| messages | 39 passed | 1 failed, 38 passed |" in text


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A folder with the report of a run in which everything passed."""
    (tmp_path / "example.json").write_text(report().to_json())
    (tmp_path / "example.md").write_text(page(report()))
    return tmp_path


def record(recorder: Recorder, **changed: Outcome) -> None:
    """Tell a recorder of a run, as pytest does."""
    for (name, way), outcome in outcomes(**changed).items():
        result: pytest.TestReport = pytest.TestReport(
            nodeid=name,
            location=("", 0, ""),
            keywords={},
            outcome="failed" if outcome.status is Status.FAILED else "passed",
            longrepr=None,
            when="call",
        )
        if outcome.status not in (Status.PASSED, Status.FAILED):
            result.outcome = "skipped"
        properties = {
            "gateway": "example",
            "kind": "ExampleGateway",
            "capabilities": ",".join(sorted(MEMORY)),
            "case": name,
            "way": way.value,
            "status": outcome.status.value,
            "reason": outcome.reason,
        }
        if outcome.status is not Status.NOT_RUN:
            recorder.add(result, properties)


def test_a_run_that_comes_to_what_is_kept_is_well(kept: Path) -> None:
    recorder = Recorder(None, kept)
    record(recorder)
    assert recorder.finish()


@pytest.mark.parametrize("changed", [FAILED, IMPOSSIBLE])
def test_a_run_that_comes_to_something_else_fails(kept: Path, changed: Outcome) -> None:
    recorder = Recorder(None, kept)
    record(recorder, test_headers_come_back=changed)
    assert not recorder.finish()


def test_a_run_of_a_part_is_not_compared(kept: Path) -> None:
    recorder = Recorder(None, kept)
    record(recorder, test_headers_come_back=Outcome(Status.NOT_RUN))
    assert recorder.finish()


def test_a_run_fails_where_the_kept_page_is_gone(kept: Path) -> None:
    (kept / "example.md").unlink()
    recorder = Recorder(None, kept)
    record(recorder)
    assert not recorder.finish()


def test_what_failed_in_any_phase_has_failed() -> None:
    recorder = Recorder(None, None)
    record(recorder)
    record(recorder, test_headers_come_back=FAILED)
    [found] = recorder._reports()
    assert sum(row.outcomes[Way.DIRECT] == FAILED for row in found.rows) == 1


@pytest.fixture
def check(kept: Path) -> list[str]:
    """Writes an overview of what is kept; the arguments that check it."""
    written = ["--reports", str(kept), "--output", str(kept / "overview.md")]
    assert write_overview(written) == 0
    return ["--check", *written]


def test_an_overview_that_is_as_written_passes(check: list[str]) -> None:
    assert write_overview(check) == 0


@pytest.mark.parametrize(
    ("file", "new", "reason"),
    [
        ("example.json", ("headers come back", "headers go"), "json is not of these cases"),
        ("example.json", ('"passed"', '"not run"'), "a run in which cases were left out"),
        ("example.md", ("headers come back", "headers go"), "md is not what example.json"),
        ("overview.md", ("39 passed", "40 passed"), "overview.md is not what"),
    ],
)
def test_what_is_out_of_date_is_named(
    kept: Path,
    check: list[str],
    capsys: pytest.CaptureFixture[str],
    *,
    file: str,
    new: tuple[str, str],
    reason: str,
) -> None:
    (kept / file).write_text((kept / file).read_text().replace(*new))
    assert write_overview(check) == 1
    assert reason in capsys.readouterr().err


def test_every_gateway_here_that_runs_the_suite_has_its_report() -> None:
    suites = ROOT.glob("plugins/*/tests/test_conformance.py")
    missing = [
        file.parts[-3]
        for file in suites
        if not (ROOT / "docs" / "conformance" / f"{file.parts[-3]}.json").exists()
    ]
    assert not missing, "run make conformance"


def test_the_reports_that_are_kept_are_of_this_suite_and_the_pages_say_what_they_say() -> None:
    docs = ROOT / "docs"
    check = ["--check", "--reports", str(docs / "conformance")]
    assert write_overview([*check, "--output", str(docs / "conformance.md")]) == 0
