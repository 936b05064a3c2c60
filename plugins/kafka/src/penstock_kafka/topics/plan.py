"""What is to be done about a topic that exists, and what is left as it is.

Pure: decides from what is declared, what is there and what was noted; carrying it out is
another's business.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from penstock.plugin import DeletionPolicy, PermanentError
from penstock_kafka.topic_fields import REPLICATION_FACTOR, ExistingTopics
from penstock_kafka.topics.declaration import PARTITIONS, Declaration
from penstock_kafka.topics.entry import Entry
from penstock_kafka.topics.refusal import unknown_setting
from penstock_kafka.topics.setting import Setting


@dataclass(frozen=True, slots=True)
class Existing:
    """A topic as it is.

    Attributes:
        partitions: How many it has.
        replication_factor: How many brokers keep each record.
        settings: All that Kafka has, by name; empty where they do not matter.
    """

    partitions: int
    replication_factor: int
    settings: Mapping[str, Setting]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done, in this order.

    Attributes:
        grow_to: So many partitions in place of fewer; ``None``: they are enough.
        settings: Values to set by name; ``None`` is back to the default.
        entry: What the registry is to say then.
        drift: What is left different from what is declared, one sentence each.
    """

    grow_to: int | None
    settings: Mapping[str, str | None]
    entry: Entry
    drift: tuple[str, ...]


def plan(
    declared: Declaration, existing: Existing, noted: Entry | None, policy: ExistingTopics
) -> Plan:
    """Decide about a topic that exists.

    Args:
        declared: What is wanted.
        existing: What is there.
        noted: The topic's entry in the registry, if it has one.
        policy: What becomes of a topic without one.

    Raises:
        PermanentError: The topic is somebody else's, and may not be adopted.
    """
    if noted is None and policy is ExistingTopics.REFUSE:
        raise PermanentError(
            f"topic {declared.topic} exists already and was not made by a gateway of penstock: "
            "set existingTopics of the KafkaGateway to Adopt to use it as it is, or to Own to "
            "have it changed and deleted as the stream says; or give the gateway a topicPrefix"
        )
    if policy is ExistingTopics.OWN or (noted is not None and noted.owned):
        return _of_ours(declared, existing, noted)
    return _of_others(declared, existing)


def entry_of_ours(declared: Declaration) -> Entry:
    """What is noted of a topic that a gateway makes or owns."""
    names = frozenset(declared.settings)
    return Entry(declared.namespace, declared.stream, owned=True, settings=names)


def _of_ours(declared: Declaration, existing: Existing, noted: Entry | None) -> Plan:
    wanted = declared.partitions or 0
    grow_to = wanted if wanted > existing.partitions else None
    settings: dict[str, str | None] = {
        name: value
        for name, value in declared.settings.items()
        if name not in existing.settings or not existing.settings[name].means(value)
    }
    # What the gateway has set and nobody declares any longer. What others have set stays.
    for name in sorted((noted.settings if noted else frozenset()) - declared.settings.keys()):
        if name in existing.settings and existing.settings[name].is_set:
            settings[name] = None
    return Plan(grow_to, settings, entry_of_ours(declared), tuple(_fixed(declared, existing)))


def _of_others(declared: Declaration, existing: Existing) -> Plan:
    entry = Entry(declared.namespace, declared.stream, owned=False)
    return Plan(None, {}, entry, (*_fixed(declared, existing), *_untouched(declared, existing)))


def _fixed(declared: Declaration, existing: Existing) -> Iterator[str]:
    """What can be changed in no topic."""
    if declared.partitions is not None and declared.partitions < existing.partitions:
        yield (
            f"{PARTITIONS}: {declared.partitions} declared, topic {declared.topic} has "
            f"{existing.partitions}: Kafka takes no partitions away"
        )
    if declared.replication_factor not in {None, existing.replication_factor}:
        yield (
            f"{declared.fields[REPLICATION_FACTOR]}: {declared.replication_factor} declared, topic "
            f"{declared.topic} has {existing.replication_factor}: reassign its replicas with "
            "Kafka's own tools"
        )


def _untouched(declared: Declaration, existing: Existing) -> Iterator[str]:
    """What is not changed in a topic of somebody else's."""
    reason = "it was there before the gateway, and is not changed"
    if declared.partitions is not None and declared.partitions > existing.partitions:
        yield (
            f"{PARTITIONS}: {declared.partitions} declared, topic {declared.topic} has "
            f"{existing.partitions}: {reason}"
        )
    for name, value in sorted(declared.settings.items()):
        setting = existing.settings.get(name)
        if setting is None:
            yield unknown_setting(name, declared, existing.settings)
        elif not setting.means(value):
            yield (
                f"{declared.fields[name]}: {name}={value} declared, topic {declared.topic} has "
                f"{setting.value}: {reason}"
            )
    if declared.deletion_policy is DeletionPolicy.DELETE:
        yield (
            f"deletionPolicy: Delete declared, topic {declared.topic} will not be deleted: it was "
            "there before the gateway"
        )
