"""What passes on forgets no method: one that a contract has got since would be lost."""

import inspect

import pytest

from penstock.observability.forwarding import ForwardingPubSub, ForwardingSubscription
from penstock.plugin import Gateway, PubSub, Subscription
from penstock.server.forwarding_gateway import ForwardingGateway


@pytest.mark.parametrize(
    ("forwarding", "contract"),
    [
        (ForwardingPubSub, PubSub),
        (ForwardingSubscription, Subscription),
        (ForwardingGateway, Gateway),
    ],
)
def test_every_method_of_a_contract_is_passed_on_as_it_is(forwarding: type, contract: type) -> None:
    for name, method in inspect.getmembers(contract, inspect.isfunction):
        if not name.startswith("_"):
            passed_on = getattr(forwarding, name)
            assert passed_on is not method, name
            assert inspect.signature(passed_on) == inspect.signature(method), name
