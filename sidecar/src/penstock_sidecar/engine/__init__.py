"""The decisions of the sidecar, without any input or output: events in, commands out."""

from penstock_sidecar.engine.commands import Command
from penstock_sidecar.engine.engine import Engine
from penstock_sidecar.engine.events import Event
from penstock_sidecar.engine.settings import Marks, Output, Settings
from penstock_sidecar.engine.usage import Usage

__all__ = ["Command", "Engine", "Event", "Marks", "Output", "Settings", "Usage"]
