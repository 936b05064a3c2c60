"""What an origin of manifests has to say of itself."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from penstock.adoption.entry import Entry
from penstock.adoption.foreign import Foreign, problem_of
from penstock.resources.problem import Problem


@dataclass(slots=True)
class Surroundings:
    """What stands beside a resource in the files.

    Attributes:
        resources: All that was read.
        problems: Where problems are noted.
        made: What was made because something needs it: kinds, names and namespaces.
    """

    resources: Sequence[Foreign]
    problems: list[Problem] = field(default_factory=list)
    made: set[tuple[str, str, str]] = field(default_factory=set)

    def find(self, kind: str, name: str, home: str) -> Foreign | None:
        """The resource of a kind and a name in a namespace."""
        return next((one for one in self.of_kind(kind, home) if one.name == name), None)

    def of_kind(self, kind: str, home: str) -> Iterator[Foreign]:
        """The resources of a kind in a namespace."""
        return (one for one in self.resources if one.kind == kind and one.home == home)

    def makes(self, kind: str, name: str, home: str) -> bool:
        """Whether something that is needed is to be made; said once of each."""
        key = (kind, name, home)
        first = key not in self.made
        self.made.add(key)
        return first

    def warn(self, resource: Foreign, message: str) -> None:
        """Note what a person should know of a resource."""
        self.problems.append(problem_of(resource, message))


Adopt = Callable[[Foreign, Surroundings], Iterator[Entry]]
"""What becomes of a resource."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A system whose manifests are read.

    Attributes:
        name: What the command line calls it.
        kinds: What becomes of each kind, by group and kind.
        remarks: What is said of a kind that needs nothing, by group and kind.
        refusals: What is said, as a warning, of a kind that becomes nothing.
    """

    name: str
    kinds: Mapping[tuple[str, str], Adopt]
    remarks: Mapping[tuple[str, str], str] = field(default_factory=dict)
    refusals: Mapping[tuple[str, str], str] = field(default_factory=dict)
