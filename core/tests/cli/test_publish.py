"""`penstock publish`: one message, many lines, and everything that can be wrong with them."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command_line import Penstock

PYTHON = [sys.executable, "-m", "penstock.cli"]


def read(penstock: Penstock, *arguments: str, count: int) -> list[dict[str, object]]:
    """The first messages of a stream."""
    done = penstock("subscribe", *arguments, "--from-beginning", "--count", str(count))
    return [json.loads(line) for line in done.stdout.splitlines()]


def payloads(penstock: Penstock, stream: str, count: int) -> list[object]:
    return [message["payload"] for message in read(penstock, stream, count=count)]


def test_a_payload_is_published_with_the_type_that_the_stream_declares(
    streams: Penstock, stream: str
) -> None:
    done = streams("publish", stream, "--payload", "grüße")
    assert done.stdout == ""
    assert done.stderr == f'published 1 message to stream "{stream}": partition 0, offset 0\n'
    assert read(streams, stream, count=1) == [
        {"payload": "grüße", "contentType": "text/plain", "headers": {}}
    ]


def test_an_empty_payload_is_a_message(streams: Penstock, stream: str) -> None:
    streams("publish", stream, "--payload", "")
    streams("publish", stream, "--payload-base64", "")
    assert payloads(streams, stream, 2) == ["", ""]


def test_a_payload_in_base64_is_bytes(streams: Penstock, stream: str) -> None:
    streams("publish", stream, "--payload-base64", "AP8=", "--content-type", "text/plain;x=y")
    done = streams(
        *("subscribe", stream, "--from-beginning", "--count", "1"),
        *("--payload-encoding", "base64"),
    )
    assert done.stdout == '{"payload":"AP8=","contentType":"text/plain;x=y","headers":{}}\n'


def test_headers_arrive_as_riffs_do(streams: Penstock, stream: str) -> None:
    streams("publish", stream, "--payload", "a", "--header", "H1: V1", "--header", "h2:v:2")
    (message,) = read(streams, stream, count=1)
    assert message["headers"] == {"h1": " V1", "h2": "v:2"}


def test_another_namespace_is_chosen_by_name(streams: Penstock) -> None:
    streams("publish", "words", "-n", "elsewhere", "--payload", "there")
    assert read(streams, "words", "-n", "elsewhere", count=1)[0]["payload"] == "there"


def test_lines_are_messages(streams: Penstock, stream: str) -> None:
    done = streams("publish", stream, "--lines", stdin="one\n\nthree\r\nlast")
    assert done.stderr == f'published 4 messages to stream "{stream}"\n'
    assert payloads(streams, stream, 4) == ["one", "", "three\r", "last"]


def test_no_lines_are_no_messages(streams: Penstock, stream: str) -> None:
    done = streams("publish", stream, "--lines")
    assert done.stderr == f'published 0 messages to stream "{stream}"\n'


def test_lines_come_from_a_file_too_and_in_order(
    streams: Penstock, stream: str, tmp_path: Path
) -> None:
    file = tmp_path / "lines"
    lines = [f"{number} {'x' * 100}" for number in range(20_000)]
    file.write_text("\n".join(lines))
    command = ["publish", stream, "--lines"]
    with file.open("rb") as source:
        subprocess.run(
            [*PYTHON, *command], env=streams.environment, stdin=source, check=True, timeout=30
        )
    assert payloads(streams, stream, len(lines)) == lines


def test_a_line_is_published_while_the_next_is_awaited(streams: Penstock, stream: str) -> None:
    with subprocess.Popen(
        [*PYTHON, "publish", stream, "--lines"], env=streams.environment, stdin=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        process.stdin.write(b"first\nse")
        process.stdin.flush()
        assert payloads(streams, stream, 1) == ["first"]
        process.stdin.write(b"cond\n")
        process.stdin.close()
        assert payloads(streams, stream, 2) == ["first", "second"]
    assert process.returncode == 0


def test_ctrl_c_ends_it_quietly_while_it_waits(streams: Penstock, stream: str) -> None:
    with subprocess.Popen(
        [*PYTHON, "publish", stream, "--lines"],
        env=streams.environment,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write("first\n")
        process.stdin.flush()
        assert payloads(streams, stream, 1) == ["first"]
        process.send_signal(2)
        assert process.wait(20) == 130
        assert process.stderr.read() == f'published 1 message to stream "{stream}"\n'


def test_when_the_gateway_goes_away_it_is_said_from_which_line_on(penstock: Penstock) -> None:
    with penstock.start("gateway", "serve", "inmemory", "--port", "0") as gateway:
        (address,) = gateway.shows(r"serves ([^;]+);")
        at = ("letters", "--gateway", address)
        with subprocess.Popen(
            [*PYTHON, "publish", *at, "--lines", "--content-type", "text/plain"],
            env=penstock.environment,
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdin is not None
            assert process.stderr is not None
            process.stdin.write("one\n")
            process.stdin.flush()
            assert read(penstock, *at, count=1)[0]["payload"] == "one"
            gateway.interrupt()
            process.stdin.write("two\n")
            process.stdin.close()
            assert process.wait(20) == 1
            summary, error = process.stderr.read().splitlines()
    assert summary == f'published 1 message to topic "default_letters" of {address}'
    assert error.startswith(f"Error: gateway {address} is not available")
    assert error.endswith("; the lines from 2 on are not published, or not for certain")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            "numbers --payload 7 --content-type text/plain",
            'stream "numbers": expected application/json got text/plain',
        ),
        (
            "numbers --payload 7 --content-type json",
            "'json' is not a media type: expected type/subtype, as application/json",
        ),
        (
            "numbers --payload 7 --content-type application/*",
            "'application/*' is a range, and a message is of one type",
        ),
        ("notes --payload a", 'stream "notes" takes text/*, which is more than one type'),
        ("numbers --payload-base64 %%", "'--payload-base64': '%%' is not base64"),
        ("numbers --payload-base64 abc", "'abc' is not base64: Incorrect padding"),
        ("numbers --payload 7 --header h1", "'h1' is not a header: expected NAME: VALUE"),
        ("numbers", "give one of --payload TEXT, --payload-base64 B64 and --lines"),
        ("numbers --payload 7 --lines", "give one of --payload"),
        ("--payload 7", "which stream?"),
        (
            "nmbers --payload 7",
            (
                'there is no stream "nmbers" in namespace "default" of what is running; did you '
                'mean "numbers"?; there are bytes, notes, numbers'
            ),
        ),
        (
            "numbers -n nowhere --payload 7",
            (
                'there is no stream in namespace "nowhere" of what is running; choose one with -n; '
                "there are default, elsewhere"
            ),
        ),
        ("numbers --topic t --payload 7", "--topic goes with --gateway"),
        ("numbers --gateway here --payload 7", "'here' is not HOST:PORT, as localhost:6565"),
        (
            "default_numbers --gateway here:1 --payload 7",
            "'default_numbers' is not a name of a stream",
        ),
        (
            "numbers --gateway localhost:1 --payload 7",
            (
                'what topic "default_numbers" of localhost:1 takes is not known here: give '
                "--content-type"
            ),
        ),
    ],
)
def test_what_is_wrong_is_said(streams: Penstock, arguments: str, message: str) -> None:
    assert message in streams.fails("publish", *arguments.split())


def test_a_gateway_that_is_down_is_named(penstock: Penstock) -> None:
    done = penstock(
        *("publish", "--topic", "t", "--gateway", "127.0.0.1:1"),
        *("--payload", "7", "--content-type", "text/plain"),
        code=1,
    )
    assert "Error: gateway 127.0.0.1:1 is not available" in done.stderr


def test_without_a_run_it_says_what_to_do(penstock: Penstock) -> None:
    done = penstock("publish", "numbers", "--payload", "7", code=1)
    assert "nothing is running here" in done.stderr
    assert "start it with penstock run FILE, or name a gateway with --gateway" in done.stderr


def test_a_line_that_the_gateway_refuses_is_named_and_the_others_are_published(
    streams: Penstock,
) -> None:
    """Known to the gateway alone: with --gateway the type that is declared is not."""
    state = json.loads((Path(streams.environment["PENSTOCK_STATE_DIR"]) / "run.json").read_text())
    gateway = state["streams"][0]["gateway"]
    done = streams(
        *("publish", "numbers", "--gateway", gateway, "--lines"),
        *("--content-type", "text/plain"),
        stdin="1\n2\n",
        code=1,
    )
    assert re.fullmatch(
        "line 1: .*expected application/json got text/plain\n"
        "line 2: .*expected application/json got text/plain\n"
        f'published 0 messages to topic "default_numbers" of {gateway}; 2 refused\n',
        done.stderr,
    )
