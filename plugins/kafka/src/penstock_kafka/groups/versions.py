"""Which Kafka groups there are, and which of them are versions of one group."""

import asyncio
import re
from collections.abc import Iterable

from aiokafka.protocol.admin import ListGroupsRequest

from penstock_kafka.cluster import Cluster
from penstock_kafka.errors import CLIENT_ERRORS, error_of, translated
from penstock_kafka.topics.requests import Requests

_SHARE_OF_TIME = 0.05


def versions_of(name: str, group_ids: Iterable[str]) -> dict[int, str]:
    """The Kafka group of each version of a group, by version.

    Args:
        name: The group's name, without a version.
        group_ids: All Kafka groups.
    """
    pattern = re.compile(rf"{re.escape(name)}(-v(?P<version>[1-9][0-9]{{0,8}}))?")
    matches = filter(None, map(pattern.fullmatch, group_ids))
    return {int(match["version"] or 0): match[0] for match in matches}


class Versions:
    """Lists the groups of the cluster, and remembers the list for a while.

    Args:
        cluster: The cluster.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._requests = Requests(cluster)
        self._ids: frozenset[str] = frozenset()
        self._asked = self._took = float("-inf")
        self._turn = asyncio.Lock()

    async def of(self, name: str, max_age: float = 0.0) -> dict[int, str]:
        """The Kafka group of each version of a group, by version.

        Args:
            name: The group's name, without a version.
            max_age: How old the list may be, in seconds. Where there are so many groups that it
                takes long, it may be older, so that brokers have other things to do; but 0 is 0.

        Raises:
            TemporaryError: Try again.
        """
        loop = asyncio.get_running_loop()
        asked = loop.time()
        async with self._turn:
            oldest = asked - max(max_age, self._took / _SHARE_OF_TIME) if max_age else asked
            if self._asked < oldest:
                began = loop.time()
                self._ids = await self._list()
                self._asked, self._took = began, loop.time() - began
        return versions_of(name, self._ids)

    async def _list(self) -> frozenset[str]:
        try:
            replies = await asyncio.gather(
                *(
                    self._requests.send(ListGroupsRequest(), broker)
                    for broker in await self._requests.brokers()
                )
            )
            for reply in replies:
                if reply.error_code:
                    raise error_of(reply.error_code)
        except CLIENT_ERRORS as error:
            raise translated(error, "listing the consumer groups") from error
        return frozenset(entry[0] for reply in replies for entry in reply.groups)
