"""Fills in what the function left out of its outputs; what it gave stays as it is."""

from collections.abc import Iterable, Sequence
from itertools import repeat

from penstock.plugin import Message, PermanentError
from penstock_sidecar.engine.calls import Call

TYPE = "riff-event"
"""The type of an output that brings none: what riff's clients and functions see everywhere."""


def complete(
    messages: Sequence[Message], inputs: Sequence[int], call: Call, result: int, group: str
) -> list[Message]:
    """Messages for one output, with an id, a type, a source, and their input's key.

    Args:
        messages: At least one.
        inputs: Which input of the call each came from; empty where that is not known.
        call: The call.
        result: The output's number.
        group: The source of what brings none.

    Raises:
        PermanentError: An input is not one of the call's open ones, or comes after a later one.
    """
    payload, content_type, key, headers, id_, type_, source, time = zip(*messages, strict=True)
    keys: Sequence[bytes | None] = key
    made: Iterable[str]
    if inputs:
        places: list[str] = []
        inherited: list[bytes | None] = []
        if list(inputs) != sorted(inputs):
            raise PermanentError("outputs come in another order than their inputs")
        for run, within in call.origins(inputs):
            place, offsets = run.partition.place, run.offsets
            places += [f"{place}/{offsets[index]}" for index in within]
            if run.keys is None:
                inherited += repeat(None, len(within))
            else:
                inherited += [run.keys[index] for index in within]
        made = call.ids[result].of_inputs(inputs, places)
        keys = [own or other for own, other in zip(key, inherited, strict=True)]
    else:
        made = call.ids[result].of_call(call.first, len(messages))
    return list(
        map(
            Message._make,
            zip(
                payload,
                content_type,
                keys,
                headers,
                [own or other for own, other in zip(id_, made, strict=True)],
                [own or TYPE for own in type_],
                [own or group for own in source],
                time,
                strict=True,
            ),
        )
    )
