"""Windows of processing time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock_sidecar.engine.windows import Reason
from penstock_sidecar.engine.windows.processing import ProcessingWindows

if TYPE_CHECKING:
    from sidecar.tests.engine.windows.conftest import MakeStage


def test_a_processor_that_says_nothing_has_windows_of_a_minute(stage: MakeStage) -> None:
    one = stage()
    one.came("a", now=100.0)
    assert one.windows.wake_at == 160.0


def test_a_tumbling_window_begins_with_its_first_message_and_ends_when_its_time_is_over(
    stage: MakeStage,
) -> None:
    one = stage(size=5.0)
    one.came("a", now=7.0)
    one.came("b", now=11.9)
    assert one.windows.wake_at == 12.0
    assert one.expire(11.999) == []
    assert one.expire(12.0) == ["a b"]
    assert one.expire(13.0) == []
    assert one.windows.wake_at is None


def test_what_is_not_per_key_is_eager_and_tells_the_window_that_it_fed(stage: MakeStage) -> None:
    one = stage()
    [window] = one.came("a").opened_or_fed
    [same] = one.came("b").opened_or_fed
    assert one.windows.eager
    assert window is same
    assert (window.number, window.records, window.size) == (1, 2, 2)
    assert not stage(per_key=True).windows.eager
    assert not stage(type="Sliding", size=6.0, every=2.0).windows.eager
    assert not stage(time="Event").windows.eager


def test_a_window_that_is_ended_early_is_followed_by_another(stage: MakeStage) -> None:
    one = stage()
    [window] = one.came("a").opened_or_fed
    assert one.windows.end(window, Reason.REVOKED)
    assert not one.windows.end(window, Reason.REVOKED)
    assert window.closed is Reason.REVOKED
    assert one.windows.counts.early == {Reason.REVOKED: 1}
    [next_window] = one.came("b").opened_or_fed
    assert next_window.number == 2


def test_a_batch_is_split_exactly_where_a_count_window_is_full(stage: MakeStage) -> None:
    one = stage(type="Count", count=4)
    assert one.came("a b c").closed == []
    placement = one.came("d e f g h i")
    assert one.texts(placement.closed) == ["a b c d", "e f g h"]
    assert [window.closed for window in placement.closed] == [Reason.COUNT, Reason.COUNT]
    assert one.texts(placement.opened_or_fed) == ["a b c d", "e f g h", "i"]
    assert one.windows.wake_at is None
    assert one.expire(1e9) == []


def test_each_key_has_windows_of_its_own_and_those_without_a_key_share_theirs(
    stage: MakeStage,
) -> None:
    one = stage(type="Count", count=2, per_key=True)
    placement = one.came("x:a b y:c x:d e")
    assert one.texts(placement.closed) == ["a d", "b e"]
    assert [window.key for window in placement.closed] == [b"x", None]
    assert one.windows.open == 1


def test_a_session_ends_a_gap_after_its_last_message(stage: MakeStage) -> None:
    one = stage(type="Session", gap=5.0)
    one.came("a", now=0.0)
    one.came("b", now=4.0)
    one.came("c", now=8.9)
    assert one.windows.wake_at == 13.9
    assert one.expire(13.8) == []
    assert one.expire(13.9) == ["a b c"]


def test_each_key_has_its_session_and_they_end_in_the_order_of_their_ends(stage: MakeStage) -> None:
    one = stage(type="Session", gap=5.0, per_key=True)
    one.came("x:a y:b", now=0.0)
    one.came("x:c", now=3.0)
    assert one.expire(20.0) == ["b", "a c"]


def test_sessions_that_go_on_for_ever_leave_no_trace_of_their_former_ends(stage: MakeStage) -> None:
    one = stage(type="Session", gap=5.0, per_key=True)
    for moment in range(1000):
        one.came("x:a y:b", now=float(moment))
        one.expire(float(moment))
    assert one.windows.open == 2
    assert isinstance(one.windows, ProcessingWindows)
    assert len(one.windows._ends) == 2


def test_windows_that_close_early_leave_no_trace_of_their_ends(stage: MakeStage) -> None:
    one = stage(size=3600.0, per_key=True, max_messages=1)
    for moment in range(1000):
        one.came("x:a", now=float(moment))
    assert one.windows.open == 0
    assert isinstance(one.windows, ProcessingWindows)
    assert len(one.windows._ends) < 100


def test_a_global_window_ends_by_its_bounds_alone(stage: MakeStage) -> None:
    one = stage(type="Global", max_messages=3)
    placement = one.came("a b c d")
    assert one.texts(placement.closed) == ["a b c"]
    assert placement.closed[0].closed is Reason.MESSAGES
    assert one.windows.wake_at is None


def test_a_window_never_has_more_bytes_than_it_may(stage: MakeStage) -> None:
    one = stage(max_bytes=1024)
    placement = one.came(" ".join(["x" * 400] * 5))
    assert [window.size for window in placement.closed] == [800, 800]
    assert {window.closed for window in placement.closed} == {Reason.BYTES}
    [exact] = one.came("y" * 624).closed
    assert exact.size == 1024


def test_a_message_that_is_larger_than_a_window_may_be_has_one_alone(stage: MakeStage) -> None:
    one = stage(max_bytes=1024)
    placement = one.came(f"a {'x' * 5000} b")
    assert [window.records for window in placement.closed] == [1, 1]
    assert one.windows.size == 1


def test_a_key_of_a_megabyte_counts_as_bytes_of_its_window(stage: MakeStage) -> None:
    one = stage(per_key=True, max_bytes=1024)
    placement = one.came(f"{'k' * 1_000_000}:a k:b")
    assert [window.size for window in placement.closed] == [1_000_001]
    assert one.windows.size == 2


def test_when_the_buffer_is_full_the_oldest_windows_end(stage: MakeStage) -> None:
    one = stage(per_key=True)
    one.came("x:a y:b z:c x:d")
    ended = one.windows.end_oldest(3)
    assert one.texts(ended) == ["a d", "b"]
    assert {window.closed for window in ended} == {Reason.BUFFER}
    assert one.windows.counts.early == {Reason.BUFFER: 2}
    assert one.windows.records == 1


def test_all_windows_can_be_ended(stage: MakeStage) -> None:
    one = stage(per_key=True)
    one.came("x:a y:b")
    assert one.texts(one.windows.end_all(Reason.STOPPED)) == ["a", "b"]
    assert one.windows.open == 0
    assert one.windows.wake_at is None


def test_what_is_withdrawn_is_in_no_window_and_an_empty_window_is_forgotten(
    stage: MakeStage,
) -> None:
    one = stage(per_key=True)
    one.came("x:a y:b", partition=0)
    one.came("y:c", partition=1)
    one.windows.withdraw(one.partition(0))
    assert (one.windows.open, one.windows.records, one.windows.size) == (1, 1, 2)
    assert one.expire(1000.0) == ["c"]


def test_a_sliding_window_is_aligned_to_the_wall_clock(stage: MakeStage) -> None:
    one = stage(type="Sliding", size=6.0, every=2.0)
    one.came("a", now=1.0)  # the wall clock stands at 1,000,001 seconds
    assert one.windows.wake_at == 2.0
    assert one.windows.open == 3
    one.came("b", now=1.5)
    assert one.expire(2.0) == ["a b"]
    one.came("c", now=2.5)
    assert one.expire(3.9) == []
    assert one.expire(4.0) == ["a b c"]
    assert one.expire(100.0) == ["a b c", "c"]
    assert one.windows.records == 0


def test_a_message_of_sliding_windows_is_held_once_and_knows_how_many_wait_for_it(
    stage: MakeStage,
) -> None:
    one = stage(type="Sliding", size=6.0, every=2.0)
    one.came("a b", now=1.0)
    assert (one.windows.open, one.windows.records) == (3, 2)
    first, second = one.windows.expire(4.0)
    assert first.runs[0] is second.runs[0]
    assert first.runs[0].windows == 3
    assert one.windows.open == 1


def test_a_sliding_window_that_is_full_ends_alone_and_its_later_messages_have_another(
    stage: MakeStage,
) -> None:
    one = stage(type="Sliding", size=4.0, every=2.0, max_messages=2)
    one.came("a", now=1.0)
    one.expire(2.0)
    placement = one.came("b c", now=2.5)
    assert one.texts(placement.closed) == ["a b", "b c"]
    assert {window.closed for window in placement.closed} == {Reason.MESSAGES}
    assert one.expire(4.0) == ["c"]
    assert one.windows.records == 0
