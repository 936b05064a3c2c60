"""What a gateway does when its messaging system fails: nothing is lost, and it recovers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from penstock.plugin import Gateway, NotReady, PubSub, Subscription
from penstock.testing.expectation import BrokenPromise, expect_that, refused
from penstock.testing.fault import Action, Fault
from penstock.testing.filling import numbers
from penstock.testing.promise import ONLY_IN_PROCESS, Chapter, promise
from penstock.testing.rig import Rig
from penstock.testing.traffic import Traffic

CHECK = "Say whether the messaging system answers now; called every few seconds, never raises."
_PAUSE = 0.1  # seconds between two looks at whether it has recovered


def fault_of(rig: Rig) -> Fault:
    """The fault of a case that needs one."""
    assert rig.backend.fault, "such a case is run where there is one"
    return rig.backend.fault


@asynccontextmanager
async def during(begin: Action, end: Action) -> AsyncIterator[None]:
    """Something that is ended, whatever becomes of the case."""
    await begin()
    try:
        yield
    finally:
        await end()


async def outage(rig: Rig, what: str, begin: Action, end: Action) -> None:
    """Hold that messages flow again after an outage, and none is lost by it."""
    async with Traffic(rig) as traffic:
        await traffic.flows()
        async with during(begin, end):
            await asyncio.sleep(rig.backend.outage)  # so long it lasts
        await recover(rig, what, traffic)


async def recover(rig: Rig, what: str, traffic: Traffic) -> None:
    """Hold that messages flow again, and none was lost."""
    seconds = await traffic.flows(within=rig.backend.recovery)
    counts = await traffic.finish(within=rig.backend.recovery)
    rig.note(f"{what}: {counts}, {seconds:.1f} s to recover")


class Faults(Chapter):
    """Actions of `penstock.testing.Fault`, while messages are published and read by number."""

    title = "faults"

    @promise(
        Subscription.next_event,
        "TemporaryError: The membership is lost (the broker is gone, the session expired): the "
        "host closes the subscription and subscribes anew.",
        faults=("bounce",),
    )
    async def test_nothing_is_lost_when_it_is_bounced(self, rig: Rig) -> None:
        async with Traffic(rig) as traffic:
            await traffic.flows()
            await fault_of(rig).bounce()
            await recover(rig, "bounce", traffic)

    @promise(
        PubSub.publish,
        "TemporaryError: It is not known which messages were stored: publish all of them again.",
        faults=("freeze", "thaw"),
    )
    async def test_nothing_is_lost_while_it_is_frozen(self, rig: Rig) -> None:
        fault = fault_of(rig)
        await outage(rig, "freeze", fault.freeze, fault.thaw)

    @promise(
        PubSub.publish,
        "A `TemporaryError`: publish it again; no later message of its partition in this batch "
        "was stored.",
        faults=("cut", "restore"),
    )
    async def test_nothing_is_lost_while_it_is_cut_off(self, rig: Rig) -> None:
        fault = fault_of(rig)
        await outage(rig, "cut", fault.cut, fault.restore)

    @promise(
        Subscription.read,
        "TemporaryError: Read again after a pause.",
        faults=("slow", "restore"),
    )
    async def test_messages_flow_while_it_is_slow(self, rig: Rig) -> None:
        fault = fault_of(rig)
        async with Traffic(rig) as traffic:
            await traffic.flows()
            async with during(fault.slow, fault.restore):
                await traffic.flows(within=rig.backend.recovery)
            await recover(rig, "slow", traffic)

    @promise(
        PubSub.open,
        "Must not fail because the broker is away: `check` reports that, and calls raise "
        "`NotReady`.",
        faults=("cut", "restore"),
    )
    async def test_it_is_opened_while_the_messaging_system_is_away(self, rig: Rig) -> None:
        fault = fault_of(rig)
        topic = await rig.topic()
        async with during(fault.cut, fault.restore):
            await rig.restart()
            with refused(NotReady, "publishing while the messaging system is away"):
                await rig.pubsub.publish(topic, numbers(1))
            await until_it_says(rig, ready=False)
        await until_it_says(rig, ready=True)
        topic = await rig.topic()
        await rig.publish(topic, numbers(3))
        await rig.read_all(topic, 3)

    @promise(Gateway.check, CHECK, faults=("freeze", "thaw"), not_over=ONLY_IN_PROCESS)
    async def test_its_health_tells_that_it_is_frozen(self, rig: Rig) -> None:
        fault = fault_of(rig)
        await until_it_says(rig, ready=True)
        async with during(fault.freeze, fault.thaw):
            await until_it_says(rig, ready=False)
        await until_it_says(rig, ready=True)

    @promise(Gateway.check, CHECK, faults=("cut", "restore"), not_over=ONLY_IN_PROCESS)
    async def test_its_health_tells_that_it_is_cut_off(self, rig: Rig) -> None:
        fault = fault_of(rig)
        await until_it_says(rig, ready=True)
        async with during(fault.cut, fault.restore):
            await until_it_says(rig, ready=False)
        await until_it_says(rig, ready=True)


async def until_it_says(rig: Rig, *, ready: bool) -> None:
    """Check until the gateway says that it is ready, or that it is not and why."""
    loop = asyncio.get_running_loop()
    end = loop.time() + rig.backend.recovery
    while (health := await rig.gateway.check()).ready is not ready:
        if loop.time() > end:
            raise BrokenPromise(
                f"a check\n  expected: {'ready' if ready else 'not ready'} within "
                f"{rig.backend.recovery:g} s\n  came:     {health}"
            )
        await asyncio.sleep(_PAUSE)
    expect_that(
        ready or health.message, "the message of a gateway that is not ready", health, "a reason"
    )
