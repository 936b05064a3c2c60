"""The folder of bindings: what is read, and what is refused with which words."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from penstock.plugin import UsageError
from penstock_sidecar.bindings import Binding, Connection, read_bindings, read_dead_letter

Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file of the binding `input_000`, which is complete before."""

    def one(path: str, text: str) -> Path:
        file = tmp_path / "input_000" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    one("metadata/contentType", "application/json")
    one("secret/gateway", "gateway.default:6565")
    one("secret/topic", "default_numbers")
    return one


def test_a_binding_is_read_from_its_files(write: Write, tmp_path: Path) -> None:
    write("secret/topic", "default_numbers\n")
    assert read_bindings(tmp_path, "input", 1) == [
        Binding(
            tmp_path / "input_000",
            "application/json",
            "gateway.default:6565",
            "default_numbers",
            stream="default_numbers",
        )
    ]


def test_a_stream_has_the_name_that_its_binding_says(write: Write, tmp_path: Path) -> None:
    write("metadata/stream", "numbers\n")
    [binding] = read_bindings(tmp_path, "input", 1)
    assert binding.stream == "numbers"


def test_bindings_are_numbered_in_the_order_of_the_streams(tmp_path: Path, write: Write) -> None:
    write("../input_001/metadata/contentType", "text/plain")
    write("../input_001/secret/gateway", "[::1]:6565")
    write("../input_001/secret/topic", "other")
    assert [one.topic for one in read_bindings(tmp_path, "input", 2)] == [
        "default_numbers",
        "other",
    ]


def test_an_empty_content_type_is_octet_stream(tmp_path: Path, write: Write) -> None:
    write("metadata/contentType", "")
    assert read_bindings(tmp_path, "input", 1)[0].content_type == "application/octet-stream"


def test_a_range_is_for_inputs_alone(tmp_path: Path, write: Write) -> None:
    write("metadata/contentType", "text/*")
    assert read_bindings(tmp_path, "input", 1)[0].content_type == "text/*"
    (tmp_path / "input_000").rename(tmp_path / "output_000")
    text = r"output_000/metadata/contentType: 'text/\*' is a range: expected one type"
    with pytest.raises(UsageError, match=text):
        read_bindings(tmp_path, "output", 1)


def test_dead_letters_may_be_of_a_range_and_the_inputs_must_fit(
    tmp_path: Path, write: Write
) -> None:
    [given] = read_bindings(tmp_path, "input", 1)
    write("../dead_letter_000/metadata/contentType", "application/*")
    write("../dead_letter_000/secret/gateway", "gateway.default:6565")
    write("../dead_letter_000/secret/topic", "default_oops")
    assert read_dead_letter(tmp_path, [given], []).topic == "default_oops"
    write("../dead_letter_000/metadata/contentType", "text/*")
    text = r"dead_letter_000/metadata/contentType: 'text/\*' does not take all of input_000, which"
    with pytest.raises(UsageError, match=f"{text} is 'application/json': expected application/oct"):
        read_dead_letter(tmp_path, [given], [])


@pytest.mark.parametrize("side", ["input", "output"])
def test_dead_letters_have_a_topic_of_their_own(tmp_path: Path, write: Write, side: str) -> None:
    shutil.copytree(tmp_path / "input_000", tmp_path / "dead_letter_000")
    [other] = read_bindings(tmp_path, "input", 1)
    other = replace(other, folder=tmp_path / f"{side}_000")
    text = f"dead_letter_000: topic 'default_numbers' is that of {side}_000 as well"
    with pytest.raises(UsageError, match=text):
        read_dead_letter(tmp_path, *([other], []) if side == "input" else ([], [other]))
    write("../dead_letter_000/secret/gateway", "another.default:6565")
    assert read_dead_letter(tmp_path, [other], []).gateway == "another.default:6565"


def test_a_dead_letter_binding_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"dead_letter_000/.* cannot be read.*PENSTOCK_DELIVERY"):
        read_dead_letter(tmp_path, [], [])


def test_a_connection_past_the_gateway_is_read(tmp_path: Path, write: Write) -> None:
    write("secret/connection", '{"kind": "KafkaGateway", "spec": {"bootstrapServers": "k:9092"}}')
    assert read_bindings(tmp_path, "input", 1)[0].connection == Connection(
        "KafkaGateway", {"bootstrapServers": "k:9092"}
    )


@pytest.mark.parametrize("path", ["metadata/contentType", "secret/gateway", "secret/topic"])
def test_a_file_that_is_missing_is_named(tmp_path: Path, write: Write, path: str) -> None:
    write(path, "").unlink()
    text = f"input_000/{path} cannot be read: No such file or directory; CNB_BINDINGS must hold"
    with pytest.raises(UsageError, match=text):
        read_bindings(tmp_path, "input", 1)


def test_a_file_that_is_no_text_is_named(tmp_path: Path, write: Write) -> None:
    write("secret/topic", "").write_bytes(b"\xff")
    with pytest.raises(UsageError, match="secret/topic cannot be read: not a text"):
        read_bindings(tmp_path, "input", 1)


@pytest.mark.parametrize(
    ("path", "content", "text"),
    [
        ("secret/topic", "\n", "secret/topic is empty"),
        ("secret/gateway", "gateway", "'gateway' is not an address: expected host:port"),
        ("metadata/contentType", "json", "contentType: 'json' is not a media type"),
        ("secret/connection", "{", "secret/connection is not JSON"),
        ("secret/connection", "[]", 'secret/connection: expected {"kind": "KafkaGateway"'),
        ("secret/connection", '{"kind": 3}', 'secret/connection: expected {"kind"'),
    ],
)
def test_a_file_that_holds_what_is_wrong_is_named(
    tmp_path: Path, write: Write, path: str, content: str, text: str
) -> None:
    write(path, content)
    with pytest.raises(UsageError, match=text):
        read_bindings(tmp_path, "input", 1)
