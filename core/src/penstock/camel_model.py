"""What the models of manifests share: fields in camelCase, and empty means the default."""

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


class CamelModel(BaseModel):
    """Something that a manifest holds, its fields in camelCase as Kubernetes has them."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_alias=True,
        validate_by_name=True,
        serialize_by_alias=True,
        frozen=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _empty_means_default(cls, data: Any) -> Any:
        aliases = {field.alias for field in cls.model_fields.values() if field.alias}
        return without_blanks(data, frozenset(aliases | set(cls.model_fields)))


class StrictModel(CamelModel):
    """Settings that are read from a manifest and from the environment of a sidecar alike.

    Unknown fields are refused. The JSON, without what is ``None``, can be read again.
    """

    model_config = ConfigDict(extra="forbid")
