"""What a case expects, said so that the author of a gateway understands what came instead."""

import reprlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn

from penstock.plugin import PenstockError

_SHORT = reprlib.Repr()
_SHORT.maxlevel = 4
_SHORT.maxlist = _SHORT.maxtuple = _SHORT.maxset = _SHORT.maxdict = 12
_SHORT.maxstring = _SHORT.maxother = 160


class BrokenPromise(AssertionError):
    """A gateway did not do what the contract says."""


def shown(value: object) -> str:
    """A value in one short line."""
    return _SHORT.repr(value)


def expect(what: str, came: object, expected: object) -> None:
    """Hold that two values are equal.

    Args:
        what: What is compared, as the head of the error.
        came: What the gateway gave.
        expected: What it has to be.

    Raises:
        BrokenPromise: They are not.
    """
    __tracebackhide__ = True
    if came == expected:
        return
    lines = [what, f"  expected: {shown(expected)}", f"  came:     {shown(came)}"]
    if isinstance(came, Sequence) and isinstance(expected, Sequence):
        lines += _first_difference(came, expected)
    raise BrokenPromise("\n".join(lines))


def expect_that(holds: object, what: str, came: object, expected: str) -> None:
    """Hold something that is no equality.

    Args:
        holds: Whether it is so.
        what: What is looked at, as the head of the error.
        came: What the gateway gave.
        expected: What it has to be, in words.

    Raises:
        BrokenPromise: It is not so.
    """
    __tracebackhide__ = True
    if not holds:
        broken(what, came, expected)


def broken(what: str, came: object, expected: str) -> NoReturn:
    """Say that a promise is broken.

    Raises:
        BrokenPromise: Always.
    """
    __tracebackhide__ = True
    raise BrokenPromise(f"{what}\n  expected: {expected}\n  came:     {shown(came)}")


@contextmanager
def refused(kind: type[PenstockError], what: str, *, naming: str = "") -> Iterator[None]:
    """Hold that the gateway refuses what is done within.

    Args:
        kind: The error that it has to raise.
        what: What is refused, as the head of the error.
        naming: A word that the error's text must have.

    Raises:
        BrokenPromise: It raised nothing, or something else.
    """
    __tracebackhide__ = True
    expected = kind.__name__ + (f" whose text names {naming!r}" if naming else "")
    try:
        yield
    except kind as error:
        expect_that(naming.lower() in str(error).lower(), what, str(error), expected)
    except PenstockError as error:
        raise BrokenPromise(f"{what}\n  expected: {expected}\n  came:     {error!r}") from error
    else:
        broken(what, "no error", expected)


def _first_difference(came: Sequence[object], expected: Sequence[object]) -> Iterator[str]:
    pairs = enumerate(zip(came, expected, strict=False))
    place = next((at for at, (one, other) in pairs if one != other), None)
    if place is None:
        yield f"  {len(came)} came, {len(expected)} were expected"
    elif len(expected) > 1:
        yield (
            f"  the first difference is at {place}: expected {shown(expected[place])}, "
            f"came {shown(came[place])}"
        )
