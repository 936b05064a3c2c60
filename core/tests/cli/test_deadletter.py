"""`penstock deadletter`: what a person sees of dead letters, and what becomes of them."""

import asyncio
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple
from urllib.request import Request, urlopen

import pytest

from penstock.cli.reading import read_to_end
from penstock.dead_letter import MARKER_TYPE, Origin
from penstock.local.state import find_run
from penstock.plugin import Message, Position
from penstock.wire.remote import RemotePubSub
from tests.command_line import Penstock


class Gateway(NamedTuple):
    """A gateway of its own process, with three partitions for each stream."""

    penstock: Penstock
    address: str
    provisioner: str

    def __call__(
        self, *arguments: str, stdin: str = "", code: int = 0
    ) -> "subprocess.CompletedProcess[str]":
        """Run a `deadletter` command on it."""
        at = ("--gateway", self.address)
        return self.penstock("deadletter", *arguments, *at, stdin=stdin, code=code)

    def fill(self, topic: str, *messages: Message) -> Sequence[str]:
        return fill(self.address, topic, messages)

    def holds(self, topic: str, count: int) -> list[dict[str, Any]]:
        """The first messages of a topic."""
        done = self.penstock(
            *("subscribe", "--gateway", self.address, "--topic", topic),
            *("--from-beginning", "--count", str(count)),
        )
        return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def gateway(streams: Penstock) -> Iterator[Gateway]:
    flags = ("--port", "0", "--provisioner-port", "0", "--set", "partitions=3")
    with streams.start("gateway", "serve", "inmemory", *flags) as session:
        (address,) = session.shows(r"serves (\S+), provisioner")
        (port,) = session.shows(r"provisioner on port (\d+);")
        yield Gateway(streams, address, f"http://127.0.0.1:{port}")


def fill(address: str, topic: str, messages: Sequence[Message]) -> Sequence[str]:
    """Publish messages; their places."""

    async def publish() -> Sequence[str]:
        async with RemotePubSub(address) as gateway:
            results = await gateway.publish(topic, messages)
        places = [result for result in results if isinstance(result, Position)]
        assert len(places) == len(messages), results
        return [f"{place.partition}/{place.offset}" for place in places]

    return asyncio.run(publish())


def fill_running(streams: Penstock, stream: str, *messages: Message) -> Sequence[str]:
    """Publish messages to a stream of what runs."""
    run = find_run(streams.state)
    assert run
    found = run.stream("default", stream)
    assert found
    return fill(found.gateway, found.topic, messages)


ORIGIN = Origin(
    processor="averager",
    stream="numbers",
    partition=2,
    offset=17,
    window="5",
    error="ValueError: no number\nat line 3\x1b[31m",
    attempts=5,
    first_failure="2026-01-02T03:04:05.678Z",
)
MESSAGE = Message(
    b"seven\nand more", "text/plain", b"k", {"a": "b"}, id="1", type="t", source="s", time="now"
)


def letter(payload: bytes = b"seven", key: bytes | None = None, stream: str = "") -> Message:
    """A dead letter of some stream."""
    origin = Origin("averager", stream or "numbers", 2, 17, "5", "ValueError: no", 5, "2026")
    return origin.mark(Message(payload, "text/plain", key, {"a": "b"}, id="1", type="t"))


def test_each_open_dead_letter_is_a_row(streams: Penstock, stream: str) -> None:
    fill_running(streams, stream, ORIGIN.mark(MESSAGE), letter(stream="words"))
    done = streams("deadletter", "list", stream)
    assert done.stderr == ""
    assert [re.split(" {3,}", line) for line in done.stdout.splitlines()] == [
        ["PLACE", "PROCESSOR", "FROM", "ATTEMPTS", "SINCE", "ERROR"],
        ["0/0", "averager", "numbers[2]/17", "5", ORIGIN.first_failure, "ValueError: no number"],
        ["0/1", "averager", "words[2]/17", "5", "2026", "ValueError: no"],
    ]


def test_a_long_error_shows_how_it_begins_and_how_it_ends(streams: Penstock, stream: str) -> None:
    longest = f"the function failed: {'x' * 126}: no number 7"
    errors = [longest, longest.replace(": no", "y: no")]
    fill_running(streams, stream, *(replace(ORIGIN, error=one).mark(MESSAGE) for one in errors))
    _, whole, cut = streams("deadletter", "list", stream).stdout.splitlines()
    assert whole.endswith(f"   {longest}")
    assert re.search("   the function failed: x+…x+y: no number 7$", cut)


def test_the_list_is_json_too_and_of_one_processor(streams: Penstock, stream: str) -> None:
    other = Origin("other", "words", 0, 1, "", "", 1, "")
    fill_running(streams, stream, ORIGIN.mark(MESSAGE), other.mark(MESSAGE))
    arguments = ("deadletter", "list", stream, "--output", "json")
    both = json.loads(streams(*arguments).stdout)
    assert [one["place"] for one in both] == ["0/0", "0/1"]
    assert json.loads(streams(*arguments, "--processor", "averager").stdout) == [
        {
            "place": "0/0",
            "processor": "averager",
            "stream": "numbers",
            "partition": 2,
            "offset": 17,
            "window": "5",
            "attempts": 5,
            "since": ORIGIN.first_failure,
            "error": ORIGIN.error,
            "contentType": "text/plain",
        }
    ]


def test_an_empty_stream_says_so_and_is_not_made_by_asking(gateway: Gateway) -> None:
    for _ in range(2):
        done = gateway("list", "void")
        assert done.stdout == (
            f'topic "default_void" of {gateway.address} holds no open dead letters\n'
        )
    assert json.loads(gateway("list", "void", "--output", "json").stdout) == []
    assert "there is nothing to do" in gateway("drop", "void", "--all").stderr
    assert "partition 0 has no messages" in gateway("show", "void", "0/0", code=2).stderr


def test_other_messages_are_counted(streams: Penstock, stream: str) -> None:
    half = letter()._replace(headers={"deadletterprocessor": "averager"})
    fill_running(streams, stream, MESSAGE, letter(), half)
    done = streams("deadletter", "list", stream)
    assert "0/1 " in done.stdout
    assert done.stderr == f'stream "{stream}" holds 2 other messages beside its dead letters\n'


def test_a_stream_of_other_messages_is_the_wrong_one(streams: Penstock, stream: str) -> None:
    fill_running(streams, stream, MESSAGE)
    assert f'stream "{stream}" holds no dead letters, but 1 other message: is it' in streams.fails(
        "deadletter", "list", stream
    )


def test_all_of_a_dead_letter_is_shown(streams: Penstock, stream: str) -> None:
    fill_running(streams, stream, ORIGIN.mark(MESSAGE))
    assert streams("deadletter", "show", stream, "0/0").stdout.splitlines() == [
        "place:        0/0",
        "processor:    averager",
        "from:         numbers[2]/17",
        "window:       5",
        "attempts:     5",
        "since:        2026-01-02T03:04:05.678Z",
        "content type: text/plain",
        "key:          k",
        "id:           1",
        "type:         t",
        "source:       s",
        "time:         now",
        "headers:",
        "  a: b",
        "error:",
        "  ValueError: no number",
        r"  at line 3\x1b[31m",
        "payload (14 bytes):",
        "  seven",
        "  and more",
    ]


def test_what_is_no_text_is_shown_in_base64(streams: Penstock, stream: str) -> None:
    first, second = fill_running(streams, stream, letter(b"\xff", b"\xfe"), letter(b"seven"))
    arguments = ("deadletter", "show", stream, second, first)
    seven, bytes_ = json.loads(streams(*arguments, "--output", "json").stdout)
    assert (bytes_["payload"], bytes_["payloadEncoding"]) == ("/w==", "base64")
    assert (bytes_["key"], bytes_["keyEncoding"]) == ("/g==", "base64")
    assert (seven["payload"], seven["headers"], seven["id"]) == ("seven", {"a": "b"}, "1")
    assert seven["place"] == second
    text = streams(*arguments).stdout
    assert "payload (1 byte, in base64):\n  /w==" in text
    in_base64 = streams(*arguments, "--payload-encoding", "base64").stdout
    assert "payload (5 bytes, in base64):\n  c2V2ZW4=" in in_base64


def test_a_replayed_message_is_as_it_was_and_listed_no_more(
    streams: Penstock, stream: str, pool: Iterator[str]
) -> None:
    origin = next(pool)
    of_origin = Origin("averager", origin, 0, 0, "", "E", 1, "2026")
    fill_running(streams, stream, of_origin.mark(MESSAGE), letter(stream=origin))
    done = streams("deadletter", "replay", stream, "0/0", "--yes")
    assert done.stderr == f'replayed 1 dead letter of stream "{stream}"\n'
    lines = streams("subscribe", origin, "--from-beginning", "--count", "1").stdout
    assert json.loads(lines) == {
        "payload": "seven\nand more",
        "contentType": "text/plain",
        "headers": {"a": "b"},
    }
    listed = streams("deadletter", "list", stream, "--output", "json").stdout
    assert [one["place"] for one in json.loads(listed)] == ["0/1"]
    shown = streams.fails("deadletter", "show", stream, "0/0")
    assert "0/0: this dead letter has been replayed already" in shown


def test_all_are_replayed_from_every_partition_and_in_their_order(gateway: Gateway) -> None:
    keys = [b"a", b"b", b"c", b"d"]
    letters = [letter(b"%d" % n, keys[n % 4], "words") for n in range(1200)]
    places = gateway.fill("default_many", *letters)
    assert len({place.split("/")[0] for place in places}) > 1
    gateway.fill("default_words", Message(b"first"))
    done = gateway("replay", "many", "--all", "--yes")
    assert done.stderr.startswith("replayed 1200 dead letters of ")
    payloads = [one["payload"] for one in gateway.holds("default_words", 1201)]
    for n in range(4):
        of_key = [payload for payload in payloads if payload.isdigit() and int(payload) % 4 == n]
        assert of_key == [str(number) for number in range(n, 1200, 4)]
    assert "no open dead letters" in gateway("list", "many").stdout
    assert "there is nothing to do" in gateway("replay", "many", "--all", "--yes").stderr


def test_a_dry_run_says_what_goes_where_and_does_nothing(gateway: Gateway) -> None:
    gateway.fill("default_to-a", MESSAGE)
    gateway.fill("default_to-b", MESSAGE)
    one, two = gateway.fill("default_dry", letter(stream="to-a"), letter(stream="to-b"))
    done = gateway("replay", "dry", two, one, "--dry-run")
    assert [line.split() for line in done.stdout.splitlines()[1:]] == [
        [two, "to-b[2]/17", "topic", '"default_to-b"', "of", gateway.address],
        [one, "to-a[2]/17", "topic", '"default_to-a"', "of", gateway.address],
    ]
    assert len(json.loads(gateway("list", "dry", "--output", "json").stdout)) == 2
    assert gateway("replay", "dry", "--all", "--to", "to-a", "--dry-run").stdout.count("to-a") == 3


@pytest.mark.parametrize("command", ["replay", "drop"])
@pytest.mark.parametrize("answer", ["n\n", "\n", ""])
def test_a_person_is_asked_first(gateway: Gateway, command: str, answer: str) -> None:
    dead = f"asked-{command}-{len(answer)}"
    gateway.fill("default_asked", MESSAGE)
    gateway.fill(f"default_{dead}", letter(stream="asked"))
    refused = gateway(command, dead, "--all", stdin=answer, code=1)
    assert "? [y/N] " in refused.stderr
    assert refused.stderr.endswith("nothing was done; --yes does it without asking\n")
    assert len(json.loads(gateway("list", dead, "--output", "json").stdout)) == 1
    gateway(command, dead, "--all", stdin="y\n")
    assert json.loads(gateway("list", dead, "--output", "json").stdout) == []


def test_what_is_dropped_is_published_nowhere(gateway: Gateway) -> None:
    one, two = gateway.fill("default_drops", letter(), letter())
    assert gateway("drop", "drops", one, one, "--yes").stderr.startswith("dropped 1 dead letter of")
    assert [it["place"] for it in json.loads(gateway("list", "drops", "--output=json").stdout)] == [
        two
    ]
    again = gateway("drop", "drops", one, two, "--yes", code=2).stderr
    assert f"{one}: this dead letter has been dropped already; nothing was done" in again


def test_what_is_dealt_with_is_replayed_again_only_by_its_name(gateway: Gateway) -> None:
    gateway.fill("default_once", MESSAGE)
    one, _ = gateway.fill("default_again", letter(b"x", stream="once"), letter(stream="once"))
    gateway("replay", "again", one, "--yes")
    refused = gateway("replay", "again", "--yes", one, code=2).stderr
    assert f"{one}: this dead letter has been replayed already" in refused
    assert "--again replays it all the same" in refused
    assert (
        "--again goes with PLACEs" in gateway("replay", "again", "--all", "--again", code=2).stderr
    )
    gateway("replay", "again", one, "--yes", "--again")
    payloads = [message["payload"] for message in gateway.holds("default_once", 3)]
    assert sorted(payloads) == ["seven\nand more", "x", "x"]


def test_a_marker_stands_in_any_partition(gateway: Gateway) -> None:
    places = gateway.fill("default_spread", *[letter(b"%d" % n) for n in range(5)])
    gateway("drop", "spread", *places, "--yes")
    marker = gateway.holds("default_spread", 6)
    (headers,) = [one["headers"] for one in marker if "deadletterplaces" in one["headers"]]
    assert headers == {"deadletterplaces": " ".join(places), "deadletterresolution": "dropped"}
    assert len({place.split("/")[0] for place in places}) == 3
    assert "no open dead letters" in gateway("list", "spread").stdout


def test_a_marker_is_of_a_type_that_the_stream_takes(streams: Penstock, stream: str) -> None:
    """Bytes where bytes are taken, and else what its dead letters are."""
    fill_running(streams, stream, letter())
    fill_running(streams, "bytes", letter())
    for name in (stream, "bytes"):
        streams("deadletter", "drop", name, "--all", "--yes")
    declared = streams("subscribe", stream, "--from-beginning", "--count", "2").stdout
    assert '{"payload":"","contentType":"text/plain"' in declared
    undeclared = streams("subscribe", "bytes", "--from-beginning", "--count", "2").stdout
    assert '{"payload":"","contentType":"application/octet-stream"' in undeclared


def test_what_is_refused_stays_open_and_stops_no_other(streams: Penstock, stream: str) -> None:
    good, bad = letter(b"7", stream="numbers"), letter(b"8", stream="numbers")
    good = good._replace(content_type="application/json")
    fill_running(streams, "bytes", bad, good)
    open_before = json.loads(streams("deadletter", "list", "bytes", "--output", "json").stdout)
    refused, taken = [one["place"] for one in open_before][-2:]
    done = streams("deadletter", "replay", "bytes", refused, taken, "--yes", code=1)
    assert done.stderr.splitlines() == [
        f'{refused}: stream "numbers": expected application/json got text/plain',
        'replayed 1 dead letter of stream "bytes"; 1 could not be, and stay open',
    ]
    left = json.loads(streams("deadletter", "list", "bytes", "--output", "json").stdout)
    assert [one["place"] for one in left] == [refused]
    to = ("--to", stream)
    streams("deadletter", "replay", "bytes", refused, *to, "--yes")
    assert '"payload":"8"' in streams("subscribe", stream, "--from-beginning", "--count=1").stdout


def test_what_cannot_be_marked_is_replayed_and_stays_open(gateway: Gateway) -> None:
    """Published first, marked then: in between, nothing is lost."""
    gateway.fill("default_marks", MESSAGE)
    (place,) = gateway.fill("default_unmarked", letter(stream="marks"))
    body = json.dumps({"contentType": "image/png"}).encode()
    url = f"{gateway.provisioner}/default/unmarked"
    with urlopen(Request(url, method="PUT", data=body), timeout=20) as reply:
        assert reply.status == 201
    said = gateway("replay", "unmarked", place, "--yes", code=1).stderr
    assert "takes no marker: expected image/png got text/plain" in said
    assert said.endswith(f"{place} are replayed, and stay open as they could not be marked\n")
    assert "seven" in [message["payload"] for message in gateway.holds("default_marks", 2)]
    assert place in gateway("list", "unmarked").stdout


def test_an_origin_stream_that_is_gone_is_named(streams: Penstock, gateway: Gateway) -> None:
    fill_running(streams, "notes", letter(stream="nmbers"))
    said = streams.fails("deadletter", "replay", "notes", "--all", "--yes")
    assert 'that dead letter 0/0 is from: there is no stream "nmbers"' in said
    assert 'did you mean "numbers"?' in said
    assert said.endswith("say where to with --to\n")
    gateway.fill("default_lost", letter(stream="nowhere"))
    served = gateway("replay", "lost", "--all", "--yes", code=2).stderr
    assert f'is from: topic "default_nowhere" of {gateway.address} has no messages' in served
    gateway("replay", "lost", "--all", "--yes", "--to", "nowhere")
    assert gateway.holds("default_nowhere", 1)[0]["payload"] == "seven"


def test_a_topic_is_named_in_place_of_a_stream(gateway: Gateway) -> None:
    one, two = gateway.fill("oops", letter(), letter(b"eight"))
    topic = ("--topic", "oops")
    assert f"place:        {one}" in gateway("show", one, *topic).stdout
    said = gateway("replay", one, "--yes", *topic, code=2).stderr
    assert f"from which {one} is: say where to with --to TOPIC" in said
    gateway("replay", one, two, "--yes", *topic, "--to", "numbers.in")
    found = {message["payload"] for message in gateway.holds("numbers.in", 2)}
    assert found == {"seven", "eight"}
    assert "'oops' is no place" in gateway("show", "oops", two, *topic, code=2).stderr


def test_a_stream_may_be_of_another_namespace(gateway: Gateway) -> None:
    gateway.fill("there_words", MESSAGE)
    gateway.fill("there_dead", letter(stream="words"))
    gateway("replay", "dead", "-n", "there", "--all", "--yes")
    assert {one["payload"] for one in gateway.holds("there_words", 2)} >= {"seven"}


def test_the_type_of_a_marker_is_that_of_the_format(gateway: Gateway) -> None:
    gateway.fill("default_typed", letter())
    gateway("drop", "typed", "--all", "--yes")

    async def read() -> list[Message]:
        async with RemotePubSub(gateway.address) as remote:
            ends = await remote.end_positions("default_typed")
            batches = read_to_end(remote, "default_typed", ends, print)
            return [record.message async for _, records in batches for record in records]

    (marker,) = [message for message in asyncio.run(read()) if message.type == MARKER_TYPE]
    assert marker.id
    assert marker.time
    assert marker.source == "penstock-deadletter"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("show {} 0-0", "'0-0' is no place of a dead letter: expected PARTITION/OFFSET, as 0/17"),
        ("show {} -1/2", "No such option"),
        ("show {} 0/99", "0/99: this is beyond the end of partition 0: its last message is 0/1"),
        ("show {} 7/0", "7/0: partition 7 has no messages"),
        ("show {} 0/1", "0/1: the message that is there is no dead letter; nothing was done"),
        ("drop {} 0/0 0/1 0/5", "0/1: the message that is there is no dead letter; 0/5: this is"),
        ("show {}", "which dead letters? Give their PLACEs, as 0/17"),
        ("replay {}", "which dead letters? Give their PLACEs, as 0/17, or --all"),
        ("drop {} 0/0 --all", "--all stands in place of PLACEs: give one of them"),
        ("replay {} 0/0 --to nowhere", 'there is no stream "nowhere"'),
        ("list", "which stream?"),
        ("list nmbers", 'there is no stream "nmbers"'),
        ("list {} --output yaml", "'yaml' is not one of 'table', 'json'"),
        ("lst {}", "No such command 'lst'"),
    ],
)
def test_what_is_wrong_is_said(
    streams: Penstock, wrong_uses: str, arguments: str, message: str
) -> None:
    assert message in streams.fails("deadletter", *arguments.format(wrong_uses).split())


@pytest.fixture(scope="module")
def wrong_uses(streams: Penstock, pool: Iterator[str]) -> str:
    """A stream with a dead letter and another message."""
    stream = next(pool)
    fill_running(streams, stream, letter(), MESSAGE)
    return stream


def test_a_gateway_that_goes_away_is_named(penstock: Penstock) -> None:
    arguments = ("deadletter", "replay", "stranded", "--all", "--to", "elsewhere")
    with penstock.start("gateway", "serve", "inmemory", "--port", "0") as other:
        (address,) = other.shows(r"serves ([^;]+);")
        fill(address, "default_stranded", [letter()])
        with subprocess.Popen(
            [sys.executable, "-m", "penstock.cli", *arguments, "--gateway", address],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdin is not None
            assert process.stderr is not None
            assert process.stderr.read(6) == "Replay"
            other.interrupt()
            process.stdin.write("y\n")
            process.stdin.flush()
            said = process.stderr.read()
            assert process.wait(20) == 1
    assert "replayed 0 dead letters" in said
    assert f"Error: gateway {address} is not available" in said


def test_ctrl_c_is_a_no(gateway: Gateway) -> None:
    gateway.fill("default_kept", letter())
    arguments = ("deadletter", "drop", "kept", "--all", "--gateway", gateway.address)
    with subprocess.Popen(
        [sys.executable, "-m", "penstock.cli", *arguments],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert process.stderr.read(4) == "Drop"
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
    assert "averager" in gateway("list", "kept").stdout


def test_a_gateway_that_is_down_is_named(penstock: Penstock) -> None:
    said = penstock.fails("deadletter", "list", "s", "--gateway", "127.0.0.1:1", code=1)
    assert said.startswith("Error: gateway 127.0.0.1:1 is not available")
