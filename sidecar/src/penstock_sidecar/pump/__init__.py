"""Carries out what the engine says: reads, calls, publishes, acks, and wakes it up."""

from penstock_sidecar.pump.pump import FunctionFailure, Pump, Sink, Source

__all__ = ["FunctionFailure", "Pump", "Sink", "Source"]
