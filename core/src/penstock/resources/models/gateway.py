"""Gateways: the abstract one, and one model for each kind that a plugin adds."""

from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, SerializeAsAny, Strict, create_model

from penstock.camel_model import without_blanks
from penstock.plugin import GatewayKind
from penstock.resources.models.base import Model, OpenModel
from penstock.resources.models.condition import Status
from penstock.resources.models.pod import PodTemplate
from penstock.resources.models.reference import AddressStatus, TypedReference
from penstock.resources.models.resource import Resource


class ServicePort(OpenModel):
    """A port of the gateway's Service."""

    name: str = Field(default="", description="`gateway` speaks gRPC, `provisioner` HTTP.")
    port: Annotated[int, Strict()] = Field(ge=1, le=65535, description="The Service's port.")
    protocol: str = Field(default="", description="By default TCP.")
    target_port: int | str | None = Field(
        default=None, description="The container's port, by number or name."
    )


class GatewaySpec(Model):
    """The pods that serve a gateway, and the ports on which they do."""

    template: PodTemplate = Field(
        default_factory=PodTemplate, description="What serves the gateway."
    )
    ports: list[ServicePort] = Field(
        default_factory=list, description="Ports of the gateway's Service."
    )


class GatewayStatus(Status):
    """What became of a gateway."""

    address: AddressStatus | None = Field(default=None, description="Where it is reached.")
    deployment_ref: TypedReference | None = Field(default=None, description="Its Deployment.")
    service_ref: TypedReference | None = Field(default=None, description="Its Service.")


class Gateway(Resource):
    """Serves streams of some messaging system; made by the controller of a concrete kind."""

    kind: Literal["Gateway"] = "Gateway"
    spec: GatewaySpec = Field(
        default_factory=GatewaySpec, description="The pods and ports of the gateway."
    )
    status: GatewayStatus | None = Field(default=None, description="What became of it.")


class ConcreteGatewayStatus(Status):
    """What became of a gateway of a concrete kind."""

    address: AddressStatus | None = Field(default=None, description="Where it is reached.")
    gateway_ref: TypedReference | None = Field(default=None, description="The Gateway it made.")
    gateway_image: str = Field(default="", description="The image that serves it.")
    provisioner_image: str = Field(default="", description="The image that makes its streams.")


class ConcreteGateway(Resource):
    """A gateway of a kind that a plugin adds.

    Attributes:
        spec: An instance of the kind's own model, as the plugin's factories take it.
    """

    spec: SerializeAsAny[BaseModel]
    status: ConcreteGatewayStatus | None = Field(default=None, description="What became of it.")


@cache
def concrete_gateway(kind: GatewayKind) -> type[ConcreteGateway]:
    """The model of the resources of a plugin's kind."""
    spec: Any = (
        Annotated[kind.spec, BeforeValidator(without_blanks)],
        Field(
            default_factory=dict,
            validate_default=True,
            description="What the gateway needs to know of its messaging system.",
        ),
    )
    return create_model(
        kind.name,
        __base__=ConcreteGateway,
        __doc__=kind.summary,
        kind=(str, kind.name),
        spec=spec,
    )
