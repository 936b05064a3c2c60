"""Ids of outputs."""

import pytest

from penstock.plugin import PermanentError
from penstock_sidecar.engine.output_ids import OutputIds


def test_an_output_of_a_known_input_is_named_after_it() -> None:
    ids = OutputIds("out")
    assert ids.of_inputs([3, 4], ["g/in/0/13", "g/in/0/14"]) == [
        "g/in/0/13/out/0",
        "g/in/0/14/out/0",
    ]


def test_outputs_of_one_input_are_counted_also_from_one_frame_to_the_next() -> None:
    ids = OutputIds("out")
    assert ids.of_inputs([3, 3, 4], ["a", "a", "b"]) == ["a/out/0", "a/out/1", "b/out/0"]
    assert ids.of_inputs([4, 4], ["b", "b"]) == ["b/out/1", "b/out/2"]
    assert ids.of_inputs([5], ["c"]) == ["c/out/0"]


def test_the_next_input_begins_anew_after_a_frame_of_one_output_each() -> None:
    ids = OutputIds("out")
    assert ids.of_inputs([0, 1], ["a", "b"]) == ["a/out/0", "b/out/0"]
    assert ids.of_inputs([1, 2], ["b", "c"]) == ["b/out/1", "c/out/0"]


def test_inputs_in_a_wrong_order_are_refused() -> None:
    ids = OutputIds("out")
    ids.of_inputs([3], ["a"])
    with pytest.raises(PermanentError, match="another order"):
        ids.of_inputs([2], ["b"])


def test_where_inputs_are_not_known_the_first_one_of_the_call_stands_for_them() -> None:
    ids = OutputIds("out")
    assert list(ids.of_call("g/in/0/7", 2)) == ["g/in/0/7/call/out/0", "g/in/0/7/call/out/1"]
    assert list(ids.of_call("g/in/0/7", 1)) == ["g/in/0/7/call/out/2"]
