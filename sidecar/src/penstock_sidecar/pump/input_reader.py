"""One input: its partitions come and go, and are read as far as the engine grants."""

import asyncio
import logging
from collections.abc import Callable

from penstock.backoff import Backoff
from penstock.plugin import Assigned, PositionExpired, Revoked, Subscription, TemporaryError
from penstock_sidecar.engine import Event, events
from penstock_sidecar.engine.commands import Read
from penstock_sidecar.pump.tasks import Tasks

_LOG = logging.getLogger(__name__)


class InputReader:
    """Follows a subscription.

    Args:
        number: The input's number.
        name: Its alias.
        subscription: The membership.
        tasks: Where reads run.
        tell: The engine's ear.
    """

    def __init__(
        self,
        number: int,
        name: str,
        subscription: Subscription,
        tasks: Tasks,
        tell: Callable[[Event], None],
    ) -> None:
        self._number = number
        self._name = name
        self._subscription = subscription
        self._tasks = tasks
        self._tell = tell
        self._reads: dict[int, asyncio.Task[None]] = {}

    async def follow(self) -> None:
        """Tell of assignments and revocations for as long as the membership lasts.

        Raises:
            TemporaryError: It is lost.
        """
        while True:
            event = await self._subscription.next_event()
            numbers = sorted(event.partitions)
            names = ", ".join(map(str, numbers))
            fields = {"input": self._name, "partitions": numbers}
            match event:
                case Assigned(partitions):
                    _LOG.info("input %s: reading partitions %s", self._name, names, extra=fields)
                    self._tell(events.PartitionsAssigned(self._number, partitions))
                case Revoked(partitions, grace):
                    _LOG.info(
                        "input %s: partitions %s go elsewhere", self._name, names, extra=fields
                    )
                    for partition in partitions:
                        if read := self._reads.pop(partition, None):
                            read.cancel()
                    self._tell(events.PartitionsRevoked(self._number, partitions, grace))

    def read(self, command: Read) -> None:
        """Begin a read."""
        self._reads[command.partition] = self._tasks.start(self._read(command))

    async def _read(self, command: Read) -> None:
        backoff = Backoff()
        fields = {"input": self._name, "partition": command.partition}
        while True:
            try:
                records = await self._subscription.read(
                    command.partition, command.max_records, command.max_bytes
                )
            except PositionExpired as gap:
                _LOG.error(
                    "input %s: records were removed by retention before they were read: %s",
                    self._name,
                    gap,
                    extra=fields,
                )
            except TemporaryError as error:
                _LOG.warning("input %s: reading again after: %s", self._name, error, extra=fields)
                await asyncio.sleep(max(backoff.pause(), error.retry_after or 0.0))
            else:
                break
        del self._reads[command.partition]
        if records:
            self._tell(events.RecordsRead(self._number, command.partition, records))
