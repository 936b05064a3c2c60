"""Deliveries as a manifest declares them."""

from itertools import pairwise

import pytest
from pydantic import ValidationError

from penstock.delivery import BackoffPolicy, Delivery, Guarantee, has_place_for_late
from penstock.window import Window


def test_a_delivery_that_says_nothing_repeats_what_fails() -> None:
    delivery = Delivery()
    assert delivery.guarantee is Guarantee.AT_LEAST_ONCE
    assert delivery.timeout == 30
    assert delivery.deliveries == 5
    assert delivery.dead_letter_stream == ""
    pauses = delivery.pauses
    assert (pauses.initial, pauses.factor, pauses.max, pauses.jitter) == (0.1, 2, 30, 0.2)


def test_at_most_once_is_once() -> None:
    assert Delivery.model_validate({"guarantee": "AtMostOnce"}).deliveries == 1
    assert Delivery.model_validate({"guarantee": "AtMostOnce", "maxDeliveries": 1}).deliveries == 1


def test_a_delivery_may_say_otherwise() -> None:
    delivery = Delivery.model_validate(
        {
            "timeout": "1m",
            "maxDeliveries": 3,
            "backoff": {"initial": "1s", "factor": 1, "max": "1s", "jitter": 0},
            "deadLetter": {"stream": "oops"},
        }
    )
    assert (delivery.timeout, delivery.deliveries) == (60, 3)
    assert delivery.pauses == BackoffPolicy(initial=1.0, factor=1.0, max=1.0, jitter=0.0)
    assert delivery.dead_letter_stream == "oops"


@pytest.mark.parametrize(
    ("given", "per_key", "calls"), [(None, False, 1), (None, True, 16), (4, False, 4), (1, True, 1)]
)
def test_calls_at_once_are_as_many_as_the_keys_allow(
    given: int | None, per_key: bool, calls: int
) -> None:
    assert Delivery(in_flight_windows=given).calls(Window(per_key=per_key)) == calls


def test_late_messages_need_a_place() -> None:
    window = Window.model_validate({"time": "Event", "latePolicy": "DeadLetter"})
    assert not has_place_for_late(window, Delivery())
    oops = Delivery.model_validate({"deadLetter": {"stream": "oops"}})
    assert has_place_for_late(window, oops)
    assert has_place_for_late(Window(), Delivery())


def test_empty_texts_are_left_out() -> None:
    declared = {"guarantee": "", "timeout": "", "deadLetter": None, "backoff": {"max": ""}}
    assert Delivery.model_validate(declared) == Delivery(backoff=BackoffPolicy())


@pytest.mark.parametrize(
    ("declared", "field", "reason"),
    [
        ({"guarantee": "ExactlyOnce"}, "guarantee", "'AtLeastOnce' or 'AtMostOnce'"),
        (
            {"guarantee": "AtMostOnce", "maxDeliveries": 5},
            "maxDeliveries",
            r"must be 1 with guarantee AtMostOnce.*\(maxDeliveries is 5, guarantee is AtMostOnce\)",
        ),
        (
            {"guarantee": "AtMostOnce", "backoff": {}},
            "backoff",
            r"belongs to guarantee AtLeastOnce: .* \(backoff is given, guarantee is AtMostOnce\)",
        ),
        ({"timeout": "0s"}, "timeout", "'0s' is not allowed: expected 1ms to 24h"),
        ({"timeout": "24h1ms"}, "timeout", "'24h1ms' is not allowed: expected 1ms to 24h"),
        ({"timeout": 30}, "timeout", "expected a text with a unit"),
        ({"maxDeliveries": 0}, "maxDeliveries", "greater than or equal to 1"),
        ({"maxDeliveries": 1001}, "maxDeliveries", "less than or equal to 1000"),
        ({"maxDeliveries": 2.0}, "maxDeliveries", "valid integer"),
        ({"inFlightWindows": 0}, "inFlightWindows", "greater than or equal to 1"),
        ({"inFlightWindows": 1001}, "inFlightWindows", "less than or equal to 1000"),
        ({"backoff": {"initial": "31s"}}, "backoff.initial", r"at most max \(initial is 31s, max"),
        ({"backoff": {"max": "99ms"}}, "backoff.initial", r"\(initial is 100ms, max is 99ms\)"),
        ({"backoff": {"factor": 0.5}}, "backoff.factor", "greater than or equal to 1"),
        ({"backoff": {"factor": 101}}, "backoff.factor", "less than or equal to 100"),
        ({"backoff": {"factor": float("nan")}}, "backoff.factor", "finite number"),
        ({"backoff": {"factor": "2"}}, "backoff.factor", "valid number"),
        ({"backoff": {"jitter": 1.1}}, "backoff.jitter", "less than or equal to 1"),
        ({"backoff": {"jitter": -0.1}}, "backoff.jitter", "greater than or equal to 0"),
        ({"backoff": {"maximum": "1s"}}, "backoff.maximum", "Extra inputs"),
        ({"backoff": "fast"}, "backoff", "valid dictionary or instance of BackoffPolicy"),
        ({"deadLetter": {}}, "deadLetter.stream", "Field required"),
        ({"deadLetter": {"stream": ""}}, "deadLetter.stream", "Field required"),
        ({"deadLetter": "oops"}, "deadLetter", "valid dictionary or instance of DeadLetter"),
        ({"retries": 3}, "retries", "Extra inputs"),
    ],
)
def test_what_makes_no_delivery_is_refused_at_its_field_with_the_reason(
    declared: dict[str, object], field: str, reason: str
) -> None:
    with pytest.raises(ValidationError, match=rf"(?m)^  .*{reason}") as refusal:
        Delivery.model_validate(declared)
    assert [".".join(map(str, one["loc"])) for one in refusal.value.errors()] == [field]


def test_pauses_grow_to_the_longest() -> None:
    backoff = BackoffPolicy(initial=0.1, factor=2.0, max=1.0, jitter=0.0)
    pauses = [backoff.pause(failures, chance=0.5) for failures in range(1, 7)]
    assert pauses == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.0, 1.0])


def test_chance_makes_a_pause_shorter_and_never_longer() -> None:
    backoff = BackoffPolicy(initial=1.0, max=10.0, jitter=0.2)
    chances = [0.0, 0.25, 0.5, 1.0]
    pauses = [backoff.pause(20, chance) for chance in chances]
    assert (pauses[0], pauses[-1]) == (10.0, 8.0)
    assert all(later < earlier for earlier, later in pairwise(pauses))


def test_a_pause_after_very_many_failures_is_the_longest() -> None:
    backoff = BackoffPolicy(initial=0.001, factor=100.0, max=86400.0, jitter=0.0)
    assert backoff.pause(1000, chance=0.0) == 86400.0
