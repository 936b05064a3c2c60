"""Between where a group starts and the `Start` of the batch protocol."""

from typing import assert_never

from penstock.plugin import AtOffsets, AtTime, Edge, Start
from penstock.wire.protocol import gateway_pb2

_EDGES = {Edge.EARLIEST: gateway_pb2.Start.EARLIEST, Edge.LATEST: gateway_pb2.Start.LATEST}


def pack_start(start: Start) -> gateway_pb2.Start:
    """A start as the protocol writes it."""
    match start:
        case Edge():
            return gateway_pb2.Start(edge=_EDGES[start])
        case AtOffsets(offsets, otherwise):
            return gateway_pb2.Start(offsets=offsets, edge=_EDGES[otherwise])
        case AtTime(timestamp_ms):
            return gateway_pb2.Start(timestamp_ms=timestamp_ms)
        case _:
            assert_never(start)


def unpack_start(start: gateway_pb2.Start) -> Start:
    """What the protocol's start says; an edge that nobody knows is the earliest.

    Raises:
        ValueError: It gives both offsets and a time.
    """
    edge = Edge.LATEST if start.edge == gateway_pb2.Start.LATEST else Edge.EARLIEST
    if start.offsets and start.HasField("timestamp_ms"):
        raise ValueError("a start has both offsets and timestamp_ms: expected at most one of them")
    if start.offsets:
        return AtOffsets(dict(start.offsets), edge)
    if start.HasField("timestamp_ms"):
        return AtTime(start.timestamp_ms)
    return edge
