"""What a person may have meant."""

from collections.abc import Iterable
from difflib import get_close_matches

_SHOWN = 12


def closest(word: str, allowed: Iterable[str]) -> str | None:
    """The allowed word that is most like another, upper and lower case being the same."""
    words = {one.lower(): one for one in allowed}
    found = get_close_matches(word.lower(), words, n=1, cutoff=0.7)
    return words[found[0]] if found else None


def did_you_mean(word: str, allowed: Iterable[str]) -> str:
    """The end of a message: `; did you mean "numbers"?`, or empty."""
    found = closest(word, allowed)
    return f'; did you mean "{found}"?' if found else ""


def listing(words: Iterable[str]) -> str:
    """Words in order, the list cut where it gets long."""
    ordered = sorted(words)
    more = len(ordered) - _SHOWN
    return ", ".join(ordered[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
