"""What makes a sidecar a re-run beside the live one: a version of the group, and bounds."""

import json
from collections.abc import Collection, Mapping
from typing import Any, Final

from penstock.plugin import Group, UsageError

Bounds = Mapping[str, Mapping[int, int]]
"""The last offset to process, by partition, by the alias of an input."""

_UNTIL: Final = "PENSTOCK_UNTIL"
_VERSION: Final = "PENSTOCK_GROUP_VERSION"
_LAST_VERSION: Final = 999_999_999


def read_reading_group(environment: Mapping[str, str], group: Group) -> Group:
    """The group that reads: that of the processor, or the version of it that is asked for.

    Raises:
        UsageError: It is no version.
    """
    text = environment.get(_VERSION, "")
    if not text:
        return group
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= _LAST_VERSION):
        raise UsageError(f"{_VERSION}={text!r}: expected a number from 1 to {_LAST_VERSION}")
    return Group(group.name, int(text))


def read_bounds(environment: Mapping[str, str], inputs: Collection[str]) -> Bounds | None:
    """Where the sidecar is to end by itself; ``None``: nowhere.

    Args:
        environment: The variables.
        inputs: The aliases of the inputs.

    Raises:
        UsageError: They cannot be read, or are of an input that is not there.
    """
    text = environment.get(_UNTIL, "")
    if not text:
        return None
    try:
        bounds = {alias: _offsets(one) for alias, one in _object(json.loads(text)).items()}
    except ValueError as error:
        raise UsageError(
            f"{_UNTIL}={text!r}: {error}; expected the last offset to process, by partition, by "
            'alias of an input, as {"numbers": {"0": 41}}'
        ) from error
    for alias in bounds:
        if alias not in inputs:
            raise UsageError(
                f"{_UNTIL}={text!r}: {alias!r} is not an input: expected one of {', '.join(inputs)}"
            )
    return bounds


def _offsets(content: Any) -> Mapping[int, int]:
    offsets = {int(partition): offset for partition, offset in _object(content).items()}
    for partition, offset in offsets.items():
        if type(offset) is not int or offset < 0 or partition < 0:
            raise ValueError(f"{partition}: {json.dumps(offset)} is not an offset of a partition")
    return offsets


def _object(content: Any) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise ValueError(f"{json.dumps(content)} is not an object")  # noqa: TRY004 - read as JSON
    return content
