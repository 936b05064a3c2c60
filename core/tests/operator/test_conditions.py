from collections.abc import Callable
from typing import Any

import pytest

from penstock.operator.conditions import Verdict, events_of, is_ready, ready, status_of

NOW = "2026-01-02T03:04:05Z"
LATER = "2026-01-02T03:05:06Z"

Make = Callable[..., dict[str, Any]]

GOOD = Verdict.holds()
BAD = Verdict.fails("Broken", "it is broken")
STUCK = Verdict.fails("Taken", "somebody has it", stalled=True)
OPEN = Verdict.unknown("Coming", "it comes")


def types(status: Any) -> dict[str, str]:
    return {one["type"]: one["status"] for one in status["conditions"]}


@pytest.mark.parametrize(
    ("verdicts", "summary"),
    [
        ((), GOOD),
        ((GOOD, GOOD), GOOD),
        ((GOOD, BAD), BAD),
        ((OPEN, BAD), BAD),
        ((OPEN, GOOD), OPEN),
        ((STUCK, BAD), STUCK),
    ],
)
def test_ready_sums_up_what_a_resource_needs(
    verdicts: tuple[Verdict, ...], summary: Verdict
) -> None:
    assert ready({str(number): one for number, one in enumerate(verdicts)}) == summary


def test_what_stands_beside_does_no_harm_to_ready(make: Make) -> None:
    status = status_of(make("Stream", "s", {}), {"A": GOOD}, NOW, beside={"B": BAD})
    assert types(status) == {"Ready": "True", "A": "True", "B": "False"}


def test_waiting_is_told_from_being_stuck_as_kstatus_reads_it(make: Make) -> None:
    stream = make("Stream", "s", {})
    assert types(status_of(stream, {"A": BAD}, NOW))["Reconciling"] == "True"
    assert types(status_of(stream, {"A": OPEN}, NOW))["Reconciling"] == "True"
    assert types(status_of(stream, {"A": STUCK}, NOW))["Stalled"] == "True"
    assert types(status_of(stream, {"A": GOOD}, NOW)).keys() == {"Ready", "A"}


def test_the_time_of_a_condition_changes_with_its_status_alone(make: Make) -> None:
    stream = make("Stream", "s", {})
    stream["status"] = status_of(stream, {"A": BAD, "B": GOOD}, NOW)
    other = Verdict.fails("BrokenElsewhere", "now it is that")
    later = status_of(stream, {"A": other, "B": OPEN}, LATER)
    times = {one["type"]: one["lastTransitionTime"] for one in later["conditions"]}
    assert times["A"] == NOW
    assert times["B"] == LATER


def test_conditions_and_status_name_the_generation_they_are_about(make: Make) -> None:
    status = status_of(make("Stream", "s", {}, generation=4), {"A": GOOD}, NOW)
    assert status["observedGeneration"] == 4
    assert {one["observedGeneration"] for one in status["conditions"]} == {4}


def test_who_was_ready_is_not_ready_with_a_spec_nobody_has_looked_at(make: Make) -> None:
    stream = make("Stream", "s", {})
    assert not is_ready(stream)
    stream["status"] = status_of(stream, {}, NOW)
    assert is_ready(stream)
    stream["metadata"]["generation"] = 2
    assert not is_ready(stream)


def test_an_event_says_what_is_new_and_says_it_once(make: Make) -> None:
    stream = make("Stream", "s", {})
    status = status_of(stream, {"A": BAD}, NOW)
    (event,) = events_of(stream, status)
    assert (event.type, event.reason, event.message) == ("Warning", "Broken", "it is broken")
    stream["status"] = status
    assert events_of(stream, status_of(stream, {"A": BAD}, LATER)) == ()
    (event,) = events_of(stream, status_of(stream, {"A": GOOD}, LATER))
    assert (event.type, event.message) == ("Normal", "Stream is ready")
