"""Where a group starts, through the protocol and back."""

import pytest

from penstock.plugin import AtOffsets, AtTime, Edge, Start
from penstock.wire.protocol import gateway_pb2
from penstock.wire.start import pack_start, unpack_start


@pytest.mark.parametrize(
    "start",
    [
        Edge.EARLIEST,
        Edge.LATEST,
        AtOffsets({0: 5, 7: 2**64 - 1}, Edge.LATEST),
        AtOffsets({1: 0}, Edge.EARLIEST),
        AtTime(1_700_000_000_000),
        AtTime(0),
    ],
)
def test_a_start_comes_back_as_it_was(start: Start) -> None:
    encoded = pack_start(start).SerializeToString()
    assert unpack_start(gateway_pb2.Start.FromString(encoded)) == start


def test_no_offsets_are_the_edge_for_all_partitions() -> None:
    assert unpack_start(pack_start(AtOffsets({}, Edge.LATEST))) is Edge.LATEST


def test_both_offsets_and_a_time_make_no_start() -> None:
    with pytest.raises(ValueError, match="at most one"):
        unpack_start(gateway_pb2.Start(offsets={0: 1}, timestamp_ms=1))
