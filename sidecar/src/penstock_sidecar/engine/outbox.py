"""Everything that is to be published, and what is settled once it is."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from penstock.plugin import Message
from penstock_sidecar.engine.checkpoints import Checkpoints, Settle
from penstock_sidecar.engine.commands import Publish
from penstock_sidecar.engine.events import Published, PublishFailed
from penstock_sidecar.engine.flow import Level
from penstock_sidecar.engine.outputs import Origin, OutputQueue, Refusal
from penstock_sidecar.engine.settings import Settings
from penstock_sidecar.engine.settlement import Partition


class Outbox:
    """The queues of the outputs, and behind them that of the dead letters, if there are any.

    Args:
        settings: The processor.
    """

    def __init__(self, settings: Settings) -> None:
        queues = len(settings.outputs) + (settings.dead_letters is not None)
        self._queues = [OutputQueue(number) for number in range(queues)]
        self._checkpoints = Checkpoints(queues)
        self.level = Level(settings.write_marks)

    def __bool__(self) -> bool:
        """Whether anything waits to be settled."""
        return bool(self._checkpoints)

    @property
    def retry_at(self) -> float | None:
        """When something is to be published again."""
        times = [queue.retry_at for queue in self._queues if queue.retry_at is not None]
        return min(times, default=None)

    def put(self, output: int, messages: Sequence[Message], origin: Origin) -> int:
        """Publish messages; returns how many the output must have accepted then."""
        self.level.rise(len(messages), self._queues[output].put(messages, origin))
        return self._queues[output].received

    def then(self, needs: Mapping[int, int], settle: Settle) -> None:
        """Settle inputs, once outputs have accepted so many messages, counted from the start."""
        self._checkpoints.add(dict(needs), self._accepted, settle)

    def published(self, event: Published, now: float) -> Sequence[Refusal]:
        """The gateway answered; what it has refused for good."""
        records, size, refusals = self._queues[event.output].published(event.results, now)
        self.level.fall(records, size)
        return refusals

    def failed(self, event: PublishFailed, now: float) -> None:
        """Nothing is known to be stored: it is published again."""
        self._queues[event.output].failed(event.error, now)

    def advance(self, now: float) -> Iterator[Publish]:
        """What is to be published now."""
        for queue in self._queues:
            yield from queue.advance(now)

    def settle(self) -> Iterable[Partition]:
        """Settle what is done for good; returns whose it is."""
        return self._checkpoints.settle(self._accepted) if self._checkpoints else ()

    @property
    def _accepted(self) -> Sequence[int]:
        return [queue.accepted for queue in self._queues]
