"""Every hook is documented as it is, and tested."""

import inspect
import re
from pathlib import Path

import pytest

from penstock.plugin import hooks

ROOT = Path(__file__).parents[3]
DOCUMENT = (ROOT / "docs" / "hooks.md").read_text()
HOOKS = {
    name: function
    for specification in (hooks.ProvisioningHooks, hooks.PubSubHooks)
    for name, function in vars(specification).items()
    if name.startswith("penstock_")
}


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_is_documented_with_its_signature_and_first_sentence(name: str) -> None:
    signature = inspect.signature(HOOKS[name])
    parameters = ", ".join(p for p in signature.parameters if p != "self")
    annotation = signature.return_annotation
    returns = next(name for name, value in vars(hooks).items() if value is annotation)
    sentence = (HOOKS[name].__doc__ or "").splitlines()[0]
    assert f"### {name}({parameters}) -> {returns}\n\n{sentence}\n" in DOCUMENT


def test_nothing_is_documented_that_is_not_a_hook() -> None:
    assert set(re.findall(r"^### (\w+)", DOCUMENT, flags=re.MULTILINE)) == set(HOOKS)


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_has_a_test(name: str) -> None:
    others = [path for path in Path(__file__).parent.glob("*.py") if path != Path(__file__)]
    assert any(name in path.read_text() for path in others)
