"""What one call publishes to one partition."""

import asyncio
from collections.abc import Callable, Sequence

from penstock.plugin import Message, PermanentError, Position, PublishResult, TemporaryError


class Share:
    """The messages of one call for one partition, until each has a result.

    Args:
        partition: The partition.
        messages: In the order in which they are to be stored.
        places: Where the result of each goes.
        results: The results of the whole call.

    Attributes:
        done: Ends when all have a result, or the caller has given up.
        has_failed: Whether messages were not stored that may be at the next try.
        taken: How many are settled or in a batch.
    """

    def __init__(
        self,
        partition: int,
        messages: Sequence[Message],
        places: Sequence[int],
        results: list[PublishResult],
    ) -> None:
        self.partition = partition
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.has_failed = False
        self.taken = 0
        self._messages = messages
        self._places = places
        self._results = results
        self._settled = 0

    @property
    def untaken(self) -> Sequence[Message]:
        """The messages that are neither settled nor in a batch."""
        return self._messages[self.taken :] if self.taken else self._messages

    def give_back(self) -> None:
        """What is in a batch is in none any more."""
        self.taken = len(self._messages) if self.done.done() else self._settled

    def has_unkeyed(self, count: int) -> bool:
        """Whether one of the next so many has no key."""
        return any(not message.key for message in self._messages[self._settled :][:count])

    def stored(self, count: int, first_offset: int) -> None:
        """The next so many are stored, in a row."""
        new = tuple.__new__  # the constructor of a named tuple is a function in Python
        partition = self.partition
        offsets = range(first_offset, first_offset + count)
        self._settle([new(Position, (partition, offset)) for offset in offsets])

    def refused(self, count: int, error: PermanentError) -> None:
        """The next so many can never be stored."""
        self._settle([error] * count)

    def refuse(self, refusal: Callable[[Message], PermanentError | None]) -> None:
        """Leave out of the untaken messages those that can never be stored.

        Args:
            refusal: Says why a message cannot be; None: it can.
        """
        if self.done.done():
            return
        messages, places = list(self._messages[: self.taken]), list(self._places[: self.taken])
        for message, place in zip(self.untaken, self._places[self.taken :], strict=True):
            if error := refusal(message):
                self._results[place] = error
            else:
                messages.append(message)
                places.append(place)
        self._messages, self._places = messages, places
        self._settle([])

    def failed(self, error: TemporaryError) -> None:
        """None of the rest is stored in this call, as far as is known."""
        self.has_failed |= not self.done.done()
        self._settle([error] * (len(self._messages) - self._settled))

    def _settle(self, results: Sequence[PublishResult]) -> None:
        if self.done.done():
            return
        first, self._settled = self._settled, self._settled + len(results)
        places = self._places[first : self._settled]
        if isinstance(places, range):
            self._results[places.start : places.stop] = results
        else:
            for place, result in zip(places, results, strict=True):
                self._results[place] = result
        if self._settled == len(self._messages):
            self.done.set_result(None)
