"""How batches of records are compressed."""

from enum import StrEnum

from aiokafka.record.default_records import DefaultRecordBatch


class Compression(StrEnum):
    """A way to compress batches, by Kafka's name for it."""

    NONE = "none"
    GZIP = "gzip"
    SNAPPY = "snappy"
    LZ4 = "lz4"
    ZSTD = "zstd"

    @property
    def codec(self) -> int:
        """Its number in Kafka's format of batches; 0 is none."""
        return int(getattr(DefaultRecordBatch, f"CODEC_{self.name}"))
