"""Which window a message belongs to, and when a window ends."""

from penstock_sidecar.engine.windows.choice import windows_of
from penstock_sidecar.engine.windows.interface import Counts, Placement, Windows
from penstock_sidecar.engine.windows.window import Reason, Window

__all__ = ["Counts", "Placement", "Reason", "Window", "Windows", "windows_of"]
