"""From files of another system to YAML of penstock."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from penstock.adoption.entry import Entry
from penstock.adoption.foreign import Foreign, read_foreign
from penstock.adoption.origin import Origin, Surroundings
from penstock.adoption.origins import ORIGINS
from penstock.adoption.rendering import render
from penstock.plugin import Plugins
from penstock.resources.declaration import declared
from penstock.resources.document import Document
from penstock.resources.files import Text
from penstock.resources.kinds import DISTRIBUTIONS
from penstock.resources.problem import Problem
from penstock.resources.source import STANDARD_INPUT, Source
from penstock.resources.suggestion import listing

_AS_IT_IS = {
    ("", "ConfigMap"): "stays as it is",
    ("", "Namespace"): "stays as it is",
    ("", "Secret"): "stays as it is",
    ("", "Service"): "stays as it is",
    ("", "ServiceAccount"): "stays as it is",
    ("apps", "Deployment"): "stays as it is",
}


@dataclass(frozen=True, slots=True)
class Adopted:
    """What became of files.

    Attributes:
        text: YAML with comments.
        problems: What is wrong in the files, and what a person should know.
    """

    text: str
    problems: list[Problem]

    @property
    def errors(self) -> list[Problem]:
        """The problems with which the text is not to be used."""
        return [one for one in self.problems if one.severity == "error"]


def adopt(origin: Origin, texts: Iterable[Text | Problem], plugins: Plugins) -> Adopted:
    """Make penstock's manifests of another system's.

    Args:
        origin: The system.
        texts: The files, or why one cannot be read.
        plugins: The plugins that are installed: they say what a gateway's spec may hold.
    """
    problems: list[Problem] = []
    files = list(texts)
    resources = list(read_foreign(files, problems))
    surroundings = Surroundings(resources, problems)
    entries = list(_unique(_entries(origin, surroundings, plugins), problems))
    known = any((one.group, one.kind) in origin.kinds for one in resources)
    names = [one.file if isinstance(one, Text) else one.source.file for one in files]
    if not known and all(one.severity == "warning" for one in problems):
        place = Source(names[0] if names else STANDARD_INPUT)
        problems.append(Problem(place, _nothing(origin, resources)))
    problems.sort(key=lambda one: (names.index(one.source.file), one.source.line))
    return Adopted(render(entries), problems)


def _checked(entry: Entry, plugins: Plugins) -> Iterator[Problem]:
    """What penstock has to say of a resource, with the place of what it is from."""
    if not entry.document:
        return
    kind = entry.document["kind"]
    missing = kind in DISTRIBUTIONS and kind not in plugins.by_kind
    for found in declared(Document(entry.document, entry.source), plugins):
        if isinstance(found, Problem):
            if missing:
                # Others may have the plugin.
                entry.comment(("kind",), found.message)
                yield replace(found, severity="warning")
            else:
                yield found


def _entries(origin: Origin, surroundings: Surroundings, plugins: Plugins) -> Iterator[Entry]:
    problems = surroundings.problems
    for one in surroundings.resources:
        key = (one.group, one.kind)
        if key in origin.kinds:
            before = len(problems)
            entries = list(origin.kinds[key](one, surroundings))
            sound = all(found.severity == "warning" for found in problems[before:])
            for entry in entries:
                entry.source = one.source
                if sound:
                    problems.extend(_checked(entry, plugins))
            yield from entries
        elif remark := origin.remarks.get(key) or _AS_IT_IS.get(key):
            yield one.remark(remark)
        else:
            message = origin.refusals.get(key, "is left out: it has no equal here")
            surroundings.warn(one, message)
            yield one.remark(message)


def _unique(entries: Iterable[Entry], problems: list[Problem]) -> Iterator[Entry]:
    """The first of each kind and name; of the others what they say."""
    first: dict[tuple[str, str, str], Entry] = {}
    for entry in entries:
        if not entry.document:
            yield entry
        elif entry.key not in first:
            first[entry.key] = entry
            yield entry
        else:
            yield _told(entry, first[entry.key], problems)


def _told(entry: Entry, first: Entry, problems: list[Problem]) -> Entry:
    kind, _, name = entry.key
    heading = [*entry.heading, f'its {kind} "{name}" stands above']
    if entry.document.get("spec") != first.document.get("spec"):
        message = f'there are two of {kind} "{name}", and they differ: the first is taken'
        problems.append(Problem(entry.source, message, severity="warning"))
        heading.append(message)
    said = [text for _, text in entry.comments if (_, text) not in first.comments]
    return Entry(heading=[*heading, *said])


def _nothing(origin: Origin, resources: list[Foreign]) -> str:
    expected = listing(f"{kind} of {group}" for group, kind in origin.kinds)
    message = f"nothing of {origin.name} is declared here: expected {expected}"
    others = {
        name
        for name, other in ORIGINS.items()
        if any((one.group, one.kind) in other.kinds for one in resources)
    }
    hints = (f"; it is {name}'s: penstock import {name}" for name in sorted(others))
    return message + "".join(hints)
