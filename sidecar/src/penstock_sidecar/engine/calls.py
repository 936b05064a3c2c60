"""Calls of the function: what is called next, how many at a time, and what each is fed."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from heapq import heappop, heappush
from itertools import count
from math import inf

from penstock.window import WindowType
from penstock_sidecar.engine.bundle import Bundle
from penstock_sidecar.engine.call import Call
from penstock_sidecar.engine.commands import (
    Command,
    Feed,
    FinishCall,
    OpenCall,
    ReadOutputs,
)
from penstock_sidecar.engine.flow import Level
from penstock_sidecar.engine.lanes import Lanes
from penstock_sidecar.engine.settings import FRAME_BYTES, FRAME_RECORDS, Settings
from penstock_sidecar.engine.settlement import Partition, Run
from penstock_sidecar.engine.windows import Window


class _Kind(IntEnum):
    """Why a bundle waits for a call. Each kind has as many calls as may be open at once.

    The call of an open window may last as long as the window does: what failed, and what is behind
    it, does not wait for that. What may have killed the function's host is tried alone.
    """

    ORDINARY = 0
    BEHIND_A_FAILURE = 1
    SUSPECT = 2


class Calls:
    """Gives windows to calls, in the order in which they opened.

    A call is finished once its window has ended and everything in it is taken. A call that ends
    by itself before that is followed by another one with what is left of the window.

    Args:
        settings: The processor.
        level: How much waits to be taken by the function's host.
        splits: Whether the messages of a window may go into several calls, by their partitions.
    """

    def __init__(self, settings: Settings, level: Level, *, splits: bool) -> None:
        self._settings = settings
        self._level = level
        self._outputs = [output.name for output in settings.outputs]
        self._shares = settings.window.type is WindowType.SLIDING
        self._lanes = Lanes(per_key=settings.window.per_key)
        self._bundles: dict[Bundle, None] = {}
        self._of_open_windows: dict[int, Bundle] = {}
        self._waiting: dict[_Kind, list[tuple[int, int, Bundle]]] = {kind: [] for kind in _Kind}
        self._resting: list[tuple[float, int, Bundle]] = []
        self._active: dict[int, Bundle] = {}
        self._kinds: dict[int, _Kind] = {}
        self._open_of_kind = [0] * len(_Kind)
        self._to_feed: dict[Bundle, None] = {}
        self._unread: dict[Call, None] = {}
        self._look_at = inf
        self._suspects = 0
        self._numbers = count(1)
        self._ties = count()
        self.host_is_away = False
        """Whether there is nobody to call."""
        self.splits = splits
        """As the argument; true from when a host reports: such a function knows no windows."""
        self.ended_windows = 0
        """Windows, and parts of split ones, that ended and whose messages are all dealt with."""

    def __bool__(self) -> bool:
        return bool(self._bundles)

    @property
    def open_windows(self) -> int:
        """Windows, and parts of split ones, that have messages and are not dealt with yet."""
        return len(self._bundles)

    @property
    def is_waiting_for_more(self) -> bool:
        """Whether nothing goes on before more messages come, or a window ends."""
        return not (any(self._waiting.values()) or self._resting or self.host_is_away) and all(
            bundle.call and not (bundle.call.feeding or bundle.call.owes or bundle.ended)
            for bundle in self._active.values()
        )

    @property
    def wake_at(self) -> float | None:
        """When something is to be tried again, or a call has taken too long."""
        look_at = self._look_at if self._active else inf
        again_at = self._resting[0][0] if self._resting else inf
        due = min(look_at, again_at)
        return due if due < inf else None

    def bundle(self, call: Call) -> Bundle | None:
        """What a call is given; ``None``: it is over."""
        return self._active.get(call.number)

    def get(self, number: int) -> Call | None:
        """A call that is open."""
        bundle = self._active.get(number)
        return bundle.call if bundle else None

    def opened(self) -> list[Call]:
        """The calls that are open."""
        return [bundle.call for bundle in self._active.values() if bundle.call]

    def overdue(self, now: float) -> list[Call]:
        """The calls that have owed something for too long."""
        if now < self._look_at:
            return []
        timeout = self._settings.delivery.timeout
        ends = {call: call.heard + timeout for call in self.opened() if call.owes}
        self._look_at = min((end for end in ends.values() if end > now), default=inf)
        return [call for call, end in ends.items() if end <= now]

    def read(self, now: float) -> Sequence[ReadOutputs]:
        """Wait for outputs of each call that is not waited for."""
        if not self._unread:
            return ()
        unread = [call for call in self._unread if call.number in self._active]
        self._unread.clear()
        for call in unread:
            call.reading = True
            self._expects(call, now)
        return [ReadOutputs(call.number) for call in unread]

    def was_read(self, call: Call, now: float) -> None:
        """Outputs of a call have come."""
        call.reading = False
        call.heard = now
        self._unread[call] = None

    def fill(self, window: Window) -> None:
        """An open window got messages that are to be fed at once."""
        bundle = self._of_open_windows.get(window.number)
        if bundle is None:
            bundle = self._of_open_windows[window.number] = self._add(Bundle(window))
        runs, window.runs = window.runs, []
        for run in runs:
            self._level.rise(len(run), run.size)
            if self._lanes and self._lanes.blocks(run.partition, bundle):
                self._queue_up(run, window)
                continue
            bundle.runs.append(run)
            if self._lanes:
                self._lanes.widen(bundle, run.partition)
        self._want(bundle)

    def end(self, window: Window) -> None:
        """A window gets no more messages."""
        bundle = self._of_open_windows.pop(window.number, None)
        if bundle is None:
            runs, window.runs = window.runs, []
            if runs:
                self.put(Bundle(window, runs, ended=True))
            return
        bundle.ended = True
        self._want(bundle)

    def put(self, bundle: Bundle) -> None:
        """A window has ended, and is to be called."""
        self._level.rise(bundle.records, bundle.size)
        self._add(bundle)
        if self._lanes and self.splits:
            for partition in bundle.partitions:
                if self._lanes.blocks(partition, bundle):
                    self._queue_up_all(bundle.take(partition), bundle.window)
        if bundle.runs:
            self._lanes.enter(bundle)
        self._want(bundle)

    def retry(self, bundle: Bundle) -> None:
        """What failed is to be tried again, at its time and before all that is behind it."""
        self._lanes.begin(bundle)
        self._hold_back(bundle.partitions)
        bundle.is_resting = True
        heappush(self._resting, (bundle.not_before, next(self._ties), bundle))

    def set_apart(self, bundle: Bundle, partition: Partition) -> Bundle:
        """What is of a partition fails: the rest of its bundle need not wait for that."""
        if bundle.partitions == {partition} and bundle.ended:
            return bundle
        apart = self._add(Bundle(bundle.window, bundle.take(partition), ended=True))
        apart.attempts, apart.failed_at, apart.error = (
            bundle.attempts,
            bundle.failed_at,
            bundle.error,
        )
        bundle.attempts, bundle.failed_at = 0, None
        if self._lanes.has(bundle):
            # It failed before as a whole: what waits behind it waits for both.
            self._lanes.put_before(bundle, apart)
        self._want(bundle)
        return apart

    def split(self, bundle: Bundle, parts: Sequence[Bundle]) -> None:
        """Parts of a bundle are called one by one in its place."""
        if self._of_open_windows.get(bundle.window.number) is bundle:
            del self._of_open_windows[bundle.window.number]
        self._lanes.replace(bundle, parts)
        del self._bundles[bundle]
        if bundle.is_suspect:
            self._suspects += len(parts) - 1
        for part in parts:
            self._add(part)
        self._hold_back(set().union(*[part.partitions for part in parts]))
        self._want(parts[0])

    def pop(self, bundle: Bundle, index: int) -> Run:
        """Take one message out of what no call was fed with."""
        run = bundle.pop(index)
        self._level.fall(1, run.size)
        return run

    def resume(self, bundle: Bundle) -> None:
        """What is left of a bundle is to be called now."""
        self._want(bundle)

    def withdraw(self, partition: Partition) -> list[Run]:
        """Forget what no call was fed with; returns that."""
        withdrawn: list[Run] = []
        for bundle in list(self._bundles):
            if runs := bundle.take(partition):
                withdrawn += runs
                self._want(bundle)
        for run in withdrawn:
            self._level.fall(len(run), run.size)
        return withdrawn

    def take_out(self, bundle: Bundle, partition: Partition) -> list[Run]:
        """Take what is of a partition out of a bundle whose call is over; returns that."""
        runs = bundle.take(partition)
        for run in runs:
            self._level.fall(len(run), run.size)
        return runs

    def windows_with(self, partition: Partition) -> list[Window]:
        """The windows of open calls that were fed with messages of a partition."""
        return [
            bundle.window
            for bundle in self._active.values()
            if bundle.call
            and any(run.partition is partition for run in bundle.call.pieces(0, bundle.call.fed))
        ]

    def at_work_with(self, partition: Partition) -> list[Call]:
        """The calls that were fed with messages of a partition that are not reported done."""
        return [
            call
            for call in self.opened()
            if any(run.partition is partition for run in call.pieces(call.done, call.fed))
        ]

    def taken(self, call: Call) -> None:
        """The host took the last feed."""
        if call.feeding:
            self._level.fall(*call.feeding)
            call.feeding = None
            if bundle := self._active.get(call.number):
                self._to_feed[bundle] = None

    def close(self, call: Call) -> None:
        """A call is over, and all that it was fed is done."""
        self.taken(call)
        bundle = self._active.pop(call.number)
        self._open_of_kind[self._kinds.pop(call.number)] -= 1
        bundle.call = None
        self._clear(bundle)
        bundle.attempts, bundle.failed_at = 0, None
        self._want(bundle)

    def broken_off(self, call: Call) -> tuple[Bundle, int]:
        """A call is over, and what is not reported done is not; what becomes of it is left open.

        Returns:
            Whose call it was, and how many of its messages the function may have seen.
        """
        self.taken(call)
        bundle = self._active.pop(call.number)
        self._open_of_kind[self._kinds.pop(call.number)] -= 1
        bundle.call = None
        if not self.host_is_away:
            self._clear(bundle)
        call.broken = True
        rest = call.rest()
        for run in rest:
            run.unfed()
            self._level.rise(len(run), run.size)
        bundle.runs.extendleft(reversed(rest))
        return bundle, sum(map(len, rest))

    def put_back(self, call: Call) -> tuple[Bundle, int]:
        """A call ended well, and its outputs cannot be published; returns as `broken_off` does."""
        runs = list(call.pieces(0, call.fed))
        bundle = self._add(Bundle(call.window, runs, ended=True))
        for run in runs:
            run.unfed()
            self._level.rise(len(run), run.size)
        self._lanes.begin(bundle)
        return bundle, bundle.records

    def suspect(self) -> None:
        """The host died while several calls were open: each is to be tried alone."""
        for bundle in self._active.values():
            if bundle.call and bundle.call.is_at_work and not bundle.is_suspect:
                bundle.is_suspect = True
                self._suspects += 1

    def abandon(self) -> list[Call]:
        """Forget everything; returns the calls that are open."""
        open_calls = self.opened()
        self._bundles.clear()
        self._active.clear()
        self._to_feed.clear()
        for waiting in self._waiting.values():
            waiting.clear()
        self._resting.clear()
        return open_calls

    def advance(self, now: float) -> Iterator[Command]:
        """What is to be done now."""
        while self._resting and self._resting[0][0] <= now:
            bundle = heappop(self._resting)[2]
            bundle.is_resting = False
            self._want(bundle)
        if not self.host_is_away:
            # A suspect may have to wait for what failed before it, or for others of its key.
            other = _Kind.SUSPECT if self._is_a_suspect_next else _Kind.ORDINARY
            kinds = [other, _Kind.BEHIND_A_FAILURE]
            for kind in kinds:
                if self._waiting[kind]:
                    yield from self._open_calls(kind, now)
        if self._to_feed:
            to_feed, self._to_feed = self._to_feed, {}
            for bundle in to_feed:
                yield from self._feed(bundle, now)

    @property
    def _is_a_suspect_next(self) -> bool:
        """Whether a suspect is tried, or will be without anything else being called before it."""
        if not self._suspects:
            return False
        resting = [bundle for _, _, bundle in self._resting]
        tried = [one for one in self._active.values() if not one.waits_for_more]
        return bool(self._waiting[_Kind.SUSPECT]) or any(
            one.is_suspect for one in (*tried, *resting)
        )

    def _open_calls(self, kind: _Kind, now: float) -> Iterator[OpenCall]:
        if self._suspects:
            # One that waits for more of an open window has nothing to die of, and may wait long.
            free = 1 - sum(not one.waits_for_more for one in self._active.values())
        else:
            # As each was opened: what died with others is of another kind since.
            free = self._settings.calls - self._open_of_kind[kind]
        waiting = self._waiting[kind]
        while waiting and free > 0:
            bundle = heappop(waiting)[2]
            bundle.queued = False
            if self._may_be_called(bundle):
                free -= 1
                yield self._open(bundle, now)
            else:
                self._want(bundle)

    def _kind(self, bundle: Bundle) -> _Kind:
        if bundle.is_suspect:
            return _Kind.SUSPECT
        if bundle.ended and not self._settings.window.per_key and self._lanes.has(bundle):
            return _Kind.BEHIND_A_FAILURE
        return _Kind.ORDINARY

    def _may_be_called(self, bundle: Bundle) -> bool:
        if self._shares:
            self._leave_out_what_is_done(bundle)
        if not bundle.runs:
            return False
        if self._lanes and not self._lanes.has(bundle):
            self._lanes.enter(bundle)
        return self._lanes.lets(bundle)

    def _leave_out_what_is_done(self, bundle: Bundle) -> None:
        """Another window, which held some of its messages as well, has set them aside."""
        kept = [one for run in bundle.runs for one in run.undone()]
        for run in bundle.runs:
            self._level.fall(len(run), run.size)
        for run in kept:
            self._level.rise(len(run), run.size)
        bundle.runs = deque(kept)

    def _add(self, bundle: Bundle) -> Bundle:
        self._bundles[bundle] = None
        return bundle

    def _want(self, bundle: Bundle) -> None:
        """Have a bundle called as soon as it may be; or be done with it, if nothing is left."""
        if bundle.call:
            self._to_feed[bundle] = None
        if bundle.call or bundle.queued or bundle not in self._bundles:
            return
        if bundle.runs:
            if self._lanes.lets(bundle) and not bundle.is_resting:
                bundle.queued = True
                waiting = self._waiting[self._kind(bundle)]
                heappush(waiting, (bundle.window.number, next(self._ties), bundle))
        elif bundle.ended:
            self._over(bundle)

    def _over(self, bundle: Bundle) -> None:
        del self._bundles[bundle]
        self._clear(bundle)
        self.ended_windows += 1
        if following := self._lanes.leave(bundle):
            self._want(following)

    def _clear(self, bundle: Bundle) -> None:
        if bundle.is_suspect:
            bundle.is_suspect = False
            self._suspects -= 1

    def _hold_back(self, partitions: Iterable[Partition]) -> None:
        """What no call was fed with of partitions that fail queues up behind the failure."""
        if not self.splits or self._settings.window.per_key:
            return
        for bundle in list(self._bundles):
            for partition in partitions:
                if self._lanes.blocks(partition, bundle):
                    self._queue_up_all(bundle.take(partition), bundle.window)

    def _queue_up(self, run: Run, window: Window) -> None:
        """Put a run behind the failure that its partition waits for."""
        last = self._lanes.behind(run.partition)
        if last.window is window and last.call is None:
            last.runs.append(run)
        else:
            bundle = self._add(Bundle(window, [run], ended=True))
            self._lanes.enter(bundle)
            # What failed may be of a later window: then this is called before it.
            self._want(bundle)

    def _queue_up_all(self, runs: Iterable[Run], window: Window) -> None:
        for run in runs:
            self._queue_up(run, window)

    def _open(self, bundle: Bundle, now: float) -> OpenCall:
        number = next(self._numbers)
        bundle.call = Call(number, bundle.window, self._outputs, bundle.name, now)
        self._active[number] = bundle
        kind = self._kinds[number] = self._kind(bundle)
        self._open_of_kind[kind] += 1
        self._to_feed[bundle] = None
        self._unread[bundle.call] = None
        return OpenCall(number)

    def _feed(self, bundle: Bundle, now: float) -> Iterator[Command]:
        call = bundle.call
        if call is None or call.feeding or call.finished:
            return
        owed = call.owes
        runs: list[Run] = []
        records = size = 0
        while bundle.runs:
            run = bundle.runs[0]
            records_with, size_with = records + len(run.messages), size + run.size
            if runs and (records_with > FRAME_RECORDS or size_with > FRAME_BYTES):
                break
            records, size = records_with, size_with
            runs.append(bundle.runs.popleft())
        if runs:
            call.feeding = records, size
            yield Feed(call.number, call.feed(runs))
        elif bundle.ended:
            call.finished = True
            yield FinishCall(call.number)
        if not owed:
            self._expects(call, now)

    def _expects(self, call: Call, now: float) -> None:
        """From now on a call may owe something."""
        call.heard = now
        self._look_at = min(self._look_at, now + self._settings.delivery.timeout)
