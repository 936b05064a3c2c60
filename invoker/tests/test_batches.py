"""The batch protocol: frames of many messages, and how far the inputs are done."""

import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from penstock.plugin import Message as WireMessage
from penstock.wire.channel import FRAME_BYTES
from penstock.wire.columns import pack_messages, unpack_messages
from penstock.wire.protocol.columns_pb2 import MessageColumns
from penstock.wire.protocol.function_pb2 import InputFrames, Inputs, OutputFrames
from penstock_invoker import Message

if TYPE_CHECKING:
    from invoker.tests.conftest import BatchCall, Host


def inputs(*messages: WireMessage) -> Inputs:
    return Inputs(messages=pack_messages(messages))


def texts(*payloads: bytes) -> Inputs:
    return inputs(*(WireMessage(payload, "text/plain") for payload in payloads))


def payloads(frames: list[OutputFrames]) -> list[bytes]:
    return [payload for frame in frames for payload in frame.messages.payload]


def messages(frames: list[OutputFrames]) -> list[WireMessage]:
    return [message for frame in frames for message in unpack_messages(frame.messages)]


async def frames_until(call: "BatchCall", inputs_done: int) -> list[OutputFrames]:
    """The frames up to the one that says that so many inputs are done."""
    frames: list[OutputFrames] = []
    while not frames or frames[-1].inputs_done < inputs_done:
        frame = await call.receive_frame()
        assert frame is not None
        frames.append(frame)
    return frames


def odd(text: str) -> str | None:
    return text if int(text) % 2 else None


async def odd_async(text: str) -> str | None:
    return odd(text)


def twice(text: str) -> Iterator[str]:
    yield text
    yield text


ONE_VALUE = pytest.mark.parametrize("function", [odd, odd_async])


@ONE_VALUE
async def test_a_frame_of_inputs_becomes_a_frame_of_outputs(
    host: "Host", function: Callable[..., Any]
) -> None:
    call = (await host(function)).batch()
    await call.start()
    for first in (0, 100):
        await call.send_frame(texts(*(b"%d" % number for number in range(first, first + 100))))
        frames = await frames_until(call, first + 100)
        odds = range(first + 1, first + 100, 2)
        assert payloads(frames) == [b"%d" % number for number in odds]
        assert [index for frame in frames for index in frame.input_index] == list(odds)
        # One, but for a machine that is slow at this moment.
        assert len(frames) < 10
    await call.end()
    assert await call.frames() == []


@ONE_VALUE
async def test_inputs_without_outputs_are_reported_done(
    host: "Host", function: Callable[..., Any]
) -> None:
    call = (await host(function)).batch()
    await call.start()
    await call.send_frame(texts(b"2", b"4"))
    frames = await frames_until(call, 2)
    assert (payloads(frames), frames[-1]) == ([], OutputFrames(inputs_done=2))


async def test_every_output_of_an_input_names_it(host: "Host") -> None:
    call = (await host(twice)).batch()
    await call.start()
    await call.send_frame(texts(b"a", b"b"))
    await call.end()
    frames = await call.frames()
    assert payloads(frames) == [b"a", b"a", b"b", b"b"]
    assert [index for frame in frames for index in frame.input_index] == [0, 0, 1, 1]
    assert frames[-1].inputs_done == 2


async def test_an_input_is_done_when_its_last_output_is_sent(host: "Host") -> None:
    """More outputs of one input than are held at a time: they come in several frames."""

    def many(text: str) -> Iterator[str]:
        for number in range(5000):
            yield f"{text}{number}"

    call = (await host(many)).batch()
    await call.start()
    await call.send_frame(texts(b"a", b"b"))
    await call.end()
    sent: list[int] = []
    for frame in await call.frames():
        sent += frame.input_index
        assert sent.count(0) == 5000 or frame.inputs_done == 0
        assert sent.count(1) == 5000 or frame.inputs_done <= 1
    assert len(sent) == 10000


async def test_a_slow_function_reports_what_is_done(host: "Host") -> None:
    go_on = threading.Event()

    def slow(text: str) -> str:
        if text == "c":
            go_on.wait(10)
        return text

    call = (await host(slow)).batch()
    await call.start()
    await call.send_frame(texts(b"a", b"b", b"c"))
    assert payloads(await frames_until(call, 2)) == [b"a", b"b"]
    go_on.set()
    assert payloads(await frames_until(call, 3)) == [b"c"]


async def test_what_is_done_before_a_failure_is_reported(host: "Host") -> None:
    invoker = await host(odd)
    for bad in (texts(b"1", b"2", b"three"), inputs(*_unreadable())):
        call = invoker.batch()
        await call.start()
        await call.send_frame(bad)
        assert payloads(await frames_until(call, 2)) == [b"1"]
        code, _ = await call.status()
        assert code in {grpc.StatusCode.UNKNOWN, grpc.StatusCode.INVALID_ARGUMENT}


def _unreadable() -> list[WireMessage]:
    readable = [WireMessage(b"1", "text/plain"), WireMessage(b"2", "text/plain")]
    return [*readable, WireMessage(b"3", "image/png"), WireMessage(b"5", "text/plain")]


async def test_what_is_written_before_a_failure_is_sent(host: "Host") -> None:
    def latin(text: str) -> str:
        return text

    call = (await host(latin)).batch()
    await call.start(["text/plain; charset=latin-1"])
    await call.send_frame(texts(b"a", b"b", "€".encode(), b"c"))
    assert payloads(await frames_until(call, 2)) == [b"a", b"b"]
    code, text = await call.status()
    assert code == grpc.StatusCode.UNKNOWN
    assert "cannot be written as text/plain; charset=latin-1" in text


async def test_a_function_of_streams_tells_nothing_of_its_inputs(host: "Host") -> None:
    async def echo(texts: AsyncIterator[str]) -> AsyncIterator[str]:
        async for text in texts:
            yield text

    call = (await host(echo)).batch()
    await call.start()
    await call.send_frame(texts(b"a", b"b"))
    await call.end()
    frames = await call.frames()
    assert payloads(frames) == [b"a", b"b"]
    assert all(not frame.input_index and not frame.inputs_done for frame in frames)


async def test_outputs_of_several_kinds_share_a_frame(host: "Host") -> None:
    def mixed(text: str) -> Iterator[object]:
        yield text
        yield 1
        yield Message(b"raw", key=b"k", headers={"h": "1"})

    call = (await host(mixed)).batch()
    await call.start(["application/json"])
    await call.send_frame(texts(b"a"))
    await call.end()
    assert messages(await call.frames()) == [
        WireMessage(b'"a"', "application/json"),
        WireMessage(b"1", "application/json"),
        WireMessage(b"raw", "application/json", key=b"k", headers={"h": "1"}),
    ]


async def test_key_and_headers_go_from_a_value_to_what_is_made_of_it(host: "Host") -> None:
    def upper(text: str) -> str | Message[str]:
        return Message("ALONE") if text == "alone" else text.upper()

    call = (await host(upper)).batch()
    await call.start()
    sent = [
        WireMessage(b"a", "text/plain", key=b"k1", headers={"h": "1"}, id="i", time="t"),
        WireMessage(b"b", "text/plain"),
        WireMessage(b"alone", "text/plain", key=b"k2", headers={"h": "2"}),
    ]
    await call.send_frame(inputs(*sent))
    await call.end()
    assert messages(await call.frames()) == [
        WireMessage(b"A", "text/plain", key=b"k1", headers={"h": "1"}),
        WireMessage(b"B", "text/plain"),
        WireMessage(b"ALONE", "text/plain"),
    ]


async def test_a_message_is_received_and_given_with_all_its_attributes(host: "Host") -> None:
    def again(message: Message[str]) -> Message[str]:
        return message

    call = (await host(again)).batch()
    await call.start()
    sent = WireMessage(b"a", "text/plain", b"k", {"h": "1"}, "id", "type", "source", "time")
    await call.send_frame(inputs(sent))
    await call.end()
    assert messages(await call.frames()) == [sent]


async def test_a_new_value_under_the_same_key_and_headers(host: "Host") -> None:
    def length(message: Message[str]) -> Message[int]:
        return message.with_value(len(message.value))

    call = (await host(length)).batch()
    await call.start(["application/json"])
    await call.send_frame(inputs(WireMessage(b"abc", "text/plain", b"k", {"h": "1"}, id="i")))
    await call.end()
    assert messages(await call.frames()) == [
        WireMessage(b"3", "application/json", b"k", {"h": "1"})
    ]


@pytest.mark.parametrize(
    ("function", "count", "size"), [(twice, 4, 3_000_000), (twice, 30, 500_000)]
)
async def test_large_outputs_come_in_frames_of_bounded_size(
    host: "Host", function: Callable[..., Any], count: int, size: int
) -> None:
    call = (await host(function)).batch()
    await call.start()
    for number in range(count):
        await call.send_frame(texts(b"%d" % (number % 10) * size))
    await call.end()
    frames = await call.frames()
    assert [one[:1] for one in payloads(frames)] == [
        b"%d" % (number % 10) for number in range(count) for _ in range(2)
    ]
    for frame in frames:
        sizes = list(map(len, frame.messages.payload))
        assert len(sizes) <= 1 or sum(sizes) <= FRAME_BYTES
    assert frames[-1].inputs_done == count


@pytest.mark.parametrize(
    ("frame", "complaint"),
    [
        (
            Inputs(messages=MessageColumns(payload=[b"1"] * 3, content_type=["text/plain"] * 2)),
            "column content_type has 2 entries for 3 payloads",
        ),
        (
            Inputs(messages=MessageColumns(payload=[b"1"] * 3), arg_index=[0, 0]),
            "column arg_index has 2 entries for 3 payloads",
        ),
        (Inputs(messages=MessageColumns(payload=[b"1"] * 2), arg_index=[0, 7]), "for input 7"),
    ],
)
async def test_a_frame_that_contradicts_itself_fails_the_call(
    host: "Host", frame: Inputs, complaint: str
) -> None:
    call = (await host(odd)).batch()
    await call.start()
    await call.send_frame(frame)
    code, text = await call.status()
    assert (code, complaint in text) == (grpc.StatusCode.INVALID_ARGUMENT, True)


async def test_a_frame_without_messages_is_nothing(host: "Host") -> None:
    call = (await host(odd)).batch()
    await call.start()
    await call.send_frame(Inputs())
    await call.send_frame(texts(b"1"))
    await call.end()
    assert payloads(await call.frames()) == [b"1"]


async def test_an_empty_frame_is_no_start(host: "Host") -> None:
    call = (await host(odd)).batch()
    await call.call.write(InputFrames())
    assert (await call.status())[0] == grpc.StatusCode.INVALID_ARGUMENT
