"""Gateways for which the suite has cases that InMemoryGateway does not run: they pass."""

import pytest

from core.tests.testing.durable import Broker, DurableGateway, Harm, durable_plugin
from core.tests.testing.plain import PlainGateway, plain_plugin
from penstock.testing import Backend
from penstock.testing.cases.acking import Acking
from penstock.testing.cases.durability import Durability
from penstock.testing.cases.faults import Faults
from penstock.testing.cases.provisioning import Provisioning
from penstock.testing.cases.refusals import Refusals
from penstock.testing.cases.starts import Starts
from penstock.testing.suite import Suite

BROKER = Broker()


class TestDurableGateway(Durability, Faults, Provisioning, Suite):
    @pytest.fixture
    def backend(self) -> Backend:
        return Backend(
            durable_plugin(DurableGateway, BROKER),
            fault=Harm(BROKER),
            outage=0.3,
            recovery=10.0,
        )


class TestPlainGateway(Refusals, Starts, Acking, Provisioning, Suite):
    @pytest.fixture
    def backend(self) -> Backend:
        return Backend(plain_plugin(PlainGateway))
