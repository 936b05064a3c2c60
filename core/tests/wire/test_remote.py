"""What is of the wire alone; that it keeps the contract, the conformance suite holds."""

from collections import Counter
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest

from penstock.plugin import (
    AtOffsets,
    AtTime,
    Edge,
    Group,
    Message,
    PermanentError,
    PubSub,
    StreamSettings,
    Unsupported,
)
from penstock.testing.member import Member
from penstock.testing.watch import Watch
from penstock.wire.remote import RemotePubSub
from penstock.wire.remote.inbox import HIGH_BYTES
from penstock_inmemory import InMemoryGateway

if TYPE_CHECKING:
    from core.tests.wire.conftest import Serve

PATIENCE = 20.0  # seconds for what happens at once where it is right
READERS = Group("readers")
ON_ITS_WAY = {"batch": 0, "riff": 6 * 1024 * 1024}
"""Bytes beyond our own buffer: riff's protocol knows no credit, so HTTP/2 holds some."""

over_both = pytest.mark.parametrize("remote", ["batch", "riff"], indirect=True)
over_riff = pytest.mark.parametrize("remote", ["riff"], indirect=True)


@pytest.fixture
async def remote(request: pytest.FixtureRequest, serve: "Serve") -> AsyncIterator[PubSub]:
    """The gateway over our protocol, or over riff's alone."""
    served = await serve(batch=request.param == "batch", riff=True)
    async with RemotePubSub(served.address) as remote:
        yield remote


@pytest.fixture
async def members() -> AsyncIterator[list[Member]]:
    """Who is in it leaves at the end."""
    members: list[Member] = []
    yield members
    for member in members:
        await member.stop()


async def join(
    members: list[Member],
    remote: PubSub,
    group: Group = READERS,
    holds: frozenset[int] = frozenset(),
) -> Member:
    member = Member(
        str(group),
        lambda: remote.subscribe("default_numbers", group, Edge.EARLIEST),
        watch=Watch(PATIENCE),
        holds=holds,
    )
    await member.join()
    members.append(member)
    return member


@over_both
async def test_large_messages_pass(remote: PubSub, members: list[Member]) -> None:
    large = [Message(bytes([number]) * 6_000_000) for number in range(3)]
    await remote.publish("default_numbers", large)
    records = await (await join(members, remote)).until_read(3)
    assert [record.message for record in records] == large


@over_both
async def test_what_is_not_read_is_not_fetched_beyond_a_bound(
    remote: PubSub,
    members: list[Member],
    fetched: Counter[str],
    request: pytest.FixtureRequest,
) -> None:
    payload = b"x" * 10_000
    for _ in range(40):
        await remote.publish("default_numbers", [Message(payload)] * 100)
    held = await join(members, remote, Group("held"), holds=frozenset({0}))
    reading = await join(members, remote, Group("reading"))
    await reading.until_read(4000)
    on_its_way = ON_ITS_WAY[request.node.callspec.params["remote"]]
    assert 0 < fetched["held"] * len(payload) <= HIGH_BYTES + len(payload) + on_its_way
    held.resume(0)
    records = await held.until_read(4000)
    assert [record.offset for record in records] == list(range(4000))


@over_riff
@pytest.mark.parametrize("start", [AtOffsets({0: 7}), AtTime(0)])
async def test_starts_that_riffs_protocol_cannot_say_are_refused(
    remote: PubSub, start: AtOffsets | AtTime
) -> None:
    with pytest.raises(Unsupported, match="earliest or the latest"):
        await remote.subscribe("default_numbers", READERS, start)


@over_riff
async def test_what_riffs_protocol_has_no_words_for_is_refused(remote: PubSub) -> None:
    for start in (Edge.EARLIEST, AtTime(0)):
        with pytest.raises(Unsupported, match="riff's protocol"):
            await remote.locate("default_numbers", start)
    with pytest.raises(Unsupported, match="cannot begin again at offset 0"):
        await remote.ack("default_numbers", READERS, {0: -1})


@over_riff
async def test_over_riffs_protocol_each_message_of_an_impossible_topic_is_refused(
    remote: PubSub,
) -> None:
    results = await remote.publish("no topic", [Message(b"1"), Message(b"2")])
    assert [type(result) for result in results] == [PermanentError] * 2


@over_riff
async def test_over_riffs_protocol_what_is_revoked_is_lost_and_read_again(
    remote: PubSub, members: list[Member], gateway: InMemoryGateway
) -> None:
    await gateway.provision(StreamSettings("default", "numbers", partitions=2))
    await remote.publish("default_numbers", [Message(b"%d" % number) for number in range(20)])
    first = await join(members, remote)
    await first.until_read(20)
    second = await join(members, remote)
    await first.until(lambda: len(first.revocations) == 1, "a partition is revoked")
    assert first.revocations[0].grace == 0
    assert len(await second.until_read(10)) == 10
