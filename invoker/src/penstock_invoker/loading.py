"""Finds the function that a command names."""

import importlib
import inspect
import sys
import traceback
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from penstock.plugin import UsageError

_OURS = (str(Path(__file__).parent), "<frozen importlib", str(importlib.__file__))


class ImportFailed(Exception):
    """The function's own module raised; the text is its traceback, from its first line on."""


def load(target: str) -> Callable[..., Any]:
    """Import a function; modules in the current directory come first.

    Args:
        target: `module:function`; either may have dots.

    Raises:
        UsageError: There is no such function, or it cannot be called.
        ImportFailed: The module is there and failed.
    """
    module_name, _, path = target.partition(":")
    if not (module_name and path) or module_name.endswith(".py") or "/" in module_name:
        raise UsageError(
            f"{target!r} names no function: expected module:function, as uppercase:uppercase for "
            "the function uppercase in uppercase.py of the current directory"
        )
    sys.path.insert(0, str(Path.cwd()))
    found: Any = _import(module_name)
    for part in path.split("."):
        owner = found
        try:
            found = getattr(owner, part)
        except AttributeError:
            raise UsageError(_nothing_named(part, module_name, owner)) from None
    if inspect.isclass(found) or not callable(found):
        what = "a class" if inspect.isclass(found) else f"a {type(found).__name__}"
        raise UsageError(f"{target} is {what}: expected a function")
    function: Callable[..., Any] = found
    return function


def user_traceback(error: BaseException) -> str:
    """A traceback that begins where the function's author's code does."""
    report = traceback.TracebackException.from_exception(error)
    pending: list[traceback.TracebackException | None] = [report]
    while pending:
        if (one := pending.pop()) is not None:
            frames = [frame for frame in one.stack if not frame.filename.startswith(_OURS)]
            one.stack = traceback.StackSummary.from_list(frames)
            pending += [one.__cause__, one.__context__]
    return "".join(report.format()).rstrip()


def _import(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and f"{name}.".startswith(f"{error.name}."):
            raise UsageError(
                f"there is no module {error.name}: looked in {Path.cwd()} and among the packages "
                "that are installed"
            ) from None
        raise ImportFailed(user_traceback(error)) from error
    # The module is its author's code: whatever it raises is shown as it is.
    except Exception as error:
        raise ImportFailed(user_traceback(error)) from error


def _nothing_named(name: str, module: str, owner: object) -> str:
    names = [one for one in dir(owner) if callable(getattr(owner, one)) and one[0] != "_"]
    close = get_close_matches(name, names, n=1)
    hint = f"did you mean {close[0]}?" if close else f"it has {', '.join(names) or 'none'}"
    return f"there is no function {name} in module {module}: {hint}"
