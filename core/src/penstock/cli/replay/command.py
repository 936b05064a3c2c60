"""`penstock replay`: the command."""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from time import time
from typing import NamedTuple

import click

from penstock.cli.replay.gateways import Gateways
from penstock.cli.replay.plan import Plan, make_plan
from penstock.cli.replay.point import Point, check_order, parse_point
from penstock.cli.replay.rerun import Rerun, Reruns, rerun_of
from penstock.cli.replay.second_sidecar import run_to_the_end, sidecar_command
from penstock.cli.replay.subject import Running, Subject, find_subject
from penstock.local.control import paused
from penstock.local.sidecar import check_sidecar_installed
from penstock.local.state import state_folder, work_folder
from penstock.plugin import Group, NotReady, TemporaryError, UsageError


class Wish(NamedTuple):
    """What a person asked for: the words, what they mean, and whether it is done at once."""

    start_text: str
    stop_text: str | None
    start: Point
    stop: Point | None
    dry_run: bool
    yes: bool

    def arguments(self, subject: Subject) -> Sequence[str]:
        """What tells one re-run of a processor from another."""
        aliases = [one.alias for one in subject.inputs]
        return [self.start_text, self.stop_text or "", *aliases]


@click.command("replay")
@click.argument("processor")
@click.option(
    "--from",
    "start",
    required=True,
    metavar="POINT",
    help="Where it begins: earliest, latest, a time, or the offset of the first record.",
)
@click.option(
    "--to",
    "stop",
    metavar="POINT",
    help="Where it ends: latest, a time, or the offset of the last record. Left out, the "
    "processor itself goes back, and on from there.",
)
@click.option(
    "--input",
    "inputs",
    metavar="ALIAS",
    multiple=True,
    help="This input alone; may be given again. With --gateway: a stream that the processor reads.",
)
@click.option("-n", "--namespace", default="default", help="Namespace of the processor.")
@click.option(
    "--gateway",
    metavar="HOST:PORT",
    help="Any gateway, in place of what runs here: moves the positions of a processor that was "
    "stopped before.",
)
@click.option(
    "--topic",
    "topics",
    metavar="TOPIC",
    multiple=True,
    help="With --gateway: a topic as it is, in place of --input; may be given again.",
)
@click.option("--dry-run", is_flag=True, help="Show what it would do, and do nothing.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def command(
    *,
    processor: str,
    start: str,
    stop: str | None,
    inputs: tuple[str, ...],
    namespace: str,
    gateway: str | None,
    topics: tuple[str, ...],
    dry_run: bool,
    yes: bool,
) -> None:
    """Process records again that a processor has had.

    A time is as 2026-01-31T12:00:00Z, or how long ago, as 1h30m: the first record stored then or
    later. An offset is for every partition, or 0:42,1:17 for some of them alone; where it is not
    kept, the nearest that is.

    Shows what it would do, for each partition: the last offset that is acked, where it would
    begin, the last that there is, how many records would be processed, and how many of them again.
    Then it asks.

    Without --to the positions of the processor are moved. Its sidecar is stopped for that, and
    started again. With --gateway nobody can see whether the processor runs: stop it before.

    With --to those records are processed beside the live processor, by the same function, into
    the same streams; the live one is not disturbed. Positions are those of a version of its
    group. Outputs carry the ids that they had, so that penstock subscribe --deduplicate drops
    them. One that was interrupted goes on when the same command is given again, as long as the
    same penstock run lives.
    """
    now = time()
    wish = Wish(
        start,
        stop,
        parse_point("--from", start, now),
        None if stop is None else parse_point("--to", stop, now),
        dry_run,
        yes,
    )
    if wish.stop is not None:
        check_order(wish.start, wish.stop)
        if gateway is not None:
            raise UsageError("--to needs the function: it goes with what runs here, not --gateway")
    subject = find_subject(processor, namespace, gateway, inputs, topics)
    if wish.stop is None:
        _move(subject, wish)
    else:
        _rerun(subject, wish)


def _move(subject: Subject, wish: Wish) -> None:
    """Have the processor itself begin elsewhere."""
    plan = asyncio.run(_plan(subject, wish))
    _show(plan, bounded=False)
    if not plan.stretches:
        click.echo("nothing to do: no partition is there")
        return
    if subject.running is None:
        click.echo(
            f'The processor "{subject.name}" must not run meanwhile, here or elsewhere: what it '
            "acks later would replace the new positions. Stop it first."
        )
    if _agreed(wish, f'Move the positions of "{subject.name}"?'):
        asyncio.run(_begin_there(subject, plan))
        click.echo(f'moved: "{subject.name}" begins there when it starts')


async def _plan(subject: Subject, wish: Wish) -> Plan:
    async with Gateways() as gateways:
        located = await gateways.locate(subject, wish.start, wish.stop)
        plan = make_plan(located, wish.start, wish.stop)
        if wish.stop is not None and plan.records:
            await _check_has_positions(gateways, subject)
        return plan


async def _begin_there(subject: Subject, plan: Plan) -> None:
    async with Gateways() as gateways, AsyncExitStack() as stack:
        if running := subject.running:
            await stack.enter_async_context(_paused(running))
        await gateways.begin(subject.inputs, plan)


def _paused(running: Running) -> AbstractAsyncContextManager[None]:
    if not running.run.control:
        raise NotReady(
            f"penstock run (pid {running.run.pid}) takes no requests: the path of its state folder "
            "is too long for a socket; set PENSTOCK_STATE_DIR to a shorter one and start it again"
        )
    processor = running.processor
    return paused(running.run.control, processor.namespace, processor.name)


def _rerun(subject: Subject, wish: Wish) -> None:
    """Process a range beside the live processor."""
    check_sidecar_installed()
    reruns = Reruns(work_folder(state_folder()), subject.namespace, subject.name)
    rerun = reruns.find(wish.arguments(subject))
    if rerun:
        done = asyncio.run(_look(subject, rerun))
        click.echo(f"it was begun before, and goes on where it was: {done}")
        if _agreed(wish, "Go on?"):
            asyncio.run(_process(subject, wish, reruns, rerun))
        return
    plan = asyncio.run(_plan(subject, wish))
    _show(plan, bounded=True)
    if not plan.records:
        click.echo("nothing to do: no records are in that range")
    elif _agreed(wish, f"Process {plan.records:,} records beside the live processor?"):
        asyncio.run(_process(subject, wish, reruns, plan))


async def _process(subject: Subject, wish: Wish, reruns: Reruns, what: Rerun | Plan) -> None:
    """Begin a re-run by a plan, or go on with one."""
    running = subject.running
    assert running, "only what runs here has a function"
    arguments = wish.arguments(subject)
    async with Gateways() as gateways:
        if isinstance(what, Plan):
            rerun = await _begin(gateways, subject, what, reruns)
            reruns.write(arguments, rerun)
        else:
            rerun = what
        with reruns.under_way(arguments):
            versioned = Group(subject.group.name, rerun.version)
            click.echo(f"processing {rerun.records:,} records as group {versioned}", err=True)
            await run_to_the_end(
                sidecar_command(running, rerun, work_folder(state_folder())),
                running,
                state_folder(),
                lambda: _progress(gateways, subject, rerun),
            )
    click.echo(f"done: {rerun.records:,} of {rerun.records:,} records")


async def _look(subject: Subject, rerun: Rerun) -> str:
    async with Gateways() as gateways:
        return await _progress(gateways, subject, rerun)


async def _begin(gateways: Gateways, subject: Subject, plan: Plan, reruns: Reruns) -> Rerun:
    """Choose a version that nobody has used, and have it begin where the plan does.

    One above all others: a group without a version takes over the positions of its lowest.
    """
    used = {subject.group.version, *reruns.versions()}
    for one in subject.inputs:
        used.update(await gateways.positions(one))
    rerun = rerun_of(plan, max(used) + 1)
    version = [one._replace(group=Group(one.group.name, rerun.version)) for one in subject.inputs]
    # A partition that begins with offset 0 has no position as yet, as that of a new group.
    begun = [one for one in plan.stretches if one.records and one.start > 0]
    await gateways.begin(version, Plan(begun))
    return rerun


async def _check_has_positions(gateways: Gateways, subject: Subject) -> None:
    """See that the live processor cannot take over the positions of the re-run.

    Raises:
        TemporaryError: It could.
    """
    for one in subject.inputs:
        if not one.group.version and 0 not in await gateways.positions(one):
            raise TemporaryError(
                f'"{subject.name}" has not processed anything of input {one.alias} yet: started '
                "again, it would go on where the replay has been; without --to it goes back itself"
            )


async def _progress(gateways: Gateways, subject: Subject, rerun: Rerun) -> str:
    acked = {}
    try:
        for one in subject.inputs:
            versions = await gateways.positions(one)
            acked[one.alias] = versions.get(rerun.version, {})
    except TemporaryError as error:
        return f"how far it is cannot be told now: {error}"
    return f"{rerun.done(acked):,} of {rerun.records:,} records are done"


def _show(plan: Plan, *, bounded: bool) -> None:
    if plan.stretches:
        click.echo(plan.table(bounded=bounded))
    for remark in plan.remarks:
        click.echo(remark)
    skipped = sum(one.skipped for one in plan.stretches)
    if skipped and not bounded:
        click.echo(f"{skipped:,} records that are not done would be skipped")


def _agreed(wish: Wish, question: str) -> bool:
    """Whether to go on."""
    if wish.dry_run:
        click.echo("nothing was done: --dry-run")
        return False
    if wish.yes:
        return True
    try:
        agreed = click.confirm(question)
    except click.Abort as error:
        raise UsageError("nothing was done: nobody answers here; --yes does not ask") from error
    if not agreed:
        click.echo("nothing was done")
    return agreed
