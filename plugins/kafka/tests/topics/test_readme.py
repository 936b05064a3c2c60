"""What the README shows is what can be declared."""

import re
from pathlib import Path

import yaml

from penstock.resources.models import Stream
from penstock_kafka import KafkaGatewaySpec
from penstock_kafka.topics.declaration import streams_declaration

NOT_ABOUT_TOPICS = {"bootstrap_servers", "tls", "auth", "compression"}
README = Path(__file__).parents[2] / "README.md"


def test_its_stream_gets_the_topic_and_the_settings_that_it_says() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", README.read_text(), re.DOTALL)
    (text,) = (block for block in blocks if "topicPrefix" in block)
    gateway, stream = yaml.safe_load_all(text)
    spec = KafkaGatewaySpec.model_validate(gateway["spec"])
    declared = streams_declaration(Stream.model_validate(stream).settings(), spec)
    assert declared.topic == "europe.default_numbers"
    assert (declared.partitions, declared.replication_factor) == (6, 3)
    assert declared.settings == {
        "min.insync.replicas": "2",
        "retention.ms": "86400000",
        "retention.bytes": str(1024**3),
        "cleanup.policy": "compact,delete",
    }
    about_topics = KafkaGatewaySpec.model_fields.keys() - NOT_ABOUT_TOPICS
    assert spec.model_fields_set >= about_topics, "all are shown"
