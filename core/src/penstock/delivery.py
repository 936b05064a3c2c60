"""How messages are handed to a function, and what follows when it fails: as a manifest says."""

from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import ConfigDict, Field, Strict, model_validator

from penstock.camel_model import StrictModel
from penstock.cel import Rule, belongs_to, given, refuse_unless, rules
from penstock.duration import Duration, Within, parse_duration
from penstock.name import Reference
from penstock.window import LatePolicy, Window

DEFAULT_DELIVERIES: Final = 5
"""How often a message is given to the function before it is given up."""

DEFAULT_CALLS_PER_KEY: Final = 16
"""How many calls are open at once where each key has windows of its own."""

_TIMEOUT, _INITIAL, _MAX = "30s", "100ms", "30s"
_Pause = Annotated[Duration, Within("1ms", "24h")]


class Guarantee(StrEnum):
    """What holds of each message."""

    AT_LEAST_ONCE = "AtLeastOnce"
    AT_MOST_ONCE = "AtMostOnce"


_BACKOFF_RULES: Final[list[Rule["BackoffPolicy"]]] = [
    Rule(
        ("initial", "max"),
        f"duration({given('self.initial')} ? self.initial : '{_INITIAL}') <= "
        f"duration({given('self.max')} ? self.max : '{_MAX}')",
        lambda one: one.initial <= one.max,
        "must be at most max",
    )
]


class BackoffPolicy(StrictModel):
    """The pauses before a call is repeated: each is longer than the one before."""

    model_config = ConfigDict(json_schema_extra=rules(_BACKOFF_RULES))

    initial: _Pause = Field(
        default=parse_duration(_INITIAL),
        description="The pause after the first failure.",
        json_schema_extra={"default": _INITIAL},
    )
    factor: Annotated[float, Strict()] = Field(
        default=2.0,
        ge=1,
        le=100,
        allow_inf_nan=False,
        description="How many times longer each pause is than the one before.",
    )
    max: _Pause = Field(
        default=parse_duration(_MAX),
        description="The longest pause.",
        json_schema_extra={"default": _MAX},
    )
    jitter: Annotated[float, Strict()] = Field(
        default=0.2,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="How much of a pause is left to chance: with 0.2 it is up to a fifth shorter.",
    )

    @model_validator(mode="after")
    def _keeps_the_rules(self) -> Self:
        refuse_unless(self, _BACKOFF_RULES)
        return self

    def pause(self, failures: int, chance: float) -> float:
        """Seconds to wait before the next try; never more than `max`.

        Args:
            failures: How often it failed in a row, from 1.
            chance: A random number from 0 to 1: how much of the jitter is taken off.
        """
        try:
            grown = self.initial * self.factor ** (failures - 1)
        except OverflowError:
            grown = self.max
        return min(grown, self.max) * (1 - self.jitter * chance)


class DeadLetter(StrictModel):
    """Where messages go that cannot be processed."""

    stream: Reference = Field(
        description="A stream of the processor's namespace, none of those it reads or writes."
    )


RULES: Final[list[Rule["Delivery"]]] = [
    Rule(
        ("maxDeliveries", "guarantee"),
        "self.guarantee != 'AtMostOnce' || !has(self.maxDeliveries) || self.maxDeliveries == 1",
        lambda one: one.guarantee is not Guarantee.AT_MOST_ONCE or one.max_deliveries in (None, 1),
        "must be 1 with guarantee AtMostOnce, which repeats nothing: remove it, or change that",
    ),
    belongs_to("backoff", "guarantee", Guarantee.AT_LEAST_ONCE, expression="has(self.backoff)"),
]
"""What must hold between the fields of a delivery."""


class Delivery(StrictModel):
    """How messages are handed to the function, and what follows when it fails."""

    model_config = ConfigDict(json_schema_extra=rules(RULES))

    guarantee: Guarantee = Field(
        default=Guarantee.AT_LEAST_ONCE,
        description="AtLeastOnce: an input is acked when it is processed, and what fails is "
        "repeated; AtMostOnce: it is acked before the function gets it, and nothing is repeated.",
    )
    timeout: Annotated[Duration, Within("1ms", "24h")] = Field(
        default=parse_duration(_TIMEOUT),
        description="How long the function may take for what it was given; a call that takes "
        "longer has failed.",
        json_schema_extra={"default": _TIMEOUT},
    )
    max_deliveries: Annotated[int, Strict()] | None = Field(
        default=None,
        ge=1,
        le=1000,
        description="How often a message is given to the function before it is given up; by "
        "default 5, and 1 with AtMostOnce.",
    )
    backoff: BackoffPolicy | None = Field(
        default=None, description="The pauses before a call is repeated, with AtLeastOnce."
    )
    dead_letter: DeadLetter | None = Field(
        default=None,
        description="Where messages go that cannot be processed; without it the partition of "
        "such a message stops, or with AtMostOnce the message is lost.",
    )
    in_flight_windows: Annotated[int, Strict()] | None = Field(
        default=None,
        ge=1,
        le=1000,
        description="How many windows the function may work on at once; by default 1, and 16 "
        "with `window.perKey`. Windows of one key never overlap; without `perKey` the order is "
        "kept with 1 alone. There, what failed and what waits behind it in its partitions is "
        "called beside the others, within a bound of its own that is as large.",
    )

    @model_validator(mode="after")
    def _keeps_the_rules(self) -> Self:
        refuse_unless(self, RULES)
        return self

    @property
    def deliveries(self) -> int:
        """How often a message is given to the function before it is given up."""
        if self.guarantee is Guarantee.AT_MOST_ONCE:
            return 1
        return DEFAULT_DELIVERIES if self.max_deliveries is None else self.max_deliveries

    @property
    def pauses(self) -> BackoffPolicy:
        """How long to wait before a call is repeated."""
        return self.backoff or BackoffPolicy()

    @property
    def dead_letter_stream(self) -> str:
        """The name of the dead-letter stream; empty: there is none."""
        return self.dead_letter.stream if self.dead_letter else ""

    def calls(self, window: Window) -> int:
        """How many calls of the function may be open at once.

        Those that repeat what failed, and those of what waits behind it, have a bound of their
        own where windows are for all keys, as large again.

        Args:
            window: The processor's windows.
        """
        return self.in_flight_windows or (DEFAULT_CALLS_PER_KEY if window.per_key else 1)


def has_place_for_late(window: Window, delivery: Delivery) -> bool:
    """Whether there is a dead-letter stream, where late messages are to go to one."""
    return window.late_messages is not LatePolicy.DEAD_LETTER or delivery.dead_letter is not None
