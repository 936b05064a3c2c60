"""Groups on the shared broker, topics and groups of each test's own, and members that read."""

import asyncio
import gc
import logging
import uuid
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import AsyncExitStack
from types import CoroutineType
from typing import Any, Protocol

import pytest

from penstock.plugin import Edge, Group, Start
from penstock_kafka import KafkaGatewaySpec
from penstock_kafka.cluster import Cluster
from penstock_kafka.groups import Groups
from penstock_kafka.topics import Topics
from plugins.kafka.tests.groups.broker import Broker
from plugins.kafka.tests.groups.processes import MemberProcess
from plugins.kafka.tests.groups.reading_member import ReadingMember
from plugins.kafka.tests.groups.waiting import until
from tests.servers.kafka import KafkaServer


class StartMember(Protocol):
    """Starts a member in a process of its own; it ends with the test."""

    def __call__(self, member: str = "") -> Awaitable[MemberProcess]:
        """Give the member's name, if it has one."""


class OpenGroups(Protocol):
    """Opens the groups of one more process; they are closed with the test."""

    def __call__(
        self, servers: str = "", *, auth: Mapping[str, Any] | None = None, **settings: Any
    ) -> Groups:
        """Give the address of a broker, if it is not the shared one, and how to log in.

        The settings are those of `Groups`.
        """


class Join(Protocol):
    """Joins a group with a member that reads; it leaves with the test."""

    def __call__(
        self,
        start: Start = Edge.EARLIEST,
        *,
        groups: Groups | None = None,
        group: Group | None = None,
        topic: str = "",
        member: str = "",
        **habits: Any,
    ) -> Awaitable[ReadingMember]:
        """Habits are those of `ReadingMember`; the rest is of the test."""


def is_of_client(task: asyncio.Task[Any]) -> bool:
    """Whether it is a task of penstock_kafka or of aiokafka."""
    coroutine = task.get_coro()
    return isinstance(coroutine, CoroutineType) and "kafka/" in coroutine.cr_code.co_filename


@pytest.fixture
async def leaves_nothing(caplog: pytest.LogCaptureFixture) -> AsyncIterator[None]:
    """No task, no connection and no exception that nobody looked at is left by a test."""
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    yield
    await until(
        lambda: not any(map(is_of_client, asyncio.all_tasks())), "all tasks have ended", patience=2
    )
    gc.collect()
    await asyncio.sleep(0)
    assert not complaints
    assert not [
        one for one in caplog.records if one.name == "asyncio" and one.levelno > logging.INFO
    ]


@pytest.fixture
async def stack(leaves_nothing: None) -> AsyncIterator[AsyncExitStack]:
    del leaves_nothing  # looks when all else is closed
    async with AsyncExitStack() as stack:
        yield stack


@pytest.fixture
def broker(kafka: KafkaServer) -> Broker:
    """What somebody else does at the shared broker."""
    return Broker(kafka.bootstrap_servers)


@pytest.fixture
def open_groups(kafka: KafkaServer, stack: AsyncExitStack) -> OpenGroups:
    def open_(
        servers: str = "", *, auth: Mapping[str, Any] | None = None, **settings: Any
    ) -> Groups:
        fields = {"bootstrap_servers": servers or kafka.bootstrap_servers, "auth": auth}
        spec = KafkaGatewaySpec.model_validate(fields)
        cluster = Cluster(spec)
        stack.push_async_callback(cluster.close)
        groups = Groups(cluster, Topics(cluster, spec), **settings)
        stack.push_async_callback(groups.close)
        return groups

    return open_


@pytest.fixture
def groups(open_groups: OpenGroups) -> Groups:
    """The groups of one process."""
    return open_groups()


@pytest.fixture
def group() -> Group:
    return Group(f"group-{uuid.uuid4().hex[:12]}")


@pytest.fixture
async def topic(broker: Broker) -> str:
    """A topic of four partitions."""
    topic = f"topic-{uuid.uuid4().hex[:12]}"
    await broker.make(topic)
    return topic


@pytest.fixture
def join(groups: Groups, group: Group, topic: str, stack: AsyncExitStack) -> Join:
    ours, our_group, our_topic = groups, group, topic

    async def join_(
        start: Start = Edge.EARLIEST,
        *,
        groups: Groups | None = None,
        group: Group | None = None,
        topic: str = "",
        member: str = "",
        **habits: Any,
    ) -> ReadingMember:
        subscription = await (groups or ours).subscribe(
            topic or our_topic, group or our_group, start, member
        )
        reading = ReadingMember(subscription, **habits)
        stack.push_async_callback(reading.close)
        return reading

    return join_


@pytest.fixture
def start_member(
    kafka: KafkaServer, group: Group, topic: str, stack: AsyncExitStack
) -> StartMember:
    async def start(member: str = "") -> MemberProcess:
        process = MemberProcess(kafka.bootstrap_servers, topic, group.name, member)
        return await stack.enter_async_context(process)

    return start
