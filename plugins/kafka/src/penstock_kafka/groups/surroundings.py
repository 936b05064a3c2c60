"""What nobody tells a member, so it looks: acks of others, new partitions, a topic made anew."""

import asyncio
import logging

from penstock.plugin import TemporaryError
from penstock_kafka.cluster import Cluster
from penstock_kafka.groups.acks import MemberAcks
from penstock_kafka.groups.history import History
from penstock_kafka.groups.membership import Membership
from penstock_kafka.groups.settlement import Settlement
from penstock_kafka.groups.topic_state import TopicState, look_at
from penstock_kafka.topics.requests import Requests

LOOK_SECONDS = 1.0
"""How often the brokers are asked."""
AWAY_SECONDS = 30.0
"""How long the group's coordinator may be out of reach."""

_MISSED = 3
"""So often in a row a topic must not be there: one broker may hear of it later than the others."""

_LOG = logging.getLogger(__name__)


class TopicDeleted(TemporaryError):
    """The topic is gone, or another has its name."""


class Surroundings:
    """Looks around for one member.

    Args:
        cluster: The cluster.
        topic: The topic.
        membership: The member.
        settlement: Where the group begins in a topic that was made anew.
        acks: The member's.
        history: What the group has acked.
    """

    def __init__(
        self,
        cluster: Cluster,
        topic: str,
        *,
        membership: Membership,
        settlement: Settlement,
        acks: MemberAcks,
        history: History,
    ) -> None:
        self._requests = Requests(cluster)
        self._topic = topic
        self._membership = membership
        self._settlement = settlement
        self._acks = acks
        self._history = history
        self._topic_id = b""
        self._missed = 0
        self._left: frozenset[int] = frozenset()

    async def watch(self) -> None:
        """Look around every second.

        Raises:
            TemporaryError: The membership is of no more use.
        """
        now = asyncio.get_running_loop().time
        last_in_touch = now()
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if self._membership.is_in_touch:
                last_in_touch = now()
            elif now() > last_in_touch + AWAY_SECONDS:
                raise TemporaryError(
                    f"the group's coordinator has been out of reach for {AWAY_SECONDS:g} s"
                )
            try:
                await self.look(LOOK_SECONDS / 2)
            except TopicDeleted:
                raise
            except TemporaryError as error:
                _LOG.debug("looking around: %s", error)

    async def look(self, max_age: float = 0.0) -> None:
        """Look around once.

        Args:
            max_age: Acks of others may have been asked for so many seconds ago.

        Raises:
            TopicDeleted: The topic is not the one that it was.
            TemporaryError: It cannot be told now.
            PermanentError: The cluster refuses to say.
        """
        state = await look_at(self._requests, self._topic)
        self._topic_id = self._topic_id or (state.id if state else b"")
        self._missed = 0 if state else self._missed + 1
        if self._missed >= _MISSED or (state and state.id != self._topic_id):
            await self._give_up(state)
        elif state:
            self._membership.grow(len(state.leaders))
            await self._history.refresh(len(state.leaders), max_age)

    async def _give_up(self, state: TopicState | None) -> None:
        """Leave the topic that has come in place of the old one to be read from its beginning."""
        self._left |= self._membership.held.keys()
        # What is still being done is of the old topic: acks of it are dropped from now on.
        self._membership.forget()
        if state and (there := self._left & state.leaders.keys()):
            await self._acks.replace(await self._settlement.first(there))
        raise TopicDeleted(
            f"topic {self._topic} was deleted: subscribe again to read what is in it anew"
        )
