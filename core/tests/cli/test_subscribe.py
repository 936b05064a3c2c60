"""`penstock subscribe`: a JSON line for each message, as riff's."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence

import pytest

from penstock.cli.subscribe import as_base64, as_raw
from penstock.plugin import Message
from penstock.wire.remote import RemotePubSub
from tests.command_line import Penstock


def test_a_line_is_as_the_contract_has_it() -> None:
    message = Message(b"55.0", "application/json")
    assert as_raw(message) == ('{"payload":"55.0","contentType":"application/json","headers":{}}\n')
    assert as_base64(message) == (
        '{"payload":"NTUuMA==","contentType":"application/json","headers":{}}\n'
    )


def test_text_stays_readable_and_what_is_none_is_in_base64() -> None:
    text = Message("grüße\n".encode(), "text/plain", headers={"b": "2", "a": "ü"})
    assert as_raw(text) == (
        '{"payload":"grüße\\n","contentType":"text/plain","headers":{"b":"2","a":"ü"}}\n'
    )
    assert as_raw(Message(b"\xff")) == (
        '{"payload":"/w==","contentType":"","headers":{},"payloadEncoding":"base64"}\n'
    )


def test_only_what_is_new_is_printed_and_each_at_once(streams: Penstock, stream: str) -> None:
    streams("publish", stream, "--payload", "old")
    with streams.start("subscribe", stream) as session:
        session.shows("subscribed to")
        for payload in ("new", "newer"):
            streams("publish", stream, "--payload", payload)
            session.shows(f'"payload":"{payload}"')
        assert session.interrupt() == 130
    assert session.lines == [
        f'subscribed to stream "{stream}"; Ctrl-C ends',
        '{"payload":"new","contentType":"text/plain","headers":{}}',
        '{"payload":"newer","contentType":"text/plain","headers":{}}',
    ]


def test_each_run_prints_everything_from_the_beginning(streams: Penstock, stream: str) -> None:
    streams("publish", stream, "--lines", stdin="a\nb\n")
    arguments = ("subscribe", stream, "--from-beginning", "--count", "2")
    first, second = streams(*arguments), streams(*arguments)
    assert first.stdout == second.stdout
    assert [json.loads(line)["payload"] for line in first.stdout.splitlines()] == ["a", "b"]


def test_it_ends_after_as_many_messages_as_are_wanted(streams: Penstock, stream: str) -> None:
    streams("publish", stream, "--lines", stdin="a\nb\nc\n")
    done = streams("subscribe", stream, "--from-beginning", "--count", "2")
    assert len(done.stdout.splitlines()) == 2
    assert done.stderr == f'subscribed to stream "{stream}"; Ctrl-C ends\n'


@pytest.fixture(scope="module")
def repeating(streams: Penstock) -> Iterator[str]:
    """The address of a gateway whose stream `words` holds events more than once."""
    ids = ["1", "2", "", "1", "", "2", "3"]
    messages = [
        Message(payload=b"%d" % number, id=id_, source="s") for number, id_ in enumerate(ids)
    ]
    with streams.start("gateway", "serve", "inmemory", "--port", "0") as gateway:
        (address,) = gateway.shows(r"serves ([^;]+);")
        asyncio.run(publish(address, messages))
        yield address


async def publish(address: str, messages: Sequence[Message]) -> None:
    async with RemotePubSub(address) as gateway:
        await gateway.publish("default_words", messages)


@pytest.mark.parametrize(("encoding", "last"), [("raw", "6"), ("base64", "Ng==")])
def test_what_was_seen_before_is_left_out_on_demand(
    penstock: Penstock, repeating: str, encoding: str, last: str
) -> None:
    arguments = ("subscribe", "words", "--gateway", repeating, "--from-beginning")
    in_encoding = ("--payload-encoding", encoding)
    done = penstock(*arguments, *in_encoding, "--deduplicate", "--count", "5")
    payloads = [json.loads(line)["payload"] for line in done.stdout.splitlines()]
    assert (len(payloads), payloads[-1]) == (5, last)
    assert done.stderr.endswith("\nleft out 2 duplicates\n")
    whole = penstock(*arguments, *in_encoding, "--count", "7")
    assert len(whole.stdout.splitlines()) == 7
    assert "left out" not in whole.stderr


def test_how_many_were_left_out_is_said_after_ctrl_c_too(
    penstock: Penstock, repeating: str
) -> None:
    arguments = ("subscribe", "words", "--gateway", repeating, "--from-beginning")
    with penstock.start(*arguments, "--deduplicate") as session:
        session.shows('"payload":"6"')
        assert session.interrupt() == 130
        session.shows("^left out 2 duplicates$")


@pytest.mark.parametrize("lines", ["a\nb\n", "x\n" * 100_000])
def test_it_ends_quietly_when_nobody_reads_any_more(
    streams: Penstock, stream: str, lines: str
) -> None:
    """Once while it waits for a message, and once while it prints."""
    streams("publish", stream, "--lines", stdin=lines)
    with subprocess.Popen(
        [sys.executable, "-m", "penstock.cli", "subscribe", stream, "--from-beginning"],
        env=streams.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(20) == 0
        assert process.stderr.read() == f'subscribed to stream "{stream}"; Ctrl-C ends\n'


def test_a_gateway_that_goes_away_is_named(penstock: Penstock) -> None:
    with penstock.start("gateway", "serve", "inmemory", "--port", "0") as gateway:
        (address,) = gateway.shows(r"serves ([^;]+);")
        with penstock.start("subscribe", "s", "--gateway", address) as session:
            session.shows("subscribed to")
            gateway.interrupt()
            session.shows(f"Error: .*{address}")


def test_a_gateway_that_is_down_is_named(penstock: Penstock) -> None:
    done = penstock("subscribe", "numbers", "--gateway", "127.0.0.1:1", code=1)
    assert done.stderr.startswith("Error: gateway 127.0.0.1:1 is not available")
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("nmbers", 'there is no stream "nmbers"'),
        ("numbers --payload-encoding hex", "'hex' is not one of 'raw', 'base64'"),
        ("numbers --count 0", "0 is not in the range x>=1"),
    ],
)
def test_what_is_wrong_is_said(streams: Penstock, arguments: str, message: str) -> None:
    assert message in streams.fails("subscribe", *arguments.split())
