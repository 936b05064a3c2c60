"""Amounts of bytes as Kubernetes writes them: `64Mi`, `1G`, `1048576`."""

import re
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

_FACTORS = {"": 1}
_FACTORS |= {prefix: 1000 ** (power + 1) for power, prefix in enumerate("kMGTPE")}
_FACTORS |= {f"{prefix}i": 1024 ** (power + 1) for power, prefix in enumerate("KMGTPE")}
_QUANTITY = re.compile(r"([0-9]{1,18})(k|[MGTPE]|[KMGTPE]i)?")
_PATTERN = rf"^{_QUANTITY.pattern}$"


def parse_quantity(value: object) -> int:
    """Bytes of a quantity: a whole number, or a text of one with a suffix.

    Raises:
        ValueError: It is not one, or is 0; the text says what is expected.
    """
    if type(value) is int and value > 0:
        return value
    match = None if isinstance(value, bool) else _QUANTITY.fullmatch(str(value))
    if match is None or int(match[1]) == 0:
        raise ValueError(
            f'"{value}" is not a number of bytes: expected a whole number above 0, alone or with '
            "k, M, G, T, Ki, Mi, Gi or Ti, as 64Mi"
        )
    number, suffix = match.groups(default="")
    return int(number) * _FACTORS[suffix]


Quantity = Annotated[
    int,
    BeforeValidator(parse_quantity),
    WithJsonSchema({"x-kubernetes-int-or-string": True, "pattern": _PATTERN}),
]
"""A pydantic field in bytes."""
