"""What the engine is told once, when it is made."""

from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Settings:
    """A processor as the engine sees it.

    Attributes:
        group: The consumer group, as it is written in the ids of outputs.
        inputs: Aliases of the inputs, in their order.
        outputs: The outputs, in their order; none is fine.
        window: When windows open and end.
        read_marks: Bounds on what is read and not yet taken by the function.
        write_marks: Bounds on what came from the function and is not yet published.
        calls: How many calls of the function may be open at a time.
    """

    group: str
    inputs: tuple[str, ...]
    outputs: tuple[Output, ...]
    window: Window
    read_marks: Marks = Marks()
    write_marks: Marks = Marks()
    calls: int = 1
