"""Every example does what it says."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

EXAMPLES = Path(__file__).parents[1] / "examples"


class Runtime(Protocol):
    """What `run_penstock` gives."""

    def penstock(self, *arguments: str, stdin: str = "") -> str: ...


RunPenstock = Callable[[Path], Runtime]


def publish(runtime: Runtime, stream: str, *payloads: str) -> None:
    runtime.penstock("publish", stream, "--lines", stdin="\n".join(payloads) + "\n")


def read(runtime: Runtime, stream: str, count: int) -> list[str]:
    printed = runtime.penstock("subscribe", stream, "--from-beginning", "--count", str(count))
    return [json.loads(line)["payload"] for line in printed.splitlines()]


def test_every_example_has_a_test() -> None:
    for folder in EXAMPLES.iterdir():
        assert f"def test_{folder.name.replace('-', '_')}" in Path(__file__).read_text()


def test_time_averager(run_penstock: RunPenstock) -> None:
    runtime = run_penstock(EXAMPLES / "time-averager" / "app.yaml")
    publish(runtime, "numbers", *(str(number) for number in range(10, 101, 10)))
    first = runtime.penstock("subscribe", "averages", "--from-beginning", "--count", "1")
    assert first == '{"payload":"55.0","contentType":"application/json","headers":{}}\n'
    publish(runtime, "numbers", "1", "2", "3")
    assert read(runtime, "averages", 2) == ["55.0", "2.0"]


def test_uppercase(run_penstock: RunPenstock) -> None:
    runtime = run_penstock(EXAMPLES / "uppercase" / "app.yaml")
    publish(runtime, "words", "one", "two", "grüße")
    assert read(runtime, "shouts", 3) == ["ONE", "TWO", "GRÜSSE"]


def test_join(run_penstock: RunPenstock) -> None:
    runtime = run_penstock(EXAMPLES / "join" / "app.yaml")
    publish(runtime, "shop-customers", '{"id": 1, "name": "Ada"}', '{"id": 2, "name": "Alan"}')
    publish(
        runtime,
        "shop-orders",
        '{"customer": 2, "item": "tape"}',
        '{"customer": 9, "item": "rope"}',
        '{"customer": 1, "item": "loom"}',
    )
    invoices = sorted(json.loads(text)["name"] for text in read(runtime, "invoices", 2))
    assert invoices == ["Ada", "Alan"]
    assert read(runtime, "strangers", 1) == ["no customer 9 for rope"]
