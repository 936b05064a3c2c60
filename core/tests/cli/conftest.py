"""Fixtures of the command line as a person uses it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from tests.command_line import Penstock, wait_for_end

POOL = 40
GATEWAY = """
    ---
    apiVersion: streaming.projectriff.io/v1alpha1
    kind: InMemoryGateway
    metadata: {name: memory}
"""
STREAM = """
    ---
    apiVersion: streaming.projectriff.io/v1alpha1
    kind: Stream
    metadata: {{name: {name}, namespace: {namespace}}}
    spec: {{gateway: {{name: memory}}, contentType: "{content_type}"}}
"""


@pytest.fixture
def await_end() -> Callable[..., None]:
    """Waits until no process of some ids runs any more."""
    return wait_for_end


@pytest.fixture
def penstock(tmp_path: Path) -> Penstock:
    return Penstock(tmp_path / "state")


@pytest.fixture(scope="session")
def streams(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Penstock]:
    """The command line beside a `penstock run` of some streams, one for each use."""
    folder = tmp_path_factory.mktemp("streams")
    file = folder / "streams.yaml"
    declared = [(f"text-{number}", "default", "text/plain") for number in range(POOL)]
    declared += [
        ("numbers", "default", "application/json"),
        ("notes", "default", "text/*"),
        ("bytes", "default", ""),
        ("words", "elsewhere", "text/plain"),
    ]
    memory = dedent(GATEWAY)
    file.write_text(
        memory
        + memory.replace("memory}", "memory, namespace: elsewhere}")
        + "".join(
            dedent(STREAM).format(name=name, namespace=namespace, content_type=content_type)
            for name, namespace, content_type in declared
        )
    )
    penstock = Penstock(folder / "state")
    with penstock.run(file):
        yield penstock


@pytest.fixture(scope="session")
def pool() -> Iterator[str]:
    return (f"text-{number}" for number in range(POOL))


@pytest.fixture
def stream(pool: Iterator[str]) -> str:
    """A stream of text/plain that no other test has used."""
    return next(pool)
