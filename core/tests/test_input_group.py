"""The groups of a processor's inputs."""

from penstock.input_group import input_groups
from penstock.plugin import Group


def test_inputs_of_different_streams_are_read_in_one_group() -> None:
    assert input_groups(Group("g", 2), ["a", "b"], ["one", "two"]) == [Group("g", 2)] * 2


def test_a_stream_under_a_second_alias_has_a_group_of_its_own() -> None:
    groups = input_groups(Group("g", 2), ["a", "b", "c"], ["one", "one", "one"])
    assert [str(group) for group in groups] == ["g-v2", "g.b-v2", "g.c-v2"]
