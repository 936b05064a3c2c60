"""Secrets that cannot be read, with the field that refers to them."""

from collections.abc import Iterator
from contextlib import contextmanager

from penstock.plugin import NotReady


@contextmanager
def of_field(field: str) -> Iterator[None]:
    """Name the field in a `NotReady` that is raised within."""
    try:
        yield
    except NotReady as error:
        raise NotReady(f"{field}: {error}") from error
