"""Groups, their versions, and where a group starts."""

import pytest

from penstock.plugin import AtOffsets, Edge, Group, start_of_version


@pytest.mark.parametrize(
    ("name", "version", "group"),
    [
        ("g", 0, Group("g")),
        ("g", 3, Group("g", 3)),
        ("g-v3", 0, Group("g", 3)),
        ("g-v3", 2, Group("g-v3", 2)),
        ("g-v", 0, Group("g-v")),
        ("-v3", 0, Group("-v3")),
        ("a-v1-v2", 0, Group("a-v1", 2)),
        ("g-v3x", 0, Group("g-v3x")),
    ],
)
def test_a_group_is_read_as_riffs_clients_name_it(name: str, version: int, group: Group) -> None:
    assert Group.parse(name, version) == group


@pytest.mark.parametrize("group", [Group("g"), Group("g", 7)])
def test_the_text_of_a_group_is_read_back(group: Group) -> None:
    assert Group.parse(str(group)) == group


def test_a_group_without_a_version_starts_behind_its_lowest_acked_version() -> None:
    acked = {2: {0: 10, 1: 4}, 5: {0: 99}}
    start = start_of_version(Group("g"), acked, Edge.LATEST, Edge.LATEST)
    assert start == AtOffsets({0: 11, 1: 5}, Edge.LATEST)


@pytest.mark.parametrize(
    ("group", "acked"),
    [
        (Group("g", 2), {1: {0: 10}}),
        (Group("g"), {}),
        (Group("g"), {3: {}}),
        (Group("g"), {0: {0: 5}, 1: {0: 1}}),
    ],
)
def test_every_other_group_starts_where_it_asked_to(
    group: Group, acked: dict[int, dict[int, int]]
) -> None:
    assert start_of_version(group, acked, Edge.LATEST, Edge.EARLIEST) is Edge.LATEST
