"""What is asked for meanwhile is done in one go."""

import asyncio
from collections.abc import Mapping

import pytest

from penstock.plugin import TemporaryError
from penstock_kafka.groups.gathering import Gathering


class Goes:
    """Does one go after the other, each when it is told to."""

    def __init__(self) -> None:
        self.gathering: Gathering[int, str] = Gathering(self.do)
        self.goes: list[Mapping[int, int]] = []
        self.may_end: asyncio.Queue[Exception | None] = asyncio.Queue()

    async def do(self, values: Mapping[int, int]) -> str:
        self.goes.append(values)
        if failure := await self.may_end.get():
            raise failure
        return f"go {len(self.goes)}"

    def ask(self, **values: int) -> asyncio.Task[str]:
        return asyncio.create_task(self.gathering.ask({int(at[1:]): v for at, v in values.items()}))

    def end(self, failure: Exception | None = None) -> None:
        self.may_end.put_nowait(failure)


async def turns() -> None:
    """Let everybody run until they wait."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_what_is_asked_for_meanwhile_is_done_in_the_next_go() -> None:
    goes = Goes()
    asked = [goes.ask(p0=1)]
    await turns()
    asked += [goes.ask(p0=2), goes.ask(p1=5), goes.ask(p0=3)]
    await turns()
    assert goes.goes == [{0: 1}]
    goes.end()
    goes.end()
    assert await asyncio.gather(*asked) == ["go 1", "go 2", "go 2", "go 2"]
    assert goes.goes == [{0: 1}, {0: 3, 1: 5}]
    assert goes.gathering.is_idle


async def test_a_go_that_fails_fails_for_those_who_asked_for_it_alone() -> None:
    goes = Goes()
    first = goes.ask(p0=1)
    await turns()
    second = goes.ask(p0=2)
    await turns()
    goes.end(TemporaryError("no"))
    goes.end()
    with pytest.raises(TemporaryError, match="no"):
        await first
    assert await second == "go 2"


async def test_who_gives_up_leaves_the_go_to_the_others() -> None:
    goes = Goes()
    asked = [goes.ask(p0=1), goes.ask(p1=2)]
    await turns()
    asked[0].cancel()
    await turns()
    goes.end()
    assert await asked[1] == "go 1"
    assert asked[0].cancelled()
    assert goes.goes == [{0: 1, 1: 2}]


async def test_a_go_is_carried_out_though_all_have_given_up() -> None:
    goes = Goes()
    asked = [goes.ask(p0=1), goes.ask(p0=2)]
    await turns()
    for one in asked:
        one.cancel()
    goes.end(TemporaryError("nobody hears this"))
    await turns()
    assert goes.goes == [{0: 2}]
    assert goes.gathering.is_idle


async def test_closing_gives_up_what_is_being_done_and_what_is_to_be_done() -> None:
    goes = Goes()
    asked = [goes.ask(p0=1)]
    await turns()
    asked.append(goes.ask(p0=2))
    await turns()
    await goes.gathering.close()
    for one in asked:
        with pytest.raises(TemporaryError, match="closed"):
            await one
    assert goes.goes == [{0: 1}]
