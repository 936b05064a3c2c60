"""The contract, held by InMemoryGateway in every way in which it is reached."""

from dataclasses import replace

import pytest

from penstock.testing import Backend, GatewayConformance
from penstock_inmemory import InMemoryGateway

GRACE_SECONDS = 2.0


class TestInMemoryGateway(GatewayConformance):
    @pytest.fixture
    def backend(self) -> Backend:
        # As it is installed, but for a grace that can be waited out.
        plugin = Backend("inmemory").find()
        return Backend(
            replace(plugin, gateway=lambda spec: InMemoryGateway(spec, grace=GRACE_SECONDS))
        )
