"""Settings that a manifest and a sidecar's environment are read into alike."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic.alias_generators import to_camel


def without_blanks(data: object, names: frozenset[str] | None = None) -> object:
    """A mapping without its empty entries, so that their defaults hold; anything else as it is.

    riff's command line sends an empty text, and Go a null, for whatever was not given.

    Args:
        data: What a manifest or the API server gave.
        names: Only these entries are looked at; all of them by default.
    """
    if not isinstance(data, Mapping):
        return data
    return {
        name: value
        for name, value in data.items()
        if (value is not None and value != "") or (names is not None and name not in names)
    }


class StrictModel(BaseModel):
    """Settings with their fields in camelCase, none of them unknown; empty means the default.

    Its JSON without the fields that are ``None`` is what it can be read from again.
    """

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_alias=True,
        validate_by_name=True,
        serialize_by_alias=True,
        frozen=True,
        extra="forbid",
    )

    @model_validator(mode="before")
    @classmethod
    def _empty_means_default(cls, data: Any) -> Any:
        aliases = {field.alias for field in cls.model_fields.values() if field.alias}
        return without_blanks(data, frozenset(aliases | set(cls.model_fields)))
