"""What an engine can be asked about itself, by whoever watches it."""

from typing import NamedTuple


class Usage(NamedTuple):
    """What an engine holds now, and what it has done.

    Attributes:
        open_windows, ended_windows: Those not dealt with yet, and those that are.
        read_messages, read_bytes: What was read, and the function has not taken yet.
        write_messages, write_bytes: What the function gave, and is not published yet.
    """

    open_windows: int = 0
    ended_windows: int = 0
    read_messages: int = 0
    read_bytes: int = 0
    write_messages: int = 0
    write_bytes: int = 0
