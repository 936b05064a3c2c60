"""The outputs of one call: which each value is for, and its payload."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from penstock.media_type import OCTET_STREAM
from penstock.plugin import Message as WireMessage
from penstock.wire.channel import FRAME_BYTES
from penstock.wire.columns import pack_messages, squeeze
from penstock.wire.protocol.columns_pb2 import MessageColumns
from penstock.wire.protocol.function_pb2 import OutputFrames, Start
from penstock_invoker.errors import (
    BadValue,
    InputFailed,
    InvalidCall,
    NotAcceptable,
    counted,
    describe,
)
from penstock_invoker.message import WRAPPERS, Message, Output
from penstock_invoker.negotiation import Choice, accepts, choose, possible_types
from penstock_invoker.outbox import Item
from penstock_invoker.signature import Function
from penstock_invoker.value_type import ANY

_NO_ATTRIBUTES = ("", "", "", "")


class Outputs:
    """Writes what the function gives in the types that the call expects.

    Args:
        function: The function that is called.
        start: What the call says of its outputs.

    Raises:
        InvalidCall: The function has another number of outputs than the call.
        NotAcceptable: What the function declares to give can never be written as expected.
    """

    def __init__(self, function: Function, start: Start) -> None:
        self._function = function
        self._names = list(start.output_names)
        count = max(len(self._names), len(start.expected_content_types))
        missing = count - len(start.expected_content_types)
        self._expected = [*start.expected_content_types, *[""] * missing]
        self._choices: dict[tuple[int, type, str], Choice] = {}
        self._reported = 0
        declared = function.results
        if len(declared) > 1 and len(declared) != count:
            raise InvalidCall(
                f"{function.name} gives {counted(len(declared), 'output')}, and the call has "
                f"{count}"
            )
        for index in range(min(count, len(declared))):
            base = declared[index].base
            if base is not None and base is not type(None):
                self._choice(index, base, "")

    def frames(self, items: Sequence[Item], inputs_done: int) -> Iterator[OutputFrames]:
        """The frames that carry these outputs and say how far the inputs are done.

        Raises:
            InputFailed: An output of a function of one value cannot be written as expected; all
                that came from the inputs before is given.
            NotAcceptable: The same, of a function of streams.
            BadValue: The same, for another reason.
        """
        frame = self._frame_of_one_kind(items, inputs_done) if items else None
        if frame is not None:
            yield frame
            return
        written: list[tuple[int, int, WireMessage]] = []
        size = 0
        for origin, output, value in items:
            try:
                index, message = self._write(output, value)
            # A function gives what it likes: in place of a key, of headers, of a name.
            except Exception as error:
                # The inputs before have no more outputs than these, whatever `inputs_done` was.
                yield from self._frame(written, origin)
                if self._function.takes_streams:
                    raise
                raise InputFailed(origin, error) from error
            size += len(message.payload)
            if written and size > FRAME_BYTES:
                yield from self._frame(written, min(inputs_done, origin))
                written, size = [], len(message.payload)
            written.append((origin, index, message))
        yield from self._frame(written, inputs_done)

    def _frame_of_one_kind(self, items: Sequence[Item], inputs_done: int) -> OutputFrames | None:
        """A frame of bare values of one class for one output, written a column at a time."""
        origins, indexes, values = zip(*items, strict=True)
        index, kind = indexes[0], type(values[0])
        if kind in WRAPPERS or len(set(map(type, values))) > 1 or len(set(indexes)) > 1:
            return None
        try:
            content_type, write = self._choice(index, kind, "")
            payloads = list(map(write, values))
        # Whatever it is, it is raised again where the outputs before it can be sent.
        except Exception:  # noqa: BLE001
            return None
        if sum(map(len, payloads)) > FRAME_BYTES:
            return None
        self._reported = inputs_done
        return OutputFrames(
            messages=MessageColumns(payload=payloads, content_type=(content_type,)),
            result_index=(index,) if index else (),
            input_index=() if self._function.takes_streams else origins,
            inputs_done=inputs_done,
        )

    def _frame(
        self, written: Sequence[tuple[int, int, WireMessage]], inputs_done: int
    ) -> Iterator[OutputFrames]:
        """A frame of anything, or none where there is nothing to say."""
        if written:
            origins, indexes, messages = zip(*written, strict=True)
            yield OutputFrames(
                messages=pack_messages(messages),
                result_index=squeeze(indexes, 0),
                input_index=() if self._function.takes_streams else origins,
                inputs_done=inputs_done,
            )
        elif inputs_done > self._reported:
            yield OutputFrames(inputs_done=inputs_done)
        self._reported = inputs_done

    def _write(self, output: int, given: Any) -> tuple[int, WireMessage]:
        if isinstance(given, Output):
            output, given = self._index(given.to), given.value
        message = given if isinstance(given, Message) else Message(given)
        if not (message.key is None or isinstance(message.key, bytes)):
            raise BadValue(f"{self._label(output)}: key {message.key!r} is not bytes")
        headers = message.headers
        if headers and not _are_texts((*headers, *headers.values())):
            raise BadValue(f"{self._label(output)}: headers {headers!r} are not all text")
        attributes = message[4:]
        if attributes != _NO_ATTRIBUTES and not _are_texts(attributes):
            raise BadValue(
                f"{self._label(output)}: id, type, source and time {attributes!r} are not all text"
            )
        kind = type(message.value)
        content_type, write = self._choice(output, kind, message.content_type)
        try:
            payload = write(message.value)
        except Exception as error:
            raise BadValue(
                f"{self._label(output)}: this {kind.__name__} cannot be written as "
                f"{content_type}: {describe(error)}"
            ) from error
        return output, WireMessage(
            payload,
            content_type,
            message.key,
            headers,
            *attributes,
        )

    def _choice(self, index: int, kind: type, content_type: str) -> Choice:
        """How values of a class are written to an output, in the type that they name if any."""
        choice = self._choices.get((index, kind, content_type))
        if choice is None:
            choice = self._choose(index, kind, content_type)
            self._choices[index, kind, content_type] = choice
        return choice

    def _choose(self, index: int, kind: type, content_type: str) -> Choice:
        if not 0 <= index < len(self._expected):
            raise self._no_such_output(index)
        declared = self._function.results
        type_ = declared[index] if index < len(declared) else ANY
        if not type_.admits(kind):
            raise BadValue(
                f"{self._function.name} is declared to give {type_}, and gave {kind.__name__}"
            )
        expected = self._expected[index]
        if content_type and not accepts(expected, content_type):
            raise NotAcceptable(
                f"{self._label(index)} expects {expected or OCTET_STREAM}, and a message of "
                f"{self._function.name} is {content_type}"
            )
        choice = choose(content_type or expected, type_, kind)
        if choice is None:
            raise NotAcceptable(
                f"{self._label(index)} expects {content_type or expected or OCTET_STREAM}, and "
                f"{kind.__name__}, which {self._function.name} gives, is written as "
                f"{' or '.join(possible_types(type_, kind)) or 'nothing'}"
            )
        return choice

    def _index(self, to: str | int) -> int:
        if isinstance(to, int):
            return to
        if to not in self._names:
            raise self._no_such_output(to)
        return self._names.index(to)

    def _no_such_output(self, to: str | int) -> BadValue:
        outputs = f"outputs {', '.join(self._names)}" if self._names else "no names for its outputs"
        if not self._expected:
            outputs = "no outputs"
        return BadValue(
            f"{self._function.name} gave a value for output {to}, and the call has {outputs}"
        )

    def _label(self, index: int) -> str:
        return f"output {self._names[index] if index < len(self._names) else index}"


def _are_texts(entries: Iterable[object]) -> bool:
    """Whether every entry is a text that can be sent."""
    try:
        "".join(entries).encode()  # type: ignore[arg-type] # what it takes is what is asked
    except (TypeError, UnicodeError):
        return False
    return True
