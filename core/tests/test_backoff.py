"""Pauses between tries."""

from penstock.backoff import Backoff


def test_pauses_double_up_to_the_longest() -> None:
    backoff = Backoff(first=0.5, longest=3.0)
    assert [backoff.pause() for _ in range(5)] == [0.5, 1.0, 2.0, 3.0, 3.0]


def test_after_a_success_they_begin_anew() -> None:
    backoff = Backoff(first=0.5)
    backoff.pause()
    backoff.reset()
    assert backoff.pause() == 0.5
