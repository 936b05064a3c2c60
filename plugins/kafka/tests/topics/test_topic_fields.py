"""What a KafkaGateway's spec may say of topics."""

from typing import Any

import pytest
from pydantic import ValidationError

from penstock_kafka import KafkaGatewaySpec
from penstock_kafka.topic_fields import ExistingTopics


def spec(**fields: Any) -> KafkaGatewaySpec:
    return KafkaGatewaySpec.model_validate({"bootstrapServers": "localhost:9092", **fields})


def test_all_of_it_may_be_left_out() -> None:
    default = spec()
    assert (default.topic_prefix, default.partitions, default.replication_factor) == (
        "",
        None,
        None,
    )
    assert default.config == {}
    assert default.existing_topics is ExistingTopics.REFUSE


def test_all_of_it_is_read() -> None:
    given = spec(
        topicPrefix="eu.",
        partitions=4,
        replicationFactor=3,
        config={"retention.ms": "5"},
        existingTopics="Adopt",
    )
    assert (given.topic_prefix, given.partitions, given.replication_factor) == ("eu.", 4, 3)
    assert given.config == {"retention.ms": "5"}
    assert given.existing_topics is ExistingTopics.ADOPT


@pytest.mark.parametrize("prefix", ["", "eu.", "_", "a-b_c.D_", "a" * 119 + "."])
def test_a_prefix_is_empty_or_ends_in_a_dot_or_an_underscore(prefix: str) -> None:
    assert spec(topicPrefix=prefix).topic_prefix == prefix


@pytest.mark.parametrize("prefix", ["eu", "eu-", "e/u.", "ü.", "eu.\n", "a" * 120 + "."])
def test_another_prefix_is_refused(prefix: str) -> None:
    with pytest.raises(ValidationError, match="topicPrefix"):
        spec(topicPrefix=prefix)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("partitions", 0),
        ("partitions", True),
        ("replicationFactor", 0),
        ("replicationFactor", 32768),
        ("existingTopics", "Take"),
        ("config", {"retention.ms": 5}),
    ],
)
def test_a_bad_value_is_refused_by_its_field(field: str, value: object) -> None:
    with pytest.raises(ValidationError, match=field):
        spec(**{field: value})


def test_the_replication_factor_is_no_setting_of_the_gateway() -> None:
    with pytest.raises(ValidationError, match="has a field of its own: replicationFactor"):
        spec(config={"replication.factor": "3"})
