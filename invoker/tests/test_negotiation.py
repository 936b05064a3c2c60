"""The content type of an output, from what is expected and what was given."""

from collections.abc import Iterator
from typing import Any

import pytest

from penstock_invoker import codecs, register_codec
from penstock_invoker.negotiation import accepts, choose, possible_types
from penstock_invoker.value_type import ANY


def chosen(expected: str, kind: type) -> str | None:
    choice = choose(expected, ANY, kind)
    return choice.content_type if choice else None


@pytest.mark.parametrize(
    ("expected", "kind", "content_type"),
    [
        ("text/plain", str, "text/plain"),
        ("Text/Plain;Charset=UTF-8", str, "Text/Plain;Charset=UTF-8"),  # as the caller writes it
        ("application/json", str, "application/json"),
        ("application/vnd.order+json", dict, "application/vnd.order+json"),
        ("text/plain, application/json", dict, "application/json"),
        ("application/json,text/plain", str, "application/json"),
        ("text/plain;q=0.1, application/json", str, "text/plain"),
        ('text/plain; title="a, b", image/png', str, 'text/plain; title="a, b"'),
        ("text/plain,", dict, None),
        (" , application/json", dict, "application/json"),
        ("nonsense, text/plain", str, "text/plain"),
        ("", bytes, "application/octet-stream"),
        ("", dict, None),
        ("*/*", str, "text/plain"),
        ("*/*", bytes, "application/octet-stream"),
        ("*/*", dict, "application/json"),
        ("*/*", float, "application/json"),
        ("text/*;charset=utf-16", str, "text/plain; charset=utf-16"),
        ("text/*", float, "text/plain"),
        ("text/*", dict, None),
        ("application/*", bytes, "application/octet-stream"),
        ("image/*", bytes, None),  # which of them, nobody says
        ("image/png", bytes, "image/png"),
        ("image/png", str, None),
    ],
)
def test_the_first_type_that_can_be_produced(
    expected: str, kind: type, content_type: str | None
) -> None:
    assert chosen(expected, kind) == content_type


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A content type that was registered."""
    monkeypatch.setattr(codecs, "_codecs", list(codecs._codecs))
    register_codec("application/x-lines", encode=lambda value: repr(value).encode())
    return iter(())


@pytest.mark.usefixtures("lines")
def test_a_registered_type_takes_part() -> None:
    assert chosen("application/x-lines", dict) == "application/x-lines"
    assert chosen("application/*", str) == "application/x-lines"
    assert possible_types(ANY, dict) == ["application/json", "application/x-lines"]


@pytest.mark.parametrize(
    ("kind", "types"),
    [
        (str, ["text/plain", "application/json", "application/octet-stream"]),
        (float, ["application/json", "text/plain"]),
        (dict, ["application/json"]),
    ],
)
def test_what_a_value_can_be_written_as(kind: type[Any], types: list[str]) -> None:
    assert possible_types(ANY, kind) == types


@pytest.mark.parametrize(
    ("expected", "content_type", "accepted"),
    [
        ("text/plain", "text/plain; charset=latin-1", True),
        ("application/json, text/*", "text/csv", True),
        ("application/json", "text/csv", False),
        ("application/octet-stream", "image/png", True),  # any message is a sequence of bytes
        ("", "image/png", True),
        ("text/plain", "nonsense", False),
    ],
)
def test_a_type_that_a_message_names_must_be_expected(
    expected: str, content_type: str, *, accepted: bool
) -> None:
    assert accepts(expected, content_type) is accepted
