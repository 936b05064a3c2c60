"""What came from the function and is not yet accepted by the gateway, for one output."""

from collections import deque
from collections.abc import Iterator, Sequence

from penstock.backoff import Backoff
from penstock.plugin import (
    Message,
    PenstockError,
    PermanentError,
    Position,
    PublishResult,
    TemporaryError,
)
from penstock_sidecar.engine.commands import Publish
from penstock_sidecar.engine.settings import FRAME_BYTES, FRAME_RECORDS


class OutputQueue:
    """Publishes in the order in which messages came, one batch at a time.

    What gathers while a batch is under way is the next one. What a gateway could not store is
    published again after a pause, before anything behind it.
    """

    def __init__(self, output: int) -> None:
        self._output = output
        self._waiting: deque[tuple[Sequence[Message], int]] = deque()
        self._batch: Sequence[Message] = ()
        self._batch_records = 0
        self._batch_bytes = 0
        self._publishing = False
        self._backoff = Backoff()
        self.received = 0
        """Messages taken in since the start."""
        self.accepted = 0
        """Of those, how many the gateway has accepted: the first so many."""
        self.retry_at: float | None = None
        """When what failed is to be published again."""

    def put(self, messages: Sequence[Message]) -> int:
        """Take in messages; returns the bytes of their payloads."""
        self.received += len(messages)
        total = 0
        for chunk, size in _chunks(messages):
            self._waiting.append((chunk, size))
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
        batch: list[Message] = []
        size = 0
        while self._waiting and (
            not batch
            or (
                len(batch) + len(self._waiting[0][0]) <= FRAME_RECORDS
                and size + self._waiting[0][1] <= FRAME_BYTES
            )
        ):
            messages, more = self._waiting.popleft()
            batch += messages
            size += more
        self._batch, self._batch_records, self._batch_bytes = batch, len(batch), size

    def published(self, results: Sequence[PublishResult], now: float) -> tuple[int, int]:
        """The gateway answered; returns the records and bytes that are accepted by this.

        Raises:
            PermanentError: The first refusal for good.
        """
        self._publishing = False
        refusals = [result for result in results if not isinstance(result, Position)]
        if not refusals:
            self._backoff.reset()
            self._batch = ()
            self.accepted += self._batch_records
            return self._batch_records, self._batch_bytes
        left = [
            message
            for message, result in zip(self._batch, results, strict=True)
            if not isinstance(result, Position)
        ]
        for message, refusal in zip(left, refusals, strict=True):
            if isinstance(refusal, PermanentError):
                raise PermanentError(f"message {message.id}: {refusal}") from refusal
        self._batch = left
        self.failed(refusals[0], now)
        return 0, 0

    def failed(self, error: PenstockError, now: float) -> None:
        """Nothing is known to be stored: publish the batch again later."""
        self._publishing = False
        pause = self._backoff.pause()
        asked = error.retry_after if isinstance(error, TemporaryError) else None
        self.retry_at = now + max(pause, asked or 0.0)


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
