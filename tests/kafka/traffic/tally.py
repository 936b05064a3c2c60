"""What became of each message: pure counting."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from tests.kafka.traffic.messages import Output, Place, id_of, key_of

_SHOWN = 12


@dataclass(frozen=True)
class Tally:
    """What was sent, against what came out.

    Attributes:
        sent: How many messages were, without those that need not come and did not.
        received: How many outputs came.
        duplicates: Of those, how many had come before.
        lost: Messages of which nothing came, and where they were.
        out_of_order: Messages that came for the first time behind a later one of their key and
            their partition, in words.
        wrong: Outputs that have another id or key than they should, or that are of no message, in
            words.
    """

    sent: int
    received: int
    duplicates: int
    lost: Mapping[int, Place]
    out_of_order: Sequence[str]
    wrong: Sequence[str]

    @property
    def faults(self) -> str:
        """What must not be, in words; empty: nothing."""
        kinds = {
            "lost": gaps(self.lost),
            "out of order": self.out_of_order,
            "wrong": self.wrong,
        }
        counts = {"lost": len(self.lost)}
        return "\n".join(
            f"{counts.get(kind, len(texts))} {kind}: {_some(texts)}"
            for kind, texts in kinds.items()
            if texts
        )


def tally(
    group: str,
    sent: Mapping[int, Place],
    received: Sequence[Output],
    unsure: Collection[int] = (),
) -> Tally:
    """Count.

    Args:
        group: The consumer group of the processor.
        sent: Where each message was stored, by its number.
        received: What came out; of each partition of the output in its order.
        unsure: Messages of which it is not known whether they were stored, or whose records were
            removed: they may have come out or not.
    """
    first: dict[int, Output] = {}
    wrong = []
    duplicates = 0
    for output in received:
        if output.number in first:
            duplicates += 1
        else:
            first[output.number] = output
        if fault := _fault(group, output, sent):
            wrong.append(f"{fault}: {output}")
    return Tally(
        sent=sum(1 for number in sent if number in first or number not in unsure),
        received=len(received),
        duplicates=duplicates,
        lost={n: at for n, at in sent.items() if n not in first and n not in unsure},
        out_of_order=_out_of_order(first.values(), sent),
        wrong=wrong,
    )


def returns(received: Iterable[Output], sent: Mapping[int, Place]) -> dict[int, Place]:
    """Where the processor went back to in its input, to go on from there again.

    Outputs are in the partitions of their inputs, which holds where both topics have as many.

    Returns:
        Places in the input, by the index of the output that was made of what is there.
    """
    last: dict[int, int] = {}
    found = {}
    for index, output in enumerate(received):
        partition, offset = sent[output.number]
        assert output.place.partition == partition, f"not in the partition of its input: {output}"
        if offset <= last.get(partition, -1):
            found[index] = Place(partition, offset)
        last[partition] = offset
    return found


def _fault(group: str, output: Output, sent: Mapping[int, Place]) -> str:
    if output.number not in sent:
        return "made of no message that was sent"
    if output.key != key_of(output.number):
        return "not the key of its message"
    expected = id_of(group, sent[output.number])
    return f"its id should be {expected}" if output.id != expected else ""


def _out_of_order(first: Iterable[Output], sent: Mapping[int, Place]) -> list[str]:
    latest: dict[tuple[bytes, int], int] = {}
    late = []
    for output in first:
        if output.number in sent:
            line = key_of(output.number), sent[output.number].partition
            if (before := latest.get(line, -1)) > output.number:
                late.append(
                    f"{output.number} behind {before} (key {line[0].decode()}, partition {line[1]})"
                )
            latest[line] = max(before, output.number)
    return late


def gaps(messages: Mapping[int, Place]) -> list[str]:
    """Where messages were, those at offsets in a row together."""
    rows: list[list[tuple[Place, int]]] = []
    for place, number in sorted((place, number) for number, place in messages.items()):
        if rows and rows[-1][-1][0] == (place.partition, place.offset - 1):
            rows[-1].append((place, number))
        else:
            rows.append([(place, number)])
    return [
        f"partition {row[0][0].partition} offsets {row[0][0].offset} to {row[-1][0].offset} "
        f"(messages {row[0][1]} to {row[-1][1]})"
        for row in rows
    ]


def _some(texts: Sequence[str]) -> str:
    if len(texts) <= _SHOWN:
        return ", ".join(texts)
    half = _SHOWN // 2
    return ", ".join([*texts[:half], "…", *texts[-half:]])
