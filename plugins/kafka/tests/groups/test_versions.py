"""Which Kafka groups are versions of a group."""

import pytest

from penstock.plugin import Group
from penstock_kafka.groups.versions import versions_of

NAMES = ["x", "a b/c", "snö-☃", "x-v3", "x-v0", "a.b*", "line\nbreak", "-v1", "v" * 200]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("version", [0, 1, 9, 10, 999_999_999])
def test_a_version_is_found_under_the_name_of_its_group(name: str, version: int) -> None:
    group_id = str(Group(name, version))
    assert versions_of(name, ["other", group_id, f"{name}x", f"x{name}"]) == {version: group_id}


@pytest.mark.parametrize("group_id", ["x-v0", "x-v01", "x-v", "x-v-1", "x-vv1", "x-v1x", "X", "ax"])
def test_what_no_version_is_called_is_none(group_id: str) -> None:
    assert versions_of("x", [group_id]) == {}


def test_all_versions_are_found() -> None:
    assert versions_of("x", ["x-v2", "x", "x-v10"]) == {2: "x-v2", 0: "x", 10: "x-v10"}
