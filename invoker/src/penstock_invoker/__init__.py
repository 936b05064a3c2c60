"""Hosts a Python function behind the function protocols.

A function needs nothing of this module to be hosted. It imports it to see or to set more of a
message than its value, to choose among several outputs, or to add a content type.
"""

from penstock_invoker.codecs import register_codec
from penstock_invoker.errors import CallCancelled
from penstock_invoker.message import Message, Output

__all__ = ["CallCancelled", "Message", "Output", "register_codec"]
