"""A processor between two topics of a real Kafka, with traffic through it."""

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from types import TracebackType
from typing import Self
from uuid import uuid4

from tests.kafka.administrator import Administrator
from tests.kafka.processes import Function, Gateway, Sidecar
from tests.kafka.report import Row
from tests.kafka.traffic import Outputs, Source, Tally, gaps, tally
from tests.kafka.waiting import PATIENCE, until

PARTITIONS = 4
_SHOWN_LINES = 20


class Pipeline:
    """Two topics, the function, and sidecars as they are added; an async context manager.

    Args:
        bootstrap_servers: The brokers, as the tests' own clients reach them.
        case: The test, as the report names it.
        rows: The report.
        spec: What the sidecars' plugin is told of Kafka.
        partitions: Of the input; the output has `PARTITIONS`.

    Attributes:
        group: The consumer group of the processor.
        topics: Its input and its output.
        sidecars: Those that were added.
        recoveries: Seconds from the end of each fault until messages came out again.
    """

    def __init__(
        self,
        bootstrap_servers: str,
        case: str,
        rows: list[Row],
        *,
        spec: Mapping[str, object],
        partitions: int = PARTITIONS,
    ) -> None:
        name = uuid4().hex[:12]
        self.group = f"copier-{name}"
        self.topics = (f"{name}_in", f"{name}_out")
        self.administrator = Administrator(bootstrap_servers)
        self.function = Function("function")
        self.sidecars: list[Sidecar] = []
        self.recoveries: list[float] = []
        self.source = Source(bootstrap_servers, self.topics[0])
        self.outputs = Outputs(bootstrap_servers, self.topics[1], PARTITIONS)
        self._case = case
        self._rows = rows
        self._spec = spec
        self._partitions = partitions
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        try:
            await self.administrator.create(self.topics[0], self._partitions)
            await self.administrator.create(self.topics[1], PARTITIONS)
            await self._stack.enter_async_context(self.source)
            await self._stack.enter_async_context(self.outputs)
            self._stack.enter_context(self.function)
            await asyncio.to_thread(self.function.begin)
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    async def add_sidecar(
        self,
        name: str = "sidecar",
        *,
        keeps_name: bool = True,
        gateway: Gateway | None = None,
        wait: bool = True,
    ) -> Sidecar:
        """Start a sidecar more.

        Args:
            name: What it is called.
            keeps_name: Whether the group knows it by its name, also when it is started again.
            gateway: The gateway that it goes through; otherwise it goes to the brokers itself.
            wait: Until messages can flow.
        """
        kafka = {"kind": "KafkaGateway", "spec": self._spec}
        sidecar = Sidecar(
            name,
            self.group,
            self.topics,
            function=self.function.address,
            member=name if keeps_name else "",
            **({"gateway": gateway.address} if gateway else {"connection": kafka}),
        )
        self._stack.enter_context(sidecar)
        self.sidecars.append(sidecar)
        await self.start(sidecar, wait=wait)
        return sidecar

    async def start(self, sidecar: Sidecar, *, wait: bool = True) -> None:
        """Start a sidecar that was ended."""
        await asyncio.to_thread(sidecar.begin, wait=wait)

    async def until_out(self, count: int, patience: float = PATIENCE) -> None:
        """Wait until so many messages have come out."""
        await until(
            lambda: len(self.outputs.numbers) >= count,
            f"{count} messages come out, and not only {len(self.outputs.numbers)}",
            patience=patience,
            report=self._troubles,
        )

    async def until_recovered(self, patience: float = PATIENCE) -> None:
        """Wait until messages come out again; how long that took is for the report.

        There must be messages on and on: all that have come out by now are not waited for.
        """
        async with self.recovery(patience):
            pass

    @asynccontextmanager
    async def recovery(self, patience: float = PATIENCE) -> AsyncIterator[None]:
        """End a fault within this, and leave it when messages come out again.

        None of those that come out within is missed, however few there are.
        """
        began = time.monotonic()
        try:
            known = await self.outputs.news()
            yield
            await self.outputs.until_news(known, patience)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self._troubles()}") from None
        self.recoveries.append(time.monotonic() - began)

    async def acked(self) -> dict[int, int]:
        """The first offset that is not acked, by partition of the input."""
        return await self.administrator.stored(self.group, self.topics[0])

    async def check_acks(self) -> None:
        """Hold that nothing is acked of which nothing has come out."""
        acked = await self.acked()
        await self.outputs.until_caught_up()
        lost = {
            number: place
            for number, place in self.source.sent.items()
            if number not in self.outputs.numbers and place.offset < acked.get(place.partition, 0)
        }
        assert not lost, f"acked, and not out: {', '.join(gaps(lost))}"

    async def finish(self, *, unsure: Collection[int] = (), patience: float = PATIENCE) -> Tally:
        """Wait until all that was sent has come out and is acked; count, report, and check.

        Args:
            unsure: Messages that need not come out: a set, where they are many.
            patience: Seconds, for each of the two.
        """
        sent, seen = self.source.sent, self.outputs.numbers
        due = {number: place for number, place in sent.items() if number not in unsure}

        async def is_acked() -> bool:
            return await self.acked() == await self.administrator.ends(self.topics[0])

        failure = ""
        try:
            await until(
                lambda: len(seen) >= len(due) and due.keys() <= seen,
                "all messages come out",
                patience=patience,
            )
            await until(is_acked, "all messages are acked", patience=patience)
            await self.outputs.until_caught_up()
        except AssertionError as error:
            failure = str(error)
        counted = tally(self.group, sent, self.outputs.received, unsure)
        row = Row(
            self._case,
            counted.sent,
            counted.received,
            counted.duplicates,
            len(counted.out_of_order),
            self.recoveries,
        )
        self._rows.append(row)
        print(" | ".join(row.cells))
        troubles = f"{failure}\n{counted.faults}".strip()
        assert not troubles, f"{troubles}\n{self._log()}"
        return counted

    def _log(self) -> str:
        """The last that the sidecars have said."""
        return "\n".join(
            f"{sidecar.name}: {line}"
            for sidecar in self.sidecars
            for line in sidecar.text.splitlines()[-_SHOWN_LINES:]
        )

    def _troubles(self) -> str:
        """What is not out, and what the sidecars have said."""
        sent, seen = self.source.sent, self.outputs.numbers
        missing = gaps({number: place for number, place in sent.items() if number not in seen})
        return "\n".join(["not out by now:", *missing, self._log()])
