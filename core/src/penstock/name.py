"""Names of resources, and names that refer to them."""

import re
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

MAX_LENGTH = 63
PATTERN = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
"""A DNS-1123 label, as a regular expression that RE2 reads too."""

_ALIAS_PATTERN = r"^[^, \t\r\n]*$"
_SCHEMA = {"type": "string", "pattern": PATTERN, "maxLength": MAX_LENGTH}


def check_name(text: str) -> str:
    """The text itself, when it is a DNS-1123 label.

    Names become parts of host names, of labels and of the provisioner's URLs; all take a label.

    Raises:
        ValueError: It is not one; the text says what is expected.
    """
    if len(text) > MAX_LENGTH or not re.fullmatch(PATTERN, text):
        near = re.sub(r"[^a-z0-9]+", "-", text.lower())[:MAX_LENGTH].strip("-")
        raise ValueError(
            f'"{text}" is not a name: expected at most {MAX_LENGTH} lower-case letters, digits '
            f'and "-", a letter or digit at both ends' + (f', as "{near}"' if near else "")
        )
    return text


def _check_alias(text: str) -> str:
    if len(text) > MAX_LENGTH or not re.fullmatch(_ALIAS_PATTERN, text):
        raise ValueError(
            f'"{text}" is not an alias: expected at most {MAX_LENGTH} characters without commas '
            "and white space"
        )
    return text


Name = Annotated[str, AfterValidator(check_name), WithJsonSchema(_SCHEMA)]
"""A resource's own name."""

Reference = Annotated[str, WithJsonSchema(_SCHEMA)]
"""The name of another resource. One that is no name is a reference to something that is not there,
and whoever resolves it can say what there is."""

Alias = Annotated[
    str,
    AfterValidator(_check_alias),
    WithJsonSchema({"type": "string", "pattern": _ALIAS_PATTERN, "maxLength": MAX_LENGTH}),
]
"""What a function calls an input or an output; sidecars are told them as a comma list."""
