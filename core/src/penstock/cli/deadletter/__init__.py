"""`penstock deadletter`: the dead letters of a stream, and what becomes of them."""

from penstock.cli.deadletter.commands import command

__all__ = ["command"]
