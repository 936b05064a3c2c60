"""Which window a message belongs to, and when a window ends."""

from penstock_sidecar.engine.windowing.choice import windows_of
from penstock_sidecar.engine.windowing.interface import Counts, Placement, Windows
from penstock_sidecar.engine.windowing.window import Reason, Window

__all__ = ["Counts", "Placement", "Reason", "Window", "Windows", "windows_of"]
