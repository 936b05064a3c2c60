"""Which types of values are read from and written to which content types."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from penstock.media_type import MediaType
from penstock_invoker import codecs, register_codec
from penstock_invoker.codecs import find_reader, find_writer
from penstock_invoker.value_type import ANY, ValueType

TEXT, JSON, OCTETS = "text/plain", "application/json", "application/octet-stream"


@dataclass
class Point:
    x: int
    y: float = 0.5


class Order(BaseModel):
    model_config = ConfigDict(populate_by_name=True)

    item: str
    total: float = Field(alias="sum")


class Row(TypedDict):
    name: str


def read(annotation: Any, content_type: str, payload: bytes) -> Any:
    reader = find_reader(ValueType(annotation), MediaType.parse(content_type))
    assert reader is not None, f"{annotation} is not read from {content_type}"
    return reader(payload)


def write(annotation: Any, content_type: str, value: object) -> bytes:
    writer = find_writer(ValueType(annotation), type(value), MediaType.parse(content_type))
    assert writer is not None, f"{annotation} is not written as {content_type}"
    return writer(value)


@pytest.mark.parametrize(
    ("annotation", "content_type", "payload", "value"),
    [
        (str, TEXT, b"a", "a"),
        (str, "text/csv", b"a,b", "a,b"),
        (str, "text/plain; charset=latin-1", b"\xe9", "é"),
        (str, JSON, b'"a"', "a"),
        (str, OCTETS, "é".encode(), "é"),
        (str | None, TEXT, b"a", "a"),
        (Annotated[str, Field(max_length=3)], TEXT, b"abc", "abc"),
        (bytes, TEXT, b"\xff", b"\xff"),
        (bytes, JSON, b"{", b"{"),
        (bytes, OCTETS, b"\xff", b"\xff"),
        (bytes, "image/png", b"\xff", b"\xff"),
        (int, TEXT, b"55", 55),
        (int, JSON, b"55", 55),
        (float, TEXT, b"55", 55.0),
        (float, JSON, b"55", 55.0),
        (bool, TEXT, b"true", True),
        (bool, JSON, b"false", False),
        (dict, JSON, b'{"a":[1,2.5,null]}', {"a": [1, 2.5, None]}),
        (list, JSON, b"[1]", [1]),
        (list[float], JSON, b"[1]", [1.0]),
        (Row, JSON, b'{"name":"a"}', {"name": "a"}),
        (Literal["a", "b"], JSON, b'"a"', "a"),
        (datetime, JSON, b'"2020-11-23T15:00:00Z"', datetime(2020, 11, 23, 15, tzinfo=UTC)),
        (Point, JSON, b'{"x":1}', Point(1)),
        (Point, "application/cloudevents+json", b'{"x":1,"y":2}', Point(1, 2.0)),
        (Order, JSON, b'{"item":"a","sum":1}', Order(item="a", total=1.0)),
        (Order | None, JSON, b"null", None),
        (Any, TEXT, b"a", "a"),
        (Any, JSON, b'{"a":1}', {"a": 1}),
        (Any, OCTETS, b"\xff", b"\xff"),
    ],
)
def test_reads(annotation: Any, content_type: str, payload: bytes, value: object) -> None:
    found = read(annotation, content_type, payload)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("annotation", "content_type"),
    [
        (dict, TEXT),
        (Point, TEXT),
        (list[int], OCTETS),
        (int, OCTETS),
        (Order, OCTETS),
        (str, "image/png"),
        (Any, "image/png"),
        (str, "text/plain; charset=hex"),
        (str, "text/plain; charset=undefined"),
    ],
)
def test_does_not_read(annotation: Any, content_type: str) -> None:
    assert find_reader(ValueType(annotation), MediaType.parse(content_type)) is None


@pytest.mark.parametrize(
    ("annotation", "content_type", "payload"),
    [
        (str, TEXT, b"\xff"),
        (Annotated[str, Field(max_length=3)], TEXT, b"abcd"),
        (Annotated[bytes, Field(max_length=3)], OCTETS, b"abcd"),
        (int, TEXT, b"many"),
        (int, JSON, b"1.5"),
        (dict, JSON, b"[1]"),
        (Point, JSON, b'{"y":1}'),
        (Any, JSON, b"{"),
    ],
)
def test_a_payload_that_does_not_fit_its_type_is_an_error(
    annotation: Any, content_type: str, payload: bytes
) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read(annotation, content_type, payload)


@pytest.mark.parametrize(
    ("annotation", "content_type", "value", "payload"),
    [
        (Any, TEXT, "é", "é".encode()),
        (Any, "text/plain; charset=latin-1", "é", b"\xe9"),
        (Any, TEXT, 55.0, b"55.0"),
        (Any, TEXT, True, b"true"),
        (Any, JSON, "a", b'"a"'),
        (Any, JSON, 55.0, b"55.0"),
        (float, JSON, 55, b"55.0"),
        (Any, JSON, float("nan"), b"null"),
        (float, JSON, float("inf"), b"null"),
        (Any, JSON, {"a": [1, None]}, b'{"a":[1,null]}'),
        (dict[str, Point], JSON, {"a": Point(1)}, b'{"a":{"x":1,"y":0.5}}'),
        (Any, JSON, Point(1), b'{"x":1,"y":0.5}'),
        (Point, JSON, Point(1), b'{"x":1,"y":0.5}'),
        (Any, JSON, Order(item="a", total=1), b'{"item":"a","sum":1.0}'),
        (Order, JSON, Order(item="a", total=1), b'{"item":"a","sum":1.0}'),
        (Any, "application/cloudevents+json", {}, b"{}"),
        (Any, JSON, b"{}", b"{}"),
        (Any, OCTETS, b"\xff", b"\xff"),
        (Any, OCTETS, bytearray(b"\xff"), b"\xff"),
        (Any, OCTETS, "é", "é".encode()),
        (Any, "image/png", b"\xff", b"\xff"),
    ],
)
def test_writes(annotation: Any, content_type: str, value: object, payload: bytes) -> None:
    assert write(annotation, content_type, value) == payload


@pytest.mark.parametrize(
    ("annotation", "kind", "content_type"),
    [
        (Any, dict, TEXT),
        (Any, Point, OCTETS),
        (Any, int, OCTETS),
        (Any, str, "image/png"),
        (object(), dict, JSON),  # nothing that pydantic knows
    ],
)
def test_does_not_write(annotation: Any, kind: type, content_type: str) -> None:
    assert find_writer(ValueType(annotation), kind, MediaType.parse(content_type)) is None


@pytest.mark.parametrize(
    ("annotation", "value"), [(int, "a"), (list[int], ["a"]), (Point, {"x": 1}), (Any, object())]
)
def test_a_value_that_does_not_fit_its_type_is_an_error(annotation: Any, value: object) -> None:
    with pytest.raises(ValueError, match=r".+"):
        write(annotation, JSON, value)


@pytest.mark.parametrize(
    ("annotation", "kind", "admitted"),
    [
        (str, str, True),
        (str, int, False),
        (str | None, str, True),
        (str | int, float, True),  # no one class: what is written tells
        (float, int, True),
        (int, float, False),
        (Point, dict, False),
        (Row, dict, True),
        (Sequence[int], list, True),
        (list[int], tuple, False),
        (None, str, False),
        (Any, str, True),
        (object, str, True),
    ],
)
def test_the_class_of_a_value_tells_whether_it_is_what_is_declared(
    annotation: Any, kind: type, *, admitted: bool
) -> None:
    assert ValueType(type(None) if annotation is None else annotation).admits(kind) is admitted


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is registered in a test is gone after it."""
    monkeypatch.setattr(codecs, "_codecs", list(codecs._codecs))
    return iter(())


def _lines(payload: bytes) -> dict[str, str]:
    return dict(line.split("=") for line in payload.decode().splitlines())


@pytest.mark.usefixtures("registry")
def test_more_types_can_be_registered() -> None:
    register_codec("application/x-lines", decode=_lines, encode=lambda value: repr(value).encode())
    assert read(Any, "application/x-lines", b"x=1") == {"x": "1"}
    assert read(Point, "application/x-lines", b"x=1\ny=2") == Point(1, 2.0)
    assert write(Any, "application/x-lines", Point(1)) == b"Point(x=1, y=0.5)"


@pytest.mark.usefixtures("registry")
def test_what_is_registered_wins_over_what_is_built_in() -> None:
    register_codec("text/csv", decode=lambda payload: payload.decode().split(","))
    assert read(Any, "text/csv", b"a,b") == ["a", "b"]
    assert read(Any, TEXT, b"a,b") == "a,b"
    assert write(Any, "text/csv", "a,b") == b"a,b"  # only reading was registered


@pytest.mark.usefixtures("registry")
def test_a_codec_that_gives_no_bytes_is_an_error() -> None:
    careless: Callable[[Any], Any] = str
    register_codec("application/x-lines", encode=careless)
    with pytest.raises(TypeError, match="the codec gave str: expected bytes"):
        write(Any, "application/x-lines", 1)


def test_a_codec_that_does_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="expected decode, encode or both"):
        register_codec("application/x-lines")
    with pytest.raises(ValueError, match="not a media type"):
        register_codec("lines", decode=bytes)


def test_types_are_named_as_they_are_written() -> None:
    assert [str(ValueType(one)) for one in (int, list[int], type(None))] == [
        "int",
        "list[int]",
        "None",
    ]
    assert str(ANY) == "Any"
