"""How resources point to each other, and where they are reached."""

from pydantic import Field

from penstock.name import Reference
from penstock.resources.models.base import Model


class GatewayReference(Model):
    """A gateway of the same namespace."""

    name: Reference = Field(description="The gateway's name.")


class ObjectReference(Model):
    """An object of the same namespace and of a known kind."""

    name: str = Field(default="", description="The object's name.")


class TypedReference(Model):
    """An object of the same namespace."""

    api_group: str = Field(default="", description="The API group of its kind; empty: the core's.")
    kind: str = Field(description="Its kind, such as Deployment.")
    name: str = Field(description="Its name.")


class AddressStatus(Model):
    """Where a gateway is reached."""

    url: str = Field(default="", description="As in http://franz.default.svc.cluster.local.")
