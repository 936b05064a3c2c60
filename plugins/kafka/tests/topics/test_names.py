from itertools import product

import pytest

from penstock.plugin import PermanentError, StreamSettings
from penstock_kafka.topics.names import check_length, check_topic, registry_of, topic_of


@pytest.mark.parametrize("name", ["a", "A.b_c-9", "..a", "a" * 249, "_schemas"])
def test_possible_names_pass(name: str) -> None:
    check_topic(name)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a" * 250, "a/b", "a b", "ä", "a\n", "a:b", "a\x00b"]
)
def test_impossible_names_are_refused_with_what_is_allowed(name: str) -> None:
    with pytest.raises(PermanentError, match="expected 1 to 249 letters") as refused:
        check_topic(name)
    assert len(str(refused.value)) < 300, "a name of any length is not shown whole"


@pytest.mark.parametrize("name", ["__consumer_offsets", "__transaction_state"])
def test_kafkas_own_topics_are_refused(name: str) -> None:
    with pytest.raises(PermanentError, match=f"topic {name} is Kafka's own"):
        check_topic(name)


def test_a_topic_is_prefix_namespace_and_stream() -> None:
    assert topic_of(StreamSettings("space", "numbers"), "") == "space_numbers"
    assert topic_of(StreamSettings("space", "numbers"), "eu.") == "eu.space_numbers"


def test_no_two_streams_share_a_topic_whatever_the_prefixes() -> None:
    prefixes = ["", "a.", "a_", "a.a.", "a-a.", "a_a_"]
    labels = ["a", "a-a", "penstock", "streams"]
    streams = list(product(prefixes, labels, labels))
    topics = {topic_of(StreamSettings(space, name), prefix) for prefix, space, name in streams}
    assert len(topics) == len(streams)


def test_no_stream_collides_with_a_registry_also_as_kafka_reads_names() -> None:
    # Kafka refuses a topic that differs from another in nothing but dots and underscores.
    def read(name: str) -> str:
        return name.replace(".", "_")

    prefixes = ["", "a.", "a_", "penstock.", "penstock_", "a.penstock_"]
    labels = ["a", "penstock", "streams", "penstock--streams"]
    registries = {read(registry_of(prefix)) for prefix in prefixes}
    for prefix, space, name in product(prefixes, labels, labels):
        assert read(topic_of(StreamSettings(space, name), prefix)) not in registries


def test_too_long_a_name_is_refused_with_the_limit_and_what_to_shorten() -> None:
    check_length("a" * 249, "")
    with pytest.raises(PermanentError, match=r"^name: topic 'a+…' has 250 .* allows 249: .*space$"):
        check_length("a" * 250, "")
    with pytest.raises(PermanentError, match=r"the gateway's topicPrefix \(3 characters\)"):
        check_length("a" * 250, "eu.")
