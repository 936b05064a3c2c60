"""Windows as a manifest declares them."""

import pytest
from pydantic import ValidationError

from penstock.window import LatePolicy, Window, WindowTime, WindowType

SLIDING = {"type": "Sliding", "size": "1m", "every": "20s"}
SESSION = {"type": "Session", "gap": "30s"}
COUNT = {"type": "Count", "count": 5}
EVENT = {"time": "Event"}


def test_a_window_that_says_nothing_is_that_of_riff() -> None:
    window = Window()
    assert window.type is WindowType.TUMBLING
    assert window.size_seconds == 60
    assert window.time is WindowTime.PROCESSING
    assert not window.is_of_event_time
    assert not window.per_key


def test_a_tumbling_window_has_a_size() -> None:
    assert Window.model_validate({"size": "1m30s"}).size_seconds == 90


def test_a_sliding_window_has_a_size_and_a_step() -> None:
    window = Window.model_validate(SLIDING)
    assert (window.size_seconds, window.every) == (60, 20)


def test_a_session_has_a_gap() -> None:
    assert Window.model_validate(SESSION).gap == 30


def test_a_count_window_has_a_count() -> None:
    assert Window.model_validate(COUNT).count == 5


def test_a_window_of_event_time_waits_for_nothing_and_drops_what_is_late() -> None:
    window = Window.model_validate(EVENT)
    assert window.is_of_event_time
    assert window.lateness_seconds == 0
    assert window.late_messages is LatePolicy.DROP
    assert window.idle_seconds == 30


def test_a_window_of_event_time_may_say_otherwise() -> None:
    window = Window.model_validate(
        {**EVENT, "allowedLateness": "10s", "latePolicy": "NewWindow", "idleTimeout": "1ms"}
    )
    assert window.lateness_seconds == 10
    assert window.late_messages is LatePolicy.NEW_WINDOW
    assert window.idle_seconds == 0.001


@pytest.mark.parametrize(
    ("place", "is_attribute", "header"),
    [
        ("", False, ""),
        ("time", True, ""),
        ("headers.ce_time", True, ""),
        ("headers.CE_Time", True, ""),
        ("headers.time", False, "time"),
        ("headers.Sent-At", False, "sent-at"),
        ("headers.headers.x", False, "headers.x"),
    ],
)
def test_the_time_of_a_message_is_where_it_says(
    place: str, is_attribute: bool, header: str
) -> None:
    window = Window.model_validate({**EVENT, "timestampFrom": place})
    assert (window.is_dated_by_attribute, window.timestamp_header) == (is_attribute, header)


def test_a_window_may_be_bounded() -> None:
    window = Window.model_validate({"maxMessages": 100_000, "maxBytes": "64Mi"})
    assert (window.max_messages, window.max_bytes) == (100_000, 64 * 1024**2)


@pytest.mark.parametrize(
    ("declared", "field", "reason"),
    [
        ({"type": "Count"}, "count", "is required with type Count"),
        ({"type": "Sliding", "every": "1s"}, "size", "is required with type Sliding"),
        ({"type": "Sliding", "size": "1s"}, "every", "is required with type Sliding"),
        ({"type": "Session"}, "gap", "is required with type Session"),
        (
            {**COUNT, "size": "2s"},
            "size",
            r"belongs to type Tumbling or Sliding: remove it, or .* \(size is 2s, type is Count\)",
        ),
        ({"count": 5}, "count", r"belongs to type Count.*\(count is 5, type is Tumbling\)"),
        ({**SESSION, "every": "1s"}, "every", "belongs to type Sliding"),
        ({"gap": "1s"}, "gap", "belongs to type Session"),
        (
            {**SLIDING, "every": "2m"},
            "every",
            r"must be at most size: .* \(every is 2m, size is 1m\)",
        ),
        ({**SLIDING, "every": "45s"}, "size", r"must be a multiple of every"),
        ({**SLIDING, "every": "50ms"}, "size", "must be at most 1000 times every"),
        ({**COUNT, **EVENT}, "time", "must be Processing with type Count or Global"),
        ({"type": "Global", **EVENT}, "time", "must be Processing with type Count or Global"),
        ({"timestampFrom": "time"}, "timestampFrom", "belongs to time Event: remove it, or"),
        ({"allowedLateness": "1s"}, "allowedLateness", r"belongs to time Event"),
        ({"latePolicy": "Drop"}, "latePolicy", "belongs to time Event"),
        ({"idleTimeout": "1s"}, "idleTimeout", r"\(idleTimeout is 1s, time is Processing\)"),
        ({**COUNT, "maxMessages": 4}, "maxMessages", r"must be at least count, which no window"),
        (
            {"type": "Global", "perKey": True},
            "perKey",
            r"needs maxMessages or maxBytes with type Global.* \(perKey is true, type is Global\)",
        ),
        ({"size": "0s"}, "size", "'0s' is not allowed: expected 1ms to 8760h"),
        ({"size": "0.4ms"}, "size", "'0.4ms' is not allowed: expected 1ms"),
        ({"size": "8761h"}, "size", "'8761h' is not allowed: expected 1ms to 8760h"),
        ({"size": "soon"}, "size", "'soon' is not a duration"),
        ({"size": 60}, "size", "expected a text with a unit"),
        ({"type": "Count", "count": 0}, "count", "greater than or equal to 1"),
        ({"type": "Count", "count": 1_000_001}, "count", "less than or equal to 1000000"),
        ({"type": "Count", "count": "5"}, "count", "valid integer"),
        ({"type": "Count", "count": True}, "count", "valid integer"),
        ({"maxMessages": 0}, "maxMessages", "greater than or equal to 1"),
        ({"maxBytes": "1023"}, "maxBytes", "greater than or equal to 1024"),
        ({"perKey": "yes"}, "perKey", "valid boolean"),
        ({"type": "Hopping"}, "type", "'Tumbling', 'Sliding', 'Session', 'Count' or 'Global'"),
        ({"time": "Ingestion"}, "time", "'Processing' or 'Event'"),
        ({**EVENT, "latePolicy": "Keep"}, "latePolicy", "'Drop', 'DeadLetter' or 'NewWindow'"),
        ({**EVENT, "timestampFrom": "header.x"}, "timestampFrom", "should match pattern"),
        ({"length": "2s"}, "length", "Extra inputs are not permitted"),
        ({"length": ""}, "length", "Extra inputs are not permitted"),
    ],
)
def test_what_makes_no_window_is_refused_at_its_field_with_the_reason(
    declared: dict[str, object], field: str, reason: str
) -> None:
    with pytest.raises(ValidationError, match=rf"(?m)^  .*{reason}") as refusal:
        Window.model_validate(declared)
    assert [one["loc"] for one in refusal.value.errors()] == [(field,)]


def test_all_that_contradicts_is_told_at_once() -> None:
    with pytest.raises(ValidationError) as refusal:
        Window.model_validate({"type": "Global", "count": 3, "time": "Event", "perKey": True})
    assert {one["loc"] for one in refusal.value.errors()} == {("count",), ("time",), ("perKey",)}


@pytest.mark.parametrize(
    "declared",
    [
        {},
        {"size": "1ms"},
        COUNT,
        {**COUNT, "perKey": True, "maxMessages": 5},
        SLIDING,
        {**SLIDING, **EVENT, "timestampFrom": "headers.sent", "maxBytes": "1Ki"},
        {"type": "Sliding", "size": "1000s", "every": "1s"},
        {"type": "Sliding", "size": "0.3s", "every": "0.1s"},
        {**SESSION, **EVENT, "allowedLateness": "0s", "latePolicy": "DeadLetter", "perKey": True},
        {"type": "Global"},
        {"type": "Global", "perKey": True, "maxMessages": 10},
        {"type": "Global", "perKey": True, "maxBytes": 4096},
    ],
)
def test_a_window_comes_back_from_its_json(declared: dict[str, object]) -> None:
    window = Window.model_validate(declared)
    assert Window.model_validate_json(window.model_dump_json(exclude_none=True)) == window


def test_its_json_is_what_a_manifest_says() -> None:
    text = Window(size=2.0).model_dump_json(exclude_none=True)
    assert text == '{"type":"Tumbling","size":"2s","time":"Processing","perKey":false}'
