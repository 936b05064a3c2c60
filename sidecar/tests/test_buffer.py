"""What a sidecar keeps, of which the engine's marks are made."""

import pytest

from penstock_sidecar.buffer import Buffer
from penstock_sidecar.engine.settings import HOLD_MARKS, Marks


def test_without_a_word_the_engines_own_marks_hold() -> None:
    assert Buffer().held == HOLD_MARKS
    assert Buffer().passing == Marks()


@pytest.mark.parametrize("buffer", [Buffer(1, 1), Buffer(7, 10), Buffer(400, 4096)])
def test_a_small_buffer_lets_little_pass_at_a_time_and_always_something(buffer: Buffer) -> None:
    for marks in (buffer.held, buffer.passing):
        assert 0 < marks.high_records <= buffer.messages
        assert 0 < marks.high_bytes <= buffer.bytes
        assert marks.low_records < marks.high_records
        assert marks.low_bytes < marks.high_bytes
    assert buffer.passing.high_bytes <= max(1, buffer.bytes // 4)


def test_a_large_buffer_holds_more_and_lets_no_more_pass() -> None:
    assert Buffer(10**6, 2**30).held.high_bytes == 2**30
    assert Buffer(10**6, 2**30).passing == Marks()
