"""What the Kafka client raises, in the terms of the plugin contract."""

import re

from aiokafka.errors import (
    BrokerResponseError,
    ConsumerStoppedError,
    IllegalOperation,
    KafkaConnectionError,
    KafkaError,
    UnknownError,
    for_code,
)

from penstock.plugin import PenstockError, TemporaryError
from penstock_kafka.error_rules import BY_CLASS, BY_CODE, Rule
from penstock_kafka.faults import fault

CLIENT_ERRORS = (KafkaError, ConsumerStoppedError, IllegalOperation, OSError)
"""All that the Kafka client raises where nothing is wrong with the program; time-outs are in it."""

_SERVER = re.compile(r"\('([^']*)', (\d+), ")
"""A server, as aiokafka shows those from which it could not get metadata."""


def error_of(code: int, said: str | None = None) -> KafkaError:
    """The error of a code in a broker's answer; unlike aiokafka's, it keeps codes that are new.

    Args:
        code: The code; not 0.
        said: The broker's own words, where the answer has some.
    """
    error: KafkaError = for_code(code)(*([said] if said else []))
    error.errno = code
    return error


def translated(error: Exception, doing: str) -> PenstockError:
    """The error that a caller is shown; raise it from the one given.

    Args:
        error: What the client raised, one of `CLIENT_ERRORS`.
        doing: What was being done, with the name of the thing, such as `publishing to topic x`.
    """
    rule = _rule(error)
    said = _said(error)
    text = f"{doing}: {rule.words.format(said=f': {said}' if said else '')}"
    if issubclass(rule.raises, TemporaryError):
        return rule.raises(text, rule.retry_after)
    return rule.raises(text)


def _rule(error: Exception) -> Rule:
    if isinstance(error, BrokerResponseError) and error.errno in BY_CODE:
        return BY_CODE[error.errno]
    return next(BY_CLASS[base] for base in type(error).__mro__ if base in BY_CLASS)


def _said(error: Exception) -> str:
    """The words that came with an error, on one line; a code that nobody knows is one of them."""
    match error:
        case OSError():
            words = fault(error)
        case KafkaConnectionError(args=(str(first), *_)) if servers := _SERVER.findall(first):
            words = f"none of {', '.join(f'{host}:{port}' for host, port in servers)} answers"
        case KafkaError(args=(str(first), *_)):
            words = first
        case _:
            words = ""
    if isinstance(error, UnknownError) and error.errno not in (UnknownError.errno, *BY_CODE):
        words = f"error {error.errno}, {words}" if words else f"error {error.errno}"
    return " ".join(words.split()).rstrip(".")
