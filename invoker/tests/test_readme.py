"""The functions of the README can be hosted."""

import re
from pathlib import Path
from types import FunctionType

import pytest

from penstock_invoker import codecs
from penstock_invoker.signature import read_function

README = Path(__file__).parents[1] / "README.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", README.read_text(), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("source", BLOCKS)
def test_the_functions_of_the_readme_can_be_hosted(
    source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codecs, "_codecs", list(codecs._codecs))
    before = len(codecs._codecs)
    names: dict[str, object] = {"__name__": "readme"}
    exec(source, names)
    functions = [
        value
        for value in names.values()
        if isinstance(value, FunctionType) and value.__module__ == "readme"
    ]
    for function in functions:
        assert read_function(function.__name__, function).parameters
    assert functions or len(codecs._codecs) > before
