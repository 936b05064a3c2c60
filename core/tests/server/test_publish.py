"""Publish, as riff's clients do: one event a call."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import grpc
import pytest

from penstock.plugin import (
    Gateway,
    Message,
    PermanentError,
    PublishResult,
    TemporaryError,
    Unsupported,
)
from penstock.server import GatewayServer
from penstock.wire.protocol.liiklus_pb2 import LiiklusEvent, PublishRequest
from penstock_inmemory import InMemoryGateway

if TYPE_CHECKING:
    from core.tests.server.conftest import RiffClient


async def test_the_reply_says_partition_offset_and_topic(riff: "RiffClient") -> None:
    replies = [await riff.publish("numbers", b"1"), await riff.publish("numbers", b"2")]
    assert [(one.partition, one.offset, one.topic) for one in replies] == [
        (0, 0, "numbers"),
        (0, 1, "numbers"),
    ]


async def test_publishing_to_a_topic_nobody_has_made_makes_it(riff: "RiffClient") -> None:
    await riff.publish("new", b"1")
    assert await riff.end_offsets("new") == {0: 0}


async def test_the_same_key_always_goes_to_the_same_partition(
    riff: "RiffClient", two_partitions: str
) -> None:
    keys = [b"a", b"b", b"c", b"d", b"e", b"f"]
    once = [(await riff.publish(two_partitions, key=key)).partition for key in keys]
    again = [(await riff.publish(two_partitions, key=key)).partition for key in keys]
    assert once == again
    assert set(once) == {0, 1}


async def test_records_without_a_key_are_spread(riff: "RiffClient", two_partitions: str) -> None:
    partitions = {(await riff.publish(two_partitions)).partition for _ in range(10)}
    assert partitions == {0, 1}


@pytest.mark.parametrize(
    "event",
    [
        LiiklusEvent(
            id="1",
            type="riff-event",
            source="dev-utils",
            time="2019-11-29T12:30:00Z",
            data_content_type="text/plain; charset=utf-8",
            data=b"data",
            extensions={"h1": " V1"},
        ),
        LiiklusEvent(time="Mon Nov 23 15:04:05 UTC 2020", data=b"data"),
        LiiklusEvent(data_content_type="application/json"),
        LiiklusEvent(),
    ],
    ids=["everything", "a time that is not RFC 3339", "no data", "nothing"],
)
async def test_an_event_comes_back_as_it_was_published(
    riff: "RiffClient", event: LiiklusEvent
) -> None:
    await riff.stub.Publish(PublishRequest(topic="events", liiklusEvent=event))
    [record] = await riff.read("events", 1)
    assert record.event == event


async def test_extension_names_come_back_in_lower_case(riff: "RiffClient") -> None:
    await riff.publish("events", extensions={"H1": "V1"})
    [record] = await riff.read("events", 1)
    assert record.event.extensions == {"h1": "V1"}


async def test_a_deprecated_value_is_refused(riff: "RiffClient") -> None:
    request = PublishRequest(topic="numbers", value=b"1")
    code, text = await riff.refused(riff.stub.Publish(request))
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert "liiklusEvent" in text
    assert await riff.end_offsets("numbers") == {}


async def test_a_publish_without_an_event_is_refused(riff: "RiffClient") -> None:
    code, text = await riff.refused(riff.stub.Publish(PublishRequest(topic="numbers")))
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert "no event" in text


@pytest.mark.parametrize("topic", ["", ".", "..", "two words", "line\nbreak", "x" * 250])
async def test_an_empty_or_impossible_topic_is_refused_with_the_reason(
    riff: "RiffClient", topic: str
) -> None:
    code, text = await riff.refused(riff.publish(topic))
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert "topic" in text


@pytest.mark.parametrize(
    ("declared", "published"),
    [
        ("application/json", "application/json"),
        ("application/json", "application/json; charset=utf-8"),
        ("text/plain; charset=utf-8", "text/plain"),
        ("text/*", "text/csv"),
        ("*/*", "image/png"),
        ("application/json", "application/cloudevents+json"),
        ("application/*+json", "application/cloudevents+json"),
        ("application/octet-stream", "text/plain"),
        ("application/octet-stream", ""),
    ],
)
async def test_a_content_type_that_fits_the_stream_is_taken(
    riff: "RiffClient", server: GatewayServer, declared: str, published: str
) -> None:
    server.catalog.declare("numbers", declared)
    assert (await riff.publish("numbers", b"1", published)).offset == 0


@pytest.mark.parametrize(
    ("declared", "published", "text"),
    [
        ("application/json", "text/plain", "expected application/json got text/plain"),
        ("application/json", "", "expected application/json got no content type"),
        ("text/*", "application/json", "expected text/* got application/json"),
        (
            "text/plain; charset=utf-8",
            "text/plain; charset=latin1",
            "expected text/plain; charset=utf-8 got text/plain; charset=latin1",
        ),
        ("", "nonsense", "expected application/octet-stream got nonsense"),
    ],
)
async def test_a_content_type_that_does_not_fit_the_stream_is_refused(
    riff: "RiffClient",
    server: GatewayServer,
    declared: str,
    published: str,
    text: str,
) -> None:
    server.catalog.declare("numbers", declared)
    assert await riff.refused(riff.publish("numbers", b"1", published)) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        text,
    )
    assert await riff.end_offsets("numbers") == {}


async def test_a_client_that_compresses_its_requests_is_understood(riff: "RiffClient") -> None:
    event = LiiklusEvent(data=b"0" * 100_000)
    await riff.stub.Publish(
        PublishRequest(topic="zeros", liiklusEvent=event), compression=grpc.Compression.Gzip
    )
    [record] = await riff.read("zeros", 1)
    assert record.event == event


async def test_bytes_that_are_no_request_fail_their_call_alone(
    riff: "RiffClient", channel: grpc.aio.Channel
) -> None:
    method = "/com.github.bsideup.liiklus.LiiklusService/Publish"
    publish = channel.unary_unary(method, request_serializer=bytes, response_deserializer=bytes)
    code, text = await riff.refused(publish(b"\xff\xff\xff"))
    assert code != grpc.StatusCode.OK
    assert "Traceback" not in text
    assert (await riff.publish("numbers", b"1")).offset == 0


class TestWhenTheGatewayRefuses:
    """What it answers or raises has a status of its own."""

    @pytest.fixture
    def gateway(self) -> Gateway:
        class Refusing(InMemoryGateway):
            async def publish(
                self, topic: str, messages: Sequence[Message]
            ) -> Sequence[PublishResult]:
                [message] = messages
                match message.payload:
                    case b"result":
                        return [TemporaryError(f"{topic} has no leader")]
                    case b"permanent":
                        raise PermanentError("too large: at most 1 MiB is allowed")
                    case b"unsupported":
                        raise Unsupported("keys are not supported")
                raise ZeroDivisionError("a secret of the gateway")

        return Refusing()

    @pytest.mark.parametrize(
        ("payload", "status", "text"),
        [
            (b"result", grpc.StatusCode.UNAVAILABLE, "numbers has no leader"),
            (
                b"permanent",
                grpc.StatusCode.INVALID_ARGUMENT,
                "too large: at most 1 MiB is allowed",
            ),
            (b"unsupported", grpc.StatusCode.FAILED_PRECONDITION, "keys are not supported"),
        ],
    )
    async def test_its_errors_keep_their_text(
        self,
        riff: "RiffClient",
        payload: bytes,
        status: grpc.StatusCode,
        text: str,
    ) -> None:
        assert await riff.refused(riff.publish("numbers", payload)) == (status, text)

    async def test_an_error_that_nobody_expected_is_in_the_log_and_not_in_the_answer(
        self, riff: "RiffClient", caplog: pytest.LogCaptureFixture
    ) -> None:
        code, text = await riff.refused(riff.publish("numbers", b"surprise"))
        assert code == grpc.StatusCode.INTERNAL
        assert "secret" not in text
        assert "Traceback" not in text
        assert "ZeroDivisionError: a secret of the gateway" in caplog.text
