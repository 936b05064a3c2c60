"""Times of messages that are none: they hold nothing back, and lose nothing."""

import json
import shutil
from pathlib import Path

from tests.command_line import Penstock
from tests.kafka_run.payloads import payloads

ORDERS = Path(__file__).parents[2] / "examples" / "orders"
OF_EVENT_TIME = "gap: 1s\n    time: Event\n    timestampFrom: headers.at\n    idleTimeout: 1s"
TIMES = ["9999-12-31T00:00:00Z", "1950-01-01T00:00:00Z", "yesterday", "9" * 30, ""]


def test_bad_times_are_replaced_by_those_of_the_records(tmp_path: Path) -> None:
    penstock = Penstock(tmp_path / "state")
    app = shutil.copytree(ORDERS, tmp_path / "app") / "app.yaml"
    app.write_text(app.read_text().replace("gap: 1s", OF_EVENT_TIME))
    with penstock.run(app):
        for customer, at in enumerate(TIMES):
            order = json.dumps({"customer": str(customer), "item": "apple"})
            header = ("--header", f"at: {at}") if at else ()
            penstock("publish", "orders", "--key", str(customer), "--payload", order, *header)
        bills = [json.loads(bill) for bill in payloads(penstock, "bills", len(TIMES))]
    assert {bill["customer"] for bill in bills} == {"0", "1", "2", "3", "4"}
