"""What is said of processors once everything is up."""

from typing import Any

import pytest

from penstock.local.summary import summarize
from penstock.resources.models import Processor


@pytest.mark.parametrize(
    ("window", "words"),
    [
        ({}, "1m"),
        ({"size": "90s"}, "1m30s"),
        ({"type": "Count", "count": 5}, "5 messages"),
        ({"type": "Sliding", "size": "1m", "every": "10s"}, "1m every 10s"),
        ({"type": "Session", "gap": "30s", "perKey": True}, "session, gap 30s per key"),
        ({"type": "Global"}, "global"),
    ],
)
def test_a_window_is_told_in_words(window: dict[str, Any], words: str) -> None:
    spec = {"inputs": [{"stream": "in"}], "window": window}
    processor = Processor.model_validate({"metadata": {"name": "join"}, "spec": spec})
    _, row = summarize([], [processor]).splitlines()
    assert row.split("  ")[-1].strip() == words
