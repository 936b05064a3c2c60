"""Where a value is that must not stand in a manifest."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from penstock.plugin import NotReady, SecretSource

VALUE = "hunter2"


class Spec(BaseModel):
    password: SecretSource | None = None


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "password"


def reason(data: Any) -> str:
    """Why a field's value is refused."""
    with pytest.raises(ValidationError) as refusal:
        Spec.model_validate({"password": data})
    (error,) = refusal.value.errors()
    return str(error["ctx"]["error"])


def test_a_value_is_read_from_its_file_each_time(file: Path) -> None:
    source = SecretSource(file=str(file))
    assert source.path == file
    file.write_text(VALUE)
    assert source.read() == b"hunter2"
    file.write_text("changed")
    assert source.text() == "changed"


@pytest.mark.parametrize(
    ("content", "text"),
    [(b"pass\n", "pass"), (b"pass\r\n", "pass"), (b" pass\n\n", " pass\n"), (b"", "")],
)
def test_the_last_line_break_of_a_text_is_not_of_the_value(
    file: Path, content: bytes, text: str
) -> None:
    file.write_bytes(content)
    assert SecretSource(file=str(file)).text() == text
    assert SecretSource(file=str(file)).read() == content


def test_what_is_not_there_yet_is_not_ready_and_names_the_place(file: Path) -> None:
    with pytest.raises(NotReady, match=f"no file {file}, as yet: .* FOLDER/SECRET/KEY"):
        SecretSource(file=str(file)).read()


def test_what_cannot_be_read_is_not_ready_and_names_the_place(tmp_path: Path) -> None:
    with pytest.raises(NotReady, match=f"the file {tmp_path} cannot be read: Is a directory"):
        SecretSource(file=str(tmp_path)).read()


def test_what_is_no_text_is_not_shown(file: Path) -> None:
    file.write_bytes(b"hunter\xff")
    with pytest.raises(NotReady, match=f"{file} is not UTF-8") as refusal:
        SecretSource(file=str(file)).text()
    assert refusal.value.__cause__ is None
    assert "xff" not in str(refusal.value)


def test_a_secret_that_was_not_mounted_is_named() -> None:
    source = SecretSource(secret_name="franz-login", key="password")
    with pytest.raises(NotReady, match='key "password" of Secret "franz-login" was not mounted'):
        source.read()
    with pytest.raises(NotReady, match="was not mounted"):
        _ = source.path


@pytest.mark.parametrize(
    "data",
    [
        {"secretName": "franz-login", "key": "password"},
        {"secretName": "a.b-c", "key": ".Ca_1.crt", "file": ""},
        {"file": "/etc/ca.pem", "secretName": "", "key": ""},
    ],
)
def test_each_form_is_read_as_it_is_written(data: dict[str, str]) -> None:
    spec = Spec.model_validate({"password": data})
    assert Spec.model_validate(spec.model_dump(mode="json")) == spec
    assert spec.model_dump(exclude_defaults=True) == {
        "password": {name: text for name, text in data.items() if text}
    }


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, "is empty: expected {secretName: NAME, key: KEY} or {file: PATH}"),
        ({"secretName": "", "file": ""}, "is empty: expected"),
        ({"secretName": "a"}, "key is missing: expected"),
        ({"key": "a"}, "secretName is missing: expected"),
        ({"secretName": "a", "key": "b", "file": "c"}, "secretName and file exclude each other"),
        ({"key": "b", "file": "c"}, "key and file exclude each other"),
        ({"secretName": "../a", "key": "b"}, "is not the name of a Secret: expected"),
        ({"secretName": "A", "key": "b"}, "is not the name of a Secret"),
        ({"secretName": "a" * 254, "key": "b"}, "is not the name of a Secret"),
        ({"secretName": "a", "key": ".."}, "is not a key of a Secret: expected"),
        ({"secretName": "a", "key": "../b"}, "is not a key of a Secret"),
        ({"file": "-----BEGIN PRIVATE KEY-----\nMIIE"}, "is not the path of a file"),
        ({"file": "/" * 4097}, "is not the path of a file"),
    ],
)
def test_one_form_whole_is_expected(data: dict[str, str], message: str) -> None:
    assert reason(data).startswith(message)


@pytest.mark.parametrize("data", [VALUE, 5, [VALUE], True])
def test_a_value_in_its_place_is_refused_and_not_repeated(data: object) -> None:
    said = reason(data)
    assert said == (
        "a secret value does not belong in a manifest: "
        "expected {secretName: NAME, key: KEY} or {file: PATH}"
    )


def test_other_fields_are_refused() -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        SecretSource.model_validate({"file": "a", "value": VALUE})
