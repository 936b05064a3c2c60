"""What a stream holds, as a person sees it."""

import json

from tests.command_line import Penstock


def payloads(penstock: Penstock, stream: str, count: int, *options: str) -> list[str]:
    """The first payloads of a stream, in the order in which they are printed.

    Args:
        penstock: The command line.
        stream: The stream.
        count: How many; they are waited for.
        options: More options of `penstock subscribe`.
    """
    from_the_first = ("--from-beginning", "--count", str(count))
    printed = penstock("subscribe", stream, *from_the_first, *options).stdout
    return [json.loads(line)["payload"] for line in printed.splitlines()]
