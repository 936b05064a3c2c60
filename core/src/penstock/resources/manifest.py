"""Reads manifests: everything that can be wrong in them is found in one run."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from penstock.plugin import Plugins, UsageError
from penstock.resources.checks import check
from penstock.resources.declaration import Declaration, declared
from penstock.resources.document import MalformedDocument, read_documents
from penstock.resources.files import Text, read_files
from penstock.resources.kubernetes_secret import Secret
from penstock.resources.models import (
    GROUP,
    ConcreteGateway,
    Gateway,
    Processor,
    Resource,
    Stream,
)
from penstock.resources.problem import Problem
from penstock.resources.source import Source

Kind = TypeVar("Kind", bound=Resource | Secret)


@dataclass(frozen=True, slots=True)
class Manifests:
    """What was read, in the order of the files.

    With errors among the problems, the resources are as good a guess as can be made of them.

    Attributes:
        gateways: Those of concrete kinds.
        abstract_gateways: Resources of the kind `Gateway`, for a cluster.
        streams, processors: All of them.
        secrets: The Secrets of Kubernetes; who has no more need of their values clears the list.
        problems: In the order of files and lines.
    """

    gateways: list[ConcreteGateway] = field(default_factory=list)
    abstract_gateways: list[Gateway] = field(default_factory=list)
    streams: list[Stream] = field(default_factory=list)
    processors: list[Processor] = field(default_factory=list)
    secrets: list[Secret] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def errors(self) -> list[Problem]:
        """The problems with which the manifests cannot be used."""
        return [one for one in self.problems if one.severity == "error"]

    @property
    def warnings(self) -> list[Problem]:
        """The problems that a person should know of."""
        return [one for one in self.problems if one.severity == "warning"]

    def raise_errors(self) -> None:
        """Do nothing when the manifests can be used.

        Raises:
            UsageError: They cannot; a line for each error.
        """
        if self.errors:
            raise UsageError("\n".join(str(one) for one in self.errors))


def load(paths: Sequence[Path], plugins: Plugins, *, local: bool = True) -> Manifests:
    """Read files and folders of manifests and check all that they declare.

    Args:
        paths: Files, folders (their `.yaml` and `.yml` files) or `-` for standard input.
        plugins: The plugins that are installed: they say which kinds of gateway there are.
        local: Check what the local runtime needs (a command in each function's container);
            else what a cluster needs (an image or a build).
    """
    reading = _Reading(plugins)
    for text in read_files(paths):
        reading.add(text)
    return reading.manifests(local=local)


class _Reading:
    def __init__(self, plugins: Plugins) -> None:
        self._plugins = plugins
        self._files: list[Path] = []
        self._declarations: list[Declaration] = []
        self._problems: list[Problem] = []
        self._complete = True

    def add(self, text: Text | Problem) -> None:
        """Take in a file, or why it could not be read."""
        if isinstance(text, Problem):
            self._files.append(text.source.file)
            self._incomplete(text)
            return
        self._files.append(text.file)
        for document in read_documents(text.file, text.text):
            if isinstance(document, MalformedDocument):
                self._incomplete(Problem(Source(text.file, document.line), str(document)))
                continue
            for found in declared(document, self._plugins):
                if isinstance(found, Problem):
                    self._problems.append(found)
                else:
                    self._declarations.append(found)

    def manifests(self, *, local: bool) -> Manifests:
        """Check what was taken in, and hand it over."""
        known = {(one.source.file, one.resource, one.field) for one in self._problems}
        for one in check(self._declarations, local=local, complete=self._complete):
            if (one.source.file, one.resource, one.field) not in known:
                self._problems.append(one)
        resources = [one.resource for one in self._declarations if one.resource]
        nothing = all(one.kind == Secret.kind for one in self._declarations)
        if self._files and nothing and self._complete and not known:
            message = f"nothing of {GROUP} is declared here"
            self._problems.append(Problem(Source(self._files[0]), message))
        self._problems.sort(key=lambda one: (self._files.index(one.source.file), one.source.line))
        return Manifests(
            gateways=_of(ConcreteGateway, resources),
            abstract_gateways=_of(Gateway, resources),
            streams=_of(Stream, resources),
            processors=_of(Processor, resources),
            secrets=_of(Secret, resources),
            problems=self._problems,
        )

    def _incomplete(self, problem: Problem) -> None:
        self._problems.append(problem)
        self._complete = False


def _of(kind: type[Kind], resources: Sequence[Resource | Secret]) -> list[Kind]:
    return [one for one in resources if isinstance(one, kind)]
