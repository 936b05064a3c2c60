"""A function, and the process that hosts it: it works, fails, hangs and dies."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from penstock.plugin import Message, NotReady, PenstockError
from penstock_sidecar.engine.commands import Part
from penstock_sidecar.function import FunctionCall, FunctionFailed, FunctionHost, Outputs, Start
from sidecar.tests.simulation.ledger import Input, Ledger
from sidecar.tests.simulation.link import Chance, Link
from sidecar.tests.simulation.scenario import Kind, Scenario, Verdict

TYPE = "text/plain"
_ROOM = 200


class HostProcess:
    """The process in which the function is; it dies and comes back."""

    def __init__(self, chance: Chance) -> None:
        self.up = True
        self.died = asyncio.Event()
        self.calls: dict[SimulatedCall, None] = {}
        self._chance = chance

    def crash(self) -> None:
        """It dies, with all of its calls, and is there again after a while."""
        if not self.up:
            return
        self.up = False
        self.died.set()
        self.died = asyncio.Event()
        for call in list(self.calls):
            call.end(NotReady("simulated: the host is gone"))
        pause = self._chance.random.uniform(0.1, 3.0)
        asyncio.get_running_loop().call_later(pause, self._start)

    def _start(self) -> None:
        self.up = True


class SimulatedHost(FunctionHost):
    """The way of one member to its host."""

    def __init__(
        self,
        process: HostProcess,
        link: Link,
        scenario: Scenario,
        ledger: Ledger,
        chance: Chance,
    ) -> None:
        super().__init__("simulated:0", Start((), (), ()))
        self.process = process
        self.link = link
        self.scenario = scenario
        self.ledger = ledger
        self.chance = chance

    async def find(self) -> None:
        await self.link.step()
        while not self.process.up:  # noqa: ASYNC110 - it costs no time here
            await asyncio.sleep(0.2)
        await self.link.step()

    async def gone(self) -> None:
        if self.process.up:
            await self.process.died.wait()

    def call(self) -> FunctionCall:
        return SimulatedCall(self)


class SimulatedCall(FunctionCall):
    """One call."""

    def __init__(self, host: SimulatedHost) -> None:
        self._host = host
        self._inputs: list[Input] = []
        self._done = 0
        self._taken = 0
        self._finished = False
        self._outputs: list[tuple[Message, int, int]] = []
        self._reported = 0
        self._end: PenstockError | None = None
        self._ended = False
        self._news = asyncio.Event()
        self._work = asyncio.Event()
        self._room = asyncio.Event()
        self._worker = asyncio.get_running_loop().create_task(self._run())
        host.process.calls[self] = None
        if not host.process.up:
            self.end(NotReady("simulated: the host is not there"))

    @property
    def reports(self) -> bool | None:
        return self._host.scenario.kind is Kind.ONE_VALUE

    @property
    def _counts_one_by_one(self) -> bool:
        """Whether it matters how far the function came: what is behind a failure it never saw."""
        return bool(self.reports) and not self._host.scenario.is_safe

    async def write(self, parts: Sequence[Part]) -> bool:
        await self._host.link.step()
        if self._ended:
            return False
        texts = [message.payload.decode() for part in parts for message in part.messages]
        if not self._counts_one_by_one:
            self._host.ledger.given(self._host.link, texts)
        self._inputs += [self._host.ledger.inputs[text] for text in texts]
        self._work.set()
        while len(self._inputs) - self._taken > _ROOM and not self._is_over():
            self._room.clear()
            await self._room.wait()
        return not self._is_over()

    async def finish(self) -> None:
        await self._host.link.step()
        self._finished = True
        self._work.set()

    async def read(self) -> Outputs | None:
        await self._news.wait()
        await self._host.link.step()
        while not (self._ended or self._outputs or self._reported < self._done):
            # All that it said before it hung was heard already.
            self._news.clear()
            await self._news.wait()
        if self._outputs or self._reported < self._done:
            outputs, self._outputs = self._outputs, []
            before, self._reported = self._reported, self._done
            if not self._ended:
                self._news.clear()
            messages = [message for message, _, _ in outputs]
            results = [result for _, result, _ in outputs] or [0]
            if not self.reports:
                return Outputs(messages, results)
            done = self._inputs[before : self._done]
            self._host.ledger.ended([one.text for one in done])
            return Outputs(messages, results, [number for *_, number in outputs], self._done)
        if self._end:
            raise self._end
        if not self.reports:
            self._host.ledger.ended([one.text for one in self._inputs])
        return None

    def cancel(self) -> None:
        self.end(NotReady("simulated: cancelled"))

    def end(self, error: PenstockError | None) -> None:
        """It is over."""
        if self._ended:
            return
        self._ended = True
        self._end = error
        self._worker.cancel()
        self._host.process.calls.pop(self, None)
        self._news.set()
        self._room.set()

    def _is_over(self) -> bool:
        return self._ended

    async def _run(self) -> None:
        chance, is_gathering = self._host.chance, self._host.scenario.kind is Kind.GATHERING
        taken = 0
        while not (self._finished and taken == len(self._inputs)):
            if taken == len(self._inputs):
                self._work.clear()
                await self._work.wait()
                continue
            await chance.delay()
            for one in self._inputs[taken : taken + chance.random.randint(1, 60)]:
                if self._counts_one_by_one:
                    self._host.ledger.given(self._host.link, [one.text])
                if error := await self._failure(one, taken):
                    self.end(error)
                    return
                if not is_gathering:
                    self._outputs += _outputs(one, taken, self._host.scenario.outputs)
                taken += 1
            self._taken = taken
            if self.reports:
                self._done = taken
            if self._outputs or self.reports:
                self._news.set()
            self._room.set()
        if is_gathering and self._inputs:
            text = ",".join(one.text for one in self._inputs) + "/0"
            refused = any(one.verdict is Verdict.REFUSED for one in self._inputs)
            self._outputs.append((_message(text, None, refused=refused), 0, 0))
        await chance.delay()
        self.end(None)

    async def _failure(self, one: Input, number: int) -> PenstockError | None:
        """What becomes of a call with an input."""
        chance, kind = self._host.chance, one.verdict
        if chance.fails(self._host.scenario.fault_rate / 30):
            kind = chance.random.choice([Verdict.POISON, Verdict.CRASH, Verdict.HANG])
        named = number if self.reports else None
        if named is not None and kind is not Verdict.WELL:
            self._done = number
        match kind:
            case Verdict.FLAKY if one.failures < 1:
                one.failures += 1
                return FunctionFailed("simulated: flaky", named)
            case Verdict.POISON:
                return FunctionFailed("simulated: poison", named)
            case Verdict.UNREADABLE:
                return FunctionFailed("simulated: unreadable", named, retryable=False)
            case Verdict.CRASH:
                self._host.process.crash()
                await asyncio.get_running_loop().create_future()
            case Verdict.HANG:
                if self._done:
                    self._news.set()
                await asyncio.get_running_loop().create_future()
            case Verdict.MISTYPED if one.wanted == 0:
                return FunctionFailed("simulated: no output to mistype", named, retryable=False)
        return None


def _outputs(one: Input, number: int, results: int) -> list[tuple[Message, int, int]]:
    refused = one.verdict is Verdict.REFUSED
    type_ = "image/png" if one.verdict is Verdict.MISTYPED else TYPE
    return [
        (
            _message(f"{one.text}/{index}", one.message.key, refused=refused, type_=type_),
            (number_of(one) + index) % results,
            number,
        )
        for index in range(one.wanted)
    ]


def number_of(one: Input) -> int:
    """What decides to which output an input's first goes."""
    return int(one.text) // 3


def _message(text: str, key: bytes | None, *, refused: bool, type_: str = TYPE) -> Message:
    return Message(text.encode(), type_, key, {"refused": "yes"} if refused else {})
