"""Which window a message belongs to."""

from penstock.window import Window, WindowType
from penstock_sidecar.engine.windows import (
    CountWindows,
    Placement,
    TumblingWindows,
    Windows,
    windows_of,
)


def test_a_processor_that_says_nothing_has_windows_of_a_minute() -> None:
    windows = windows_of(Window())
    assert list(windows.place(1, now=100.0)) == [Placement(1, 1, full=False)]
    assert windows.ends == 160.0


def test_a_count_window_is_what_it_says() -> None:
    windows = windows_of(Window(type=WindowType.COUNT, count=2))
    assert list(windows.place(2, now=0.0)) == [Placement(1, 2, full=True)]


def test_a_tumbling_window_is_opened_by_its_first_message() -> None:
    windows = TumblingWindows(5.0)
    assert windows.ends is None
    list(windows.place(1, now=7.0))
    list(windows.place(1, now=11.9))
    assert windows.ends == 12.0


def test_a_tumbling_window_ends_once_its_time_is_over() -> None:
    windows = TumblingWindows(5.0)
    list(windows.place(3, now=0.0))
    assert windows.expire(4.999) is None
    assert windows.expire(5.0) == 1
    assert windows.expire(6.0) is None
    assert list(windows.place(1, now=6.0)) == [Placement(2, 1, full=False)]


def test_a_tumbling_window_can_be_ended_early() -> None:
    windows = TumblingWindows(5.0)
    list(windows.place(3, now=0.0))
    windows.end(1)
    assert windows.ends is None
    assert list(windows.place(1, now=1.0)) == [Placement(2, 1, full=False)]
    windows.end(1)
    assert windows.ends == 6.0


def test_a_batch_is_split_exactly_where_a_count_window_is_full() -> None:
    windows = CountWindows(4)
    assert list(windows.place(3, now=0.0)) == [Placement(1, 3, full=False)]
    assert list(windows.place(6, now=0.0)) == [
        Placement(1, 1, full=True),
        Placement(2, 4, full=True),
        Placement(3, 1, full=False),
    ]


def test_time_does_not_end_a_count_window() -> None:
    windows: Windows = CountWindows(4)
    list(windows.place(3, now=0.0))
    assert windows.ends is None
    assert windows.expire(1e9) is None


def test_a_count_window_can_be_ended_short_of_its_count() -> None:
    windows = CountWindows(4)
    list(windows.place(3, now=0.0))
    windows.end(1)
    assert list(windows.place(4, now=0.0)) == [Placement(2, 4, full=True)]
    windows.end(1)
    assert list(windows.place(1, now=0.0)) == [Placement(3, 1, full=False)]
