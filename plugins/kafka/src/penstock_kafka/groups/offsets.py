"""The positions of groups, as the brokers keep them: fetched and committed by anybody."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple, TypeVar
from uuid import uuid4

from aiokafka import AIOKafkaProducer, OffsetAndMetadata, TopicPartition
from aiokafka.client import AIOKafkaClient, ConnectionGroup, CoordinationType
from aiokafka.errors import (
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    IllegalGenerationError,
    KafkaConnectionError,
    KafkaError,
    NodeNotReadyError,
    NoError,
    NotCoordinatorForGroupError,
    RebalanceInProgressError,
    StaleMetadata,
    UnknownMemberIdError,
    for_code,
)
from aiokafka.protocol.commit import OffsetCommitRequest, OffsetFetchRequest

from penstock.plugin import Group
from penstock_kafka.cluster import Cluster
from penstock_kafka.errors import translated
from penstock_kafka.groups.stored import Stored

PATIENCE = 15.0
"""Seconds for which a coordinator that is moving or loading is asked again."""

_PAUSE = 0.1
_COORDINATOR_AWAY = (
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    KafkaConnectionError,
    NodeNotReadyError,
    NotCoordinatorForGroupError,
    StaleMetadata,
)
_NOT_A_MEMBER = (IllegalGenerationError, RebalanceInProgressError, UnknownMemberIdError)
_AnswerT = TypeVar("_AnswerT")
_LOG = logging.getLogger(__name__)


class Member(NamedTuple):
    """Who commits: a member, in one generation of its group."""

    generation: int
    id: str


NOBODY = Member(-1, "")
"""Who is no member; Kafka takes its commits while a group has no members."""


class MembershipError(Exception):
    """The coordinator does not know the member, or not in this generation."""


class Offsets:
    """Fetches and commits positions; one connection to the cluster, made when it is needed.

    Args:
        cluster: The cluster.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._client: AIOKafkaClient | None = None
        self._coordinators: dict[str, int] = {}
        self._transactions = _Transactions(cluster)
        self._opening = asyncio.Lock()

    async def close(self) -> None:
        """Hang up."""
        await self._transactions.close()
        client, self._client = self._client, None
        if client:
            await client.close()

    async def versions(self, name: str) -> dict[int, str]:
        """The Kafka group of each version of a group, by version.

        Raises:
            TemporaryError: Try again.
        """
        admin = await self._cluster.admin()
        try:
            ids = [entry[0] for entry in await admin.list_consumer_groups()]
        except KafkaError as error:
            raise translated(error, "listing the consumer groups") from error
        parsed = {group_id: Group.parse(group_id) for group_id in ids}
        return {group.version: id_ for id_, group in parsed.items() if group.name == name}

    async def fetch(
        self, group_id: str, topic: str, partitions: int | None = None
    ) -> dict[int, Stored]:
        """The positions of a group in a topic, by partition; those without one are left out.

        Args:
            group_id: The Kafka group.
            topic: The topic.
            partitions: How many of its partitions to ask for; ``None`` asks for all positions
                that the group has in any topic.

        Raises:
            TemporaryError: Try again.
            PermanentError: The cluster refuses it.
        """
        wanted = None if partitions is None else [(topic, list(range(partitions)))]

        async def ask(client: AIOKafkaClient, node: int) -> dict[int, Stored]:
            client.add_topic(topic)
            request = OffsetFetchRequest(group_id, wanted)
            reply = await client.send(node, request, group=ConnectionGroup.COORDINATION)
            _check(getattr(reply, "error_code", 0))
            found: dict[int, Stored] = {}
            for name, entries in reply.topics:
                for partition, offset, mark, code in entries:
                    _check(code)
                    if name == topic and offset >= 0:
                        found[partition] = Stored(offset, mark or "")
            return found

        doing = f"reading positions of group {group_id}"
        return await self._at_coordinator(group_id, doing, ask)

    async def commit(
        self, group_id: str, topic: str, positions: Mapping[int, Stored], member: Member
    ) -> None:
        """Commit as a member of the group.

        Raises:
            MembershipError: It is no member, or not in this generation.
            TemporaryError: Nothing is known to be stored.
            PermanentError: The cluster refuses it.
        """

        async def ask(client: AIOKafkaClient, node: int) -> None:
            client.add_topic(topic)
            request = OffsetCommitRequest(
                group_id,
                member.generation,
                member.id,
                OffsetCommitRequest.DEFAULT_RETENTION_TIME,
                [(topic, [(at, one.offset, str(one.mark)) for at, one in positions.items()])],
            )
            reply = await client.send(node, request, group=ConnectionGroup.COORDINATION)
            for code in {code for _, entries in reply.topics for _, code in entries}:
                if for_code(code) in _NOT_A_MEMBER:
                    raise MembershipError(for_code(code).__name__)
                _check(code)

        doing = f"storing positions of group {group_id} in topic {topic}"
        await self._at_coordinator(group_id, doing, ask)

    async def commit_as_nobody(
        self, group_id: str, topic: str, positions: Mapping[int, Stored]
    ) -> None:
        """Commit without being a member, whether the group has members or not.

        Raises:
            TemporaryError: Nothing is known to be stored.
            PermanentError: The cluster refuses it.
        """
        try:
            await self.commit(group_id, topic, positions, NOBODY)
        except MembershipError:
            # A group with members takes commits of others in a transaction alone: for the sake of
            # producers that consume and produce exactly once, it does not ask who they are.
            await self._transactions.commit(group_id, topic, positions)
            await self._seen(group_id, topic, positions)

    async def _seen(self, group_id: str, topic: str, positions: Mapping[int, Stored]) -> None:
        """Wait until a commit shows: a transaction has ended before its commits are there."""
        pause = 0.001
        while pause < 1:
            found = await self.fetch(group_id, topic, max(positions) + 1)
            if all(found.get(at) == one for at, one in positions.items()):
                return
            await asyncio.sleep(pause)
            pause *= 2
        _LOG.warning("group %s: positions committed for others do not show yet", group_id)

    async def _at_coordinator(
        self,
        group_id: str,
        doing: str,
        ask: Callable[[AIOKafkaClient, int], Awaitable[_AnswerT]],
    ) -> _AnswerT:
        """Ask the broker that keeps a group; again for a while where the group is moving."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PATIENCE
        while True:
            try:
                client = await self._connected()
                return await ask(client, await self._coordinator(client, group_id))
            except KafkaError as error:
                self._coordinators.pop(group_id, None)
                if not isinstance(error, _COORDINATOR_AWAY) or loop.time() > deadline:
                    raise translated(error, doing) from error
            await asyncio.sleep(_PAUSE)

    async def _connected(self) -> AIOKafkaClient:
        async with self._opening:
            if self._client is None:
                client = AIOKafkaClient(**self._cluster.client_settings())
                try:
                    await client.bootstrap()
                except BaseException:
                    await client.close()
                    raise
                self._client = client
            return self._client

    async def _coordinator(self, client: AIOKafkaClient, group_id: str) -> int:
        if group_id not in self._coordinators:
            node = await client.coordinator_lookup(CoordinationType.GROUP, group_id)
            if client.cluster.broker_metadata(node) is None:
                await client.force_metadata_update()
            self._coordinators[group_id] = node
        return self._coordinators[group_id]


class _Transactions:
    """Commits positions in transactions, of one producer that does nothing else."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._producer: AIOKafkaProducer | None = None
        self._turn = asyncio.Lock()

    async def commit(self, group_id: str, topic: str, positions: Mapping[int, Stored]) -> None:
        offsets = {
            TopicPartition(topic, at): OffsetAndMetadata(one.offset, str(one.mark))
            for at, one in positions.items()
        }
        async with self._turn:
            try:
                producer = await self._started()
                async with producer.transaction():
                    await producer.send_offsets_to_transaction(offsets, group_id)
            except KafkaError as error:
                # What went wrong may have fenced it: the next commit begins anew.
                await self._drop()
                doing = f"storing positions of group {group_id} in topic {topic}"
                raise translated(error, doing) from error

    async def close(self) -> None:
        async with self._turn:
            await self._drop()

    async def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            # Nobody else may have the id: a second producer of it would fence this one.
            producer = AIOKafkaProducer(
                transactional_id=f"penstock-{uuid4()}", **self._cluster.client_settings()
            )
            try:
                await producer.start()
            except BaseException:
                await producer.stop()
                raise
            self._producer = producer
        return self._producer

    async def _drop(self) -> None:
        producer, self._producer = self._producer, None
        if producer:
            await producer.stop()


def _check(code: int) -> None:
    error = for_code(code)
    if error is not NoError:
        raise error()
