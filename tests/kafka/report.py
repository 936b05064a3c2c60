"""What is said of each fault: a line when its test ends, and a table at the end of the run."""

from collections.abc import Iterable
from typing import NamedTuple

import pytest


class Row(NamedTuple):
    """What became of the messages of one test.

    Attributes:
        case: The test.
        sent, received, duplicates, out_of_order: Counts of messages.
        seconds: From the end of each fault until new messages came out of all partitions.
    """

    case: str
    sent: int
    received: int
    duplicates: int
    out_of_order: int
    seconds: list[float]

    @property
    def cells(self) -> list[str]:
        """As a person reads it: of the seconds, the most."""
        seconds = f"{max(self.seconds):.1f}" if self.seconds else "-"
        counts = (self.sent, self.received, self.duplicates, self.out_of_order)
        return [self.case, *(f"{count:,}" for count in counts), seconds]


HEAD = ["", "sent", "received", "duplicates", "out of order", "seconds to recover"]

ROWS = pytest.StashKey[list[Row]]()
"""Where the rows of a run are kept, in pytest's configuration."""


def table(rows: Iterable[Row]) -> list[str]:
    """The lines of a table, numbers to the right."""
    lines = [HEAD, *(row.cells for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [
        "  ".join(
            [line[0].ljust(widths[0])]
            + [cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)]
        )
        for line in lines
    ]
