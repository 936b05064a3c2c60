"""`penstock replay`: a processor goes back, or a range is processed beside it."""

import asyncio
import fcntl
import json
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from textwrap import dedent
from typing import IO
from uuid import uuid4

import pytest

from penstock.plugin import Edge, Group, Record
from penstock.testing.member import Member
from penstock.testing.watch import Watch
from penstock.wire.remote import RemotePubSub
from tests.command_line import Penstock, wait_for_end

PATIENCE = 20.0


APP = """\
apiVersion: streaming.projectriff.io/v1alpha1
kind: InMemoryGateway
metadata: {name: memory}
---
apiVersion: streaming.projectriff.io/v1alpha1
kind: Stream
metadata: {name: words}
spec: {gateway: {name: memory}, contentType: text/plain, partitions: 2}
---
apiVersion: streaming.projectriff.io/v1alpha1
kind: Stream
metadata: {name: shouts}
spec: {gateway: {name: memory}, contentType: text/plain, partitions: 1}
---
apiVersion: streaming.projectriff.io/v1alpha1
kind: Processor
metadata: {name: upper}
spec:
  inputs: [{stream: words, alias: in, startOffset: earliest}]
  outputs: [{stream: shouts}]
  template: {spec: {containers: [{command: [penstock-invoker, "function:upper"]}]}}
"""
UPPER = """
    import fcntl

    def upper(word: str) -> str:
        if word.startswith("slow"):
            with open("gate") as gate:
                fcntl.flock(gate, fcntl.LOCK_SH)
        return word.upper()
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """The manifest of a processor, its function beside it."""
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "function.py").write_text(dedent(UPPER))
    file = folder / "app.yaml"
    file.write_text(APP)
    return file


class Gate:
    """What slow words wait at while it is shut: a lock, which the function wants too."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def shut(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def open(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_UN)


@pytest.fixture
def gate(app: Path) -> Iterator[Gate]:
    """The gate of the processor's function, open."""
    with (app.parent / "gate").open("w") as file:
        yield Gate(file)


class Run:
    """A `penstock run` of the processor, for a test."""

    def __init__(self, penstock: Penstock) -> None:
        self.penstock = penstock

    def publish(self, words: Sequence[str]) -> None:
        self.penstock("publish", "words", "--lines", stdin="".join(f"{word}\n" for word in words))

    def replay(self, *arguments: str, code: int = 0) -> "subprocess.CompletedProcess[str]":
        return self.penstock("replay", "upper", *arguments, code=code)

    @property
    def gateway(self) -> str:
        [*_, stream] = json.loads((self.penstock.state / "run.json").read_text())["streams"]
        gateway: str = stream["gateway"]
        return gateway

    def records(self, stream: str, count: int) -> list[Record]:
        """So many records of a stream, from the first on; waits for them."""
        return asyncio.run(self._records(f"default_{stream}", count))

    async def _records(self, topic: str, count: int) -> list[Record]:
        member = Member(
            topic,
            lambda: pubsub.subscribe(topic, Group(f"test-{uuid4().hex}"), Edge.EARLIEST),
            watch=Watch(PATIENCE),
        )
        async with RemotePubSub(self.gateway) as pubsub:
            await member.join()
            try:
                return list(await member.until_read(count))
            finally:
                await member.stop()

    def outputs(self, count: int) -> Counter[str]:
        """How often each output is there, once so many are."""
        return Counter(one.message.payload.decode() for one in self.records("shouts", count))

    def positions(self) -> dict[int, dict[int, int]]:
        """What each version of the processor's group has acked."""
        return asyncio.run(self._positions())

    async def _positions(self) -> dict[int, dict[int, int]]:
        async with RemotePubSub(self.gateway) as pubsub:
            found = await pubsub.positions("default_words", "upper")
        return {version: dict(acked) for version, acked in found.items()}

    def end(self, stream: str) -> int:
        """How many records are in the first partition of a stream."""
        return asyncio.run(self._end(f"default_{stream}"))

    async def _end(self, topic: str) -> int:
        async with RemotePubSub(self.gateway) as pubsub:
            return (await pubsub.end_positions(topic))[0] + 1

    def until_acked(self, offset: int) -> None:
        """Wait until the live processor is done with an offset of both partitions."""
        deadline = time.monotonic() + PATIENCE
        while self.positions().get(0) != {0: offset, 1: offset}:
            assert time.monotonic() < deadline, self.positions()


def words(count: int, prefix: str = "w", start: int = 0) -> list[str]:
    return [f"{prefix}{number}" for number in range(start, start + count)]


def test_a_processor_goes_back_to_the_first_record_and_on(penstock: Penstock, app: Path) -> None:
    run = Run(penstock)
    with penstock.run(app) as session:
        run.publish(words(500))
        run.outputs(500)
        run.until_acked(249)
        said = run.replay("--from", "earliest", "--yes").stdout
        run.publish(words(100, "new"))
        counts = run.outputs(1100)
        session.shows('sidecar of "upper" is stopped: its positions are moved')
        run.until_acked(299)
    assert counts == dict.fromkeys([word.upper() for word in words(500)], 2) | dict.fromkeys(
        [word.upper() for word in words(100, "new")], 1
    )
    assert said.splitlines() == [
        "INPUT   PARTITION   ACKED   FROM   END   RECORDS   AGAIN",
        "in      0           249     0      249   250       250",
        "in      1           249     0      249   250       250",
        'moved: "upper" begins there when it starts',
    ]


def test_nothing_is_skipped_while_records_come_in(penstock: Penstock, app: Path) -> None:
    """What the live sidecar acks until it is stopped does not count; what comes meanwhile does."""
    run = Run(penstock)
    with penstock.run(app):
        run.publish(words(200))
        run.outputs(200)
        with penstock.start("replay", "upper", "--from", "50", "--yes") as replay:
            for number in range(5):
                run.publish(words(20, f"more{number}-"))
            assert replay.ends() == 0
        run.until_acked(149)
        counts = run.outputs(run.end("shouts"))
    # Records are published in turns to both partitions: offset 50 is behind the first 100 of them.
    assert {counts[f"W{number}"] for number in range(100)} == {1}
    assert {counts[f"W{number}"] for number in range(100, 200)} == {2}
    more = [word.upper() for number in range(5) for word in words(20, f"more{number}-")]
    assert {counts[word] for word in more} <= {1, 2}


def test_partitions_are_moved_one_by_one_and_forwards_too(penstock: Penstock, app: Path) -> None:
    run = Run(penstock)
    with penstock.run(app):
        run.publish(words(20))
        run.outputs(20)
        run.replay("--from", "1:7", "--yes")
        counts = run.outputs(23)
        assert sorted(word for word, count in counts.items() if count == 2) == ["W15", "W17", "W19"]
        said = run.replay("--from", "0:99,1:0", "--dry-run").stdout
    assert "input in, partition 0: offset 99 is yet to come; the last is 9" in said
    assert said.endswith("nothing was done: --dry-run\n")


def test_it_asks_first(penstock: Penstock, app: Path) -> None:
    run = Run(penstock)
    with penstock.run(app):
        run.publish(words(10))
        run.outputs(10)
        run.until_acked(4)
        before = run.positions()
        answered = penstock("replay", "upper", "--from", "earliest", stdin="n\n").stdout
        assert 'Move the positions of "upper"? [y/N]: nothing was done' in answered
        assert "nobody answers here" in run.replay("--from", "earliest", code=2).stderr
        run.replay("--from", "2026-01-01T00:00:00Z", "--to", "latest", "--dry-run")
        assert run.positions() == before
        penstock("replay", "upper", "--from", "1h", stdin="y\n")
        assert set(run.outputs(20).values()) == {2}


def test_a_range_is_processed_beside_the_live_processor(penstock: Penstock, app: Path) -> None:
    run = Run(penstock)
    with penstock.run(app) as session:
        run.publish(words(100))
        run.outputs(100)
        run.until_acked(49)
        sidecars = [one.pid for one in session.children()]
        done = run.replay("--from", "10", "--to", "19", "--yes")
        records = run.records("shouts", 120)
        positions = run.positions()
        assert [one.pid for one in session.children()] == sidecars
        run.publish(words(2, "new"))
        assert run.outputs(122)["NEW0"] == 1
    ids = Counter(one.message.id for one in records)
    again = {one.message.payload.decode() for one in records if ids[one.message.id] == 2}
    # Offset 10 of both partitions is behind the first 20 records.
    assert again == {f"W{number}" for number in range(20, 40)}
    assert len(ids) == 100
    assert positions == {0: {0: 49, 1: 49}, 1: {0: 19, 1: 19}}
    assert done.stdout.splitlines() == [
        "INPUT   PARTITION   ACKED   FROM   TO   END   RECORDS   AGAIN",
        "in      0           49      10     19   49    10        10",
        "in      1           49      10     19   49    10        10",
        "done: 20 of 20 records",
    ]
    assert "processing 20 records as group upper-v1" in done.stderr


def test_each_range_has_a_version_of_its_own(penstock: Penstock, app: Path) -> None:
    run = Run(penstock)
    with penstock.run(app):
        run.publish(words(10))
        run.outputs(10)
        run.until_acked(4)
        run.replay("--from", "earliest", "--to", "0", "--yes")
        run.replay("--from", "earliest", "--to", "0", "--yes")
        run.replay("--from", "1:4", "--to", "latest", "--yes")
        counts = run.outputs(15)
        assert run.positions() == {
            0: {0: 4, 1: 4},
            1: {0: 0, 1: 0},
            2: {0: 0, 1: 0},
            3: {1: 4},
        }
    assert {word: count for word, count in counts.items() if count > 1} == {
        "W0": 3,
        "W1": 3,
        "W9": 2,
    }


@pytest.fixture
def half_done(penstock: Penstock, app: Path, gate: Gate) -> Iterator[tuple[Run, Gate]]:
    """A run whose function hangs, when it is asked again, at what comes behind 40 words."""
    run = Run(penstock)
    with penstock.run(app):
        run.publish(words(40))
        run.publish(words(40, "slow"))
        run.outputs(80)
        run.until_acked(39)
        gate.shut()
        yield run, gate


RANGE = ("--from", "earliest", "--to", "latest", "--yes")


@pytest.mark.parametrize("whom", ["command", "sidecar"])
def test_one_that_is_killed_goes_on(half_done: tuple[Run, Gate], whom: str) -> None:
    run, gate = half_done
    with run.penstock.start("replay", "upper", *RANGE) as replay:
        replay.shows("^20 of 80 records are done")
        [sidecar] = [
            one for one in replay.children() if "penstock_sidecar" in " ".join(one.cmdline())
        ]
        (replay.process if whom == "command" else sidecar).send_signal(signal.SIGKILL)
        assert replay.ends() == (-signal.SIGKILL if whom == "command" else 1)
        if whom == "sidecar":
            replay.shows("the sidecar of the replay was killed by SIGKILL; the same command goes")
    wait_for_end(sidecar.pid)
    gate.open()
    done = run.replay(*RANGE)
    assert "it was begun before, and goes on where it was: 20 of 80 records are done" in done.stdout
    assert done.stdout.endswith("done: 80 of 80 records\n")
    counts = run.outputs(160)
    assert set(counts) == {word.upper() for word in words(40) + words(40, "slow")}
    # What was with the function when it was killed may be there three times.
    assert {counts[word.upper()] for word in words(40)} == {2}
    assert {counts[word.upper()] for word in words(40, "slow")} <= {2, 3}
    assert run.positions() == {0: {0: 39, 1: 39}, 1: {0: 39, 1: 39}}


def test_ctrl_c_ends_one_and_it_goes_on(half_done: tuple[Run, Gate]) -> None:
    run, gate = half_done
    with run.penstock.start("replay", "upper", *RANGE) as replay:
        replay.shows("^20 of 80 records are done")
        assert "the same replay is under way already" in run.replay(*RANGE, code=2).stderr
        assert replay.interrupt() == 130
        replay.shows("interrupted; the same command goes on where it was")
    gate.open()
    assert run.replay(*RANGE).stdout.endswith("done: 80 of 80 records\n")


def test_one_ends_with_the_run_that_it_belongs_to(
    penstock: Penstock, app: Path, gate: Gate
) -> None:
    run = Run(penstock)
    with penstock.run(app) as session:
        run.publish(["slow"])
        run.outputs(1)
        gate.shut()
        with penstock.start("replay", "upper", "--from", "0", "--to", "0", "--yes") as replay:
            replay.shows("processing 1 records")
            replay.shows("^0 of 1 records are done")
            session.process.kill()
            assert replay.ends() == 1
            replay.shows("penstock run has ended, and the replay with it")


def test_a_processor_elsewhere_is_moved_by_its_group(penstock: Penstock) -> None:
    with penstock.start("gateway", "serve", "inmemory", "--port", "0") as gateway:
        (address,) = gateway.shows(r"serves ([^;]+);")
        where = ("--gateway", address)
        penstock(
            "publish", "words", *where, "--content-type", "text/plain", "--lines", stdin="a\nb\nc\n"
        )
        arguments = ("replay", "upper", *where, "--input", "words")
        said = penstock(*arguments, "--from", "2", "--yes").stdout
        assert 'The processor "upper" must not run meanwhile' in said
        said = penstock(*arguments, "--from", "earliest", "--yes").stdout
        assert re.search(r"^words +0 +1 +0 +2 +3 +2$", said, re.MULTILINE)
        said = penstock(*arguments, "--from", "latest", "--dry-run").stdout
        assert re.search(r"^words +0 +none +3 +2 +0 +0$", said, re.MULTILINE)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Penstock]:
    """The command line beside a run in which nothing was processed."""
    folder = tmp_path_factory.mktemp("running")
    (folder / "function.py").write_text(dedent(UPPER))
    (folder / "app.yaml").write_text(APP)
    penstock = Penstock(folder / "state")
    with penstock.run(folder / "app.yaml"):
        yield penstock


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("uper --from 1", 'there is no processor "uper" in namespace "default"'),
        ("uper --from 1", 'did you mean "upper"?'),
        ("upper", "Missing option '--from'"),
        ("upper -n other --from 1", 'there is no processor "upper" in namespace "other"'),
        ("upper --from 1 --input inn", 'has no input "inn"; did you mean "in"?'),
        ("upper --from 0:1:2", "--from: '0:1:2': expected earliest, latest, a time"),
        ("upper --from one", "--from: 'one': expected earliest"),
        ("upper --from=-1", "--from: '-1': expected earliest"),
        ("upper --from 1.5", "--from: '1.5': expected earliest"),
        ("upper --from 0:1,0:2", "partition 0 is there twice"),
        ("upper --from 7:1", "--from: there is no partition 7: expected 0 to 1"),
        ("upper --from 1 --to 7:1", "--to: there is no partition 7: expected 0 to 1"),
        ("upper --from 2026-01-01T00:00:00", "has no time zone"),
        ("upper --from 2999-01-01T00:00:00Z", "--from: 2999-01-01T00:00:00Z is in the future"),
        ("upper --from 1h --to 2999-01-01T00:00:00Z", "--to: 2999-01-01T00:00:00Z is in the"),
        ("upper --from 1h --to 2h", "--from is behind --to"),
        ("upper --from 5 --to 4", "--from is behind --to"),
        ("upper --from 0:5,1:1 --to 0:4,1:3", "--from is behind --to"),
        ("upper --from latest --to latest", "nothing is behind the latest record"),
        ("upper --from 1 --to earliest", "nothing is before the earliest record"),
        ("upper --from 1 --topic t", "--topic goes with --gateway"),
        ("upper --from 1 --gateway localhost:1", "which streams does it read?"),
        ("upper --from 1 --to 2 --gateway localhost:1 --input x", "--to needs the function"),
    ],
)
def test_what_is_wrong_is_said(running: Penstock, arguments: str, message: str) -> None:
    assert message in running.fails("replay", *arguments.split())


def test_a_range_without_records_is_nothing_to_do(running: Penstock) -> None:
    done = running("replay", "upper", "--from", "earliest", "--to", "latest")
    assert done.stdout.endswith("nothing to do: no records are in that range\n")


def test_a_processor_that_has_done_nothing_would_follow_its_replay(
    penstock: Penstock, app: Path, gate: Gate
) -> None:
    app.write_text(APP.replace("earliest", "latest"))
    run = Run(penstock)
    gate.shut()
    with penstock.run(app):
        run.publish(["slow"])
        refused = penstock("replay", "upper", *RANGE, code=1).stderr
        gate.open()
        run.outputs(1)
    assert '"upper" has not processed anything of input in yet' in refused


def test_nothing_runs_here(penstock: Penstock) -> None:
    assert "nothing is running here" in penstock.fails("replay", "upper", "--from", "1", code=1)
