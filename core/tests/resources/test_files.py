"""Files, folders and standard input."""

import io
import json
import sys
from pathlib import Path

import pytest

from penstock.plugin import Plugins, UsageError
from penstock.resources.manifest import Manifests, load

STREAM = """\
apiVersion: streaming.projectriff.io/v1alpha1
kind: Stream
metadata: {{name: {name}}}
spec: {{gateway: {{name: memory}}}}
"""
GATEWAY = """\
apiVersion: streaming.projectriff.io/v1alpha1
kind: InMemoryGateway
metadata: {name: memory}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(manifests: Manifests) -> list[str]:
    assert manifests.problems == []
    return [one.metadata.name for one in manifests.streams]


def problems(manifests: Manifests) -> list[str]:
    return [str(one) for one in manifests.problems]


def test_files_refer_to_each_other(plugins: Plugins) -> None:
    Path("a.yaml").write_text(STREAM.format(name="a"))
    gateway = {
        "apiVersion": "streaming.projectriff.io/v1alpha1",
        "kind": "InMemoryGateway",
        "metadata": {"name": "memory"},
    }
    Path("b.json").write_text(json.dumps(gateway, indent=2))
    assert names(load([Path("a.yaml"), Path("b.json")], plugins)) == ["a"]


def test_a_folder_is_its_yaml_files_in_order(plugins: Plugins, folder: Path) -> None:
    Path("2.yaml").write_text(STREAM.format(name="two"))
    Path("1.yml").write_text(GATEWAY + "---\n" + STREAM.format(name="one"))
    Path("notes.txt").write_text("not: [yaml")
    Path("empty.yaml").write_text("# later\n")
    Path("deeper").mkdir()
    Path("deeper/3.yaml").write_text(STREAM.format(name="three"))
    assert names(load([folder], plugins)) == ["one", "two"]


def test_a_file_that_is_named_twice_is_read_once(plugins: Plugins, folder: Path) -> None:
    Path("app.yaml").write_text(GATEWAY + "---\n" + STREAM.format(name="a"))
    assert names(load([Path("app.yaml"), folder, folder / "app.yaml"], plugins)) == ["a"]


def test_standard_input(plugins: Plugins, monkeypatch: pytest.MonkeyPatch) -> None:
    text = GATEWAY + "---\n" + STREAM.format(name="a") + "  x: 1\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert problems(load([Path("-")], plugins)) == [
        (
            "standard input:9: this is not YAML: expected <block end>, but found '<block mapping "
            "start>', at `x: 1` (while parsing a block mapping of line 5)"
        )
    ]


def test_a_file_that_is_not_there(plugins: Plugins) -> None:
    Path("app.yaml").write_text(STREAM.format(name="a"))
    assert problems(load([Path("app.yaml"), Path("gateways.yaml")], plugins)) == [
        "gateways.yaml: cannot be read: No such file or directory"
    ]


def test_a_link_to_itself(plugins: Plugins) -> None:
    Path("app.yaml").symlink_to("app.yaml")
    assert problems(load([Path("app.yaml")], plugins)) == [
        "app.yaml: cannot be read: Too many levels of symbolic links"
    ]


def test_a_folder_without_manifests(plugins: Plugins) -> None:
    Path("empty").mkdir()
    assert problems(load([Path("empty")], plugins)) == [
        "empty: this folder has no .yaml or .yml file"
    ]


def test_a_file_that_is_no_text(plugins: Plugins) -> None:
    Path("app.yaml").write_bytes(b"a: 1\nb: \xff\n")
    assert problems(load([Path("app.yaml")], plugins)) == [
        "app.yaml:2: this is not UTF-8 text; save the file as UTF-8"
    ]


def test_a_byte_order_mark_is_no_part_of_the_text(plugins: Plugins) -> None:
    text = GATEWAY + "---\n" + STREAM.format(name="a")
    Path("app.yaml").write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert names(load([Path("app.yaml")], plugins)) == ["a"]


def test_nothing_at_all(plugins: Plugins) -> None:
    Path("app.yaml").write_text("# later\n")
    assert problems(load([Path("app.yaml")], plugins)) == [
        "app.yaml: nothing of streaming.projectriff.io is declared here"
    ]


def test_problems_come_in_the_order_of_files_and_lines(plugins: Plugins) -> None:
    Path("b.yaml").write_text(STREAM.format(name="a") + "---\n[]\n")
    Path("a.yaml").write_text(STREAM.format(name="B") + "status: {}\nx: 1\n")
    manifests = load([Path("b.yaml"), Path("a.yaml")], plugins)
    assert [str(one.source) for one in manifests.problems] == [
        "b.yaml:4",
        "b.yaml:6",
        "a.yaml:3",
        "a.yaml:6",
    ]


def test_errors_are_raised_on_request_and_warnings_are_not(plugins: Plugins) -> None:
    Path("app.yaml").write_text(GATEWAY + "---\napiVersion: v1\nkind: ConfigMap\n")
    manifests = load([Path("app.yaml")], plugins)
    manifests.raise_errors()
    assert [one.severity for one in manifests.warnings] == ["warning"]
    Path("app.yaml").write_text(STREAM.format(name="a"))
    with pytest.raises(UsageError, match=r"^app\.yaml:4: Stream \"a\": spec\.gateway\.name: no"):
        load([Path("app.yaml")], plugins).raise_errors()
