"""What the models of all resources share."""

from pydantic import ConfigDict

from penstock.camel_model import CamelModel


class Model(CamelModel):
    """A part of a resource.

    Unknown fields are left out, not refused: a cluster may hold objects of a newer version. What
    a person writes is checked field by field where manifests are read.
    """

    model_config = ConfigDict(extra="ignore")


class OpenModel(Model):
    """A part that Kubernetes defines: penstock types what it reads and keeps the rest as it is."""

    model_config = ConfigDict(extra="allow")
