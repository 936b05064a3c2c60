"""Outputs of the function made whole: told apart by stream, and with what was left out of them."""

from collections.abc import Iterable, Iterator, Sequence

from penstock.plugin import Message, PermanentError
from penstock_sidecar.engine.call import Call
from penstock_sidecar.engine.events import OutputsReceived

TYPE = "riff-event"
"""The type of an output that brings none: what riff's clients and functions see everywhere."""


def by_result(event: OutputsReceived) -> Iterator[tuple[int, Sequence[Message], Sequence[int]]]:
    """The outputs of each result by themselves.

    Raises:
        PermanentError: A column has another length than there are messages.
    """
    messages, results, inputs = event.messages, event.results, event.inputs
    if len(results) not in (1, len(messages)) or len(inputs) not in (0, len(messages)):
        raise PermanentError(
            f"{len(messages)} outputs with {len(results)} result indexes and {len(inputs)} input "
            "indexes: expected one for each of them"
        )
    if not messages:
        return
    if len(results) == 1 or len(set(results)) == 1:
        yield results[0], messages, inputs
        return
    for result in sorted(set(results)):
        chosen = [index for index, one in enumerate(results) if one == result]
        yield (
            result,
            [messages[index] for index in chosen],
            [inputs[index] for index in chosen] if inputs else (),
        )


def complete(
    messages: Sequence[Message], inputs: Sequence[int], call: Call, result: int, group: str
) -> list[Message]:
    """Messages for one output, with an id, a type, a source, and their input's key.

    What the function gave stays as it is.

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
            place, offsets, originals = run.partition.place, run.offsets, run.messages
            places += [f"{place}/{offsets[index]}" for index in within]
            inherited += [originals[index].key for index in within]
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
