"""The provisioner over HTTP, request by request as it stands on the wire."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, NamedTuple

import pytest

from penstock.plugin import (
    Address,
    DeletionPolicy,
    PermanentError,
    Retention,
    StreamSettings,
    TemporaryError,
    Unsupported,
)
from penstock.server import GatewayServer
from penstock_inmemory import InMemoryGateway

if TYPE_CHECKING:
    from core.tests.server.conftest import RiffClient


class Answer(NamedTuple):
    status: int
    headers: str
    text: str


Ask = Callable[..., Awaitable[Answer]]


class Recording(InMemoryGateway):
    """Keeps what it was asked for, and fails where it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.streams: list[StreamSettings] = []
        self.failure: Exception | None = None

    async def provision(self, stream: StreamSettings) -> Address:
        self.streams.append(stream)
        if self.failure:
            raise self.failure
        return await super().provision(StreamSettings(stream.namespace, stream.name))

    async def deprovision(self, stream: StreamSettings) -> None:
        if self.failure:
            raise self.failure
        await super().deprovision(stream)


@pytest.fixture
def gateway() -> Recording:
    return Recording()


@pytest.fixture
def ask(server: GatewayServer) -> Ask:
    """Sends a request just as it is given, and reads the answer."""

    async def send(target: str, body: bytes = b"", method: str = "PUT", more: str = "") -> Answer:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.provisioner_port)
        head = f"{method} {target} HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n{more}"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        async with asyncio.timeout(10):
            answer = (await reader.read()).decode()
        writer.close()
        status_line, _, rest = answer.partition("\r\n")
        headers, _, text = rest.partition("\r\n\r\n")
        return Answer(int(status_line.split()[1]), headers, text)

    return send


async def test_an_empty_put_makes_the_stream_and_says_where_it_is(
    ask: Ask, server: GatewayServer
) -> None:
    answer = await ask("/default/numbers")
    assert answer.status == 201
    assert "Content-Type: application/json" in answer.headers
    assert json.loads(answer.text) == {"gateway": server.address, "topic": "default_numbers"}


async def test_asking_twice_gives_the_same_answer(ask: Ask) -> None:
    first, second = await ask("/default/numbers"), await ask("/default/numbers")
    assert (first.status, second.status) == (201, 200)
    assert first.text == second.text


async def test_what_it_names_can_be_published_to(ask: Ask, riff: "RiffClient") -> None:
    topic = json.loads((await ask("/default/numbers")).text)["topic"]
    assert (await riff.publish(topic, b"1")).offset == 0


async def test_names_may_be_63_characters_long(ask: Ask) -> None:
    assert (await ask(f"/{'n' * 63}/{'s' * 63}")).status == 201


async def test_a_body_sets_the_stream_up(ask: Ask, gateway: Recording) -> None:
    body = {
        "contentType": "application/json",
        "partitions": 3,
        "retention": {"seconds": 3600, "bytes": 1_000_000, "messages": 1000},
        "config": {"cleanup.policy": "compact"},
        "deletionPolicy": "Delete",
    }
    assert (await ask("/default/numbers", json.dumps(body).encode())).status == 201
    assert gateway.streams == [
        StreamSettings(
            namespace="default",
            name="numbers",
            content_type="application/json",
            partitions=3,
            retention=Retention(seconds=3600, bytes=1_000_000, messages=1000),
            config={"cleanup.policy": "compact"},
            deletion_policy=DeletionPolicy.DELETE,
        )
    ]


async def test_an_empty_body_leaves_every_setting_to_the_gateway(
    ask: Ask, gateway: Recording
) -> None:
    await ask("/default/numbers")
    assert gateway.streams == [StreamSettings("default", "numbers")]


async def test_publishers_are_held_to_the_content_type_from_then_on(
    ask: Ask, riff: "RiffClient"
) -> None:
    await ask("/default/numbers", b'{"contentType": "application/json"}')
    _, text = await riff.refused(riff.publish("default_numbers", b"1", "text/plain"))
    assert text == "expected application/json got text/plain"


async def test_who_gives_no_content_type_leaves_the_one_that_was_given(
    ask: Ask, riff: "RiffClient"
) -> None:
    await ask("/default/numbers", b'{"contentType": "application/json"}')
    await ask("/default/numbers")
    _, text = await riff.refused(riff.publish("default_numbers", b"1", "text/plain"))
    assert text == "expected application/json got text/plain"


async def test_a_stream_that_riff_made_takes_any_message(ask: Ask, riff: "RiffClient") -> None:
    await ask("/default/numbers")
    assert (await riff.publish("default_numbers", b"1", "not a media type")).offset == 0


async def test_an_empty_content_type_is_the_default(ask: Ask, gateway: Recording) -> None:
    await ask("/default/numbers", b'{"contentType": ""}')
    assert gateway.streams[0].content_type == "application/octet-stream"


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "OPTIONS", "PATCH"])
async def test_another_method_is_not_allowed(ask: Ask, gateway: Recording, method: str) -> None:
    answer = await ask("/default/numbers", method=method)
    assert answer.status == 405
    assert "Allow: DELETE,PUT" in answer.headers
    assert gateway.streams == []


async def test_a_delete_removes_the_stream_and_its_records(ask: Ask, riff: "RiffClient") -> None:
    await ask("/default/numbers", b'{"contentType": "text/csv"}')
    await riff.publish("default_numbers", b"1", "text/csv")
    gone = await ask("/default/numbers", method="DELETE")
    assert (gone.status, gone.text) == (204, "")
    # What was said of it is forgotten too, and it is another stream when it is made again.
    assert (await ask("/default/numbers")).status == 201
    assert (await riff.publish("default_numbers", b"1", "text/plain")).offset == 0


async def test_what_is_not_there_is_deleted_well(ask: Ask) -> None:
    assert (await ask("/default/nothing", method="DELETE")).status == 204


async def test_a_delete_that_cannot_be_done_says_why(ask: Ask, gateway: Recording) -> None:
    gateway.failure = Unsupported("deprovisioning", "this gateway")
    assert (await ask("/default/numbers", method="DELETE")).status == 400
    gateway.failure = TemporaryError("the broker is away")
    answer = await ask("/default/numbers", method="DELETE")
    assert (answer.status, answer.text) == (503, "the broker is away")


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/default",
        "/default/",
        "//numbers",
        "/default/numbers/",
        "/default/numbers/more",
        "//default/numbers",
        "/default/numbers?x=y",
        "/Default/numbers",
        "/default/num_bers",
        "/default/-numbers",
        "/default/numbers-",
        "/default/num.bers",
        "/default/..",
        "/../default/numbers",
        "/default/../numbers",
        "/default/%2e%2e",
        "/default/a%2Fb",
        "/default%2Fnumbers",
        "/default/numbers%00",
        "/default/numbers%0d%0aX:%20y",
        "/default/%6eumbers",
        "/default/z%C3%A4hler",
        f"/default/{'n' * 64}",
        f"/{'n' * 4000}/numbers",
        "http://gateway/default/numbers",
    ],
)
async def test_a_bad_path_is_refused_with_the_reason(
    ask: Ask, gateway: Recording, target: str
) -> None:
    answer = await ask(target)
    assert answer.status == 400
    assert "DNS-1123" in answer.text or "/<namespace>/<stream>" in answer.text
    assert len(answer.text) < 500
    assert gateway.streams == []


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{", "the body: Invalid JSON"),
        (b"\xff\xfe", "the body: Invalid JSON"),
        (b"[" * 10_000, "the body: Invalid JSON"),
        (b"[]", "the body: Input should be an object"),
        (b'{"partition": 3}', "'partition' is not a field: expected contentType, partitions"),
        (b'{"retention": {"days": 3}}', "'retention.days' is not a field: expected seconds"),
        (b'{"partitions": 0}', "partitions: Input should be greater than or equal to 1"),
        (b'{"partitions": "3"}', "partitions: Input should be a valid integer"),
        (b'{"retention": {"seconds": -1}}', "retention.seconds: Input should be greater than 0"),
        (b'{"retention": {"bytes": 1e30}}', "retention.bytes: "),
        (b'{"config": {"a": 1}}', "config.a: Input should be a valid string"),
        (b'{"deletionPolicy": "Keep"}', "deletionPolicy: Input should be 'Retain' or 'Delete'"),
        (b'{"contentType": "json"}', "contentType: 'json' is not a media type"),
    ],
)
async def test_a_bad_body_is_refused_with_the_field(
    ask: Ask, gateway: Recording, body: bytes, reason: str
) -> None:
    answer = await ask("/default/numbers", body)
    assert answer.status == 400
    assert reason in answer.text
    assert gateway.streams == []


async def test_a_huge_body_is_refused(ask: Ask, gateway: Recording) -> None:
    answer = await ask("/default/numbers", b" " * 1024 * 1024)
    assert answer.status == 413
    assert gateway.streams == []


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (TemporaryError("no broker at 10.0.0.1:9092"), 503),
        (PermanentError("partitions: at most 10 are allowed"), 400),
        (Unsupported("retention is not supported"), 400),
    ],
)
async def test_a_gateway_that_fails_answers_with_its_text(
    ask: Ask, gateway: Recording, failure: Exception, status: int
) -> None:
    gateway.failure = failure
    answer = await ask("/default/numbers")
    assert (answer.status, answer.text) == (status, str(failure))


async def test_a_stream_that_could_not_be_made_is_new_when_it_is(
    ask: Ask, gateway: Recording
) -> None:
    gateway.failure = TemporaryError("no broker")
    await ask("/default/numbers")
    gateway.failure = None
    assert (await ask("/default/numbers")).status == 201


async def test_an_error_that_nobody_expected_is_in_the_log_and_not_in_the_answer(
    ask: Ask, gateway: Recording, caplog: pytest.LogCaptureFixture
) -> None:
    gateway.failure = ZeroDivisionError("a secret of the gateway")
    answer = await ask("/default/numbers")
    assert answer.status == 500
    assert "secret" not in answer.text
    assert "ZeroDivisionError: a secret of the gateway" in caplog.text


async def test_a_client_that_leaves_in_the_middle_of_a_request_stops_nobody(
    ask: Ask, server: GatewayServer
) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", server.provisioner_port)
    writer.write(b"PUT /default/numbers HTTP/1.1\r\nHost: gateway\r\nContent-Length: 10\r\n\r\n{")
    await writer.drain()
    writer.close()
    assert (await ask("/default/numbers")).status == 201
