"""What the engine is told once, when it is made."""

from dataclasses import dataclass, field

from penstock.delivery import Delivery
from penstock.window import Window

FRAME_RECORDS = 1000
"""How many messages a read, a frame to the function and a publish hold at most."""

FRAME_BYTES = 1024 * 1024
"""How many bytes of payload those hold at most; a single larger message goes alone."""


@dataclass(frozen=True, slots=True)
class Output:
    """A stream that the function writes to.

    Attributes:
        name: Its alias in the processor.
        content_type: What the stream's messages must be.
    """

    name: str
    content_type: str


@dataclass(frozen=True, slots=True)
class Marks:
    """When a buffer is full, and when it has room again.

    It is full at either high mark, and has room again once it is at or below both low ones.
    """

    high_records: int = 16 * FRAME_RECORDS
    low_records: int = 8 * FRAME_RECORDS
    high_bytes: int = 16 * FRAME_BYTES
    low_bytes: int = 8 * FRAME_BYTES


HOLD_MARKS = Marks(
    high_records=100_000,
    low_records=75_000,
    high_bytes=64 * FRAME_BYTES,
    low_bytes=48 * FRAME_BYTES,
)
"""What a sidecar holds in memory at most, unless it is told otherwise."""


@dataclass(frozen=True, slots=True)
class Settings:
    """A processor as the engine sees it.

    Attributes:
        group: The consumer group, as it is written in the ids of outputs.
        inputs: Aliases of the inputs, in their order.
        outputs: The outputs, in their order; none is fine.
        window: When windows open and end.
        delivery: What follows when the function fails, and what holds of each message.
        streams: The streams of the inputs, as dead letters name them; empty: as the aliases.
        read_marks: Bounds on what was read and waits to be taken by the function.
        hold_marks: Bounds on all that was read and is not done, in open windows above all.
        write_marks: Bounds on what came from the function and is not yet published.
        wall_clock: What to add to the engine's time for seconds since 1970.
        seed: Of what is left to chance in pauses; ``None``: another one each time.
    """

    group: str
    inputs: tuple[str, ...]
    outputs: tuple[Output, ...]
    window: Window
    delivery: Delivery = field(default_factory=Delivery)
    streams: tuple[str, ...] = ()
    read_marks: Marks = Marks()
    hold_marks: Marks = HOLD_MARKS
    write_marks: Marks = Marks()
    wall_clock: float = 0.0
    seed: int | None = None

    @property
    def calls(self) -> int:
        """How many calls of the function may be open at a time."""
        return self.delivery.calls(self.window)

    @property
    def dead_letters(self) -> int | None:
        """The number of the output that dead letters go to: behind those of the function."""
        return len(self.outputs) if self.delivery.dead_letter else None

    def stream(self, number: int) -> str:
        """The stream of an input."""
        return (self.streams or self.inputs)[number]
