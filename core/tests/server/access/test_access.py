"""What Access asks, what it remembers, and what it says to those who are not let in."""

from collections.abc import Sequence

import pytest

from penstock.plugin import NotReady, StreamName
from penstock.server.access.access import GRANTED_SECONDS, Access
from penstock.server.access.caller import Caller, bearer_token, calling
from penstock.server.access.refusal import REFUSED_SECONDS, NotAllowed, NotAuthenticated

ANN = Caller("ann", groups=("readers",))
ORDERS = StreamName("shop", "orders")


class Register:
    """Knows one token and the rights that it is told; counts what it is asked."""

    def __init__(self) -> None:
        self.now = 0.0
        self.tokens = {"good": ANN}
        self.rights: set[tuple[Caller, str, StreamName]] = set()
        self.asked: list[str] = []
        self.away = False

    async def authenticate(self, token: str, audiences: Sequence[str]) -> Caller | None:
        self.asked.append(f"{token} for {audiences[0]}")
        if self.away:
            raise NotReady("away")
        return self.tokens.get(token)

    async def is_allowed(self, caller: Caller, verb: str, stream: StreamName) -> bool:
        self.asked.append(f"{caller.name} {verb} {stream.name}")
        if self.away:
            raise NotReady("away")
        return (caller, verb, stream) in self.rights


@pytest.fixture
def register() -> Register:
    return Register()


@pytest.fixture
def access(register: Register) -> Access:
    return Access(register, clock=lambda: register.now)


async def test_a_token_is_asked_about_once_in_a_while(access: Access, register: Register) -> None:
    assert [await access.identify("good") for _ in range(3)] == [ANN] * 3
    assert register.asked == ["good for penstock"]
    register.now = GRANTED_SECONDS
    del register.tokens["good"]
    with pytest.raises(NotAuthenticated, match="meant for penstock"):
        await access.identify("good")


async def test_a_token_that_is_not_good_is_not_in_the_error(access: Access) -> None:
    with pytest.raises(NotAuthenticated) as refusal:
        await access.identify("t0psecret")
    assert "t0psecret" not in str(refusal.value)


async def test_a_token_becomes_good_soon(access: Access, register: Register) -> None:
    for _ in range(2):
        with pytest.raises(NotAuthenticated):
            await access.identify("new")
    assert len(register.asked) == 1
    register.tokens["new"] = ANN
    register.now = REFUSED_SECONDS
    assert await access.identify("new") == ANN


async def test_a_right_is_asked_for_by_verb_and_stream(access: Access, register: Register) -> None:
    register.rights.add((ANN, "publish", ORDERS))
    for _ in range(2):
        await access.require("publish", ORDERS, ANN)
    assert register.asked == ["ann publish orders"]
    with pytest.raises(
        NotAllowed, match='ann may not subscribe stream "orders" in namespace "shop"'
    ):
        await access.require("subscribe", ORDERS, ANN)
    with pytest.raises(NotAllowed):
        await access.require("publish", StreamName("other", "orders"), ANN)


async def test_a_right_that_is_taken_away_is_gone_in_a_minute(
    access: Access, register: Register
) -> None:
    register.rights.add((ANN, "publish", ORDERS))
    await access.require("publish", ORDERS, ANN)
    register.rights.clear()
    register.now = GRANTED_SECONDS - 0.1
    await access.require("publish", ORDERS, ANN)
    register.now = GRANTED_SECONDS
    with pytest.raises(NotAllowed) as refusal:
        await access.require("publish", ORDERS, ANN)
    assert refusal.value.retry_after == REFUSED_SECONDS


async def test_nobody_is_let_in_while_nobody_answers(access: Access, register: Register) -> None:
    register.away = True
    with pytest.raises(NotReady):
        await access.identify("good")
    with pytest.raises(NotReady):
        await access.require("publish", ORDERS, ANN)
    register.away = False
    assert await access.identify("good") == ANN


async def test_who_calls_is_the_caller_of_the_call_that_is_answered(
    access: Access, register: Register
) -> None:
    with pytest.raises(NotAuthenticated, match="not known who calls"):
        await access.require("publish", ORDERS)
    register.rights.add((ANN, "publish", ORDERS))
    token = calling.set(ANN)
    await access.require("publish", ORDERS)
    calling.reset(token)


@pytest.mark.parametrize("header", ["Bearer abc", "bearer  abc ", "BEARER abc"])
def test_a_bearer_token_is_found(header: str) -> None:
    assert bearer_token(header) == "abc"


@pytest.mark.parametrize("header", ["", "abc", "Basic abc", "Bearer", "Bearer "])
def test_what_is_no_bearer_token_says_what_to_send(header: str) -> None:
    with pytest.raises(NotAuthenticated, match="Bearer TOKEN"):
        bearer_token(header)
