"""Windows as a manifest declares them."""

import pytest
from pydantic import ValidationError

from penstock.window import Window, WindowType


def test_a_window_that_says_nothing_is_that_of_riff() -> None:
    window = Window()
    assert window.type is WindowType.TUMBLING
    assert window.size_seconds == 60


def test_a_tumbling_window_has_a_size() -> None:
    assert Window.model_validate({"size": "1m30s"}).size_seconds == 90


def test_a_count_window_has_a_count() -> None:
    assert Window.model_validate({"type": "Count", "count": 5}).count == 5


@pytest.mark.parametrize(
    ("declared", "reason"),
    [
        ({"type": "Count"}, "count is required with type Count"),
        ({"type": "Count", "count": 5, "size": "2s"}, "size belongs to type Tumbling: remove it"),
        ({"count": 5}, "count belongs to type Count: remove it, or set type: Count"),
        ({"size": "0s"}, "size must be at least 1ms"),
        ({"size": "0.4ms"}, "size must be at least 1ms"),
        ({"size": "soon"}, "'soon' is not a duration"),
        ({"size": 60}, "expected a text with a unit"),
        ({"type": "Count", "count": 0}, "greater than or equal to 1"),
        ({"type": "Count", "count": 1_000_001}, "less than or equal to 1000000"),
        ({"type": "Hopping"}, "'Tumbling' or 'Count'"),
        ({"length": "2s"}, "Extra inputs are not permitted"),
    ],
)
def test_what_makes_no_window_is_refused_with_the_reason(
    declared: dict[str, object], reason: str
) -> None:
    with pytest.raises(ValidationError, match=reason):
        Window.model_validate(declared)


@pytest.mark.parametrize(
    "window", [Window(), Window(size=0.001), Window(type=WindowType.COUNT, count=1)]
)
def test_a_window_comes_back_from_its_json(window: Window) -> None:
    text = window.model_dump_json(exclude_none=True)
    assert Window.model_validate_json(text) == window


def test_its_json_is_what_a_manifest_says() -> None:
    text = Window(size=2.0).model_dump_json(exclude_none=True)
    assert text == '{"type":"Tumbling","size":"2s"}'
