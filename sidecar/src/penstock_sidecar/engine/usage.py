"""What an engine can be asked about itself, by whoever watches it."""

from collections.abc import Mapping
from typing import NamedTuple

from penstock_sidecar.engine.flow import PartitionKey


class Usage(NamedTuple):
    """What an engine holds now, and what it has done.

    Attributes:
        open_windows, ended_windows: Those not dealt with yet, and those that are.
        calls: How many calls of the function are open.
        held_messages, held_bytes: What was read, and is not done.
        read_messages, read_bytes: What waits to be taken by the function; part of the above.
        write_messages, write_bytes: What the function gave, and is not published yet.
        retries: How often the function got messages again.
        dead_letters: How many messages were set aside.
        lost: How many messages were given up, as nothing is repeated.
        stopped: The partitions that stand still, because of a message each.
        late_dropped, late_dead: How many messages came after their windows had ended, and were
            dropped or set aside.
        late_windows: How many windows were made for such messages.
        undated: How many messages had no time, or one that cannot be.
        ended_early: How many windows got fewer messages than they would have, by the reason.
    """

    open_windows: int = 0
    ended_windows: int = 0
    calls: int = 0
    held_messages: int = 0
    held_bytes: int = 0
    read_messages: int = 0
    read_bytes: int = 0
    write_messages: int = 0
    write_bytes: int = 0
    retries: int = 0
    dead_letters: int = 0
    lost: int = 0
    stopped: tuple[PartitionKey, ...] = ()
    late_dropped: int = 0
    late_dead: int = 0
    late_windows: int = 0
    undated: int = 0
    ended_early: Mapping[str, int] = {}
