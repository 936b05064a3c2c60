"""What held of a gateway: case by case, and counted by chapter."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from penstock.testing.outcome import Outcome, Status
from penstock.testing.promise import Case
from penstock.testing.way import Way

_SEPARATOR = ": "
_WORDS = {
    Status.FAILED: "failed",
    Status.PASSED: "passed",
    Status.NOT_DECLARED: "not declared",
    Status.NOT_APPLICABLE: "n/a",
    Status.NOT_RUN: "not run",
}


@dataclass(frozen=True)
class Row:
    """One case.

    Attributes:
        chapter: Its subject.
        case: Its name as a sentence.
        source: Whose docstring has the promise.
        sentence: The promise, word for word.
        outcomes: By way.
    """

    chapter: str
    case: str
    source: str
    sentence: str
    outcomes: Mapping[Way, Outcome]


@dataclass(frozen=True)
class Report:
    """One run of the suite.

    Attributes:
        gateway: What it is called.
        kind: The kind of its resource.
        capabilities: Those that it declares, in alphabetical order.
        rows: In the order of the suite.
    """

    gateway: str
    kind: str
    capabilities: tuple[str, ...]
    rows: tuple[Row, ...]

    @classmethod
    def of(
        cls,
        gateway: str,
        kind: str,
        capabilities: Iterable[str],
        cases: Iterable[Case],
        outcomes: Mapping[tuple[str, Way], Outcome],
    ) -> Self:
        """Put together what was seen of each case, by its name and way; the rest was not run."""
        declared = frozenset(capabilities)
        rows = (
            Row(
                case.chapter,
                case.text,
                case.promise.source,
                case.promise.sentence,
                {way: outcomes.get((case.name, way)) or unseen(case, declared, way) for way in Way},
            )
            for case in cases
        )
        return cls(gateway, kind, tuple(sorted(declared)), tuple(rows))

    @property
    def complete(self) -> bool:
        """Whether every case was run, or is known not to be for this gateway."""
        return not any(
            outcome.status is Status.NOT_RUN
            for row in self.rows
            for outcome in row.outcomes.values()
        )

    def chapters(self) -> Mapping[str, Sequence[Row]]:
        """The rows of each chapter."""
        chapters: dict[str, list[Row]] = {}
        for row in self.rows:
            chapters.setdefault(row.chapter, []).append(row)
        return chapters

    def to_json(self) -> str:
        """As text that does not change where nothing else does."""
        cases = [
            {
                "chapter": row.chapter,
                "case": row.case,
                "promise": f"{row.source}{_SEPARATOR}{row.sentence}",
                **{way: _SEPARATOR.join(filter(None, row.outcomes[way])) for way in Way},
            }
            for row in self.rows
        ]
        whole = {
            "gateway": self.gateway,
            "kind": self.kind,
            "capabilities": self.capabilities,
            "cases": cases,
        }
        return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The report that was written so."""
        whole = json.loads(text)
        rows = tuple(_row(case) for case in whole["cases"])
        return cls(whole["gateway"], whole["kind"], tuple(whole["capabilities"]), rows)


def unseen(case: Case, declared: frozenset[str], way: Way) -> Outcome:
    """What is to be said of a case that was not run in a way."""
    if missing := sorted(case.needs - declared):
        return Outcome(Status.NOT_DECLARED, ", ".join(missing))
    if reason := case.promise.not_over.get(way):
        return Outcome(Status.NOT_APPLICABLE, reason)
    return Outcome(Status.NOT_RUN)


def counted(outcomes: Iterable[Outcome]) -> str:
    """How many outcomes there are of each status, as in `3 passed, 1 n/a`."""
    counts = Counter(outcome.status for outcome in outcomes)
    if len(counts) == 1 and not counts.keys() & {Status.PASSED, Status.FAILED}:
        [status] = counts
        return str(status)
    return ", ".join(
        f"{counts[status]} {word}" for status, word in _WORDS.items() if counts[status]
    )


def _row(case: Mapping[str, Any]) -> Row:
    source, _, sentence = case["promise"].partition(_SEPARATOR)
    return Row(
        case["chapter"],
        case["case"],
        source,
        sentence,
        {way: _outcome(case[way]) for way in Way},
    )


def _outcome(text: str) -> Outcome:
    status, _, reason = text.partition(_SEPARATOR)
    return Outcome(Status(status), reason)
