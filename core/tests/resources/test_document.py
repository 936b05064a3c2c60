"""YAML is read as Kubernetes reads it, with the line of each field."""

from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from penstock.resources.document import MAX_VALUES, Document, MalformedDocument, read_documents

FILE = Path("app.yaml")


def documents(text: str) -> list[Document]:
    found = list(read_documents(FILE, dedent(text)))
    assert all(isinstance(one, Document) for one in found), found
    return [one for one in found if isinstance(one, Document)]


def value(text: str) -> Any:
    (document,) = documents(text)
    return document.value


def malformed(text: str) -> list[tuple[int, str]]:
    found = read_documents(FILE, dedent(text))
    return [(one.line, str(one)) for one in found if isinstance(one, MalformedDocument)]


def test_each_field_has_its_line() -> None:
    (document,) = documents(
        """\
        # a comment
        spec:
          inputs:
            - stream: a

            - stream: b
              alias: c
          config: {x: y}
        """
    )
    lines = {
        path: document.source.at(path).line
        for path in [
            ("spec",),
            ("spec", "inputs"),
            ("spec", "inputs", 1),
            ("spec", "inputs", 1, "alias"),
            ("spec", "config", "x"),
        ]
    }
    assert list(lines.values()) == [2, 3, 6, 7, 8]


def test_a_field_that_is_not_there_has_the_line_of_what_is_around_it() -> None:
    (document,) = documents("\nspec:\n  inputs:\n  - stream: a\n")
    assert document.source.at(("spec", "inputs", 0, "alias")).line == 4
    assert document.source.at(("spec", "outputs", 3)).line == 2
    assert str(document.source.at(("metadata", "name"))) == "app.yaml:2"


def test_lines_go_on_from_document_to_document() -> None:
    first, second, third = documents("a: 1\n---\n\nb: 2\n--- # three\nc: 3\n")
    assert [one.value for one in (first, second, third)] == [{"a": 1}, {"b": 2}, {"c": 3}]
    assert [one.source.line for one in (first, second, third)] == [1, 4, 6]


@pytest.mark.parametrize(
    "text",
    ["", "\n# nothing\n", "---\n---\n", "%YAML 1.1\n---\n# nothing\n...\n"],
    ids=["empty", "comment", "separators", "directive"],
)
def test_a_document_with_nothing_in_it_is_none(text: str) -> None:
    assert documents(text) == []


def test_a_directive_is_no_document() -> None:
    assert value("%YAML 1.1\n---\na: 1\n") == {"a": 1}


def test_a_separator_within_a_text_is_none() -> None:
    assert value("a: |\n  x\n  ---\n  y\n") == {"a": "x\n---\ny\n"}


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2020-05-20", "2020-05-20"),
        ("2020-05-20T11:12:13Z", "2020-05-20T11:12:13Z"),
        ("12:30", "12:30"),
        ("12:30.5", "12:30.5"),
        ("=", "="),
        ('"1"', "1"),
        ("!!str 1", "1"),
        ("1", 1),
        ("1.5", 1.5),
        ("yes", True),
        ("y", True),
        ("N", False),
        ('"y"', "y"),
        ("~", None),
        ("", None),
    ],
)
def test_scalars(text: str, read: object) -> None:
    assert value(f"a: {text}\n") == {"a": read}


def test_names_of_fields_are_texts() -> None:
    assert value("on: 1\n5: 2\n") == {"on": 1, "5": 2}


def test_anchors_and_merges() -> None:
    text = """\
        base: &base {image: one, name: x}
        other: &other {image: two, args: [a]}
        own: {image: three, <<: [*base, *other]}
        again: *base
        """
    assert value(text) == {
        "base": {"image": "one", "name": "x"},
        "other": {"image": "two", "args": ["a"]},
        "own": {"image": "three", "name": "x", "args": ["a"]},
        "again": {"image": "one", "name": "x"},
    }


def test_a_field_that_is_merged_has_the_line_where_it_stands() -> None:
    (document,) = documents("base: &b\n  image: one\nown:\n  name: x\n  <<: *b\n")
    assert document.source.at(("own", "image")).line == 2
    assert document.source.at(("own", "name")).line == 4


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (
            "a: 1\nb:\n\t- c\n",
            3,
            (
                "this is not YAML: found character '\\t' that cannot start any token, at `- c`; "
                "indent with spaces, not with tabs"
            ),
        ),
        (
            "a: 1\nb: see: this\n",
            2,
            (
                "this is not YAML: mapping values are not allowed here, at `b: see: this`; a text "
                'with ": " in it needs quotes'
            ),
        ),
        (
            "a: 1\nb: [1,\n",
            2,
            "this is not YAML: expected the node content, but found '<stream end>', at `b: [1,`",
        ),
        (
            "a: {\n  b: 1,\n  c: 2\nd: 3\n",
            4,
            (
                "this is not YAML: expected ',' or '}', but got ':', at `d: 3` (while parsing a "
                "flow mapping of line 1)"
            ),
        ),
        (
            "spec:\n  a: 1\n\n  a: 2\n",
            4,
            '"a" is given twice, first in line 2',
        ),
        ("a: *nowhere\n", 1, "this is not YAML: found undefined alias 'nowhere', at `a: *nowhere`"),
        ("a: !vault x\n", 1, 'the tag "!vault" is not allowed in a manifest'),
        (
            "a: !!python/object:os.system {}\n",
            1,
            'the tag "python/object:os.system" is not allowed in a manifest',
        ),
        ("a: !!set {x: }\n", 1, 'the tag "set" is not allowed in a manifest'),
        ("a: !!int x\n", 1, '"x" cannot be read'),
        ("[a]: 1\n", 1, "the name of a field is a text"),
        ("a: 1\n<<: [b]\n", 2, '"<<" merges mappings, and this is none'),
        ("a: &a [*a]\n", 1, "an alias stands for something that it is a part of"),
        ("a: 1\nb: \x00\n", 2, "this is not YAML: the character '\\x00' is not allowed"),
        ("[" * 5000, 1, "this document is nested too deeply"),
    ],
)
def test_what_cannot_be_read(text: str, line: int, message: str) -> None:
    assert malformed(text) == [(line, message)]


def test_a_document_that_cannot_be_read_does_not_hide_the_others() -> None:
    text = "a: 1\n---\nb: [\n---\nc: 3\n---\n}\n"
    assert [line for line, _ in malformed(text)] == [3, 7]
    found = [one for one in read_documents(FILE, text) if isinstance(one, Document)]
    assert [one.value for one in found] == [{"a": 1}, {"c": 3}]


def test_aliases_of_aliases_do_not_fill_the_memory() -> None:
    lines = ["a0: &a0 [x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    ((line, message),) = malformed("\n".join(lines))
    assert message == f"this document has more than {MAX_VALUES} values"
    assert 1 <= line <= len(lines)
