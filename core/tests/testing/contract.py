"""The sentences of the contract, as they stand in the docstrings of `penstock.plugin`."""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import penstock.plugin

FOLDER = Path(penstock.plugin.__file__).parent
MODULES = ("gateway", "group", "kind", "message", "stream", "subscription")
"""Those of which a gateway has to keep something."""

_SECTION = re.compile(r"\b(Args|Attributes|Raises|Returns):\s")
_END = re.compile(r"(?<=[.])\s+(?=[A-Z`A-z0-9_, ]+)")

Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def docstrings() -> Mapping[str, str]:
    """Each docstring in one line, by what it is of, such as `PubSub.publish`."""
    found: dict[str, str] = {}
    for module in MODULES:
        tree = ast.parse((FOLDER / f"{module}.py").read_text())
        for name, text in _of(tree.body, ""):
            found[name] = " ".join(text.split())
    return found


def sentences(docstring: str) -> list[str]:
    """The sentences of a docstring; of a section each entry is one, or several."""
    parts = _SECTION.sub("\n", docstring).splitlines()
    return [sentence.strip() for part in parts for sentence in _END.split(part) if sentence.strip()]


def _of(body: list[ast.stmt], path: str) -> Iterator[tuple[str, str]]:
    """Docstrings of classes and functions, and the texts below members of a class."""
    before = ""
    for statement in body:
        if isinstance(statement, Definition):
            name = f"{path}{statement.name}"
            if text := ast.get_docstring(statement):
                yield name, text
            if isinstance(statement, ast.ClassDef):
                yield from _of(statement.body, f"{name}.")
        elif isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            before = statement.targets[0].id
        elif (
            before and isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        ):
            yield f"{path}{before}", str(statement.value.value)
