"""Media types as RFC 9110 §8.3.1 writes them, with the wildcards of §12.5.1 and the structured
suffixes of RFC 6839.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - the RFC's word for it
_TYPE = re.compile(rf"\s*(?P<type>{_TOKEN})/(?P<subtype>{_TOKEN})\s*")
_PARAMETER = re.compile(
    rf';\s*(?:(?P<name>{_TOKEN})=(?:(?P<token>{_TOKEN})|"(?P<quoted>(?:[^"\\]|\\.)*)")\s*)?'
)

OCTET_STREAM = "application/octet-stream"
"""What a message without a content type is, and a stream that declares none."""


@dataclass(frozen=True, slots=True)
class MediaType:
    """A parsed media type or range, everything case-insensitive in lower case.

    Attributes:
        type: `application`, or `*` in the range `*/*`.
        subtype: `json`, `cloudevents+json`, or `*`.
        parameters: By name; the value of `charset` in lower case too.
    """

    type: str
    subtype: str
    parameters: Mapping[str, str]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a media type; an empty text is `application/octet-stream`.

        Raises:
            ValueError: It is not one; the text says what is expected.
        """
        given = text or OCTET_STREAM
        head = _TYPE.match(given)
        if head is None or (head["type"] == "*" and head["subtype"] != "*"):
            raise _malformed(text)
        parameters: dict[str, str] = {}
        end = head.end()
        while end < len(given):
            part = _PARAMETER.match(given, end)
            if part is None:
                raise _malformed(text)
            if part["name"]:
                quoted = part["quoted"]
                value = part["token"] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
                name = part["name"].lower()
                parameters[name] = value.lower() if name == "charset" else value
            end = part.end()
        return cls(head["type"].lower(), head["subtype"].lower(), parameters)

    @property
    def suffix(self) -> str:
        """The structured syntax suffix: `json` of `application/cloudevents+json`, or empty."""
        return self.subtype.rpartition("+")[2] if "+" in self.subtype else ""

    @property
    def is_concrete(self) -> bool:
        """Whether it names one type, not a range."""
        return "*" not in (self.type, self.subtype) and not self.subtype.startswith("*+")

    def includes(self, other: "MediaType") -> bool:
        """Whether a message of type `other` fits where this type is declared.

        A wildcard includes everything in its place; `application/json` includes each type of its
        structured suffix, such as `application/cloudevents+json`, and `application/*+json` does
        too; a parameter counts only where both sides give it.
        """
        if any(other.parameters.get(name, value) != value for name, value in self._given()):
            return False
        if self.type == "*":
            return True
        if self.type != other.type:
            return False
        return self.subtype in ("*", other.subtype) or (
            bool(other.suffix) and self.subtype.removeprefix("*+") == other.suffix
        )

    def requires(self, other: "MediaType") -> bool:
        """Whether it has a parameter that the other leaves open."""
        return any(name not in other.parameters for name, _ in self._given())

    def _given(self) -> list[tuple[str, str]]:
        return [(name, value) for name, value in self.parameters.items() if name != "q"]

    def __str__(self) -> str:
        parameters = "".join(f"; {name}={_quoted(it)}" for name, it in self.parameters.items())
        return f"{self.type}/{self.subtype}{parameters}"


@lru_cache(maxsize=4096)
def fits(declared: str, actual: str) -> bool:
    """Whether a message's content type fits the declared one; a range or a malformed one never
    does.

    An empty text stands for `application/octet-stream`, which as a declaration takes everything:
    any message is a sequence of bytes.
    """
    try:
        got = MediaType.parse(actual)
        takes_all = not declared or declared == OCTET_STREAM
        return got.is_concrete and (takes_all or MediaType.parse(declared).includes(got))
    except ValueError:
        return False


def takes_all_of(declared: str, other: str) -> bool:
    """Whether each message that fits the declaration `other` fits the one of `declared` as well.

    An empty text stands for `application/octet-stream`, which takes everything; a malformed
    declaration takes nothing.
    """
    if not declared or declared == OCTET_STREAM:
        return True
    try:
        mine, theirs = MediaType.parse(declared), MediaType.parse(other)
    except ValueError:
        return False
    if not other or other == OCTET_STREAM:
        return mine.type == "*" and not mine.requires(theirs)
    return mine.includes(theirs) and not mine.requires(theirs)


def _quoted(value: str) -> str:
    """A parameter's value as it is written: in quotes where it is no token."""
    if re.fullmatch(_TOKEN, value):
        return value
    return '"' + re.sub(r'(["\\])', r"\\\1", value) + '"'


def _malformed(text: str) -> ValueError:
    return ValueError(f"{text!r} is not a media type: expected type/subtype, as application/json")
