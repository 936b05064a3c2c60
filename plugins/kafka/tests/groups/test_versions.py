"""Which Kafka groups are versions of a group."""

from typing import Any

import pytest
from aiokafka.protocol.admin import ListGroupsRequest
from aiokafka.protocol.api import Request

from penstock.plugin import Group
from penstock_kafka import KafkaGatewaySpec
from penstock_kafka.cluster import Cluster
from penstock_kafka.groups.versions import Versions, versions_of
from penstock_kafka.topics.requests import Requests
from tests.servers.kafka import KafkaServer

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


async def test_a_list_of_groups_serves_all_who_do_not_need_it_newer(
    kafka: KafkaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    lists = 0
    send = Requests.send

    async def counted(self: Requests, request: Request, broker: int | None = None) -> Any:
        nonlocal lists
        lists += isinstance(request, ListGroupsRequest)
        return await send(self, request, broker)

    monkeypatch.setattr(Requests, "send", counted)
    cluster = Cluster(KafkaGatewaySpec(bootstrap_servers=kafka.bootstrap_servers))
    try:
        versions = Versions(cluster)
        for name in ("x", "y", "x"):
            await versions.of(name, max_age=60)
        assert lists == 1
        await versions.of("x")
        assert lists == 2
    finally:
        await cluster.close()
