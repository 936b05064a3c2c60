"""The processor that a replay is of: in the running `penstock run`, or behind a given gateway."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from penstock.cli.target import find_target
from penstock.input_group import input_groups
from penstock.local.state import Run, RunningProcessor, find_run, state_folder
from penstock.plugin import Group, NotReady, UsageError
from penstock.resources.suggestion import did_you_mean, listing


class SubjectInput(NamedTuple):
    """An input, where its stream is, and the group that reads it."""

    alias: str
    gateway: str
    topic: str
    group: Group


@dataclass(frozen=True, slots=True)
class Running:
    """A processor of what runs here."""

    run: Run
    processor: RunningProcessor


@dataclass(frozen=True, slots=True)
class Subject:
    """A processor.

    Attributes:
        namespace, name: The processor; its group has the same name.
        inputs: Those that are replayed.
        running: Its run; ``None``: it is known by its group alone.
    """

    namespace: str
    name: str
    inputs: Sequence[SubjectInput]
    running: Running | None = None

    @property
    def group(self) -> Group:
        """Its consumer group."""
        return Group.parse(self.name)


def find_subject(
    name: str,
    namespace: str,
    gateway: str | None,
    wanted: Sequence[str],
    topics: Sequence[str],
) -> Subject:
    """Find the processor that a command was given.

    Args:
        name: The processor.
        namespace: Its namespace.
        gateway: `host:port` of a gateway, in place of what runs here.
        wanted: Aliases of inputs, none for all; with a gateway streams.
        topics: With a gateway, topics.

    Raises:
        UsageError: There is no such processor or input, or the options do not fit together.
        NotReady: Nothing is running here, or not yet.
    """
    if gateway is not None:
        return _behind(gateway, name, namespace, wanted, topics)
    if topics:
        raise UsageError("--topic goes with --gateway HOST:PORT")
    folder = state_folder()
    run = find_run(folder)
    if run is None:
        raise NotReady(
            f"nothing is running here (by {folder}): start it with penstock run FILE, "
            "or name a gateway with --gateway HOST:PORT"
        )
    processor = run.processor(namespace, name)
    if processor is None:
        raise _unknown(run, namespace, name)
    every = _inputs(run, processor)
    for alias in wanted:
        if alias not in every:
            raise UsageError(
                f'--input: processor "{name}" has no input "{alias}"{did_you_mean(alias, every)}; '
                f"there are {listing(every)}"
            )
    chosen = [one for alias, one in every.items() if not wanted or alias in wanted]
    return Subject(namespace, name, chosen, Running(run, processor))


def _inputs(run: Run, processor: RunningProcessor) -> Mapping[str, SubjectInput]:
    aliases, names = zip(*processor.inputs, strict=True)
    groups = input_groups(Group.parse(processor.environment["GROUP"]), aliases, names)
    found: dict[str, SubjectInput] = {}
    for alias, name, group in zip(aliases, names, groups, strict=True):
        stream = run.stream(processor.namespace, name)
        assert stream, "its sidecar was started when all its streams were there"
        found[alias] = SubjectInput(alias, stream.gateway, stream.topic, group)
    return found


def _behind(
    gateway: str, name: str, namespace: str, streams: Sequence[str], topics: Sequence[str]
) -> Subject:
    targets = [(one, find_target(one, namespace, gateway, None)) for one in streams]
    targets += [(one, find_target(None, namespace, gateway, one)) for one in topics]
    if not targets:
        raise UsageError(
            "which streams does it read? With --gateway name each with --input STREAM, or with "
            "--topic TOPIC"
        )
    group = Group.parse(name)
    inputs = [SubjectInput(alias, one.gateway, one.topic, group) for alias, one in targets]
    return Subject(namespace, name, inputs)


def _unknown(run: Run, namespace: str, name: str) -> UsageError | NotReady:
    here = [one.name for one in run.processors if one.namespace == namespace]
    if not run.ready:
        return NotReady(
            f'penstock run (pid {run.pid}) is not ready, and has no processor "{name}" as yet'
            f"{did_you_mean(name, here)}; what it waits for is in its output"
        )
    others = f"; there are {listing(here)}" if here else ""
    return UsageError(
        f'there is no processor "{name}" in namespace "{namespace}" of what is running'
        f"{did_you_mean(name, here)}{others}"
    )
