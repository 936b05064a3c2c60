"""Between payloads and values, by content type."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from pydantic import PydanticUserError
from pydantic_core import from_json, to_json

from penstock.media_type import MediaType
from penstock_invoker.value_type import ValueType

Reader = Callable[[bytes], Any]
"""The value of a payload; raises whatever it likes where there is none."""

Writer = Callable[[Any], bytes]
"""The payload of a value; raises whatever it likes where there is none."""

BYTES = (bytes, bytearray, memoryview)
_NUMBERS = (int, float, bool)


class Codec(ABC):
    """Reads and writes the types of one range.

    Args:
        media_type: What it is asked for, such as `text/*`.
    """

    def __init__(self, media_type: str) -> None:
        self.media_type = MediaType.parse(media_type)

    @abstractmethod
    def reader(self, type_: ValueType, content_type: MediaType) -> Reader | None:
        """What makes a value of `type_` from such a payload; ``None``: nothing does."""

    @abstractmethod
    def writer(self, type_: ValueType, kind: type, content_type: MediaType) -> Writer | None:
        """What makes such a payload from a value of class `kind`; ``None``: nothing does.

        Args:
            type_: What the function declares to give.
            kind: The class of what it gave.
            content_type: A concrete type in the codec's range.
        """


class TextCodec(Codec):
    """Text in the charset that the content type names, by default UTF-8."""

    def reader(self, type_: ValueType, content_type: MediaType) -> Reader | None:
        """Texts, and the numbers and truth values that a text may say."""
        charset = _charset(content_type)
        if charset is None:
            return None
        decode = bytes.decode if charset == "utf-8" else partial(str, encoding=charset)
        if type_.is_any:
            return decode
        return _validated(decode, type_, str) if type_.is_a(str, *_NUMBERS) else None

    def writer(self, type_: ValueType, kind: type, content_type: MediaType) -> Writer | None:
        """The same, numbers and truth values as JSON writes them."""
        del type_
        charset = _charset(content_type)
        if charset is None:
            return None
        if issubclass(kind, str):
            return str.encode if charset == "utf-8" else partial(_encode, charset)
        if issubclass(kind, _NUMBERS):
            return lambda value: to_json(value).decode().encode(charset)
        return None


class JsonCodec(Codec):
    """JSON, as pydantic reads and writes it: by alias, NaN and infinities as null."""

    def reader(self, type_: ValueType, content_type: MediaType) -> Reader | None:
        """Everything that pydantic validates."""
        del content_type
        return from_json if type_.is_any else type_.adapter.validator.validate_json

    def writer(self, type_: ValueType, kind: type, content_type: MediaType) -> Writer | None:
        """Everything that pydantic serializes; a value that is not of its type is refused."""
        del kind, content_type
        if type_.is_any:
            return partial(to_json, by_alias=True, inf_nan_mode="null")
        try:
            serializer = type_.adapter.serializer
        except PydanticUserError:
            return None
        return partial(serializer.to_json, by_alias=True, warnings="error")


class OctetsCodec(Codec):
    """Bytes about which nothing is said; a function that speaks of texts means UTF-8."""

    def reader(self, type_: ValueType, content_type: MediaType) -> Reader | None:
        """Texts and bytes."""
        del content_type
        if type_.is_any:
            return bytes
        return _validated(bytes.decode, type_, str) if type_.is_a(str) else None

    def writer(self, type_: ValueType, kind: type, content_type: MediaType) -> Writer | None:
        """Texts; bytes need no codec."""
        del type_, content_type
        return str.encode if issubclass(kind, str) else None


class CustomCodec(Codec):
    """A codec made of two functions of its user."""

    def __init__(
        self,
        media_type: str,
        decode: Callable[[bytes], Any] | None,
        encode: Callable[[Any], bytes] | None,
    ) -> None:
        super().__init__(media_type)
        self._decode = decode
        self._encode = encode

    def reader(self, type_: ValueType, content_type: MediaType) -> Reader | None:
        """What the user's function gives, validated where the parameter has a type."""
        del content_type
        return self._decode and _validated(self._decode, type_)

    def writer(self, type_: ValueType, kind: type, content_type: MediaType) -> Writer | None:
        """Everything: the user's function says what it cannot write."""
        del type_, kind, content_type
        encode = self._encode

        def write(value: Any) -> bytes:
            payload = encode(value) if encode else None
            if not isinstance(payload, bytes):
                raise TypeError(f"the codec gave {type(payload).__name__}: expected bytes")
            return payload

        return write if encode else None


_codecs: list[Codec] = [
    TextCodec("text/*"),
    JsonCodec("application/json"),
    OctetsCodec("application/octet-stream"),
]


def register_codec(
    media_type: str,
    *,
    decode: Callable[[bytes], Any] | None = None,
    encode: Callable[[Any], bytes] | None = None,
) -> None:
    """Read and write a content type that the invoker does not know, or in another way.

    Called when the function's module is imported. A codec wins over those registered before it
    and over the built-in ones.

    Args:
        media_type: `application/x-yaml`, or a range such as `image/*`.
        decode: Makes plain data of a payload; the parameter's annotation is applied to it.
        encode: Makes a payload of what the function gave.

    Raises:
        ValueError: `media_type` is not one, or there is neither `decode` nor `encode`.
    """
    if decode is None and encode is None:
        raise ValueError(f"register_codec({media_type!r}): expected decode, encode or both")
    _codecs.insert(0, CustomCodec(media_type, decode, encode))


def codecs_for(content_type: MediaType) -> Iterator[Codec]:
    """The codecs whose range includes a concrete type, the first choice first."""
    return (codec for codec in _codecs if codec.media_type.includes(content_type))


def find_reader(type_: ValueType, content_type: MediaType) -> Reader | None:
    """What makes a value of `type_` from a payload of this type; ``None``: nothing does.

    A parameter of type bytes takes the payload of every type as it is.
    """
    if type_.is_a(bytes):
        return _validated(bytes, type_, bytes)
    readers = (codec.reader(type_, content_type) for codec in codecs_for(content_type))
    return next(filter(None, readers), None)


def find_writer(type_: ValueType, kind: type, content_type: MediaType) -> Writer | None:
    """What makes a payload of this type from a value of class `kind`; ``None``: nothing does.

    Bytes are taken for a payload of whatever type is wanted.
    """
    if issubclass(kind, BYTES):
        return bytes
    writers = (codec.writer(type_, kind, content_type) for codec in codecs_for(content_type))
    return next(filter(None, writers), None)


def concrete_types() -> Iterator[MediaType]:
    """Every type that some codec names without a wildcard, the first choice first."""
    return (codec.media_type for codec in _codecs if codec.media_type.is_concrete)


def _validated(read: Reader, type_: ValueType, gives: type | None = None) -> Reader:
    """A reader of values of a type, made of one whose values are of the class `gives`."""
    if type_.is_any or type_.annotation is gives:
        return read
    validate = type_.adapter.validator.validate_python
    return lambda payload: validate(read(payload))


def _charset(content_type: MediaType) -> str | None:
    """The charset of a text; ``None`` where Python has none of that name."""
    charset = content_type.parameters.get("charset", "utf-8")
    try:
        " ".encode(charset)
    except (LookupError, UnicodeError):
        return None
    return charset


def _encode(charset: str, text: str) -> bytes:
    return text.encode(charset)
