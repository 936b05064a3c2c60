"""Bills what each customer has ordered, one bill for the orders that come close together."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PRICES = Path(__file__).with_name("prices.txt")


@dataclass
class Order:
    """A message of the input `orders`."""

    customer: str
    item: str


@dataclass
class Bill:
    """A message of the output `bills`."""

    customer: str
    items: list[str]
    total: int


def bill(orders: Iterator[Order]) -> Iterator[Bill]:
    """Yield the bill of a window; its orders have one key, so they are of one customer.

    Raises:
        KeyError: An item has no price. It is raised before anything is billed: the window is
            called again, in parts, and the order with that item goes to the dead letters.
    """
    prices = dict(line.split() for line in PRICES.read_text().splitlines())
    ordered = list(orders)
    items = [order.item for order in ordered]
    yield Bill(ordered[0].customer, items, sum(int(prices[item]) for item in items))
