"""What is logged of what happens often."""

import pytest

from penstock.plugin import PermanentError
from penstock_sidecar.engine.commands import EndedEarly, Retried, SetAside
from penstock_sidecar.pump.report import INTERVAL, Report


def retried(offset: int) -> Retried:
    return Retried(PermanentError("no good"), f"in[0] {offset}", attempt=1, pause=0.1)


def test_what_happens_often_is_written_once_a_second_with_how_many_were_left_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = 0.0
    report = Report(lambda: now)
    for offset in range(1000):
        report.retried(retried(offset))
    assert caplog.messages == [
        "the function failed with in[0] 0 (attempt 1), again in 0.1 s: no good"
    ]
    now = INTERVAL
    report.retried(retried(1000))
    assert caplog.messages[1].endswith("no good (and 999 more like this since the last line)")
    assert [record.__dict__["left_out"] for record in caplog.records] == [0, 999]
    now = 2 * INTERVAL
    report.retried(retried(1001))
    assert caplog.messages[2].endswith("again in 0.1 s: no good")


def test_each_kind_has_its_own_second(caplog: pytest.LogCaptureFixture) -> None:
    report = Report(lambda: 0.0)
    report.retried(retried(0))
    report.set_aside(SetAside(PermanentError("no good"), "in[0] 0"))
    report.ended_early(EndedEarly(2, "maxBytes"))
    report.ended_early(EndedEarly(3, "buffer"))
    assert caplog.messages[1:] == [
        "in[0] 0 goes to the dead letters: no good",
        "2 windows ended early: they hold window.maxBytes",
        "3 windows ended early: all that may be held in memory is full",
    ]
