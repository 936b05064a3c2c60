"""What an engine can be asked about itself, by whoever watches it."""

from typing import NamedTuple


class Usage(NamedTuple):
    """What an engine holds now, and what it has done.

    Attributes:
        open_windows, ended_windows: Those not dealt with yet, and those that are.
        read_messages, read_bytes: What was read, and is not done.
        write_messages, write_bytes: What the function gave, and is not published yet.
        retries: How often the function got messages again.
        dead_letters: How many messages were set aside.
        lost: How many messages were given up, as nothing is repeated.
        stopped_partitions: How many partitions stand still, because of a message each.
        late: How many messages came after their windows had ended.
        undated: How many messages had no time, or one that cannot be.
        ended_early: How many windows got fewer messages than they would have.
    """

    open_windows: int = 0
    ended_windows: int = 0
    read_messages: int = 0
    read_bytes: int = 0
    write_messages: int = 0
    write_bytes: int = 0
    retries: int = 0
    dead_letters: int = 0
    lost: int = 0
    stopped_partitions: int = 0
    late: int = 0
    undated: int = 0
    ended_early: int = 0
