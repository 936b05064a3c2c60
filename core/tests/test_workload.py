"""What the processes of a processor are told."""

import json
from typing import Any

import pytest

from penstock.delivery import Delivery
from penstock.resources.models import Processor
from penstock.window import Window
from penstock.workload import (
    Connection,
    StreamBinding,
    binding_files,
    expand,
    function_arguments,
    function_environment,
    sidecar_environment,
)


def processor(**spec: Any) -> Processor:
    return Processor.model_validate({"metadata": {"name": "join"}, "spec": spec})


def with_container(**container: Any) -> Processor:
    return processor(
        inputs=[{"stream": "in"}],
        template={"spec": {"containers": [{"name": "log-shipper"}, container]}},
    )


ORDERS = StreamBinding("127.0.0.1:6565", "default_orders", "application/json")
INVOICES = StreamBinding(
    "10.0.0.1:6565",
    "default_invoices",
    "text/plain",
    Connection("KafkaGateway", {"bootstrapServers": "kafka:9092"}),
)


def test_a_sidecar_is_told_its_function_its_streams_and_its_window() -> None:
    join = processor(
        inputs=[
            {"stream": "shop-orders", "alias": "orders", "startOffset": "earliest"},
            {"stream": "customers", "alias": ""},
        ],
        outputs=[{"stream": "invoices"}, {"stream": "strangers", "alias": "unknown"}],
        window={"type": "Tumbling", "size": "1m30s"},
        delivery={"maxDeliveries": 3, "deadLetter": {"stream": "oops"}},
    )
    environment = dict(sidecar_environment(join, function="127.0.0.1:8081", bindings="/bindings"))
    assert json.loads(environment.pop("PENSTOCK_WINDOW")) == {
        "type": "Tumbling",
        "size": "1m30s",
        "time": "Processing",
        "perKey": False,
    }
    assert json.loads(environment.pop("PENSTOCK_DELIVERY")) == {
        "guarantee": "AtLeastOnce",
        "timeout": "30s",
        "maxDeliveries": 3,
        "deadLetter": {"stream": "oops"},
    }
    assert environment == {
        "FUNCTION": "127.0.0.1:8081",
        "GROUP": "join",
        "INPUT_NAMES": "orders,customers",
        "INPUT_START_OFFSETS": "earliest,latest",
        "OUTPUT_NAMES": "invoices,unknown",
        "CNB_BINDINGS": "/bindings",
        "PENSTOCK_NAMESPACE": "default",
    }


def test_a_processor_may_have_no_outputs() -> None:
    environment = sidecar_environment(
        processor(inputs=[{"stream": "in"}]), function="f:1", bindings="/b"
    )
    assert environment["OUTPUT_NAMES"] == ""


def test_the_files_of_bindings_are_numbered_in_the_order_of_the_spec() -> None:
    files = binding_files(
        processor(
            inputs=[{"stream": "orders"}, {"stream": "invoices", "alias": "old"}],
            outputs=[{"stream": "invoices"}],
        ),
        {"orders": ORDERS, "invoices": INVOICES, "another": ORDERS},
    )
    assert {path: text for path, text in files.items() if path.startswith("input_000")} == {
        "input_000/metadata/contentType": "application/json",
        "input_000/metadata/stream": "orders",
        "input_000/secret/gateway": "127.0.0.1:6565",
        "input_000/secret/topic": "default_orders",
    }
    assert files["input_001/secret/topic"] == files["output_000/secret/topic"] == "default_invoices"
    assert json.loads(files["output_000/secret/connection"]) == {
        "kind": "KafkaGateway",
        "spec": {"bootstrapServers": "kafka:9092"},
    }
    assert {path.split("/")[0] for path in files} == {"input_000", "input_001", "output_000"}


def test_the_dead_letter_stream_has_a_binding_where_there_is_one() -> None:
    files = binding_files(
        processor(inputs=[{"stream": "orders"}], delivery={"deadLetter": {"stream": "invoices"}}),
        {"orders": ORDERS, "invoices": INVOICES},
    )
    assert {path.split("/")[0] for path in files} == {"input_000", "dead_letter_000"}
    assert files["dead_letter_000/metadata/stream"] == "invoices"
    assert files["dead_letter_000/secret/topic"] == "default_invoices"


def test_what_a_sidecar_is_told_can_be_read_again() -> None:
    join = processor(
        inputs=[{"stream": "in"}],
        window={"type": "Session", "gap": "5s", "time": "Event", "maxBytes": "64Mi"},
        delivery={"guarantee": "AtMostOnce", "backoff": "", "inFlightWindows": 3},
    )
    environment = sidecar_environment(join, function="f:1", bindings="/b")
    assert Window.model_validate_json(environment["PENSTOCK_WINDOW"]) == join.spec.window
    assert Delivery.model_validate_json(environment["PENSTOCK_DELIVERY"]) == join.spec.delivery


def test_a_function_is_told_its_containers_variables_and_its_port() -> None:
    variables = function_environment(
        with_container(
            name="function",
            env=[
                {"name": "CITY", "value": "Turin"},
                {"name": "GREETING", "value": "from $(CITY) for $$5 to $(NOBODY)"},
                {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
                {"name": "GRPC_PORT", "value": "1"},
            ],
        ),
        port=4321,
    )
    assert variables == {
        "CITY": "Turin",
        "GREETING": "from Turin for $5 to $(NOBODY)",
        "GRPC_PORT": "4321",
    }


def test_arguments_follow_the_command_with_variables_put_in() -> None:
    function = with_container(command=["run", "--port=$(GRPC_PORT)"], args=["$(A)", "$$(A)"])
    assert function_arguments(function, {"GRPC_PORT": "7", "A": "b"}) == [
        "run",
        "--port=7",
        "b",
        "$(A)",
    ]


@pytest.mark.parametrize("container", [{"image": "i"}, {"args": ["a"]}, {"name": "another"}])
def test_without_a_command_only_the_image_knows(container: dict[str, Any]) -> None:
    assert function_arguments(with_container(**container), {}) == ()


@pytest.mark.parametrize(
    ("text", "expanded"),
    [("$(A)$(A)", "xx"), ("$A ${A}", "$A ${A}"), ("$$(A)", "$(A)"), ("$()", "$()"), ("$", "$")],
)
def test_variables_are_written_as_kubernetes_has_them(text: str, expanded: str) -> None:
    assert expand(text, {"A": "x"}) == expanded
