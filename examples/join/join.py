"""Joins the orders of a window with its customers: two inputs and two outputs, by name."""

from collections.abc import Iterator
from dataclasses import dataclass

from penstock_invoker import Output


@dataclass
class Order:
    """A message of the input `orders`."""

    customer: int
    item: str


@dataclass
class Customer:
    """A message of the input `customers`."""

    id: int
    name: str


@dataclass
class Invoice:
    """A message of the output `invoices`."""

    name: str
    item: str


def join(orders: Iterator[Order], customers: Iterator[Customer]) -> Iterator[Output[Invoice | str]]:
    """Write an invoice for each order of a known customer; tell of the others."""
    names = {customer.id: customer.name for customer in customers}
    for order in orders:
        if name := names.get(order.customer):
            yield Output("invoices", Invoice(name, order.item))
        else:
            yield Output("unknown", f"no customer {order.customer} for {order.item}")
