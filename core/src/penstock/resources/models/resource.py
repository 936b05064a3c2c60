"""What every resource is: a kind, metadata, and the place it was read from."""

from typing import Any, Final, Literal

from pydantic import Field, PrivateAttr

from penstock.resources.models.base import Model
from penstock.resources.models.metadata import ObjectMeta
from penstock.resources.source import NOWHERE, Source

GROUP = "streaming.projectriff.io"
VERSION = "v1alpha1"
API_VERSION: Final = "streaming.projectriff.io/v1alpha1"


class Resource(Model):
    """A declared object of penstock's API group.

    Validated with a `Source` as pydantic's context, it remembers where it was read from.
    """

    api_version: Literal["streaming.projectriff.io/v1alpha1"] = API_VERSION
    kind: str
    metadata: ObjectMeta = Field(description="Name, namespace, labels.")
    _source: Source = PrivateAttr(default=NOWHERE)

    def model_post_init(self, context: Any, /) -> None:
        """Keep the place that was given as context."""
        if isinstance(context, Source):
            self._source = context

    @property
    def source(self) -> Source:
        """Where it was declared; `source.at(path)` is the place of one of its fields."""
        return self._source

    @property
    def title(self) -> str:
        """How messages call it: `Processor "averager"`."""
        return f'{self.kind} "{self.metadata.name}"'
