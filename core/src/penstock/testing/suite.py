"""The class that an author derives from, and what gives each case its gateway."""

from collections.abc import AsyncIterator
from typing import Any, ClassVar

import pytest
import pytest_asyncio

from penstock.plugin import UsageError
from penstock.testing.backend import Backend
from penstock.testing.cases.acking import Acking
from penstock.testing.cases.acking_by_others import AckingByOthers
from penstock.testing.cases.closing import Closing
from penstock.testing.cases.deprovisioning import Deprovisioning
from penstock.testing.cases.durability import Durability
from penstock.testing.cases.faults import Faults
from penstock.testing.cases.groups import Groups
from penstock.testing.cases.health import Health
from penstock.testing.cases.messages import Messages
from penstock.testing.cases.ordering import Ordering
from penstock.testing.cases.partitions import Partitions
from penstock.testing.cases.positions import Positions
from penstock.testing.cases.provisioning import Provisioning
from penstock.testing.cases.publishing import Publishing
from penstock.testing.cases.reading import Reading
from penstock.testing.cases.rebalancing import Rebalancing
from penstock.testing.cases.refusals import Refusals
from penstock.testing.cases.replay import Replay
from penstock.testing.cases.retention import RetentionBounds
from penstock.testing.cases.seeking import Seeking
from penstock.testing.cases.starts import Starts
from penstock.testing.cases.versions import Versions
from penstock.testing.outcome import (
    CAPABILITIES,
    CASE,
    GATEWAY,
    KIND,
    PROPERTY,
    REASON,
    STATUS,
    WAY,
    Outcome,
    Status,
)
from penstock.testing.promise import Case, cases_of
from penstock.testing.rig import Rig
from penstock.testing.way import Way


class Suite:
    """Runs the cases of the chapters that a class derives from besides, over each way.

    What it needs of pytest-asyncio is said here, whatever the settings of a project are.
    """

    pytestmark: ClassVar[Any] = pytest.mark.asyncio(loop_scope="function")

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run a case over each way in which it makes sense."""
        if "way" in metafunc.fixturenames:
            case = cases_of(type(self)).get(metafunc.definition.originalname)
            ways = [way for way in Way if not case or way not in case.promise.not_over]
            metafunc.parametrize("way", ways, ids=str)

    @pytest.fixture
    def backend(self) -> Backend:
        """The gateway to be tested: what an author gives."""
        raise UsageError(f"{type(self).__name__}: give it a fixture `backend`")

    @pytest_asyncio.fixture(loop_scope="function")
    async def rig(
        self, backend: Backend, way: Way, request: pytest.FixtureRequest
    ) -> AsyncIterator[Rig]:
        """What a case works with; a case that is not for this gateway or way is skipped."""
        case = cases_of(type(self)).get(request.node.originalname)
        properties: dict[str, str] = {}
        if case:
            properties |= _identity(backend, case, way)
            request.node.user_properties.append((PROPERTY, properties))
            if settled := settle(case, backend):
                properties |= {STATUS: settled.status, REASON: settled.reason}
                pytest.skip(f"{settled.status}: {settled.reason}")
        async with Rig(backend, way, case, properties) as rig:
            yield rig


class GatewayConformance(
    Publishing,
    Messages,
    Positions,
    Starts,
    Groups,
    Reading,
    Acking,
    Closing,
    Provisioning,
    Health,
    Ordering,
    Partitions,
    Rebalancing,
    Seeking,
    AckingByOthers,
    Versions,
    Replay,
    RetentionBounds,
    Deprovisioning,
    Durability,
    Refusals,
    Faults,
    Suite,
):
    """Everything that the contract promises: derive from it, and give the fixture `backend`."""


def settle(case: Case, backend: Backend) -> Outcome | None:
    """What is known of a case before it runs; ``None``: it has to run."""
    declared = backend.find().kind.capabilities
    promised = case.promise
    if missing := sorted(case.needs - declared):
        return Outcome(Status.NOT_DECLARED, ", ".join(missing))
    if promised.refuses and promised.refuses in declared:
        return Outcome(Status.NOT_APPLICABLE, f"{promised.refuses} is declared")
    if missing_actions := [action for action in promised.faults if not backend.offers(action)]:
        reason = f"the backend offers no {' and '.join(missing_actions)}"
        return Outcome(Status.NOT_DECLARED, reason)
    return None


def _identity(backend: Backend, case: Case, way: Way) -> dict[str, str]:
    kind = backend.find().kind
    return {
        GATEWAY: backend.title,
        KIND: kind.name,
        CAPABILITIES: ",".join(sorted(kind.capabilities)),
        CASE: case.name,
        WAY: way,
    }
