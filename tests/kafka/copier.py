"""The function of the tests; runs in the folder of its host's process."""

from pathlib import Path
from time import sleep

HOLD, HELD = Path("hold"), Path("held")


def copy(text: str) -> str:
    """Give back what it is given; while there is a file named hold, stand still.

    A file named held says that it does.
    """
    if HOLD.exists():
        HELD.touch()
        while HOLD.exists():
            sleep(0.005)
    return text
