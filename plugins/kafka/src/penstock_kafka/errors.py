"""What the Kafka client raises, in the terms of the plugin contract."""

from aiokafka.errors import KafkaError

from penstock.plugin import PenstockError, PermanentError, TemporaryError


def translated(error: KafkaError, doing: str) -> PenstockError:
    """The error that a caller is shown; raise it from the one given.

    Args:
        error: What the client raised.
        doing: What was being done, such as `publishing to topic x`.
    """
    text = f"{doing}: {type(error).__name__}: {error}"
    return TemporaryError(text) if error.retriable else PermanentError(text)
