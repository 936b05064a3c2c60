"""What pydantic found wrong, as a sentence for who wrote the manifest."""

import json
import re
from collections.abc import Mapping
from typing import Any

from pydantic_core import ErrorDetails

from penstock.resources.suggestion import did_you_mean

_SHOWN = 60
_EXPECTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list, as [a, b]",
    "dict_type": "a mapping of names to values",
    "model_type": "a mapping of fields",
}
_BOUNDS = {
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "too_short": "a list of at least {min_length}",
    "too_long": "a list of at most {max_length}",
    "string_too_short": "at least {min_length} characters",
    "string_too_long": "at most {max_length} characters",
    "string_pattern_mismatch": "a text that matches {pattern}",
}


def sentence(error: ErrorDetails) -> str:
    """What is wrong with a value and what is allowed; the field is named by the caller."""
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    if kind in ("value_error", "rule"):
        return str(context["error"])
    if kind in ("enum", "literal_error"):
        allowed = re.findall(r"'([^']*)'", context["expected"])
        expected = " or ".join(allowed)
        return f"{shown(value)} is not allowed: expected {expected}" + did_you_mean(
            str(value), allowed
        )
    if kind == "union_tag_invalid":
        allowed = re.findall(r"'([^']*)'", context["expected_tags"])
        tag = context["tag"]
        return f"{shown(tag)} is not allowed: expected {' or '.join(allowed)}" + did_you_mean(
            tag, allowed
        )
    if kind in _EXPECTED:
        return f"expected {_EXPECTED[kind]}, got {shown(value)}{_hint(kind, value)}"
    if isinstance(value, str) and kind in ("too_short", "too_long"):
        # How pydantic names it where the type has validators of its own.
        kind = f"string_{kind}"
    if kind in _BOUNDS:
        return f"expected {_BOUNDS[kind].format_map(context)}, got {shown(value)}"
    message = error["msg"].removeprefix("Input should be ")
    return f"expected {message}, got {shown(value)}"


def shown(value: Any) -> str:
    """A value as it stands in a message, cut where it is long."""
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list):
        return f"a list of {len(value)}" if value else "an empty list"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _hint(kind: str, value: Any) -> str:
    if kind == "string_type" and isinstance(value, int | float):
        return ": put it in quotes"
    if kind != "list_type" and isinstance(value, str) and value.replace(".", "", 1).isdigit():
        return ": leave out the quotes"
    return ""
