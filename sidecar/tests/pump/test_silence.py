"""When a silent function owes something, and when it does not."""

import asyncio
from collections.abc import Callable

import pytest

from penstock_sidecar.pump import silence
from penstock_sidecar.pump.silence import Silence

LONG = 0.2  # seconds: four times what counts as long here


@pytest.fixture(autouse=True)
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silence, "SECONDS", 0.05)


def takes_nothing(call: Silence) -> None:
    call.feeding(5)


def does_not_end(call: Silence) -> None:
    call.feeding(5)
    call.taken()
    call.finished()


def stops_in_the_middle(call: Silence) -> None:
    call.feeding(5)
    call.taken()
    call.heard(inputs_done=2)


def gathers(call: Silence) -> None:
    call.feeding(5)
    call.taken()
    call.heard(inputs_done=0)


def is_done(call: Silence) -> None:
    stops_in_the_middle(call)
    call.heard(inputs_done=5)


def is_over(call: Silence) -> None:
    does_not_end(call)
    call.end()


@pytest.mark.parametrize(
    ("function", "owed"),
    [
        (takes_nothing, "takes no messages"),
        (does_not_end, "has all messages of a window and does not end"),
        (stops_in_the_middle, "is not done with what it took (messages: 3)"),
    ],
)
async def test_what_is_owed_is_said_after_a_while_and_again(
    function: Callable[[Silence], None], owed: str, caplog: pytest.LogCaptureFixture
) -> None:
    call = Silence()
    function(call)
    async with asyncio.timeout(5):
        while len(caplog.records) < 2:  # noqa: ASYNC110 - a log tells nobody
            await asyncio.sleep(0.01)
    call.end()
    assert all(f"the function {owed}" in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize("function", [gathers, is_done, is_over])
async def test_a_function_that_owes_nothing_is_left_alone(
    function: Callable[[Silence], None], caplog: pytest.LogCaptureFixture
) -> None:
    function(Silence())
    await asyncio.sleep(LONG)
    assert not caplog.records


async def test_what_the_network_takes_is_no_sign_of_life_of_who_reports(
    caplog: pytest.LogCaptureFixture,
) -> None:
    call = Silence()
    stops_in_the_middle(call)
    async with asyncio.timeout(5):
        while not caplog.records:
            call.feeding(1)
            call.taken()
            await asyncio.sleep(0.01)
    call.end()
    assert "is not done with what it took" in caplog.text
