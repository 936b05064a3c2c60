"""Every example does what it says."""

import json
import shutil
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


def test_orders(run_penstock: RunPenstock, tmp_path: Path) -> None:
    folder = shutil.copytree(EXAMPLES / "orders", tmp_path / "orders")
    runtime = run_penstock(folder / "app.yaml")

    def order(customer: str, item: str) -> None:
        payload = json.dumps({"customer": customer, "item": item})
        runtime.penstock("publish", "orders", "--key", customer, "--payload", payload)

    def bills(count: int) -> list[tuple[str, list[str], int]]:
        found = [json.loads(text) for text in read(runtime, "bills", count)]
        return [(one["customer"], one["items"], one["total"]) for one in found]

    order("ada", "apple")
    order("alan", "bread")
    order("ada", "bread")
    assert sorted(bills(2)) == [("ada", ["apple", "bread"], 5), ("alan", ["bread"], 3)]

    order("ada", "durian")
    read(runtime, "failed-orders", 1)
    listed = json.loads(runtime.penstock("deadletter", "list", "failed-orders", "--output", "json"))
    assert [one["place"] for one in listed] == ["0/0"]
    assert "KeyError: 'durian'" in json.dumps(listed)

    with (folder / "prices.txt").open("a") as prices:
        prices.write("durian 9\n")
    runtime.penstock("deadletter", "replay", "failed-orders", "--all", "--yes")
    assert bills(3)[2] == ("ada", ["durian"], 9)
    left = runtime.penstock("deadletter", "list", "failed-orders", "--output", "json")
    assert json.loads(left or "[]") == []
