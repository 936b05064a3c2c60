"""The resources of `streaming.projectriff.io/v1alpha1` as pydantic models."""

from penstock.resources.models.base import Model, OpenModel
from penstock.resources.models.condition import Condition, Status
from penstock.resources.models.gateway import (
    ConcreteGateway,
    ConcreteGatewayStatus,
    Gateway,
    GatewaySpec,
    GatewayStatus,
    ServicePort,
    concrete_gateway,
)
from penstock.resources.models.metadata import DEFAULT_NAMESPACE, ObjectMeta
from penstock.resources.models.pod import (
    FUNCTION_CONTAINER,
    Container,
    EnvironmentVariable,
    PodSpec,
    PodTemplate,
)
from penstock.resources.models.processor import (
    Build,
    Input,
    Output,
    Processor,
    ProcessorSpec,
    ProcessorStatus,
)
from penstock.resources.models.reference import (
    AddressStatus,
    GatewayReference,
    ObjectReference,
    TypedReference,
)
from penstock.resources.models.resource import API_VERSION, GROUP, VERSION, Resource
from penstock.resources.models.stream import (
    Binding,
    Stream,
    StreamRetention,
    StreamSpec,
    StreamStatus,
)

__all__ = [
    "API_VERSION",
    "DEFAULT_NAMESPACE",
    "FUNCTION_CONTAINER",
    "GROUP",
    "VERSION",
    "AddressStatus",
    "Binding",
    "Build",
    "ConcreteGateway",
    "ConcreteGatewayStatus",
    "Condition",
    "Container",
    "EnvironmentVariable",
    "Gateway",
    "GatewayReference",
    "GatewaySpec",
    "GatewayStatus",
    "Input",
    "Model",
    "ObjectMeta",
    "ObjectReference",
    "OpenModel",
    "Output",
    "PodSpec",
    "PodTemplate",
    "Processor",
    "ProcessorSpec",
    "ProcessorStatus",
    "Resource",
    "ServicePort",
    "Status",
    "Stream",
    "StreamRetention",
    "StreamSpec",
    "StreamStatus",
    "TypedReference",
    "concrete_gateway",
]
