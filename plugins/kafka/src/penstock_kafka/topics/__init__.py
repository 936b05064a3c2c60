"""Topics: how streams are named and made."""

from penstock_kafka.topics.topics import Topics

__all__ = ["Topics"]
