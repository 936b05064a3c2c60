"""Records of Kafka as messages of penstock: binary CloudEvents, and what others write."""

from penstock_kafka.records.decoding import decode
from penstock_kafka.records.encoding import EncodedRecord, encode

__all__ = ["EncodedRecord", "decode", "encode"]
