"""Values that a spec refers to and never holds: passwords, tokens, keys."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel
from pydantic.config import JsonDict

from penstock.plugin.errors import NotReady

_FORMS = "expected {secretName: NAME, key: KEY} or {file: PATH}"
_SECRET, _OF_IT, _FILE = (
    f"(has(self.{field}) && self.{field} != '')" for field in ("secretName", "key", "file")
)
_ONE_FORM: JsonDict = {
    "rule": f"{_SECRET} == {_OF_IT} && {_SECRET} != {_FILE}",
    "message": "either secretName and key are needed, or file",
}


class _Rule(NamedTuple):
    """What a text has to be, if it is not empty."""

    what: str
    pattern: str
    longest: int

    def check(self, text: str) -> str:
        if text and (len(text) > self.longest or not re.fullmatch(self.pattern, text)):
            # It is not repeated: it may be the secret itself.
            raise ValueError(f"is not {self.what}")
        return text

    @property
    def schema(self) -> JsonDict:
        return {"pattern": self.pattern, "maxLength": self.longest}


_NAME = _Rule(
    "the name of a Secret: expected lower-case letters, digits, dots and hyphens",
    r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
    253,
)
# Kubernetes' own rule; it keeps what is mounted within its folder.
_KEY = _Rule(
    "a key of a Secret: expected letters, digits, dots, underscores and hyphens",
    r"^\.?[-_a-zA-Z0-9][-._a-zA-Z0-9]*$",
    253,
)
_PATH = _Rule("the path of a file", r"^[^\x00-\x1f]+$", 4096)


class SecretSource(BaseModel):
    """A value that must not stand in a manifest: a key of a Secret, or a file.

    A field of a plugin's spec. Before the host hands a spec to the plugin, it mounts the Secrets
    and gives the file of each key; so a plugin reads files and knows no Secrets. It should read
    them each time it connects, not once: a Secret may be mounted late, and may change.
    """

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_alias=True,
        validate_by_name=True,
        serialize_by_alias=True,
        frozen=True,
        extra="forbid",
        json_schema_extra={"x-kubernetes-validations": [_ONE_FORM]},
    )

    secret_name: Annotated[str, AfterValidator(_NAME.check)] = Field(
        default="",
        description="A Secret in the namespace of the resource; key says what of it.",
        json_schema_extra=_NAME.schema,
    )
    key: Annotated[str, AfterValidator(_KEY.check)] = Field(
        default="",
        description="The key of the Secret under which the value is.",
        json_schema_extra=_KEY.schema,
    )
    file: Annotated[str, AfterValidator(_PATH.check)] = Field(
        default="",
        description="A file with the value, in place of a Secret.",
        json_schema_extra=_PATH.schema,
    )

    @model_validator(mode="before")
    @classmethod
    def _is_no_value(cls, data: Any) -> Any:
        # Whoever writes the value itself must not see it again in the error.
        if not isinstance(data, Mapping | SecretSource):
            raise ValueError(f"a secret value does not belong in a manifest: {_FORMS}")  # noqa: TRY004
        return data

    @model_validator(mode="after")
    def _has_one_form(self) -> Self:
        if self.file and (self.secret_name or self.key):
            other = "secretName" if self.secret_name else "key"
            raise ValueError(f"{other} and file exclude each other: {_FORMS}")
        if not self.file and not (self.secret_name and self.key):
            missing = "key" if self.secret_name else "secretName"
            given = self.secret_name or self.key
            raise ValueError(f"{missing} is missing: {_FORMS}" if given else f"is empty: {_FORMS}")
        return self

    @property
    def path(self) -> Path:
        """The file with the value, whether it is there or not.

        Raises:
            NotReady: It is a key of a Secret that was not mounted.
        """
        if not self.file:
            raise NotReady(f'key "{self.key}" of Secret "{self.secret_name}" was not mounted')
        return Path(self.file)

    def read(self) -> bytes:
        """The value as it is now, every byte of the file: for certificates and keys.

        Raises:
            NotReady: It cannot be read; the text says where it was looked for.
        """
        path = self.path
        try:
            return path.read_bytes()
        except FileNotFoundError as error:
            hint = "the key of a mounted Secret is at FOLDER/SECRET/KEY"
            raise NotReady(f"there is no file {path}, as yet: {hint}") from error
        except OSError as error:
            raise NotReady(f"the file {path} cannot be read: {error.strerror}") from error

    def text(self) -> str:
        """The value as text, without the line break that editors put at the end: for passwords.

        Raises:
            NotReady: It cannot be read, or is not UTF-8; the text says where it was looked for.
        """
        try:
            text = self.read().decode()
        except UnicodeDecodeError:
            # Without its cause: that one holds the value.
            raise NotReady(f"the file {self.path} is not UTF-8 text") from None
        return text.removesuffix("\n").removesuffix("\r")
