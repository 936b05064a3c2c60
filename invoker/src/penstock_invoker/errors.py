"""Why a call ends early."""

from urllib.parse import quote

from penstock.plugin import PermanentError

_LONGEST = 1000
"""Characters of a text that becomes a status."""

_LONGEST_ENCODED = 6000
"""Bytes of such a text as it travels: in a header, percent-encoded, beside others; of all of them
clients take 8 KiB."""


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


class InputFailed(Exception):
    """An input of a function of one value failed, or what was made of it; those before it are done.

    Attributes:
        number: Which input, counted from 0 in the order in which the call received them.
        error: Why.
    """

    def __init__(self, number: int, error: Exception) -> None:
        super().__init__(f"input {number}")
        self.number = number
        self.error = error


def describe(error: BaseException) -> str:
    """An exception in one line: `ValueError: not a number`."""
    try:
        text = short(str(error))
    # It is the function's own, and so is what makes its text.
    except Exception:  # noqa: BLE001
        text = "its text cannot be had"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def counted(count: int, noun: str) -> str:
    """`1 input`, `2 inputs`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def short(text: str) -> str:
    """A text in one line of bounded length, that can be sent."""
    line = " ".join(text.encode(errors="backslashreplace").decode().split())
    length = min(len(line), _LONGEST)
    while len(quote(line[:length])) > _LONGEST_ENCODED:
        length = length * 3 // 4
    return line if length == len(line) else f"{line[:length]}…"
