"""Why a call ends early."""

from penstock.plugin import PermanentError

_LONGEST = 1000
"""Characters of a text that becomes a status: it travels in a header, of which clients take 8 KiB.
"""


class CallCancelled(BaseException):
    """The call is over before its inputs are: raised where a blocking function waits for more.

    Not an `Exception`, as `asyncio.CancelledError` is not, so that a function does not take it
    for a failure of its own.
    """


class InvalidCall(PermanentError):
    """The caller broke the protocol, or asked for what the function does not have."""

    def __init__(self, message: str) -> None:
        super().__init__(f"Invoker: {message}")


class UnsupportedMediaType(InvalidCall):
    """A message's content type is none that the function's parameter is read from."""

    def __init__(self, message: str) -> None:
        super().__init__(f"Unsupported Media Type: {message}")


class NotAcceptable(InvalidCall):
    """None of the types that an output expects can be made of the function's value."""

    def __init__(self, message: str) -> None:
        super().__init__(f"Not Acceptable: {message}")


class BadValue(PermanentError):
    """A payload that cannot be read, or a value that cannot be written, in a fitting type."""

    def __init__(self, message: str) -> None:
        super().__init__(f"Invoker: {message}")


class FunctionExited(Exception):
    """The function raised what means something else to whoever runs it, such as `SystemExit`."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(describe(error))
        self.__cause__ = error


def describe(error: BaseException) -> str:
    """An exception in one line: `ValueError: not a number`."""
    text = short(str(error))
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def counted(count: int, noun: str) -> str:
    """`1 input`, `2 inputs`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def short(text: str) -> str:
    """A text in one line of bounded length."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
