"""`penstock run`: functions and sidecars as processes, from start to end."""

import json
import re
import signal
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import psutil
import pytest

from tests.command_line import Penstock, Session

MakeApp = Callable[..., Path]
AwaitEnd = Callable[..., None]

APP = """\
apiVersion: streaming.projectriff.io/v1alpha1
kind: InMemoryGateway
metadata: {name: memory}
---
apiVersion: streaming.projectriff.io/v1alpha1
kind: Stream
metadata: {name: words}
spec: {gateway: {name: memory}, contentType: text/plain}
---
apiVersion: streaming.projectriff.io/v1alpha1
kind: Stream
metadata: {name: shouts}
spec: {gateway: {name: memory}, contentType: text/plain}
---
apiVersion: streaming.projectriff.io/v1alpha1
kind: Processor
metadata: {name: upper}
spec:
  inputs: [{stream: words, startOffset: earliest}]
  outputs: [{stream: shouts}]
  template: {spec: {containers: [CONTAINER]}}
"""
UPPERCASE = """
    import sys

    def upper(word: str) -> str:
        print("got", word, file=sys.stderr)
        return word.upper()
"""
FUNCTION = '{command: [penstock-invoker, "function:upper"]}'
STUBBORN = """
    import os, signal, socket, time
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    server = socket.create_server(("127.0.0.1", int(os.environ["GRPC_PORT"])))
    print("stubborn")
    while True:
        time.sleep(60)
"""


@pytest.fixture
def app(tmp_path: Path) -> MakeApp:
    """Writes a manifest with one processor from words to shouts, and its function."""

    def make(function: str = UPPERCASE, container: str = FUNCTION) -> Path:
        (tmp_path / "function.py").write_text(dedent(function))
        file = tmp_path / "app.yaml"
        file.write_text(APP.replace("CONTAINER", container))
        return file

    return make


def shouts(penstock: Penstock, count: int) -> list[str]:
    done = penstock("subscribe", "shouts", "--from-beginning", "--count", str(count))
    return [json.loads(line)["payload"] for line in done.stdout.splitlines()]


def child(session: Session, module: str) -> psutil.Process:
    """The child that runs a module."""
    (found,) = (p for p in session.children() if any(module in part for part in p.cmdline()))
    return found


def test_a_partition_that_stops_is_an_event_of_the_run(penstock: Penstock, app: MakeApp) -> None:
    function = """
        def upper(word: str) -> str:
            if word == "bad":
                raise ValueError("no such word")
            return word.upper()
    """
    once = FUNCTION + "]}}\n  delivery: {maxDeliveries: 1} # "
    with penstock.run(app(function, once)) as session:
        penstock("publish", "words", "--lines", stdin="good\nbad\n")
        [said] = session.shows(r'^penstock        \| processor "upper": (input words: .*)')
    assert said == (
        "input words: partition 0 stops at words[0] 1, as it cannot be processed and there is "
        "nowhere to set it aside; nothing is lost, the other partitions go on: mend the function "
        "and start it again, or name a stream in delivery.deadLetter; the function failed with "
        "UNKNOWN: ValueError: no such word"
    )
    # It is said once, and there.
    assert not any("stops at" in line for line in session.lines if "(sidecar)" in line)


def test_messages_flow_through_a_function_and_what_happens_is_shown(
    penstock: Penstock, app: MakeApp
) -> None:
    with penstock.run(app()) as session:
        penstock("publish", "words", "--lines", stdin="one\ntwo\n")
        assert shouts(penstock, 2) == ["ONE", "TWO"]
        session.shows(r"^upper           \| got two$")
        for event in (
            r'^penstock        \| InMemoryGateway "memory" serves 127\.0\.0\.1:\d+$',
            r'^penstock        \| function "upper" is ready$',
            r'^penstock        \| sidecar of "upper" is ready$',
            r"^penstock        \| words    text/plain     127\.0\.0\.1:\d+   default_words$",
            r"^penstock        \| upper       words    shouts    1m$",
            r"^penstock        \| ready in \d+\.\d s; Ctrl-C stops$",
        ):
            session.shows(event)
        state = json.loads((penstock.state / "run.json").read_text())
        assert state["pid"] == session.process.pid
        assert state["ready"] is True
        assert {one["name"]: one["topic"] for one in state["streams"]} == {
            "words": "default_words",
            "shouts": "default_shouts",
        }


def test_a_dead_letter_stream_is_made_as_any_other(penstock: Penstock, app: MakeApp) -> None:
    manifest = app()
    text = manifest.read_text().replace(
        "  outputs:", "  delivery: {deadLetter: {stream: oops}}\n  outputs:"
    )
    more = """
        ---
        apiVersion: streaming.projectriff.io/v1alpha1
        kind: InMemoryGateway
        metadata: {name: another}
        ---
        apiVersion: streaming.projectriff.io/v1alpha1
        kind: Stream
        metadata: {name: oops}
        spec: {gateway: {name: another}}
    """
    manifest.write_text(text + dedent(more))
    with penstock.run(manifest) as session:
        penstock("publish", "words", "--lines", stdin="one\n")
        assert shouts(penstock, 1) == ["ONE"]
        session.shows(r'sidecar of "upper" is ready$')
        state = json.loads((penstock.state / "run.json").read_text())
        gateways = {one["name"]: one["gateway"] for one in state["streams"]}
        assert gateways.keys() == {"words", "shouts", "oops"}
        assert gateways["oops"] != gateways["words"] == gateways["shouts"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_stops_in_order_and_leaves_nothing_behind(
    penstock: Penstock, app: MakeApp, number: signal.Signals
) -> None:
    with penstock.run(app()) as session:
        penstock("publish", "words", "--payload", "one")
        assert shouts(penstock, 1) == ["ONE"]
        children = session.children()
        assert len(children) == 3
        session.process.send_signal(number)
        assert session.ends() == 0
    assert not [one for one in children if one.is_running()]
    assert [path.name for path in penstock.state.iterdir()] == ["run.lock"]
    assert "penstock        | stopping; Ctrl-C once more does not wait" in session.lines
    assert session.lines[-1] == "penstock        | stopped"


def test_a_second_ctrl_c_does_not_wait(penstock: Penstock, app: MakeApp) -> None:
    with penstock.start("run", str(app(STUBBORN, "{command: [python, function.py]}"))) as session:
        session.shows("stubborn")
        session.shows('function "upper" is ready')
        function = child(session, "function.py")
        session.process.send_signal(signal.SIGINT)
        session.shows("stopping")
        session.process.send_signal(signal.SIGINT)
        assert session.ends() == 0
    assert not function.is_running()


def test_a_killed_runtime_leaves_no_process_and_is_no_obstacle(
    penstock: Penstock, app: MakeApp, await_end: AwaitEnd
) -> None:
    manifest = app()
    with penstock.run(manifest) as session:
        children = [one.pid for one in session.children()]
        session.process.kill()
        session.ends()
    await_end(*children)
    assert "nothing is running here" in penstock.fails(
        "publish", "words", "--payload", "one", code=1
    )
    with penstock.run(manifest):
        penstock("publish", "words", "--payload", "one")
        assert shouts(penstock, 1) == ["ONE"]


@pytest.mark.parametrize(
    ("module", "name"),
    [("penstock-invoker", 'function "upper"'), ("penstock_sidecar", 'sidecar of "upper"')],
)
def test_what_dies_is_started_again_and_no_message_is_lost(
    penstock: Penstock, app: MakeApp, module: str, name: str
) -> None:
    with penstock.run(app()) as session:
        penstock("publish", "words", "--payload", "one")
        assert shouts(penstock, 1) == ["ONE"]
        child(session, module).kill()
        session.shows(f"{name} was killed by SIGKILL; it starts again in 0.2 s")
        penstock("publish", "words", "--payload", "two")
        assert "TWO" in shouts(penstock, 2)
        session.shows(f"{name} is ready", 2)


def test_a_function_whose_files_change_is_started_anew(penstock: Penstock, app: MakeApp) -> None:
    manifest = app()
    with penstock.run(manifest, "--reload") as session:
        penstock("publish", "words", "--payload", "one")
        assert shouts(penstock, 1) == ["ONE"]
        app(UPPERCASE.replace("upper()", "title()"))
        session.shows('function.py changed: function "upper" starts anew')
        session.shows('function "upper" is ready', 2)
        penstock("publish", "words", "--payload", "two")
        assert "Two" in shouts(penstock, 2)


def test_with_reload_a_function_that_cannot_start_is_awaited(
    penstock: Penstock, app: MakeApp
) -> None:
    with penstock.start("run", str(app("def upper(")), "--reload") as session:
        session.shows(r"^upper  .*SyntaxError")
        session.shows('function "upper" exited with code .*; it starts again in 0.2 s')
        app()
        session.shows("ready in")
        penstock("publish", "words", "--payload", "one")
        assert shouts(penstock, 1) == ["ONE"]


@pytest.mark.parametrize(
    "function",
    [
        'def upper(word: str) -> str: raise ValueError("no such word")',
        "def upper(word: str) -> str: return 7  # and not a text",
    ],
)
def test_a_function_that_fails_is_loud_and_loses_nothing(
    penstock: Penstock, app: MakeApp, function: str
) -> None:
    with penstock.run(app(function), "--reload") as session:
        penstock("publish", "words", "--payload", "one")
        session.shows(r"^upper \(sidecar\) \| ")
        session.shows("partition 0 stops at words")
        app()
        assert shouts(penstock, 1) == ["ONE"]


@pytest.mark.parametrize(
    ("container", "message"),
    [
        (
            "{command: [no-such-program]}",
            "containers[0].command[0]: no-such-program is not a program on this machine",
        ),
        (
            "{command: [python], env: [{name: TOKEN, valueFrom: {secretKeyRef: {name: s}}}]}",
            "containers[0].env[0].valueFrom: TOKEN refers to a cluster, and there is none here",
        ),
        ("{command: [python], workingDir: nowhere}", "workingDir: nowhere is not a folder"),
        ("{image: upper}", "containers[0].command: is missing"),
        ("{comand: [python]}", "command: is missing"),
    ],
)
def test_what_cannot_be_run_is_said_before_anything_is_started(
    penstock: Penstock, app: MakeApp, container: str, message: str
) -> None:
    manifest = app(container=container)
    said = penstock.fails("run", str(manifest))
    assert message in said
    assert f"{manifest}:21: " in said
    assert not penstock.state.exists()


def test_a_function_that_exits_at_once_ends_the_run_with_its_last_lines(
    penstock: Penstock, app: MakeApp
) -> None:
    container = "{command: [python, -c, 'print(\"no luck\"); exit(3)']}"
    done = penstock("run", str(app(container=container)), code=1)
    assert re.search(
        'Error: function "upper" exited with code 3 and has not opened port .*; its last lines:\n'
        "  no luck\n",
        done.stderr,
    )
    assert "stopped" in done.stdout


def test_of_two_runs_the_second_is_refused(penstock: Penstock, app: MakeApp) -> None:
    manifest = app()
    with penstock.run(manifest) as session:
        said = penstock.fails("run", str(manifest))
        assert f"another penstock run is going on (pid {session.process.pid}): stop it" in said
        environment = penstock.environment["PENSTOCK_STATE_DIR"]
        penstock.environment["PENSTOCK_STATE_DIR"] = f"{environment}-2"
        with penstock.run(manifest):
            penstock.environment["PENSTOCK_STATE_DIR"] = environment
            penstock("publish", "words", "--payload", "one")
            assert shouts(penstock, 1) == ["ONE"]


def test_processors_may_be_many_in_many_files_and_namespaces(
    penstock: Penstock, tmp_path: Path, app: MakeApp
) -> None:
    manifest = app(UPPERCASE + "\n    def sink(word: str) -> None: print('the end:', word)\n")
    others = tmp_path / "others"
    others.mkdir()
    elsewhere = re.sub("^metadata: {", "metadata: {namespace: elsewhere, ", APP, flags=re.M)
    container = FUNCTION.replace("}", ", workingDir: ..}")
    (others / "elsewhere.yaml").write_text(elsewhere.replace("CONTAINER", container))
    sink = APP.rsplit("---\n", maxsplit=1)[-1].replace("upper", "sink").replace("words", "shouts")
    (others / "sink.yaml").write_text(
        sink.replace("  outputs: [{stream: shouts}]\n", "").replace(
            "CONTAINER", container.replace("upper", "sink")
        )
    )
    with penstock.start("run", str(manifest), str(others)) as session:
        session.shows("ready in")
        penstock("publish", "words", "-n", "elsewhere", "--payload", "one")
        session.shows(r"^elsewhere/upper +\| got one")
        penstock("publish", "words", "--payload", "two")
        session.shows(r"^upper +\| got two")
        session.shows(r"^sink +\| the end: TWO")


def test_a_run_without_streams_says_that_it_has_none(penstock: Penstock, tmp_path: Path) -> None:
    manifest = tmp_path / "gateway.yaml"
    manifest.write_text(APP.partition("---\n")[0])
    with penstock.run(manifest):
        said = penstock.fails("publish", "words", "--payload", "one")
    assert "has no streams: none is in its manifests" in said
