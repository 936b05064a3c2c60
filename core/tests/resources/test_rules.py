"""What the API server refuses of windows and deliveries is what the models refuse."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from penstock.delivery import Delivery
from penstock.resources.models import Processor
from penstock.resources.structural_schema import Schema, structural_schema
from penstock.window import Window

BrokenRules = Callable[[Schema, Any], list[str]]
Choices = Mapping[str, Sequence[object]]

LEFT_OUT = object()
OF_EVENT_TIME: Sequence[dict[str, str]] = [
    {},
    {"timestampFrom": "time"},
    {"allowedLateness": "0s"},
    {"latePolicy": "Drop"},
    {"idleTimeout": "30s"},
]
WINDOWS: Choices = {
    "type": [LEFT_OUT, "Tumbling", "Sliding", "Session", "Count", "Global"],
    "size": [LEFT_OUT, "30s"],
    "every": [LEFT_OUT, "10s", "1m"],
    "gap": [LEFT_OUT, "5s"],
    "count": [LEFT_OUT, 5],
    "time": [LEFT_OUT, "Processing", "Event"],
    "perKey": [LEFT_OUT, True],
    "maxMessages": [LEFT_OUT, 4, 5],
    "maxBytes": [LEFT_OUT, "64Mi"],
}
DELIVERIES: Choices = {
    "guarantee": [LEFT_OUT, "", "AtLeastOnce", "AtMostOnce"],
    "timeout": [LEFT_OUT, "", "0s", "1ms", "24h", "24h1ms"],
    "maxDeliveries": [LEFT_OUT, 1, 2],
    "backoff": [
        LEFT_OUT,
        {},
        {"initial": "1m"},
        {"max": "50ms"},
        {"initial": "", "max": "50ms"},
        {"initial": "1m", "max": "1m"},
        {"max": "25h"},
    ],
}


def combinations(choices: Choices) -> Iterator[dict[str, Any]]:
    for values in product(*choices.values()):
        chosen = zip(choices, values, strict=True)
        yield {name: value for name, value in chosen if value is not LEFT_OUT}


def faults(model: type[BaseModel], declared: object) -> set[str]:
    """The fields that the model finds wrong, by their last names."""
    try:
        made = model.model_validate(declared)
    except ValidationError as error:
        return {str(one["loc"][-1]) for one in error.errors(include_url=False)}
    assert model.model_validate_json(made.model_dump_json(exclude_none=True)) == made
    return set()


class TestWindows:
    @pytest.mark.parametrize("of_event_time", OF_EVENT_TIME)
    def test_every_combination_is_refused_by_both_or_by_none(
        self, of_event_time: dict[str, str], broken_rules: BrokenRules
    ) -> None:
        schema = structural_schema(Window)
        accepted = 0
        for chosen in combinations(WINDOWS):
            declared = {**chosen, **of_event_time}
            broken = broken_rules(schema, declared)
            assert {one.partition(" ")[0] for one in broken} == faults(Window, declared), declared
            accepted += not broken
        assert accepted

    @pytest.mark.parametrize(
        "declared",
        [
            {"size": "45s", "every": "30s"},
            {"size": "1001s", "every": "1s"},
            {"size": "1000s", "every": "1s"},
            {"size": "1s", "every": "1ms"},
            {"size": "1s", "every": "300ms"},
            {"size": "0.9s", "every": "300ms"},
            {"size": "", "every": "1s"},
            {"size": "1s", "every": ""},
            {"size": "1.5h", "every": "30m"},
        ],
    )
    def test_the_lengths_of_sliding_windows(
        self, declared: dict[str, str], broken_rules: BrokenRules
    ) -> None:
        declared["type"] = "Sliding"
        broken = broken_rules(structural_schema(Window), declared)
        assert {one.partition(" ")[0] for one in broken} == faults(Window, declared)

    @pytest.mark.parametrize("field", ["size", "every", "gap", "allowedLateness", "idleTimeout"])
    @pytest.mark.parametrize("length", ["0s", "0.4ms", "1ms", "8760h", "8760h1ms", "9999999h"])
    def test_the_bounds_of_lengths(
        self, field: str, length: str, broken_rules: BrokenRules
    ) -> None:
        schema = structural_schema(Window)["properties"][field]
        is_refused = field in faults_of_field(field, length)
        assert bool(broken_rules(schema, length)) == is_refused

    @pytest.mark.parametrize(
        "amount",
        [
            *(1, 1023, 1024, 10**12, "", "0", "0Mi", "999", "1000", "1023", "1024", "01024", "2k"),
            *("12345", "1k", "01k", "10k", "1Ki", "1M", "3E", "1m", "1.5Mi", "64MiB", "-5Mi"),
        ],
    )
    def test_the_least_number_of_bytes(self, amount: int | str) -> None:
        schema = structural_schema(Window)["properties"]["maxBytes"]
        if isinstance(amount, str):
            is_refused = not re.search(schema["pattern"], amount)
        else:
            is_refused = amount < schema["minimum"]
        assert is_refused == ("maxBytes" in faults(Window, {"maxBytes": amount}))

    @pytest.mark.parametrize("place", ["time", "headers.ce_time", "headers.X-Sent.at", ""])
    def test_where_a_time_may_be(self, place: str) -> None:
        pattern = structural_schema(Window)["properties"]["timestampFrom"]["pattern"]
        assert re.search(pattern, place)
        assert not faults(Window, {"time": "Event", "timestampFrom": place})

    @pytest.mark.parametrize(
        "place", ["headers.", "header.x", "Time", "ce_time", "headers.a b", " time", "timestamp"]
    )
    def test_where_no_time_can_be(self, place: str) -> None:
        pattern = structural_schema(Window)["properties"]["timestampFrom"]["pattern"]
        assert not re.search(pattern, place)
        assert faults(Window, {"time": "Event", "timestampFrom": place}) == {"timestampFrom"}

    def test_empty_texts_are_left_out(self, broken_rules: BrokenRules) -> None:
        schema = structural_schema(Window)
        texts = [name for name, one in schema["properties"].items() if one.get("type") == "string"]
        declared = dict.fromkeys([*texts, "maxBytes"], "")
        assert broken_rules(schema, declared) == []
        assert Window.model_validate(declared) == Window()


def faults_of_field(field: str, length: str) -> set[str]:
    """As `faults`, with what else the window needs, so that its rules have nothing to say."""
    rest = {
        "size": {"type": "Tumbling"},
        "every": {"type": "Sliding", "size": length},
        "gap": {"type": "Session"},
    }.get(field, {"time": "Event"})
    return faults(Window, {**rest, field: length})


class TestDeliveries:
    def test_every_combination_is_refused_by_both_or_by_none(
        self, broken_rules: BrokenRules
    ) -> None:
        schema = structural_schema(Delivery)
        accepted = 0
        for declared in combinations(DELIVERIES):
            broken = broken_rules(schema, declared)
            assert bool(broken) == bool(faults(Delivery, declared)), declared
            accepted += not broken
        assert accepted

    def test_what_the_schema_says_of_defaults_are_the_models(self) -> None:
        schema = structural_schema(Delivery)
        backoff = schema["properties"]["backoff"]
        defaults = {name: one["default"] for name, one in _with_default(schema)}
        assert Delivery.model_validate(defaults) == Delivery()
        defaults = {name: one["default"] for name, one in _with_default(backoff)}
        assert Delivery.model_validate({"backoff": defaults}).backoff == Delivery().pauses


def _with_default(schema: Schema) -> Iterator[tuple[str, Schema]]:
    return ((name, one) for name, one in schema["properties"].items() if "default" in one)


@pytest.mark.parametrize("late_policy", [None, "", "Drop", "DeadLetter"])
@pytest.mark.parametrize("delivery", [None, {}, {"deadLetter": {"stream": "oops"}}])
def test_late_messages_go_to_a_stream_that_is_there(
    late_policy: str | None, delivery: dict[str, Any] | None, broken_rules: BrokenRules
) -> None:
    window = {"time": "Event"} | ({} if late_policy is None else {"latePolicy": late_policy})
    spec = {"window": window} | ({} if delivery is None else {"delivery": delivery})
    schema = structural_schema(Processor)["properties"]["spec"]
    rules = [one for one in schema["x-kubernetes-validations"] if "latePolicy" in one["message"]]
    assert len(rules) == 1
    broken = broken_rules({"x-kubernetes-validations": rules}, spec)
    wanted = late_policy == "DeadLetter" and not (delivery or {}).get("deadLetter")
    assert bool(broken) == wanted
    declared = {"metadata": {"name": "a"}, "spec": {"inputs": [{"stream": "b"}], **spec}}
    assert faults(Processor, declared) == ({"latePolicy"} if wanted else set())
