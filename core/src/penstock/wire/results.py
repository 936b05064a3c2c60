"""Between the results of a publish and the batch protocol's reply."""

from collections.abc import Sequence

from penstock.plugin import PermanentError, Position, PublishResult, TemporaryError
from penstock.wire.protocol.gateway_pb2 import PublishReply, Refusal

_NOWHERE = Position(0, 0)


def pack_results(results: Sequence[PublishResult]) -> PublishReply:
    """The reply to a publish, from a result for each of its messages."""
    refused: list[Refusal] = []
    if set(map(type, results)) - {Position}:
        refused = [
            Refusal(index=index, reason=str(one), temporary=isinstance(one, TemporaryError))
            for index, one in enumerate(results)
            if not isinstance(one, Position)
        ]
        results = [one if isinstance(one, Position) else _NOWHERE for one in results]
    partition, offset = zip(*results, strict=True) if results else ((), ())
    return PublishReply(partition=partition, offset=offset, refused=refused)


def unpack_results(reply: PublishReply, count: int) -> list[PublishResult]:
    """A result for each of the `count` messages that a reply answers.

    Raises:
        ValueError: It does not answer so many messages.
    """
    if not len(reply.partition) == len(reply.offset) == count:
        raise ValueError(
            f"{len(reply.partition)} partitions and {len(reply.offset)} offsets "
            f"for {count} messages: expected as many of each"
        )
    results: list[PublishResult] = list(
        map(Position._make, zip(reply.partition, reply.offset, strict=True))
    )
    for refusal in reply.refused:
        if refusal.index >= count:
            raise ValueError(f"message {refusal.index} of {count} is refused: there is none")
        kind = TemporaryError if refusal.temporary else PermanentError
        results[refusal.index] = kind(refusal.reason)
    return results
