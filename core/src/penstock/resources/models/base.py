"""What the models of all resources share."""

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic.alias_generators import to_camel

from penstock.strict_model import without_blanks


class Model(BaseModel):
    """A part of a resource, its fields in camelCase as Kubernetes has them.

    Unknown fields are left out, not refused: a cluster may hold objects of a newer version. What
    a person writes is checked field by field where manifests are read.
    """

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_alias=True,
        validate_by_name=True,
        serialize_by_alias=True,
        frozen=True,
        extra="ignore",
    )

    @model_validator(mode="before")
    @classmethod
    def _empty_means_default(cls, data: Any) -> Any:
        aliases = {field.alias for field in cls.model_fields.values() if field.alias}
        return without_blanks(data, frozenset(aliases | set(cls.model_fields)))


class OpenModel(Model):
    """A part that Kubernetes defines: penstock types what it reads and keeps the rest as it is."""

    model_config = ConfigDict(extra="allow")
