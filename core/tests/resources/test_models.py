"""The models by themselves, as code uses them."""

import pytest
from pydantic import ValidationError

from penstock.plugin import DeletionPolicy, Edge, GatewayKind, Retention, StreamSettings
from penstock.resources.models import (
    Container,
    GatewayReference,
    Input,
    ObjectMeta,
    Processor,
    ProcessorSpec,
    Stream,
    StreamSpec,
    concrete_gateway,
)
from penstock.resources.source import NOWHERE


def test_a_stream_gives_the_settings_that_gateways_take() -> None:
    stream = Stream.model_validate(
        {
            "metadata": {"name": "numbers", "namespace": "team-a"},
            "spec": {
                "gateway": {"name": "franz"},
                "contentType": "application/json",
                "partitions": 4,
                "retention": {"time": "24h", "bytes": "1Ki", "messages": 10},
                "config": {"cleanup.policy": "compact", "empty": ""},
                "deletionPolicy": "Delete",
            },
        }
    )
    assert stream.settings() == StreamSettings(
        namespace="team-a",
        name="numbers",
        content_type="application/json",
        partitions=4,
        retention=Retention(seconds=86400.0, bytes=1024, messages=10),
        config={"cleanup.policy": "compact", "empty": ""},
        deletion_policy=DeletionPolicy.DELETE,
    )


def test_an_alias_is_the_streams_name_unless_it_is_given() -> None:
    assert Input(stream="numbers").alias == "numbers"
    assert Input.model_validate({"stream": "numbers", "alias": ""}).alias == "numbers"
    assert Input(stream="numbers", alias="n", start_offset=Edge.EARLIEST).alias == "n"


def test_resources_are_written_as_they_are_read() -> None:
    stream = Stream(
        metadata=ObjectMeta(name="numbers"),
        spec=StreamSpec(gateway=GatewayReference(name="franz"), partitions=2),
    )
    written = stream.model_dump(mode="json", exclude_defaults=True)
    assert written == {
        "metadata": {"name": "numbers"},
        "spec": {"gateway": {"name": "franz"}, "partitions": 2},
    }
    assert Stream.model_validate(written) == stream
    assert stream.model_dump(mode="json")["spec"]["contentType"] == "application/octet-stream"


def test_a_processor_without_containers_has_no_container_of_the_function() -> None:
    spec = ProcessorSpec(inputs=[Input(stream="numbers")])
    assert spec.function_container is None
    processor = Processor(metadata=ObjectMeta(name="p"), spec=spec)
    assert processor.title == 'Processor "p"'
    assert processor.source == NOWHERE


@pytest.mark.parametrize(
    ("name", "is_function"), [("", True), ("function", True), ("proxy", False)]
)
def test_the_name_tells_the_functions_container(name: str, is_function: bool) -> None:
    assert Container(name=name).is_function is is_function


def test_objects_of_a_newer_version_can_be_read() -> None:
    read = Input.model_validate({"stream": "a", "parallelism": 3})
    assert read == Input(stream="a")


def test_a_kind_has_one_model(riff_kind: GatewayKind) -> None:
    model = concrete_gateway(riff_kind)
    assert concrete_gateway(riff_kind) is model
    gateway = model.model_validate(
        {"metadata": {"name": "franz"}, "spec": {"bootstrapServers": "kafka:9092"}}
    )
    assert isinstance(gateway.spec, riff_kind.spec)
    assert (gateway.kind, gateway.title) == ("KafkaGateway", 'KafkaGateway "franz"')
    with pytest.raises(ValidationError, match="bootstrapServers"):
        model.model_validate({"metadata": {"name": "franz"}, "spec": {"bootstrapServers": ""}})
