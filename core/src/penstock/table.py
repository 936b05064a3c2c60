"""Tables of text, as the command line prints lists."""

from collections.abc import Sequence

GAP = "   "


def format_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their longest entry, the heads in capitals above them.

    Args:
        heads: Names of the columns.
        rows: One entry for each column; an empty one is shown as `-`.
    """
    lines = [[head.upper() for head in heads], *([entry or "-" for entry in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        GAP.join(entry.ljust(width) for entry, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
