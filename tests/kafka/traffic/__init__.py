"""Numbered messages: put into Kafka, read back from it, and counted; nothing here is penstock's."""

from tests.kafka.traffic.messages import Output, Place, id_of, key_of
from tests.kafka.traffic.outputs import Outputs
from tests.kafka.traffic.source import Source
from tests.kafka.traffic.tally import Tally, gaps, tally

__all__ = ["Output", "Outputs", "Place", "Source", "Tally", "gaps", "id_of", "key_of", "tally"]
