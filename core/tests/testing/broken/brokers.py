"""Durable gateways that are not, and some that do not recover."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

from core.tests.testing.broken.breakage import record
from core.tests.testing.durable import Broker, DurableGateway, Harm
from penstock.plugin import (
    Address,
    Capability,
    Health,
    Message,
    NotReady,
    Position,
    PublishResult,
    StreamSettings,
    TemporaryError,
)
from penstock.testing.cases.durability import Durability
from penstock.testing.cases.faults import Faults
from penstock_inmemory.group import ConsumerGroup

BrokenT = type[DurableGateway]


def durably_caught_by(*cases: Callable[..., Any]) -> Callable[[BrokenT], BrokenT]:
    """As `caught_by`, for a gateway with a broker of its own."""

    def decorate(broken: BrokenT) -> BrokenT:
        broker = Broker()
        record(
            broken.__name__,
            cases,
            lambda _: broken(broker),
            capabilities=frozenset(Capability),
            fault=Harm(broker),
            outage=0.1,
            recovery=1.0,
            patience=1.0,
        )
        return broken

    return decorate


class Forgetting(DurableGateway):
    """Forgets something of each group when it is closed."""

    def forget(self, group: ConsumerGroup, version: int) -> None:
        pass

    async def close(self) -> None:
        await super().close()
        for topic in self.broker.store._topics.values():
            for versions in topic._groups.values():
                for version, group in versions.items():
                    self.forget(group, version)


@durably_caught_by(Durability.test_records_outlive_a_restart)
class ForgetsRecords(DurableGateway):
    async def close(self) -> None:
        await super().close()
        self.broker.store._topics.clear()


@durably_caught_by(Durability.test_positions_outlive_a_restart)
class ForgetsPositions(Forgetting):
    def forget(self, group: ConsumerGroup, version: int) -> None:  # noqa: ARG002
        group.acked.clear()


@durably_caught_by(Durability.test_positions_of_versions_outlive_a_restart)
class ForgetsPositionsOfVersions(Forgetting):
    def forget(self, group: ConsumerGroup, version: int) -> None:
        if version:
            group.acked.clear()


@durably_caught_by(Durability.test_a_start_outlives_a_restart_without_an_ack)
class ForgetsStarts(Forgetting):
    def forget(self, group: ConsumerGroup, version: int) -> None:  # noqa: ARG002
        group._starts.clear()


@durably_caught_by(Durability.test_a_start_is_no_position_after_a_restart_either)
class StoresStartsAsPositions(Forgetting):
    def forget(self, group: ConsumerGroup, version: int) -> None:  # noqa: ARG002
        group.acked = {at: offset - 1 for at, offset in group._starts.items()} | group.acked


@durably_caught_by(Durability.test_a_lower_ack_outlives_a_restart)
class StoresTheEndAsPosition(Forgetting):
    def forget(self, group: ConsumerGroup, version: int) -> None:  # noqa: ARG002
        group.acked = {at: group._logs[at].end - 2 for at in group.acked}


@durably_caught_by(Durability.test_a_stream_is_found_made_after_a_restart)
class MakesStreamsAnewAfterARestart(DurableGateway):
    _lives = count()

    async def open(self) -> None:
        self._life = next(self._lives)

    async def provision(self, stream: StreamSettings) -> Address:
        return await super().provision(replace(stream, name=f"{stream.name}-{self._life}"))


@durably_caught_by(Durability.test_a_key_stays_in_its_partition_after_a_restart)
class HashesAnewAfterARestart(DurableGateway):
    _lives = count()

    async def open(self) -> None:
        self._life = next(self._lives)

    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[PublishResult]:
        salted = [message._replace(key=b"%d" % self._life) for message in messages]
        return await super().publish(topic, salted)


@durably_caught_by(Faults.test_nothing_is_lost_when_it_is_bounced)
class LosesWhatComesAfterAnError(DurableGateway):
    _failed = False

    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[PublishResult]:
        if self._failed:
            self._failed = False
            return [Position(0, 0) for _ in messages]
        try:
            return await super().publish(topic, messages)
        except TemporaryError:
            self._failed = True
            raise


@durably_caught_by(Faults.test_nothing_is_lost_while_it_is_frozen)
class StaysFrozen(DurableGateway):
    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[PublishResult]:
        if not self.broker.running.is_set():
            await asyncio.Event().wait()
        return await super().publish(topic, messages)


@durably_caught_by(Faults.test_nothing_is_lost_while_it_is_cut_off)
class StoresWhatFollowsARefusal(DurableGateway):
    _failed = False

    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[PublishResult]:
        if self._failed:
            self._failed = False
            half = len(messages) // 2
            later: list[PublishResult] = [TemporaryError("not now") for _ in messages[:half]]
            return [*later, *await super().publish(topic, messages[half:])]
        try:
            return await super().publish(topic, messages)
        except TemporaryError:
            self._failed = True
            raise


@durably_caught_by(Faults.test_messages_flow_while_it_is_slow)
class GivesUpWhereItIsSlow(DurableGateway):
    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[PublishResult]:
        try:
            async with asyncio.timeout(0.01):
                return await super().publish(topic, messages)
        except TimeoutError as error:
            raise NotReady("the broker has not answered") from error


@durably_caught_by(Faults.test_it_is_opened_while_the_messaging_system_is_away)
class NeedsTheBrokerToOpen(DurableGateway):
    async def open(self) -> None:
        await self.broker.answer()


@durably_caught_by(
    Faults.test_its_health_tells_that_it_is_frozen, Faults.test_its_health_tells_that_it_is_cut_off
)
class IsAlwaysWell(DurableGateway):
    async def check(self) -> Health:
        return Health(ready=True)
