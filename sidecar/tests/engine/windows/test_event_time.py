"""Windows of event time. The wall clock stands at 1,000,000 seconds when the engine's is at 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock_sidecar.engine.flow import PartitionKey
from penstock_sidecar.engine.windows import Reason

if TYPE_CHECKING:
    from sidecar.tests.engine.windows.conftest import MakeStage

TUMBLING = {"time": "Event", "size": 10.0}
SESSION = {"time": "Event", "type": "Session", "gap": 5.0}


def test_a_window_is_aligned_to_1970_and_ends_with_the_watermark(stage: MakeStage) -> None:
    one = stage(**TUMBLING)
    assert one.came("a b", at=[3, 7]).closed == []
    [window] = one.came("c", at=[10]).closed
    assert one.text(window.runs) == "a b"
    assert (window.start, window.end) == (1_000_000_000, 1_000_010_000)
    assert window.closed is Reason.TIME


def test_windows_that_messages_end_at_once_come_in_the_order_of_their_ends(
    stage: MakeStage,
) -> None:
    one = stage(**TUMBLING)
    placement = one.came("b c a d", at=[12, 25, 3, 40])
    assert one.texts(placement.closed) == ["a", "b", "c"]


def test_a_message_is_late_when_its_window_has_ended_and_not_a_moment_before(
    stage: MakeStage,
) -> None:
    one = stage(**TUMBLING)
    one.came("a", at=[9.999])
    assert one.text(one.came("b c", at=[0, 20]).dropped) == ""
    placement = one.came("d e", at=[19.999, 20])
    assert one.text(placement.dropped) == "d"
    assert one.windows.counts.late_dropped == 1


def test_a_window_waits_for_late_messages_as_long_as_it_may(stage: MakeStage) -> None:
    one = stage(**TUMBLING, allowed_lateness=5.0)
    one.came("a", at=[9])
    assert one.came("b", at=[14.999]).closed == []
    assert one.came("c", at=[3]).closed == []
    assert one.texts(one.came("d", at=[15]).closed) == ["a c"]
    assert one.text(one.came("e", at=[3]).dropped) == "e"


def test_late_messages_are_dead_letters_where_the_policy_says_so(stage: MakeStage) -> None:
    one = stage(**TUMBLING, late_policy="DeadLetter")
    one.came("a", at=[25])
    placement = one.came("b c", at=[3, 25])
    assert one.text(placement.dead) == "b"
    assert not placement.dropped
    assert one.windows.counts.late_dead == 1


def test_late_messages_of_one_read_share_a_new_window_where_the_policy_says_so(
    stage: MakeStage,
) -> None:
    one = stage(**TUMBLING, late_policy="NewWindow")
    one.came("a", at=[25])
    placement = one.came("b c d", at=[3, 11, 4])
    assert one.texts(placement.closed) == ["b d", "c"]
    assert [window.closed for window in placement.closed] == [Reason.LATE, Reason.LATE]
    assert placement.closed[0].start == 1_000_000_000
    assert one.windows.counts.late_windows == 2
    assert one.windows.records == 1


def test_a_late_message_of_sliding_windows_has_one_new_window(stage: MakeStage) -> None:
    one = stage(time="Event", type="Sliding", size=6.0, every=2.0, late_policy="NewWindow")
    one.came("a", at=[25])
    [window] = one.came("b", at=[3]).closed
    assert (window.start, window.end) == (1_000_002_000, 1_000_008_000)
    assert window.runs[0].windows == 1


def test_a_message_of_sliding_windows_is_in_those_that_have_not_ended(stage: MakeStage) -> None:
    one = stage(time="Event", type="Sliding", size=6.0, every=2.0)
    one.came("a", at=[7])
    assert one.came("b", at=[4.5]).dropped == []
    closed = one.came("c", at=[20]).closed
    assert one.texts(closed) == ["a b", "a b", "a"]
    assert closed[0].runs[1].windows == 2


def test_messages_of_a_partition_keep_their_order_in_a_window_whatever_their_times(
    stage: MakeStage,
) -> None:
    one = stage(time="Event", type="Sliding", size=6.0, every=2.0)
    one.came("a", at=[3])
    one.came("b", at=[0])
    one.came("c", at=[5])
    assert one.texts(one.came("d", at=[6]).closed)[-1] == "a b c"


def test_the_slowest_partition_holds_the_windows_back(stage: MakeStage) -> None:
    one = stage(**TUMBLING)
    one.assign(0, 1)
    one.came("a", at=[5], partition=0)
    one.came("b", at=[30], partition=0)
    assert one.windows.records == 2
    assert one.texts(one.came("c", at=[12], partition=1).closed) == ["a"]


def test_a_partition_that_is_idle_holds_nothing_back(stage: MakeStage) -> None:
    one = stage(**TUMBLING, idle_timeout=30.0)
    one.assign(0, 1)
    one.came("a b", at=[5, 30], now=20.0, partition=0)
    assert one.windows.wake_at == 30.0
    assert one.expire(29.9) == []
    assert one.expire(30.0) == ["a"]


def test_a_partition_that_is_not_read_is_not_idle(stage: MakeStage) -> None:
    one = stage(**TUMBLING)
    one.assign(0, 1)
    one.came("a", at=[5], partition=1, reads=False)
    one.came("b", at=[30], partition=0)
    assert one.expire(1000.0) == []
    one.windows.reading(PartitionKey(0, 1), 1000.0)
    assert one.windows.wake_at == 1030.0


def test_when_all_partitions_are_idle_the_watermark_goes_on_with_the_clock(
    stage: MakeStage,
) -> None:
    one = stage(**TUMBLING, idle_timeout=30.0)
    one.came("a", at=[5], now=100.0)
    assert one.windows.wake_at == 130.0
    assert one.expire(130.0) == []
    assert one.windows.wake_at == 135.0
    assert one.expire(134.99) == []
    assert one.expire(135.0) == ["a"]
    assert one.windows.wake_at is None


def test_a_partition_that_was_idle_is_late_with_what_has_ended_since(stage: MakeStage) -> None:
    one = stage(**TUMBLING, idle_timeout=30.0)
    one.came("a", at=[5], now=0.0, partition=1)
    one.came("b", at=[25], now=35.0, partition=0)
    one.expire(36.0)
    assert one.text(one.came("c", at=[6], now=37.0, partition=1).dropped) == "c"


def test_a_partition_that_is_revoked_lets_the_watermark_go_on(stage: MakeStage) -> None:
    one = stage(**TUMBLING)
    one.assign(0, 1)
    one.came("a b", at=[5, 30], partition=0)
    one.revoke(1)
    assert one.windows.wake_at == 0.0
    assert one.expire(0.0) == ["a"]


def test_where_the_last_busy_partition_is_revoked_the_clock_goes_on_from_there(
    stage: MakeStage,
) -> None:
    one = stage(**TUMBLING, idle_timeout=30.0)
    one.assign(0, 1)
    one.came("a b", at=[5, 12], partition=0)
    one.came("c", at=[4], partition=1, reads=False)
    assert one.expire(50.0) == []
    one.revoke(1)
    assert one.expire(50.0) == []
    assert one.windows.wake_at == 56.0
    assert one.expire(56.0) == ["a"]


def test_a_new_partition_without_messages_holds_the_watermark_until_it_is_idle(
    stage: MakeStage,
) -> None:
    one = stage(**TUMBLING, idle_timeout=30.0)
    one.came("a", at=[9], partition=0)
    one.assign(1, now=10.0)
    one.came("b", at=[12], now=20.0, partition=0)
    assert one.windows.wake_at == 30.0
    assert one.expire(39.9) == []
    assert one.expire(40.0) == ["a"]


def test_a_new_partition_holds_the_windows_back_and_is_not_late(stage: MakeStage) -> None:
    one = stage(**TUMBLING)
    one.came("a b", at=[5, 15], partition=0)
    one.assign(1)
    assert one.came("c", at=[50], partition=0).closed == []
    placement = one.came("d", at=[6], partition=1)
    assert placement.dropped == []
    assert one.windows.records == 3
    assert one.texts(one.came("e", at=[60], partition=1).closed) == ["d", "b"]


def test_without_any_partition_nothing_ends(stage: MakeStage) -> None:
    one = stage(**TUMBLING)
    one.came("a", at=[25])
    one.revoke(0)
    assert one.expire(1e6) == []
    assert one.windows.wake_at is None


def test_a_message_that_comes_a_gap_after_a_session_begins_another(stage: MakeStage) -> None:
    one = stage(**SESSION)
    one.came("a b", at=[0, 4.999])
    assert one.windows.open == 1
    one.came("c", at=[9.999])
    assert one.windows.open == 1  # the first has ended with the watermark
    [window] = one.came("d", at=[20]).closed
    assert (window.start, window.end) == (1_000_009_999, 1_000_014_999)


def test_a_message_between_two_sessions_makes_them_one(stage: MakeStage) -> None:
    one = stage(**SESSION, allowed_lateness=60.0)
    one.came("a b", at=[8, 0])
    assert one.windows.open == 2
    one.came("c", at=[4])
    assert one.windows.open == 1
    [window] = one.came("d", at=[100]).closed
    assert one.text(window.runs) == "a b c"
    assert (window.start, window.end) == (1_000_000_000, 1_000_013_000)
    assert window.number == 1


def test_a_late_message_that_a_session_still_waits_for_is_not_late(stage: MakeStage) -> None:
    one = stage(**SESSION)
    one.came("a b", at=[0, 4])
    one.came("c", at=[8])
    assert one.came("d", at=[2]).dropped == []
    one.came("e", at=[30])
    assert one.text(one.came("f", at=[2]).dropped) == "f"


def test_sessions_of_each_key_are_their_own(stage: MakeStage) -> None:
    one = stage(**SESSION, per_key=True)
    one.came("x:a y:b x:c", at=[0, 2, 3])
    closed = one.came("z:d", at=[50]).closed
    assert one.texts(closed) == ["b", "a c"]
    assert [window.key for window in closed] == [b"y", b"x"]


def test_sessions_that_would_fill_a_window_are_not_made_one(stage: MakeStage) -> None:
    one = stage(**SESSION, allowed_lateness=60.0, max_messages=4)
    one.came("a b c d", at=[0, 1, 8, 9])
    [window] = one.came("e", at=[5]).closed
    assert one.text(window.runs) == "a b"
    assert window.closed is Reason.MESSAGES
    assert one.windows.records == 3


def test_late_messages_that_follow_one_another_share_a_new_session(stage: MakeStage) -> None:
    one = stage(**SESSION, late_policy="NewWindow")
    one.came("a", at=[100])
    placement = one.came("b c d", at=[3, 20, 6])
    assert one.texts(placement.closed) == ["b d", "c"]
