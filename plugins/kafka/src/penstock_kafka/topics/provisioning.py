"""Topics made, brought to what is declared, and deleted.

What is to be done is decided in `plan`. Each step may be the last before a crash: the next call
finds what is there and goes on.
"""

import logging
from collections.abc import Collection, Mapping
from contextlib import suppress

from aiokafka.errors import (
    InvalidPartitionsError,
    TopicAlreadyExistsError,
    UnknownTopicOrPartitionError,
)

from penstock.plugin import PenstockError, TemporaryError
from penstock_kafka.errors import CLIENT_ERRORS, translated
from penstock_kafka.topic_fields import ExistingTopics
from penstock_kafka.topics.administration import Administration
from penstock_kafka.topics.declaration import Declaration
from penstock_kafka.topics.entry import Entry
from penstock_kafka.topics.layout import Layout
from penstock_kafka.topics.plan import Existing, entry_of_ours, plan
from penstock_kafka.topics.refusal import ABOUT_SETTINGS, refusal
from penstock_kafka.topics.registry import Registry
from penstock_kafka.topics.setting import Setting

log = logging.getLogger(__name__)


class Provisioning:
    """Carries out what is declared for topics.

    Args:
        administration: What asks the brokers.
        registry: Knows which topics are ours.
        policy: What becomes of the others.
    """

    def __init__(
        self, administration: Administration, registry: Registry, policy: ExistingTopics
    ) -> None:
        self._administration = administration
        self._registry = registry
        self._policy = policy

    async def make(self, declared: Declaration) -> Layout:
        """Make a topic, or find that somebody makes it at the same time.

        Raises:
            PermanentError: The cluster refuses; the text names the field.
            TemporaryError: Try again.
        """
        topic = declared.topic
        try:
            # Another gateway may make it at the same time.
            with suppress(TopicAlreadyExistsError):
                # Nothing is noted of a topic that is refused.
                await self._create(declared, validate_only=True)
                # Before it is there: who is ended in between has not lost whose it is.
                await self._registry.note(topic, entry_of_ours(declared))
                await self._create(declared)
            return await self._administration.wait_until_led(topic)
        except CLIENT_ERRORS as error:
            raise await self._refusal(error, f"making topic {topic}", declared) from error

    async def provision(self, declared: Declaration) -> tuple[str, ...]:
        """Have a topic as it is declared.

        Returns:
            What is left different, one sentence each.

        Raises:
            PermanentError: The cluster refuses, or the topic is not ours; the text names the field.
            TemporaryError: Try again.
        """
        topic = declared.topic
        try:
            layout = await self._administration.find(topic)
            if layout is None:
                layout = await self.make(declared)
            # After the look at the topic: what a gateway has made by then, it had noted before.
            noted = await self._registry.find(topic)
            settings = await self._settings(declared, noted)
            existing = Existing(layout.partitions, layout.replication_factor, settings)
            todo = plan(declared, existing, noted, self._policy)
            if todo.grow_to:
                await self._grow(topic, todo.grow_to)
            if todo.settings:
                await self._administration.alter(topic, todo.settings)
            if todo.entry != noted:
                await self._registry.note(topic, todo.entry)
        except CLIENT_ERRORS as error:
            raise await self._refusal(error, f"provisioning topic {topic}", declared) from error
        return todo.drift

    async def deprovision(self, topic: str) -> None:
        """Delete a topic that is ours, its records and positions; one that is not there is none.

        Its entry stays: what makes the topic again, such as a consumer that still asks for it on
        brokers that make what is asked for, makes it for us.

        Raises:
            PermanentError: The cluster refuses.
            TemporaryError: Try again.
        """
        noted = await self._registry.find(topic)
        if noted is None or not noted.owned:
            log.warning("topic %s is not deleted: no gateway made it, if it is there", topic)
            return
        try:
            await self._administration.delete(topic)
        except UnknownTopicOrPartitionError:
            return
        except CLIENT_ERRORS as error:
            raise translated(error, f"deletionPolicy: deleting topic {topic}") from error
        if not await self._administration.wait_until_gone(topic):
            raise TemporaryError(
                f"topic {topic} was deleted and is there again: a client makes it anew by asking "
                "for it, unless the brokers have auto.create.topics.enable=false"
            )

    async def _create(self, declared: Declaration, *, validate_only: bool = False) -> None:
        await self._administration.create(
            declared.topic,
            declared.new_partitions,
            declared.new_replication_factor,
            declared.settings,
            validate_only=validate_only,
        )

    async def _settings(self, declared: Declaration, noted: Entry | None) -> Mapping[str, Setting]:
        """The topic's settings, where they matter: not everybody may read them."""
        if declared.settings or (noted and noted.settings):
            return await self._administration.settings(declared.topic)
        return {}

    async def _grow(self, topic: str, partitions: int) -> None:
        try:
            await self._administration.grow(topic, partitions)
        except InvalidPartitionsError:
            # Another gateway may have done so at the same time.
            layout = await self._administration.find(topic)
            if layout is None or layout.partitions < partitions:
                raise
        await self._administration.wait_until_led(topic, partitions)

    async def _refusal(self, error: Exception, doing: str, declared: Declaration) -> PenstockError:
        known = await self._known_settings() if isinstance(error, ABOUT_SETTINGS) else ()
        return refusal(error, doing, declared, known)

    async def _known_settings(self) -> Collection[str]:
        """The names of all settings that topics have here, as far as the broker tells."""
        try:
            await self._registry.open()
            return await self._administration.settings(self._registry.topic)
        except (PenstockError, *CLIENT_ERRORS):
            return ()
