"""How a processor chops its inputs into windows: what a manifest and a sidecar are told."""

from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import ConfigDict, Field, Strict, model_validator

from penstock.camel_model import StrictModel
from penstock.cel import Rule, belongs_to, given, refuse_unless, required_with, rules
from penstock.duration import Duration, Within
from penstock.quantity import Quantity

DEFAULT_SIZE: Final = 60.0
"""Seconds of a tumbling window that says nothing else: riff's."""

DEFAULT_IDLE: Final = 30.0
"""Seconds after which a silent partition no longer holds the watermark back."""

MAX_OVERLAP: Final = 1000
"""How many sliding windows may hold a message at a time."""

MAX_MESSAGES: Final = 1_000_000

_HEADERS = "headers."
_ATTRIBUTE = ("time", "headers.ce_time")
"""The attribute `time`; the second is its name among the headers of Kafka."""

_Length = Annotated[Duration, Within("1ms", "8760h")]
_Lateness = Annotated[Duration, Within("0s", "8760h")]
_Messages = Annotated[int, Strict(), Field(ge=1, le=MAX_MESSAGES)]
# At least 1Ki: of texts without a suffix those from 1024 on, of those with k from 2k on.
_BYTES_PATTERN = (
    r"^0*(102[4-9]|10[3-9][0-9]|1[1-9][0-9]{2}|[2-9][0-9]{3}|[1-9][0-9]{4,17}"
    r"|([2-9]|[1-9][0-9]{1,17})k|[1-9][0-9]{0,17}([MGTPE]|[KMGTPE]i))$"
)


class WindowType(StrEnum):
    """The kinds of window."""

    TUMBLING = "Tumbling"
    SLIDING = "Sliding"
    SESSION = "Session"
    COUNT = "Count"
    GLOBAL = "Global"


class WindowTime(StrEnum):
    """By which time windows begin and end."""

    PROCESSING = "Processing"
    EVENT = "Event"


class LatePolicy(StrEnum):
    """What becomes of a message whose every window has ended."""

    DROP = "Drop"
    DEAD_LETTER = "DeadLetter"
    NEW_WINDOW = "NewWindow"


_SIZE, _EVERY = (f"duration(self.{name}).getMilliseconds()" for name in ("size", "every"))
_NOT_BOTH = f"!{given('self.size')} || !{given('self.every')}"


def _lengths(window: "Window") -> tuple[int, int]:
    """Milliseconds of size and every; a window without one of them breaks no rule of both."""
    if window.size is None or window.every is None:
        return 1, 1
    return round(window.size * 1000), round(window.every * 1000)


def _type_has_time(window: "Window") -> bool:
    is_timeless = window.type in (WindowType.COUNT, WindowType.GLOBAL)
    return window.time is not WindowTime.EVENT or not is_timeless


def _every_fits(window: "Window") -> bool:
    size, every = _lengths(window)
    return every <= size


def _size_is_multiple(window: "Window") -> bool:
    size, every = _lengths(window)
    return every > size or size % every == 0


def _overlap_is_bounded(window: "Window") -> bool:
    size, every = _lengths(window)
    return size <= MAX_OVERLAP * every


def _key_windows_end(window: "Window") -> bool:
    is_bounded = window.max_messages is not None or window.max_bytes is not None
    return window.type is not WindowType.GLOBAL or not window.per_key or is_bounded


RULES: Final[list[Rule["Window"]]] = [
    belongs_to("size", "type", WindowType.TUMBLING, WindowType.SLIDING),
    belongs_to("every", "type", WindowType.SLIDING),
    belongs_to("gap", "type", WindowType.SESSION),
    belongs_to("count", "type", WindowType.COUNT, expression="has(self.count)"),
    required_with("size", "type", WindowType.SLIDING),
    required_with("every", "type", WindowType.SLIDING),
    required_with("gap", "type", WindowType.SESSION),
    required_with("count", "type", WindowType.COUNT, expression="has(self.count)"),
    Rule(
        ("every", "size"),
        f"{_NOT_BOTH} || {_EVERY} <= {_SIZE}",
        _every_fits,
        "must be at most size: a message between two windows would be in none",
    ),
    Rule(
        ("size", "every"),
        f"{_NOT_BOTH} || {_EVERY} > {_SIZE} || {_SIZE} % {_EVERY} == 0",
        _size_is_multiple,
        "must be a multiple of every: a window ends where another one begins",
    ),
    Rule(
        ("size", "every"),
        f"{_NOT_BOTH} || {_SIZE} <= {MAX_OVERLAP} * {_EVERY}",
        _overlap_is_bounded,
        f"must be at most {MAX_OVERLAP} times every: so many windows may hold a message",
    ),
    Rule(
        ("time", "type"),
        "self.time != 'Event' || !(self.type in ['Count', 'Global'])",
        _type_has_time,
        "must be Processing with type Count or Global, which ask for no time",
    ),
    belongs_to("timestampFrom", "time", WindowTime.EVENT),
    belongs_to("allowedLateness", "time", WindowTime.EVENT),
    belongs_to("latePolicy", "time", WindowTime.EVENT),
    belongs_to("idleTimeout", "time", WindowTime.EVENT),
    Rule(
        ("maxMessages", "count"),
        "!has(self.maxMessages) || !has(self.count) || self.maxMessages >= self.count",
        lambda one: not one.max_messages or not one.count or one.max_messages >= one.count,
        "must be at least count, which no window would reach",
    ),
    Rule(
        ("perKey", "type"),
        "self.type != 'Global' || !has(self.perKey) || !self.perKey || has(self.maxMessages) || "
        "(has(self.maxBytes) && string(self.maxBytes) != '')",
        _key_windows_end,
        "needs maxMessages or maxBytes with type Global: nothing else ends the window of a key",
    ),
]
"""What must hold between the fields of a window."""


class Window(StrictModel):
    """When a window is opened and when it ends; a window with no message costs no call."""

    model_config = ConfigDict(json_schema_extra=rules(RULES))

    type: WindowType = Field(
        default=WindowType.TUMBLING,
        description="Tumbling: ends after `size`; Sliding: one of `size` begins every `every`; "
        "Session: ends when nothing came for `gap`; Count: ends after `count` messages; Global: "
        "does not end by itself.",
    )
    size: _Length | None = Field(
        default=None,
        description="How long a Tumbling window is, by default 60s, or a Sliding one; of "
        "processing time a Tumbling one begins with its first message.",
    )
    every: _Length | None = Field(
        default=None,
        description="How long after one Sliding window the next begins; `size` is a multiple of "
        "it, at most 1000 times.",
    )
    gap: _Length | None = Field(
        default=None, description="How long nothing comes before a Session ends."
    )
    count: _Messages | None = Field(
        default=None, description="How many messages make a Count window."
    )
    time: WindowTime = Field(
        default=WindowTime.PROCESSING,
        description="Processing: the sidecar's clock; Event: the messages' own times, for "
        "Tumbling, Sliding and Session.",
    )
    timestamp_from: str | None = Field(
        default=None,
        pattern=r"^(time|headers\.[!-~]+)$",
        max_length=256,
        description="Where the time of a message is found, with time Event: `time`, which is "
        "CloudEvents', or `headers.NAME`; by default it is when the record was stored.",
    )
    allowed_lateness: _Lateness | None = Field(
        default=None,
        description="How long a window waits for late messages, with time Event; by default 0s. "
        "It is called once, when that is over.",
    )
    late_policy: LatePolicy | None = Field(
        default=None,
        description="What becomes of a message whose windows have all been called, with time "
        "Event. Drop, the default: it is counted; DeadLetter: it goes to "
        "`delivery.deadLetter`; NewWindow: a window of the same bounds is called with it.",
    )
    idle_timeout: _Length | None = Field(
        default=None,
        description="After how long a silent partition no longer holds back the windows, with "
        "time Event; by default 30s.",
    )
    per_key: Annotated[bool, Strict()] = Field(
        default=False, description="Whether each key has windows of its own."
    )
    max_messages: _Messages | None = Field(
        default=None, description="With how many messages a window ends early."
    )
    max_bytes: Annotated[Quantity, Field(ge=1024)] | None = Field(
        default=None,
        description="With how many bytes of payloads and keys a window ends early; at least 1Ki.",
        json_schema_extra={"pattern": _BYTES_PATTERN, "minimum": 1024},
    )

    @model_validator(mode="after")
    def _keeps_the_rules(self) -> Self:
        refuse_unless(self, RULES)
        return self

    @property
    def size_seconds(self) -> float:
        """Seconds of a Tumbling or a Sliding window."""
        return DEFAULT_SIZE if self.size is None else self.size

    @property
    def is_of_event_time(self) -> bool:
        """Whether windows begin and end by the times of the messages."""
        return self.time is WindowTime.EVENT

    @property
    def is_dated_by_attribute(self) -> bool:
        """Whether a message's time is its CloudEvents attribute `time`."""
        return self._place in _ATTRIBUTE

    @property
    def timestamp_header(self) -> str:
        """The header that has a message's time, in lower case as headers are; empty: none has."""
        return "" if self.is_dated_by_attribute else self._place.removeprefix(_HEADERS)

    @property
    def _place(self) -> str:
        return (self.timestamp_from or "").lower()

    @property
    def lateness_seconds(self) -> float:
        """Seconds for which a window of event time waits after its end."""
        return self.allowed_lateness or 0.0

    @property
    def late_messages(self) -> LatePolicy:
        """What becomes of late messages."""
        return self.late_policy or LatePolicy.DROP

    @property
    def idle_seconds(self) -> float:
        """Seconds after which a silent partition is idle."""
        return DEFAULT_IDLE if self.idle_timeout is None else self.idle_timeout
