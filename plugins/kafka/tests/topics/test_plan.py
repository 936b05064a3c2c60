"""Decisions about topics, without a broker."""

import pytest

from penstock.plugin import DeletionPolicy, PermanentError, Retention, StreamSettings
from penstock_kafka import KafkaGatewaySpec
from penstock_kafka.topic_fields import ExistingTopics
from penstock_kafka.topics.declaration import Declaration, streams_declaration
from penstock_kafka.topics.entry import Entry
from penstock_kafka.topics.plan import Existing, Plan, plan
from penstock_kafka.topics.setting import Setting

REFUSE, ADOPT, OWN = ExistingTopics
OURS = Entry("space", "stream", owned=True)
ADOPTED = Entry("space", "stream", owned=False)
NO_RETENTION = Retention()
KNOWN = {
    "retention.ms": Setting("1000", is_set=True),
    "retention.bytes": Setting("-1", is_set=False),
    "cleanup.policy": Setting("compact,delete", is_set=True),
}
TOPIC = Existing(partitions=3, replication_factor=1, settings=KNOWN)


def declared(
    partitions: int | None = None,
    config: dict[str, str] | None = None,
    retention: Retention = NO_RETENTION,
    deletion_policy: DeletionPolicy = DeletionPolicy.RETAIN,
) -> Declaration:
    stream = StreamSettings(
        "space",
        "stream",
        partitions=partitions,
        config=config or {},
        retention=retention,
        deletion_policy=deletion_policy,
    )
    spec = KafkaGatewaySpec(bootstrap_servers="localhost:9092", partitions=12)
    return streams_declaration(stream, spec)


def of_ours(wanted: Declaration, noted: Entry = OURS) -> Plan:
    return plan(wanted, TOPIC, noted, REFUSE)


def of_others(wanted: Declaration) -> Plan:
    return plan(wanted, TOPIC, ADOPTED, REFUSE)


def test_nothing_is_done_where_nothing_differs() -> None:
    wanted = declared(3, {"retention.ms": "1000", "cleanup.policy": "delete, compact"})
    noted = Entry(
        "space", "stream", owned=True, settings=frozenset({"retention.ms", "cleanup.policy"})
    )
    assert of_ours(wanted, noted) == Plan(None, {}, noted, ())


def test_partitions_are_added_where_the_stream_asks() -> None:
    assert of_ours(declared(6)) == Plan(6, {}, OURS, ())


def test_partitions_of_the_gateway_are_for_new_topics() -> None:
    assert of_ours(declared()) == Plan(None, {}, OURS, ())


def test_partitions_are_never_taken_away() -> None:
    todo = of_ours(declared(2))
    assert todo.grow_to is None
    assert todo.drift == (
        "partitions: 2 declared, topic space_stream has 3: Kafka takes no partitions away",
    )


def test_another_replication_factor_is_said() -> None:
    assert of_ours(declared(config={"replication.factor": "1"})).drift == ()
    (sentence,) = of_ours(declared(config={"replication.factor": "3"})).drift
    assert sentence.startswith("config.replication.factor: 3 declared, topic space_stream has 1")


def test_settings_that_differ_are_set_and_those_that_are_the_same_are_not() -> None:
    wanted = declared(
        config={"retention.bytes": "5", "cleanup.policy": "delete,compact"},
        retention=Retention(seconds=2),
    )
    todo = of_ours(wanted)
    assert todo.settings == {"retention.ms": "2000", "retention.bytes": "5"}
    names = frozenset({"retention.ms", "retention.bytes", "cleanup.policy"})
    assert todo.entry == Entry("space", "stream", owned=True, settings=names)
    assert todo.drift == ()


def test_a_setting_that_the_broker_does_not_list_is_tried() -> None:
    assert of_ours(declared(config={"secret.setting": "x"})).settings == {"secret.setting": "x"}


def test_what_is_no_longer_declared_goes_back_if_a_gateway_set_it() -> None:
    noted = Entry(
        "space",
        "stream",
        owned=True,
        settings=frozenset({"retention.ms", "retention.bytes", "gone"}),
    )
    todo = of_ours(declared(), noted)
    assert todo.settings == {"retention.ms": None}, "the others are not set"
    assert todo.entry == OURS


def test_what_others_have_set_stays() -> None:
    assert of_ours(declared()).settings == {}


def test_a_topic_that_a_publisher_made_becomes_the_streams() -> None:
    todo = of_ours(declared(6), Entry("", "", owned=True))
    assert (todo.grow_to, todo.entry) == (6, OURS)


def test_a_topic_of_somebody_else_is_refused_with_what_to_set() -> None:
    with pytest.raises(PermanentError) as refused:
        plan(declared(), TOPIC, None, REFUSE)
    assert "topic space_stream exists already" in str(refused.value)
    assert "set existingTopics of the KafkaGateway to Adopt" in str(refused.value)


def test_an_adopted_topic_is_not_changed_and_every_difference_is_said() -> None:
    wanted = declared(
        6,
        {"retention.bytes": "5", "cleanup.policy": "delete,compact", "retentoin.ms": "1"},
        Retention(seconds=2),
        DeletionPolicy.DELETE,
    )
    todo = plan(wanted, TOPIC, None, ADOPT)
    before = "it was there before the gateway"
    why = f"{before}, and is not changed"
    hint = "Kafka has no setting retentoin.ms of topics; did you mean retention.ms?"
    assert todo == Plan(
        None,
        {},
        ADOPTED,
        (
            f"partitions: 6 declared, topic space_stream has 3: {why}",
            f"config.retention.bytes: retention.bytes=5 declared, topic space_stream has -1: {why}",
            f"retention.seconds: retention.ms=2000 declared, topic space_stream has 1000: {why}",
            f"config.retentoin.ms: {hint}",
            f"deletionPolicy: Delete declared, topic space_stream will not be deleted: {before}",
        ),
    )


def test_an_adopted_topic_has_no_fewer_partitions_either() -> None:
    (sentence,) = of_others(declared(2)).drift
    assert sentence.endswith("Kafka takes no partitions away")


def test_an_adopted_topic_stays_so_when_others_are_refused_again() -> None:
    assert of_others(declared()) == Plan(None, {}, ADOPTED, ())


@pytest.mark.parametrize("noted", [None, ADOPTED])
def test_an_owned_topic_is_treated_as_if_it_had_been_made(noted: Entry | None) -> None:
    wanted = declared(6, {"retention.ms": "5"}, deletion_policy=DeletionPolicy.DELETE)
    entry = Entry("space", "stream", owned=True, settings=frozenset({"retention.ms"}))
    assert plan(wanted, TOPIC, noted, OWN) == Plan(6, {"retention.ms": "5"}, entry, ())


def test_what_a_gateway_made_stays_its_own_under_every_policy() -> None:
    for policy in ExistingTopics:
        assert plan(declared(6), TOPIC, OURS, policy) == Plan(6, {}, OURS, ())
