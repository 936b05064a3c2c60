"""YAML that is read as it was meant, whatever its texts and comments hold."""

from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from penstock.adoption.entry import Entry
from penstock.adoption.rendering import render
from penstock.resources.document import Document, read_documents

texts = st.text(max_size=20) | st.sampled_from(
    ["y", "No", "on", "null", "~", "1e3", "0x1f", "12:30", "2020-01-01", "- a", "a: b", "a #b", ""]
)
names = st.text(min_size=1, max_size=10) | st.sampled_from(["y", "on", "1", "a b", "<<", "=", "#"])
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=12,
)
documents = st.dictionaries(names, values, min_size=1, max_size=4)


def read_back(text: str) -> list[Any]:
    found = list(read_documents(Path("app.yaml"), text))
    assert all(isinstance(one, Document) for one in found), (text, found)
    return [one.value for one in found if isinstance(one, Document)]


@given(documents, st.lists(texts, max_size=3), st.data())
def test_what_is_rendered_is_read_again(
    document: dict[str, Any], comments: list[str], data: st.DataObject
) -> None:
    entry = Entry(document, heading=comments)
    for one in comments:
        path = data.draw(st.sampled_from([(), *((name,) for name in document), ("none",)]))
        entry.comment(path, one)
    text = render([entry, Entry(heading=comments), entry])
    assert read_back(text) == [document, document]


def test_comments_stand_above_their_fields_and_else_at_the_end_of_what_is_around() -> None:
    entry = Entry({"a": {"b": [{"c": 1, "d": 2}, "e"]}, "f": {}}, heading=["of a test"])
    entry.comment(("a",), "on a")
    entry.comment(("a", "b", 0), "on the first")
    entry.comment(("a", "b", 0, "d"), "on d")
    entry.comment(("a", "b", 0, "x"), "in the first")
    entry.comment(("a", "b", 1), "on the second")
    entry.comment(("a", "x", "y"), "in a")
    entry.comment(("f", "x"), "in f")
    entry.comment(("x",), "at the end")
    assert (
        render([entry])
        == """\
---
# of a test
# on a
a:
  b:
  # on the first
  - c: 1
    # on d
    d: 2
    # in the first
  # on the second
  - e
  # in a
f: {}
  # in f
# at the end
"""
    )


def test_a_long_comment_is_wrapped_and_stays_one() -> None:
    entry = Entry({"a": 1}, heading=["many words " * 20, "a\nb: 2"])
    text = render([entry])
    assert max(map(len, text.splitlines())) <= 100
    assert "# a\\nb: 2\n" in text
    assert read_back(text) == [{"a": 1}]
