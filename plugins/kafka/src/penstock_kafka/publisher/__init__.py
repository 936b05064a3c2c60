"""Publishing: batches of messages as batches of records."""

from penstock_kafka.publisher.publisher import Publisher

__all__ = ["Publisher"]
