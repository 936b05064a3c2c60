"""Between the results of a publish and the batch protocol's reply."""

from collections.abc import Sequence

from penstock.plugin import PermanentError, Position, PublishResult, TemporaryError
from penstock.wire.protocol.gateway_pb2 import PublishReply, Refusal

_NOWHERE = Position(0, 0)


def pack_results(results: Sequence[PublishResult]) -> PublishReply:
    """The reply to a publish, from a result for each of its messages."""
    reply = PublishReply()
    places: list[Position] = []
    for index, result in enumerate(results):
        if isinstance(result, Position):
            places.append(result)
        else:
            places.append(_NOWHERE)
            temporary = isinstance(result, TemporaryError)
            reply.refused.append(Refusal(index=index, reason=str(result), temporary=temporary))
    if places:
        partition, offset = zip(*places, strict=True)
        reply.partition.extend(partition)
        reply.offset.extend(offset)
    return reply


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
