"""The command `penstock-invoker`, as a process of its own."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from textwrap import dedent

import grpc
import pytest

from penstock.plugin import UsageError
from penstock.wire.protocol.riff_pb2 import InputFrame, InputSignal, StartFrame
from penstock.wire.protocol.riff_pb2_grpc import RiffStub
from penstock_invoker.__main__ import Settings, read_settings

PATIENCE = 10.0

UPPER = """
    import threading

    def upper(text: str) -> str:
        print("seen", text)
        return text.upper()

    def hang(text: str) -> str:
        print("seen", text)
        threading.Event().wait()
        return text

    number = 1

    def two(left: int, right: int): ...
"""

Start = Callable[..., "Command"]


class Command:
    """A command that goes on for a while; its standard error is read line by line."""

    def __init__(self, arguments: list[str], folder: Path, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            arguments,
            cwd=folder,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def address(self) -> str:
        """Where it listens, as it says itself."""
        assert self.process.stderr is not None
        line = self.process.stderr.readline()
        found = re.search(r"listens on (\S+)$", line)
        assert found, line
        return found[1]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts the command in a folder with a module `functions`, on a free port by default."""
    (tmp_path / "functions.py").write_text(dedent(UPPER))
    commands: list[Command] = []

    def run(*arguments: str, **environment: str) -> Command:
        command = [sys.executable, "-m", "penstock_invoker", *arguments]
        defaults = {"GRPC_PORT": "0", "PENSTOCK_HOST": "127.0.0.1", "PYTHONUNBUFFERED": ""}
        commands.append(Command(command, tmp_path, defaults | environment))
        return commands[-1]

    yield run
    for command in commands:
        command.process.kill()
        command.process.communicate()


def invoke(address: str, text: bytes) -> bytes:
    """Call a function once; the first output."""
    signals = [
        InputSignal(start=StartFrame(expectedContentTypes=["text/plain"])),
        InputSignal(data=InputFrame(payload=text, contentType="text/plain")),
    ]
    with grpc.insecure_channel(address) as channel:
        outputs = RiffStub(channel).Invoke(iter(signals), timeout=PATIENCE)
        return next(outputs).data.payload


def invoke_in_vain(address: str) -> None:
    """Call a function that does not answer, until it is stopped."""
    with pytest.raises(grpc.RpcError):
        invoke(address, b"a")


def wait_until_refused(address: str) -> None:
    """Wait until no new connection is taken."""
    host, port = address.split(":")
    deadline = time.monotonic() + PATIENCE
    with suppress(ConnectionError):
        while time.monotonic() < deadline:
            socket.create_connection((host, int(port)), PATIENCE).close()
        pytest.fail(f"{address} is still open")


def fails(command: Command, status: int) -> str:
    """What a command prints that ends with this status."""
    printed, complaint = command.process.communicate(timeout=PATIENCE)
    assert (command.process.returncode, printed) == (status, "")
    return str(complaint)


def test_it_serves_a_function_of_the_current_directory(start: Start) -> None:
    command = start("functions:upper")
    assert invoke(command.address(), b"a") == b"A"
    # What a function prints is to be seen at once, and on standard output.
    assert command.process.stdout is not None
    assert command.process.stdout.readline() == "seen a\n"


def test_the_script_is_installed() -> None:
    script = Path(sys.executable).with_name("penstock-invoker")
    done = subprocess.run([script, "--help"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("usage: penstock-invoker")
    assert "(GRPC_PORT; default: 8081)" in " ".join(done.stdout.split())


def test_port_and_host_come_from_the_command_line_before_the_environment(start: Start) -> None:
    port = free_port()
    command = start("functions:upper", "--port", str(port), "--host", "127.0.0.2")
    assert command.address() == f"127.0.0.2:{port}"
    assert invoke(f"127.0.0.2:{port}", b"a") == b"A"


def test_it_listens_on_every_interface_by_default(start: Start) -> None:
    port = free_port()
    command = start("functions:upper", GRPC_PORT=str(port), PENSTOCK_HOST="")
    assert command.address() == f"0.0.0.0:{port}"
    assert invoke(f"127.0.0.2:{port}", b"a") == b"A"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_in_order(start: Start, number: signal.Signals) -> None:
    command = start("functions:upper")
    command.address()
    assert command.stop(number) == 0
    _, complaint = command.process.communicate()
    assert complaint == ""


def test_a_function_that_hangs_is_left_after_the_grace(start: Start) -> None:
    command = start("functions:hang", PENSTOCK_GRACE_SECONDS="0.1")
    address = command.address()
    calling = threading.Thread(target=invoke_in_vain, args=(address,))
    calling.start()
    assert command.process.stdout is not None
    assert command.process.stdout.readline() == "seen a\n"
    assert command.stop() == 0
    assert command.process.communicate()[1] == ""
    calling.join(PATIENCE)
    assert not calling.is_alive()


def test_a_second_signal_ends_it_at_once(start: Start) -> None:
    command = start("functions:hang", PENSTOCK_GRACE_SECONDS="60")
    address = command.address()
    calling = threading.Thread(target=invoke_in_vain, args=(address,))
    calling.start()
    assert command.process.stdout is not None
    assert command.process.stdout.readline() == "seen a\n"
    command.process.send_signal(signal.SIGTERM)
    wait_until_refused(address)
    assert command.stop() == -signal.SIGTERM
    calling.join(PATIENCE)


@pytest.mark.parametrize(
    ("target", "complaint"),
    [
        ("nowhere:upper", "there is no module nowhere: looked in "),
        ("functions:uper", "there is no function uper in module functions: did you mean upper?"),
        ("functions:number", "functions:number is a int: expected a function"),
        ("functions:two", "functions:two takes 2 values (left, right)"),
        ("functions", "'functions' names no function: expected module:function"),
    ],
)
def test_a_wrong_target_is_one_line(start: Start, target: str, complaint: str) -> None:
    text = fails(start(target), 2)
    assert text.startswith(f"penstock-invoker: {complaint}")
    assert text.count("\n") == 1


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        ({"GRPC_PORT": "http"}, "'http' is not a port: expected a number from 0 to 65535"),
        ({"GRPC_PORT": "65536"}, "'65536' is not a port"),
        ({"GRPC_PORT": "-1"}, "'-1' is not a port"),
        ({"PENSTOCK_GRACE_SECONDS": "soon"}, "PENSTOCK_GRACE_SECONDS is 'soon': expected a number"),
        ({"PENSTOCK_GRACE_SECONDS": "-1"}, "PENSTOCK_GRACE_SECONDS is '-1'"),
        ({"PENSTOCK_GRACE_SECONDS": "inf"}, "PENSTOCK_GRACE_SECONDS is 'inf'"),
    ],
)
def test_a_wrong_setting_is_refused(environment: dict[str, str], complaint: str) -> None:
    with pytest.raises(UsageError) as failure:
        read_settings(["functions:upper"], environment)
    assert str(failure.value).startswith(complaint)


def test_empty_variables_count_as_missing() -> None:
    empty = {"GRPC_PORT": "", "PENSTOCK_HOST": "", "PENSTOCK_GRACE_SECONDS": ""}
    settings = Settings("functions:upper", "0.0.0.0", 8081, 30.0)
    assert read_settings(["functions:upper"], empty) == settings


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        ({"GRPC_PORT": "http"}, "'http' is not a port: "),
        ({"PENSTOCK_HOST": "192.0.2.1"}, "cannot listen on 192.0.2.1, port 0: "),
        ({"PENSTOCK_HOST": "no host"}, "cannot listen on no host, port 0: "),
    ],
)
def test_a_wrong_setting_is_one_line(
    start: Start, environment: dict[str, str], complaint: str
) -> None:
    text = fails(start("functions:upper", **environment), 2)
    assert text.startswith(f"penstock-invoker: {complaint}")
    assert text.count("\n") == 1


def test_a_port_in_use_is_one_line(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        text = fails(start("functions:upper", GRPC_PORT=str(port)), 2)
    assert text == (
        f"penstock-invoker: cannot listen on 127.0.0.1, port {port}: Address already in use; "
        "choose another port with GRPC_PORT or --port, another interface with PENSTOCK_HOST or "
        "--host\n"
    )


def test_a_module_that_fails_shows_where(start: Start, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("def upper(text): ...\n1 / 0\n")
    text = fails(start("broken:upper"), 1)
    assert text.startswith("penstock-invoker: cannot import broken:upper\n")
    assert f'{tmp_path / "broken.py"}", line 2' in text
    assert text.endswith("ZeroDivisionError: division by zero\n")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
