"""What came from the function and is not yet accepted by the gateway, for one output."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from penstock.backoff import Backoff
from penstock.plugin import (
    Message,
    PenstockError,
    PermanentError,
    Position,
    PublishResult,
    TemporaryError,
)
from penstock_sidecar.engine.call import Call
from penstock_sidecar.engine.commands import Publish
from penstock_sidecar.engine.settings import FRAME_BYTES, FRAME_RECORDS
from penstock_sidecar.engine.settlement import Run


class Origin(NamedTuple):
    """What messages for an output are from.

    Attributes:
        call: The call that gave them; ``None``: they are no output of the function.
        inputs: Which input of the call each is from; empty where that is not known.
        run: What they are themselves, where they are dead letters.
    """

    call: Call | None = None
    inputs: Sequence[int] = ()
    run: Run | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A message that a gateway refused for good; it is not published again.

    Attributes:
        origin: What it is from.
        place: Which of its messages.
        error: Why.
    """

    origin: Origin
    place: int
    error: PermanentError


class _Waiting(NamedTuple):
    """Messages that fit in a frame; `start` is the place of the first one in their origin."""

    messages: Sequence[Message]
    size: int
    origin: Origin
    start: int


class OutputQueue:
    """Publishes in the order in which messages came, one batch at a time.

    What gathers while a batch is under way is the next one. What a gateway could not store is
    published again after a pause, before anything behind it.
    """

    def __init__(self, output: int) -> None:
        self._output = output
        self._waiting: deque[_Waiting] = deque()
        self._batch: Sequence[Message] = ()
        self._places: Sequence[int] = ()
        self._gathered: Sequence[_Waiting] = ()
        self._publishing = False
        self._backoff = Backoff()
        self.received = 0
        """Messages taken in since the start."""
        self.accepted = 0
        """Of those, how many the gateway has accepted, or refused for good: the first so many."""
        self.retry_at: float | None = None
        """When what failed is to be published again."""

    def put(self, messages: Sequence[Message], origin: Origin) -> int:
        """Take in messages; returns the bytes of their payloads."""
        self.received += len(messages)
        total = start = 0
        for chunk, size in _chunks(messages):
            self._waiting.append(_Waiting(chunk, size, origin, start))
            start += len(chunk)
            total += size
        return total

    def advance(self, now: float) -> Iterator[Publish]:
        """Publish what is there, if nothing is under way."""
        if self._publishing or (self.retry_at is not None and now < self.retry_at):
            return
        self.retry_at = None
        if not self._batch:
            self._gather()
        if self._batch:
            self._publishing = True
            yield Publish(self._output, self._batch)

    def _gather(self) -> None:
        gathered: list[_Waiting] = []
        batch: list[Message] = []
        size = 0
        while self._waiting and (
            not batch
            or (
                len(batch) + len(self._waiting[0].messages) <= FRAME_RECORDS
                and size + self._waiting[0].size <= FRAME_BYTES
            )
        ):
            waiting = self._waiting.popleft()
            gathered.append(waiting)
            batch += waiting.messages
            size += waiting.size
        self._batch, self._gathered = batch, gathered
        self._places = range(len(batch))

    def published(
        self, results: Sequence[PublishResult], now: float
    ) -> tuple[int, int, Sequence[Refusal]]:
        """The gateway answered.

        Returns:
            The records and bytes that are dealt with by this, and what is refused for good.
        """
        self._publishing = False
        failures = {
            index: result
            for index, result in enumerate(results)
            if not isinstance(result, Position)
        }
        if not failures:
            return *self._complete(), ()
        refusals = [
            self._refusal(self._places[index], error)
            for index, error in failures.items()
            if isinstance(error, PermanentError)
        ]
        left = [index for index, error in failures.items() if not isinstance(error, PermanentError)]
        if not left:
            return *self._complete(), refusals
        self._batch = [self._batch[index] for index in left]
        self._places = [self._places[index] for index in left]
        self.failed(failures[left[0]], now)
        return 0, 0, refusals

    def failed(self, error: PenstockError, now: float) -> None:
        """Nothing is known to be stored: publish the batch again later."""
        self._publishing = False
        pause = self._backoff.pause()
        asked = error.retry_after if isinstance(error, TemporaryError) else None
        self.retry_at = now + max(pause, asked or 0.0)

    def _complete(self) -> tuple[int, int]:
        records = sum(len(waiting.messages) for waiting in self._gathered)
        size = sum(waiting.size for waiting in self._gathered)
        self._backoff.reset()
        self._batch, self._gathered = (), ()
        self.accepted += records
        return records, size

    def _refusal(self, place: int, error: PermanentError) -> Refusal:
        for waiting in self._gathered:
            if place < len(waiting.messages):
                return Refusal(waiting.origin, waiting.start + place, error)
            place -= len(waiting.messages)
        raise IndexError(place)


def _chunks(messages: Sequence[Message]) -> Iterator[tuple[Sequence[Message], int]]:
    """The messages in pieces that fit a frame each, and the bytes of each."""
    sizes = [len(message.payload) for message in messages]
    size = sum(sizes)
    if len(messages) <= FRAME_RECORDS and size <= FRAME_BYTES:
        yield messages, size
        return
    start = size = 0
    for index, more in enumerate(sizes):
        if index > start and (index - start >= FRAME_RECORDS or size + more > FRAME_BYTES):
            yield messages[start:index], size
            start, size = index, 0
        size += more
    yield messages[start:], size
