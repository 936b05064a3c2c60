"""The function that a command names, found or not."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from penstock.plugin import UsageError
from penstock_invoker.loading import ImportFailed, load

Write = Callable[[str, str], None]


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Writes a module into the current directory, which is the test's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    before = set(sys.modules)

    def write(name: str, source: str) -> None:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(dedent(source))

    yield write
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_a_function_of_the_current_directory(module: Write) -> None:
    module("found_here.py", "def upper(text): return text.upper()")
    assert load("found_here:upper")("a") == "A"


def test_a_method_of_an_object_in_a_package(module: Write) -> None:
    module("package_here/__init__.py", "")
    module("package_here/inner.py", "class Upper:\n def do(self, x): return x\nupper = Upper()")
    assert load("package_here.inner:upper.do")("a") == "a"


@pytest.mark.parametrize("target", ["upper", "upper:", ":upper", "upper.py:upper", "./upper:upper"])
def test_a_target_of_another_form(target: str) -> None:
    with pytest.raises(UsageError, match=r"names no function: expected module:function, as"):
        load(target)


def test_a_module_that_is_not_there(module: Write, tmp_path: Path) -> None:
    module("package_there/__init__.py", "")
    for name in ("not_there", "package_there.not_there"):
        with pytest.raises(UsageError) as failure:
            load(f"{name}:upper")
        assert f"there is no module {name}: looked in {tmp_path}" in str(failure.value)


def test_a_function_that_is_not_there(module: Write) -> None:
    module("some_functions.py", "def upper(text): ...\ndef lower(text): ...\nsize = 1")
    with pytest.raises(UsageError) as failure:
        load("some_functions:uper")
    text = "there is no function uper in module some_functions: did you mean upper?"
    assert str(failure.value) == text
    with pytest.raises(UsageError, match="it has lower, upper"):
        load("some_functions:average")


def test_what_is_no_function(module: Write) -> None:
    module("no_functions.py", "size = 1\nclass Upper: ...")
    with pytest.raises(UsageError, match="no_functions:size is a int: expected a function"):
        load("no_functions:size")
    with pytest.raises(UsageError, match="no_functions:Upper is a class: expected a function"):
        load("no_functions:Upper")


@pytest.mark.parametrize(
    ("source", "line", "complaint"),
    [
        ("import not_anywhere", 1, "ModuleNotFoundError: No module named 'not_anywhere'"),
        ("def load():\n  raise OSError('no model')\nload()", 3, "OSError: no model"),
        ("def upper(text:\n", 1, "SyntaxError"),
    ],
)
def test_a_module_that_fails_shows_its_own_code_alone(
    module: Write, source: str, line: int, complaint: str
) -> None:
    module("broken_module.py", source)
    with pytest.raises(ImportFailed) as failure:
        load("broken_module:upper")
    text = str(failure.value)
    assert complaint in text
    assert f'broken_module.py", line {line}' in text
    assert "importlib" not in text
    assert "loading.py" not in text
