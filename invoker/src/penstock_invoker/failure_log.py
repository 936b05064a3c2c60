"""What the function raises, on standard error, for its author."""

import sys
from typing import Final

from penstock_invoker.errors import describe
from penstock_invoker.loading import user_traceback

_REMEMBERED: Final = 1000
"""Of so many different failures it is known that they were printed; then all are new again."""


class FailureLog:
    """Prints each failure with its traceback once, and in one line when it comes again.

    It does with each attempt of a message. Two failures are the same when their tracebacks are,
    texts included.

    Args:
        name: The function's.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._printed: set[int] = set()

    def write(self, error: BaseException) -> None:
        """Print a failure."""
        traceback = user_traceback(error)
        key = hash(traceback)
        if key in self._printed:
            text = f"{self._name} failed again: {describe(error)} (its traceback is above)"
        else:
            text = f"{self._name} failed:\n{traceback}"
            if len(self._printed) >= _REMEMBERED:
                self._printed.clear()
            self._printed.add(key)
        print(text, file=sys.stderr, flush=True)
