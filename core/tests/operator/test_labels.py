import re

import pytest

from penstock.operator.labels import child_name, of_concrete_gateway


def test_a_child_is_named_after_its_parent() -> None:
    assert child_name("averager", "processor") == "averager-processor"
    assert of_concrete_gateway("kafka") == "streaming.projectriff.io/kafka-gateway"


@pytest.mark.parametrize("parent", ["a" * 63, "1", "9" * 63, "a" + "-" * 61 + "a", "0-1"])
def test_every_name_of_a_child_is_a_dns_1035_label(parent: str) -> None:
    assert re.fullmatch(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?", child_name(parent, "gateway"))


def test_names_that_are_shortened_do_not_collide() -> None:
    parents = ["a" * 62 + "b", "a" * 62 + "c", "1x", "n1x", "n1x-gateway"]
    assert len({child_name(one, "gateway") for one in parents}) == len(parents)
