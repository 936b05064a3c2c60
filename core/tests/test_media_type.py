"""Media types: how they are read, and which fit where."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.media_type import MediaType, fits, takes_all_of

MALFORMED = [
    "json",
    "/json",
    "application/",
    "application/json/x",
    "application json",
    "application/json; charset",
    "application/json; =x",
    'text/plain; a="unclosed',
    "text/plain, text/html",
    "*/json",
    " ",
    "é/json",
]


@pytest.mark.parametrize("text", MALFORMED)
def test_what_is_none_is_refused_with_what_is_expected(text: str) -> None:
    with pytest.raises(ValueError, match="expected type/subtype, as application/json"):
        MediaType.parse(text)


def test_an_empty_text_is_a_sequence_of_bytes() -> None:
    assert str(MediaType.parse("")) == "application/octet-stream"


def test_types_names_and_charsets_are_read_in_any_case() -> None:
    parsed = MediaType.parse("Text/PLAIN;CharSet=UTF-8")
    assert parsed == MediaType("text", "plain", {"charset": "utf-8"})


def test_values_keep_their_case_and_lose_their_quotes() -> None:
    parsed = MediaType.parse(r'a/b ; boundary="A; \"b\"" ;; q=0.5')
    assert parsed.parameters == {"boundary": 'A; "b"', "q": "0.5"}


@pytest.mark.parametrize("text", ["application/cloudevents+json", "text/plain; charset=utf-8"])
def test_its_text_is_what_was_read(text: str) -> None:
    assert str(MediaType.parse(text)) == text


@given(st.text(st.characters(codec="latin-1", exclude_categories=["Cc"])))
def test_any_value_of_a_parameter_comes_back_from_its_text(value: str) -> None:
    parsed = MediaType("a", "b", {"x": value})
    assert MediaType.parse(str(parsed)) == parsed


def test_a_suffix_is_what_follows_the_last_plus() -> None:
    assert MediaType.parse("application/a+b+json").suffix == "json"
    assert MediaType.parse("application/json").suffix == ""


@pytest.mark.parametrize(
    ("text", "concrete"),
    [("a/b", True), ("a/b+c", True), ("*/*", False), ("a/*", False), ("a/*+json", False)],
)
def test_a_range_is_not_concrete(text: str, concrete: bool) -> None:
    assert MediaType.parse(text).is_concrete is concrete


@pytest.mark.parametrize(
    ("declared", "actual"),
    [
        ("", "text/plain"),
        ("", ""),
        ("application/octet-stream", "application/json"),
        ("application/octet-stream", ""),
        ("application/json", "application/json"),
        ("application/json", "APPLICATION/JSON"),
        ("application/json", "application/json; charset=utf-8"),
        ("application/json; charset=utf-8", "application/json"),
        ("application/json; charset=utf-8", 'application/json;charset="UTF-8"'),
        ("application/json", "application/cloudevents+json"),
        ("application/*+json", "application/cloudevents+json"),
        ("application/*", "application/json"),
        ("*/*", "text/plain"),
        ("*/*", ""),
        ("application/json; q=0.5", "application/json; q=1"),
        ("text/plain; v=1", "text/plain; charset=utf-8"),
    ],
)
def test_it_fits(declared: str, actual: str) -> None:
    assert fits(declared, actual)


@pytest.mark.parametrize(
    ("declared", "actual"),
    [
        ("application/json", "text/plain"),
        ("application/json", ""),
        ("application/json", "text/json"),
        ("application/json", "application/jsonp"),
        ("application/cloudevents+json", "application/json"),
        ("application/xml", "application/cloudevents+json"),
        ("application/json; charset=utf-8", "application/json; charset=latin-1"),
        ("text/*", "application/json"),
        ("not a type", "application/json"),
        ("application/json", "application/*"),
        ("*/*", "*/*"),
        ("", "text/*"),
    ],
)
def test_it_does_not_fit(declared: str, actual: str) -> None:
    assert not fits(declared, actual)


@pytest.mark.parametrize("actual", MALFORMED)
def test_what_is_no_media_type_fits_nowhere(actual: str) -> None:
    assert not any(fits(declared, actual) for declared in ("", "*/*", "application/json"))


def test_a_long_text_takes_no_longer_than_its_length() -> None:
    began = time.process_time()
    MediaType.parse("a/b" + ";" * 1_000_000)
    assert time.process_time() - began < 10  # by the square of its length: half an hour


@pytest.mark.parametrize(
    ("declared", "other"),
    [
        ("", "*/*"),
        ("application/octet-stream", "text/plain"),
        ("*/*", ""),
        ("*/*", "application/octet-stream"),
        ("text/*", "text/*"),
        ("text/*", "text/plain; charset=utf-8"),
        ("text/plain; charset=UTF-8", "text/plain; charset=utf-8"),
        ("application/json", "application/*+json"),
        ("*/*;q=0.5", "text/plain"),
    ],
)
def test_one_declaration_takes_all_of_another(declared: str, other: str) -> None:
    assert takes_all_of(declared, other)


@pytest.mark.parametrize(
    ("declared", "other"),
    [
        ("text/plain", ""),
        ("application/*", "application/octet-stream"),
        ("text/plain", "text/*"),
        ("text/*", "*/*"),
        ("application/*+json", "application/json"),
        ("text/plain; charset=utf-8", "text/plain"),
        ("text/plain; charset=utf-8", "text/plain; charset=latin1"),
        ("*/*; charset=utf-8", ""),
        ("json", "text/plain"),
        ("text/plain", "json"),
    ],
)
def test_one_declaration_refuses_some_of_another(declared: str, other: str) -> None:
    assert not takes_all_of(declared, other)
