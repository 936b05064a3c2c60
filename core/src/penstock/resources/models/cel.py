"""Rules that the API server checks, written in CEL beside the models that they are about."""

from typing import Any


def rule(expression: str, message: str) -> dict[str, Any]:
    """What goes into a JSON schema for a rule that must hold."""
    return {"x-kubernetes-validations": [{"rule": expression, "message": message}]}


def given(field: str) -> str:
    """The expression that a text is there and not empty: an empty text means the default."""
    return f"(has({field}) && {field} != '')"
