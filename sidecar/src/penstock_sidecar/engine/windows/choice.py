"""Which windows a processor declares."""

from collections.abc import Iterator
from itertools import count as counter

from penstock.window import Window as Settings
from penstock.window import WindowType
from penstock_sidecar.engine.windows.aligned import AlignedWindows
from penstock_sidecar.engine.windows.bounds import Bounds
from penstock_sidecar.engine.windows.event import EventWindows, Kind, Lateness
from penstock_sidecar.engine.windows.interface import Counts, Windows
from penstock_sidecar.engine.windows.processing import ProcessingWindows
from penstock_sidecar.engine.windows.processing_sliding import ProcessingSlidingWindows
from penstock_sidecar.engine.windows.sessions import SessionWindows
from penstock_sidecar.engine.windows.sliding import SlidingWindows
from penstock_sidecar.engine.windows.timestamps import Timestamps
from penstock_sidecar.engine.windows.watermarks import Watermarks


def windows_of(settings: Settings, wall_clock: float = 0.0) -> Windows:
    """The windows that a processor declares.

    Args:
        settings: What it declares.
        wall_clock: What to add to the engine's time to get seconds since 1970.
    """
    counts = Counts()
    numbers = counter(1)
    if settings.is_of_event_time:
        return _of_event_time(settings, wall_clock, counts, numbers)
    if settings.type is WindowType.SLIDING:
        return ProcessingSlidingWindows(_sliding(settings, counts, numbers), wall_clock, counts)
    bounds, per_key = Bounds.of(settings), settings.per_key
    if settings.type is WindowType.TUMBLING:
        seconds = settings.size_seconds
        return ProcessingWindows(bounds, counts, numbers, per_key=per_key, seconds=seconds)
    if settings.type is WindowType.SESSION:
        seconds = settings.gap or 0.0
        return ProcessingWindows(
            bounds, counts, numbers, per_key=per_key, seconds=seconds, extends=True
        )
    return ProcessingWindows(bounds, counts, numbers, per_key=per_key)


def _of_event_time(
    settings: Settings, wall_clock: float, counts: Counts, numbers: Iterator[int]
) -> EventWindows:
    kind, for_late = _kind(settings, counts, numbers), _kind_for_late(settings, numbers)
    return EventWindows(
        kind,
        Timestamps(settings, wall_clock, counts),
        Watermarks(settings.idle_seconds),
        Lateness(_milliseconds(settings.lateness_seconds), settings.late_messages, for_late),
        counts,
    )


def _kind(settings: Settings, counts: Counts, numbers: Iterator[int]) -> Kind:
    bounds, per_key = Bounds.of(settings), settings.per_key
    if settings.type is WindowType.SLIDING:
        return _sliding(settings, counts, numbers)
    if settings.type is WindowType.SESSION:
        gap = _milliseconds(settings.gap or 0.0)
        return SessionWindows(gap, bounds, counts, numbers, per_key=per_key)
    size = _milliseconds(settings.size_seconds)
    return AlignedWindows(size, size, bounds, counts, numbers, per_key=per_key)


def _kind_for_late(settings: Settings, numbers: Iterator[int]) -> Kind:
    """Windows for late messages, which are not counted as early ones when they are full.

    A late message of sliding windows is put in one only, with the bounds of its last.
    """
    if settings.type is not WindowType.SLIDING:
        return _kind(settings, Counts(), numbers)
    return AlignedWindows(
        _milliseconds(settings.every or settings.size_seconds),
        _milliseconds(settings.size_seconds),
        Bounds.of(settings),
        Counts(),
        numbers,
        per_key=settings.per_key,
    )


def _sliding(settings: Settings, counts: Counts, numbers: Iterator[int]) -> SlidingWindows:
    return SlidingWindows(
        _milliseconds(settings.every or settings.size_seconds),
        _milliseconds(settings.size_seconds),
        Bounds.of(settings),
        counts,
        numbers,
        per_key=settings.per_key,
        of_event_time=settings.is_of_event_time,
    )


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
