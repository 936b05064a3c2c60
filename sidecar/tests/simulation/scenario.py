"""What a history is about: the processor, the function, the traffic and the faults, by a seed."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from random import Random

from penstock.delivery import BackoffPolicy, DeadLetter, Delivery, Guarantee
from penstock.window import LatePolicy, Window, WindowTime, WindowType

HEADER = "at"
"""Where messages say their time, in processors that look there."""


class Kind(Enum):
    """What the function is."""

    ONE_VALUE = "one value: its host names and reports inputs"
    STREAM = "a stream: an output as soon as there is an input"
    GATHERING = "a stream: one output for all inputs, at the end"


class Verdict(Enum):
    """What a message does to whoever processes it."""

    WELL = "nothing"
    FLAKY = "the function fails with it now and then"
    POISON = "the function always fails with it"
    UNREADABLE = "the function cannot read it, and says that trying again does not help"
    CRASH = "the function's process dies of it"
    HANG = "the function hangs with it"
    REFUSED = "no gateway takes its outputs"
    MISTYPED = "its outputs are of a type that the output may not have"


@dataclass(frozen=True)
class Scenario:
    """One processor and what happens to it."""

    window: Window
    delivery: Delivery
    kind: Kind
    inputs: tuple[int, ...]
    """How many partitions each input has."""
    outputs: int
    members: int
    keys: int
    verdicts: dict[Verdict, float] = field(default_factory=dict)
    """How likely a message is bad in some way."""
    bursts: int = 4
    burst: int = 60
    """How many messages come at a time, at most."""
    silence: float = 60.0
    """Mean seconds between two bursts."""
    disorder: float = 0.0
    """How many seconds the messages' own times are behind, at most."""
    kill_rate: float = 0.0
    fault_rate: float = 0.0
    trouble: float = 100.0
    """Mean seconds between two misfortunes of a member, a host or the group."""

    @property
    def is_safe(self) -> bool:
        """Whether each message is processed, whatever happens."""
        return self.delivery.guarantee is Guarantee.AT_LEAST_ONCE

    @property
    def drops_late(self) -> bool:
        """Whether a message may be dropped, as it comes too late."""
        window = self.window
        return window.is_of_event_time and window.late_messages is LatePolicy.DROP

    @property
    def keeps_order(self) -> bool:
        """Whether outputs of one key come in the order of their inputs."""
        one_at_a_time = self.delivery.calls(self.window) == 1
        # An output may be refused when those of the next call are stored already. Where nobody
        # knows which input it is of, all of its call are processed again, behind those.
        comes_back = Verdict.REFUSED in self.verdicts and self.kind is not Kind.ONE_VALUE
        return (
            self.is_safe
            and not comes_back
            and not self.window.is_of_event_time
            and (self.window.per_key or one_at_a_time)
        )


def scenario(random: Random) -> Scenario:
    """Draw one."""
    kind = random.choice(list(Kind))
    window = _window(random, kind)
    bad = random.choice([0.0, 0.0, 0.01, 0.03])
    verdicts = random.sample(list(Verdict)[1:], k=random.randint(1, 4))
    faulty = random.random()
    return Scenario(
        window=window,
        delivery=_delivery(random, window),
        kind=kind,
        inputs=tuple(random.randint(1, 3) for _ in range(random.choice([1, 1, 2]))),
        outputs=random.choice([1, 1, 2]),
        members=random.choice([1, 1, 2, 3]),
        keys=random.choice([1, 3, 20]),
        verdicts=dict.fromkeys(verdicts, bad / len(verdicts)),
        bursts=random.randint(2, 6),
        burst=random.choice([3, 40, 150]),
        silence=random.choice([0.5, 30.0, 600.0, 7200.0]),
        disorder=random.choice([0.0, 0.0, 5.0, 120.0]),
        kill_rate=random.choice([0.0, 0.0005, 0.005]) if faulty > 0.3 else 0.0,
        fault_rate=random.choice([0.0, 0.02, 0.1]) if faulty > 0.3 else 0.0,
        trouble=random.choice([5.0, 60.0, 600.0]) if faulty > 0.2 else 1e9,
    )


def _window(random: Random, kind: Kind) -> Window:
    type_ = random.choice(list(WindowType))
    per_key = random.random() < 0.4
    fields: dict[str, object] = {"type": type_, "perKey": per_key}
    match type_:
        case WindowType.TUMBLING:
            fields["size"] = random.choice([0.2, 5.0, 60.0])
        case WindowType.SLIDING:
            fields["every"] = random.choice([0.5, 5.0])
            fields["size"] = fields["every"] * random.choice([1, 2, 5])  # type: ignore[operator]
        case WindowType.SESSION:
            fields["gap"] = random.choice([0.1, 2.0, 30.0])
        case WindowType.COUNT:
            fields["count"] = random.choice([1, 3, 25])
        case WindowType.GLOBAL:
            if per_key or kind is not Kind.ONE_VALUE:
                fields["maxMessages"] = random.choice([1, 7, 50])
    if type_ not in (WindowType.COUNT, WindowType.GLOBAL) and random.random() < 0.5:
        fields["time"] = WindowTime.EVENT
        fields["latePolicy"] = random.choice(list(LatePolicy))
        fields["allowedLateness"] = random.choice([0.0, 10.0, 150.0])
        fields["idleTimeout"] = random.choice([1.0, 30.0])
        if random.random() < 0.7:
            fields["timestampFrom"] = f"headers.{HEADER}"
    if type_ is not WindowType.COUNT and random.random() < 0.2:
        fields["maxMessages"] = random.choice([2, 10])
    return Window.model_validate(fields)


def _delivery(random: Random, window: Window) -> Delivery:
    is_safe = random.random() < 0.8
    needs_letters = window.is_of_event_time and window.late_messages is LatePolicy.DEAD_LETTER
    letters = needs_letters or random.random() < 0.7
    return Delivery(
        guarantee=Guarantee.AT_LEAST_ONCE if is_safe else Guarantee.AT_MOST_ONCE,
        timeout=random.choice([2.0, 10.0]),
        max_deliveries=random.choice([1, 2, 5]) if is_safe else None,
        backoff=BackoffPolicy(initial=0.05, max=random.choice([0.1, 3.0])) if is_safe else None,
        dead_letter=DeadLetter(stream="letters") if letters else None,
        in_flight_windows=random.choice([None, None, 1, 4]),
    )
