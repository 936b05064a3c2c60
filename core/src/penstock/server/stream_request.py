"""What a client of the provisioner asks for: a path, and an optional JSON body."""

import re
from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from penstock.media_type import OCTET_STREAM, MediaType
from penstock.plugin import DeletionPolicy, PermanentError, Retention, StreamSettings

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_SHOWN = 80  # characters of what a client sent that are sent back

_Bound = Annotated[int, Field(ge=1, lt=2**63)]


class _Retention(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    bytes: _Bound | None = None
    messages: _Bound | None = None


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    contentType: str | None = None  # noqa: N815 - as the resources spell it
    partitions: _Bound | None = None
    retention: _Retention = _Retention()
    config: dict[str, str] = Field(default_factory=dict)
    deletionPolicy: DeletionPolicy = DeletionPolicy.RETAIN  # noqa: N815 - as above


class StreamRequest(NamedTuple):
    """A stream to provision, and whether the client said what its messages are."""

    settings: StreamSettings
    gives_content_type: bool


def read_request(target: str, body: bytes) -> StreamRequest:
    """Read a request.

    Args:
        target: The request's target as it was sent, nothing in it decoded.
        body: The request's body; empty, as riff sends it, leaves every setting to the gateway.

    Raises:
        PermanentError: Something in it is wrong; the text names what.
    """
    namespace, name = _names(target)
    asked = _parse(body) if body.strip() else _Body()
    if asked.contentType:
        try:
            MediaType.parse(asked.contentType)
        except ValueError as error:
            raise PermanentError(f"contentType: {error}") from error
    settings = StreamSettings(
        namespace=namespace,
        name=name,
        # An empty text stands for the default, as in riff's manifests.
        content_type=asked.contentType or OCTET_STREAM,
        partitions=asked.partitions,
        retention=Retention(**asked.retention.model_dump()),
        config=asked.config,
        deletion_policy=asked.deletionPolicy,
    )
    return StreamRequest(settings, gives_content_type=asked.contentType is not None)


def _names(target: str) -> tuple[str, str]:
    parts = target.split("/")
    if len(parts) != 3 or parts[0]:
        raise PermanentError(f"expected the path /<namespace>/<stream>, got {_shown(target)}")
    _, namespace, name = parts
    for what, label in (("namespace", namespace), ("stream", name)):
        if not _LABEL.fullmatch(label):
            raise PermanentError(
                f"{what} {_shown(label)} is not a DNS-1123 label: expected 1 to 63 characters of "
                "a-z, 0-9 and -, with a letter or digit at either end"
            )
    return namespace, name


def _parse(body: bytes) -> _Body:
    try:
        return _Body.model_validate_json(body)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        raise PermanentError("; ".join(map(_sentence, faults))) from error


def _sentence(fault: ErrorDetails) -> str:
    field = ".".join(map(str, fault["loc"]))
    if fault["type"] == "extra_forbidden":
        model = _Body if len(fault["loc"]) == 1 else _Retention
        return f"{_shown(field)} is not a field: expected {', '.join(model.model_fields)}"
    return f"{field or 'the body'}: {fault['msg']}"


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")
