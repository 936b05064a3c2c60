"""The function's host, over penstock's batch protocol or over riff's."""

from penstock_sidecar.function.call import FunctionCall, Outputs, Start
from penstock_sidecar.function.failure import FunctionFailed
from penstock_sidecar.function.host import FunctionHost

__all__ = ["FunctionCall", "FunctionFailed", "FunctionHost", "Outputs", "Start"]
