"""Carries out what the engine says: reads, calls, publishes, acks, and wakes it up."""

from penstock_sidecar.pump.pump import Pump, Sink, Source

__all__ = ["Pump", "Sink", "Source"]
