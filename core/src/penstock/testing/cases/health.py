"""Health."""

from penstock.plugin import Gateway
from penstock.testing.expectation import expect, expect_that
from penstock.testing.filling import numbers
from penstock.testing.promise import ONLY_IN_PROCESS, Chapter, promise
from penstock.testing.rig import Rig


class Health(Chapter):
    """`Gateway.check`."""

    title = "health"

    @promise(
        Gateway.check,
        "Say whether the messaging system answers now; called every few seconds, never raises.",
        not_over=ONLY_IN_PROCESS,
    )
    async def test_a_gateway_that_is_well_says_so(self, rig: Rig) -> None:
        for number in range(3):
            health = await rig.gateway.check()
            expect_that(health.ready, "a check of a gateway that is well", health, "ready")
            await rig.publish(await rig.topic(), numbers(1, start=number))

    @promise(
        Gateway.close,
        "Let go of every connection; called once, after everything else.",
        not_over=ONLY_IN_PROCESS,
    )
    async def test_a_gateway_that_was_not_used_can_be_closed(self, rig: Rig) -> None:
        await rig.restart()
        await rig.restart()
        health = await rig.gateway.check()
        expect("a check after two restarts", health.ready, expected=True)
