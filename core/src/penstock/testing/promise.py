"""What ties a case to the sentence of the contract that it holds a gateway to."""

import asyncio
import functools
import inspect
import linecache
from collections.abc import Callable, Collection, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from penstock.plugin import Capability
from penstock.testing.expectation import BrokenPromise
from penstock.testing.way import Way

if TYPE_CHECKING:
    from penstock.testing.rig import Rig

ONLY_IN_PROCESS: Mapping[Way, str] = MappingProxyType(
    dict.fromkeys((Way.BATCH, Way.RIFF), "not of the protocols: the server calls it itself")
)
"""Why a case about provisioning or health is run in process alone."""


@dataclass(frozen=True)
class Promise:
    """A sentence of the contract.

    Attributes:
        source: Whose docstring has it, such as `PubSub.publish`.
        sentence: Word for word.
        needs: Capabilities beside those of the chapter.
        refuses: The capability that a gateway must refuse here, where it does not declare it.
        faults: Actions that the backend's fault must have.
        not_over: Why it makes no sense over a way.
    """

    source: str
    sentence: str
    needs: frozenset[Capability]
    refuses: Capability | None
    faults: tuple[str, ...]
    not_over: Mapping[Way, str]

    def __str__(self) -> str:
        return f"{self.source} promises: “{self.sentence}”"


class Chapter:
    """Cases of one subject: a base class of the suite.

    Attributes:
        title: The row of the report.
        needs: Capabilities that every case of it needs.
    """

    title: ClassVar[str] = ""
    needs: ClassVar[frozenset[Capability]] = frozenset()


@dataclass(frozen=True)
class Case:
    """A case of the suite, as the report shows it."""

    name: str
    chapter: str
    promise: Promise
    needs: frozenset[Capability] = field(default=frozenset())

    @property
    def text(self) -> str:
        """Its name as a sentence."""
        return self.name.removeprefix("test_").replace("_", " ")


ChapterT = TypeVar("ChapterT", bound=Chapter)
Body = Callable[[ChapterT, "Rig"], Coroutine[Any, Any, None]]

_PROMISES: dict[object, Promise] = {}


def promise(
    source: object,
    sentence: str,
    *,
    needs: Collection[Capability] = (),
    refuses: Capability | None = None,
    faults: tuple[str, ...] = (),
    not_over: Mapping[Way, str] | None = None,
) -> Callable[[Body[ChapterT]], Body[ChapterT]]:
    """Make a method a case: what it raises tells the promise, and it ends in a bounded time.

    Args:
        source: The class, method or member of the contract in whose docstring the sentence is;
            a constant by its name.
        sentence: Word for word.
        needs: Capabilities beside those of the chapter.
        refuses: The capability that must be refused; the case is for gateways without it.
        faults: Actions that the backend's fault must have.
        not_over: Why it makes no sense over a way.
    """
    promised = Promise(
        _name_of(source), sentence, frozenset(needs), refuses, faults, dict(not_over or {})
    )

    def decorate(body: Body[ChapterT]) -> Body[ChapterT]:
        @functools.wraps(body)
        async def run(self: ChapterT, rig: "Rig") -> None:
            __tracebackhide__ = True
            try:
                async with asyncio.timeout(rig.limit) as limit:
                    await body(self, rig)
            except TimeoutError as error:
                where = (
                    _line_of(error.__cause__ or error, inspect.getfile(body))
                    if limit.expired()
                    else ""
                )
                if not where:
                    error.add_note(str(promised))
                    raise
                hung = BrokenPromise(f"no answer within {rig.limit:g} s to: {where}")
                hung.add_note(str(promised))
                raise hung from None
            except Exception as error:
                error.add_note(str(promised))
                raise

        _PROMISES[run] = promised
        return run

    return decorate


def cases_of(suite: type) -> Mapping[str, Case]:
    """The cases of a suite by name, chapter by chapter in the order of its base classes."""
    cases: dict[str, Case] = {}
    for chapter in suite.__mro__:
        if not issubclass(chapter, Chapter):
            continue
        for name, member in vars(chapter).items():
            if callable(member) and (promised := _PROMISES.get(member)):
                needs = chapter.needs | promised.needs
                cases[name] = Case(name, chapter.title, promised, needs)
    return cases


def _name_of(source: object) -> str:
    if isinstance(source, Capability):
        return f"Capability.{source.name}"
    return source if isinstance(source, str) else str(getattr(source, "__qualname__", source))


def _line_of(error: BaseException, file: str) -> str:
    """The line of a case in which it was interrupted."""
    line = ""
    traceback: TracebackType | None = error.__traceback__
    while traceback:
        if traceback.tb_frame.f_code.co_filename == file:
            text = linecache.getline(file, traceback.tb_lineno).strip()
            line = f"{text} ({Path(file).name}:{traceback.tb_lineno})"
        traceback = traceback.tb_next
    return line
