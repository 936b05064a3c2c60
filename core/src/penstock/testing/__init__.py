"""The conformance suite: what the contract promises, as tests for every gateway.

An author derives one class and gives one fixture:

    from penstock.testing import Backend, GatewayConformance

    class TestExampleGateway(GatewayConformance):
        @pytest.fixture
        def backend(self) -> Backend:
            return Backend("example", spec={"url": "…"})

`pip install 'penstock[testing]'` brings what it needs. `docs/writing-a-gateway.md` says more.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from penstock.testing.backend import Backend
    from penstock.testing.fault import Fault
    from penstock.testing.suite import GatewayConformance

__all__ = ["Backend", "Fault", "GatewayConformance"]

_MODULES = {"Backend": "backend", "Fault": "fault", "GatewayConformance": "suite"}


def __getattr__(name: str) -> Any:
    """Import a name when it is first asked for.

    pytest loads the plugin beside this in every run of every project: a run without this suite
    must not pay for it.
    """
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    except ModuleNotFoundError as error:
        raise ImportError(
            f"penstock.testing needs {error.name}: pip install 'penstock[testing]'"
        ) from error
