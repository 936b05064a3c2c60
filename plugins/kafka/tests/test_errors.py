"""What a caller is told of each error of Kafka."""

import inspect
import socket
import ssl
from itertools import takewhile

import pytest
from aiokafka import errors as kafka

from penstock.plugin import NotReady, PenstockError, PermanentError, TemporaryError
from penstock_kafka.error_rules import BY_CLASS, BY_CODE
from penstock_kafka.errors import CLIENT_ERRORS, error_of, translated
from penstock_kafka.security.token import TokenUnavailable

DOING = "publishing to topic orders"
CLASSES = [
    one
    for _, one in inspect.getmembers(kafka, inspect.isclass)
    if issubclass(one, Exception) and one not in (kafka.NoError, kafka.BrokerResponseError)
]
BASES = (kafka.KafkaError, kafka.BrokerResponseError)


def told(error: Exception) -> str:
    """What is said of an error, after what was being done."""
    start, _, words = str(translated(error, DOING)).partition(": ")
    assert start == DOING
    return words


@pytest.mark.parametrize("class_", CLASSES, ids=lambda class_: class_.__name__)
def test_each_error_of_the_client_is_put_in_words(class_: type[Exception]) -> None:
    error = translated(class_(), DOING)
    assert type(error) in (TemporaryError, NotReady, PermanentError)
    text = str(error)
    assert text.startswith(f"{DOING}: ")
    assert class_.__name__ not in text
    assert not {"\n", "{", "}"} & set(text)
    assert text[-1] not in ". "


@pytest.mark.parametrize("class_", CLASSES, ids=lambda class_: class_.__name__)
def test_each_error_of_the_client_has_a_rule(class_: type[Exception]) -> None:
    """One of its own or of its kind, not only the one for all."""
    if class_ is not kafka.KafkaError:
        assert any(base in BY_CLASS for base in takewhile(lambda b: b not in BASES, class_.__mro__))
    assert issubclass(class_, CLIENT_ERRORS)


@pytest.mark.parametrize("code", [code for code in range(-1, 134) if code])
def test_each_code_of_a_broker_is_put_in_words(code: int) -> None:
    error = error_of(code, "As it is.")
    assert error.errno == code
    words = told(error)
    assert not {"\n", "{", "}", "["} & set(words)
    unknown = code not in kafka.kafka_errors and code not in BY_CODE
    assert (f"error {code}" in words) == unknown


@pytest.mark.parametrize(
    ("error", "class_", "words"),
    [
        (
            kafka.TopicAuthorizationFailedError("orders"),
            TemporaryError,
            (
                "the cluster does not allow it: give the principal that auth logs in as the right "
                "to the topic: Read to subscribe, Write to publish, and Create, Describe, Alter, "
                "DescribeConfigs, AlterConfigs and Delete to provision"
            ),
        ),
        (
            kafka.GroupAuthorizationFailedError("readers"),
            TemporaryError,
            (
                "the cluster does not allow it: give the principal that auth logs in as the rights "
                "Read and Describe to the group"
            ),
        ),
        (
            error_of(31),
            TemporaryError,
            (
                "the cluster does not allow it: give the principal that auth logs in as the right "
                "to the cluster: Create to make topics"
            ),
        ),
        (
            error_of(44, "at most 10 partitions, please"),
            PermanentError,
            "a policy of the cluster forbids it: at most 10 partitions, please",
        ),
        (
            error_of(38, "Unable to replicate the partition 3 time(s)."),
            PermanentError,
            ("the cluster has not so many brokers: Unable to replicate the partition 3 time(s)"),
        ),
        (
            error_of(37, "Number of partitions was set to an invalid non-positive value."),
            PermanentError,
            (
                "the cluster does not take this number: Number of partitions was set to "
                "an invalid non-positive value"
            ),
        ),
        (
            error_of(40, "Unknown topic config name: retention.sm"),
            PermanentError,
            (
                "there is no such setting, or not with this value: Unknown topic config name: "
                "retention.sm"
            ),
        ),
        (
            error_of(89, "The throttling quota has been exceeded."),
            TemporaryError,
            (
                "a quota of the cluster is used up: The throttling quota has been exceeded: wait, "
                "or have it raised"
            ),
        ),
        (
            kafka.MessageSizeTooLargeError(),
            PermanentError,
            (
                "the message is larger than the topic takes: raise max.message.bytes in the config "
                "of the stream, or send less"
            ),
        ),
        (
            kafka.UnknownTopicOrPartitionError(),
            TemporaryError,
            "there is no such topic or partition, or not yet on every broker",
        ),
        (error_of(17), PermanentError, "no topic can have this name, or it is Kafka's own"),
        (
            kafka.NotEnoughReplicasError(),
            TemporaryError,
            (
                "fewer replicas are in sync than min.insync.replicas asks for: brokers are down or "
                "behind"
            ),
        ),
        (kafka.KafkaTimeoutError(), TemporaryError, "there was no answer in time"),
        (TimeoutError(), TemporaryError, "there was no answer in time"),
        (
            kafka.KafkaConnectionError("Connection at a:1 closed"),
            NotReady,
            "a broker cannot be reached: Connection at a:1 closed",
        ),
        (
            kafka.KafkaConnectionError(
                f"Unable to bootstrap from {[('a', 1, socket.AF_INET), ('::1', 2, 10)]}"
            ),
            NotReady,
            "a broker cannot be reached: none of a:1, ::1:2 answers",
        ),
        (
            kafka.NodeNotReadyError("Attempt to send a request to node (node id 1)"),
            NotReady,
            "a broker cannot be reached",
        ),
        (
            ConnectionRefusedError(111, "Connection refused"),
            NotReady,
            "a broker cannot be reached: nothing listens there",
        ),
        (
            ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"),
            NotReady,
            "a broker cannot be reached: it does not speak TLS",
        ),
        (
            TokenUnavailable("auth.accessToken: there is no file"),
            NotReady,
            "there is no access token to log in with: auth.accessToken: there is no file",
        ),
        (
            error_of(58, "Invalid username or password"),
            NotReady,
            "the login was refused: Invalid username or password: see auth",
        ),
        (
            error_of(73),
            PermanentError,
            "the brokers let nobody delete topics (delete.topic.enable): use deletionPolicy Retain",
        ),
        (
            error_of(87, "Compacted topic cannot\n accept message without key."),
            PermanentError,
            (
                "the topic does not take the message: Compacted topic cannot accept message "
                "without key"
            ),
        ),
        (
            error_of(999, "Something new."),
            TemporaryError,
            "the broker failed without saying why: error 999, Something new; its log may say it",
        ),
        (
            error_of(-1),
            TemporaryError,
            "the broker failed without saying why; its log may say it",
        ),
        (
            type("NewError", (kafka.KafkaError,), {})("never seen"),
            TemporaryError,
            "Kafka's client failed: never seen",
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_what_is_told(error: Exception, class_: type[PenstockError], words: str) -> None:
    assert type(translated(error, DOING)) is class_
    assert told(error) == words


def test_a_caller_is_told_how_long_to_wait() -> None:
    quota = translated(error_of(89), DOING)
    right = translated(kafka.TopicAuthorizationFailedError(), DOING)
    leader = translated(kafka.NotLeaderForPartitionError(), DOING)
    assert isinstance(quota, TemporaryError)
    assert isinstance(right, TemporaryError)
    assert isinstance(leader, TemporaryError)
    assert (quota.retry_after, right.retry_after, leader.retry_after) == (1.0, 10.0, None)
