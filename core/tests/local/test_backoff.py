"""Pauses between starts grow, and begin anew after a steady run."""

from itertools import pairwise

from penstock.local.backoff import LONGEST, STEADY, Backoff


def test_pauses_double_up_to_the_longest() -> None:
    backoff = Backoff()
    pauses = [backoff.after(0.0) for _ in range(12)]
    assert pauses[:3] == [0.2, 0.4, 0.8]
    assert all(later == min(2 * earlier, LONGEST) for earlier, later in pairwise(pauses))
    assert pauses[-1] == LONGEST


def test_a_steady_run_begins_them_anew() -> None:
    backoff = Backoff()
    backoff.after(0.0)
    assert backoff.after(STEADY - 0.1) == 0.4
    assert backoff.after(STEADY) == 0.2
    assert backoff.after(0.0) == 0.4


def test_a_change_of_the_function_begins_them_anew() -> None:
    backoff = Backoff()
    backoff.after(0.0)
    backoff.reset()
    assert backoff.after(0.0) == 0.2
