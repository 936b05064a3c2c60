"""What each error of Kafka means to a person, and to the caller: the table of `errors`.

A message of a batch, or the settings of a stream, is refused for good (`PermanentError`) only for
what is in it. What the cluster lacks, a right or a broker or a quota, may be there at the next try.
"""

from collections.abc import Mapping
from typing import NamedTuple

from aiokafka import errors as kafka

from penstock.plugin import NotReady, PenstockError, PermanentError, TemporaryError
from penstock_kafka.security.token import TokenUnavailable

_UNTIL_SOMEBODY_ACTS = 10.0


class Rule(NamedTuple):
    """What becomes of an error.

    Attributes:
        raises: The class of the contract.
        words: What was wrong and what to do; `{said}` is where the broker's own words go, with a
            colon before them, if there are any.
        retry_after: Seconds, for a `TemporaryError`.
    """

    raises: type[PenstockError]
    words: str
    retry_after: float | None = None


_LEADER = Rule(TemporaryError, "the partition's leader is changing, or its broker is away")
_COORDINATOR = Rule(TemporaryError, "the group's coordinator is starting or moving")
_MEMBER = Rule(TemporaryError, "the membership in the group is lost: it was away for too long")
_REPLICAS = Rule(
    TemporaryError,
    "fewer replicas are in sync than min.insync.replicas asks for: brokers are down or behind",
)
_PRODUCER = Rule(TemporaryError, "the broker has lost the thread of this producer; it begins anew")
_TRANSACTION = Rule(TemporaryError, "the broker refuses the transaction{said}")
_UNREACHED = Rule(NotReady, "a broker cannot be reached{said}")
_TIMED_OUT = Rule(TemporaryError, "there was no answer in time")
_LOGIN = Rule(NotReady, "the login was refused{said}: see auth", _UNTIL_SOMEBODY_ACTS)
_CLIENT = Rule(TemporaryError, "the connection to Kafka got out of step{said}")
_CLOSED = Rule(TemporaryError, "the client is being closed")
_VERSION = Rule(PermanentError, "the brokers are too old for it{said}")
_TOKEN = Rule(NotReady, "the brokers refuse the delegation token{said}")
_METADATA_SIZE = Rule(
    PermanentError, "the note stored with the position is larger than offset.metadata.max.bytes"
)
_TOO_LARGE = Rule(
    PermanentError,
    "the message is larger than the topic takes{said}: raise max.message.bytes in the config of "
    "the stream, or send less",
)
_REQUEST = Rule(PermanentError, "the broker does not take the request{said}")
_BROKERS_OWN = Rule(TemporaryError, "the brokers are busy with themselves{said}")


def _not_allowed(what: str) -> Rule:
    words = f"the cluster does not allow it: give the principal that auth logs in as {what}"
    return Rule(TemporaryError, words, _UNTIL_SOMEBODY_ACTS)


BY_CLASS: Mapping[type[Exception], Rule] = {
    # What a person has to mend.
    kafka.TopicAuthorizationFailedError: _not_allowed(
        "the right to the topic: Read to subscribe, Write to publish, and Create, Describe, Alter, "
        "DescribeConfigs, AlterConfigs and Delete to provision"
    ),
    kafka.GroupAuthorizationFailedError: _not_allowed("the rights Read and Describe to the group"),
    kafka.ClusterAuthorizationFailedError: _not_allowed(
        "the right to the cluster: Create to make topics"
    ),
    kafka.TransactionalIdAuthorizationFailed: _not_allowed("the right to the transactional id"),
    kafka.DelegationTokenAuthorizationFailed: _not_allowed("the right to the delegation token"),
    kafka.PolicyViolationError: Rule(PermanentError, "a policy of the cluster forbids it{said}"),
    kafka.InvalidReplicationFactorError: Rule(
        PermanentError, "the cluster has not so many brokers{said}"
    ),
    kafka.InvalidReplicationAssignmentError: Rule(
        PermanentError, "the replicas cannot be spread so{said}"
    ),
    kafka.InvalidPartitionsError: Rule(
        PermanentError, "the cluster does not take this number{said}"
    ),
    kafka.InvalidConfigurationError: Rule(
        PermanentError, "there is no such setting, or not with this value{said}"
    ),
    kafka.InvalidTopicError: Rule(
        PermanentError, "no topic can have this name, or it is Kafka's own{said}"
    ),
    kafka.InvalidGroupIdError: Rule(PermanentError, "no group can have this name"),
    kafka.InvalidSessionTimeoutError: Rule(
        PermanentError,
        "the session time-out is not within the brokers' group.min.session.timeout.ms and "
        "group.max.session.timeout.ms",
    ),
    kafka.SecurityDisabled: Rule(PermanentError, "the cluster has no authorizer"),
    kafka.UnsupportedVersionError: _VERSION,
    kafka.UnsupportedForMessageFormatError: _VERSION,
    kafka.UnrecognizedBrokerVersion: _VERSION,
    kafka.IncompatibleBrokerVersion: _VERSION,
    # What is wrong with a message.
    kafka.MessageSizeTooLargeError: _TOO_LARGE,
    kafka.RecordTooLargeError: _TOO_LARGE,
    kafka.RecordListTooLargeError: Rule(
        PermanentError,
        "the batch is larger than a segment of the topic{said}: raise segment.bytes in the config "
        "of the stream, or send less",
    ),
    kafka.InvalidTimestampError: Rule(
        TemporaryError,
        "the clock here is further from the broker's than the topic allows "
        "(message.timestamp.before.max.ms, message.timestamp.after.max.ms)",
        _UNTIL_SOMEBODY_ACTS,
    ),
    kafka.OffsetMetadataTooLargeError: _METADATA_SIZE,
    kafka.InvalidCommitOffsetSizeError: _METADATA_SIZE,
    kafka.UnsupportedCodecError: Rule(
        PermanentError, "a record is compressed in a way that cannot be read here{said}"
    ),
    # What passes, in topics and partitions.
    kafka.UnknownTopicOrPartitionError: Rule(
        TemporaryError, "there is no such topic or partition, or not yet on every broker"
    ),
    kafka.TopicAlreadyExistsError: Rule(TemporaryError, "the topic has just been made"),
    kafka.LeaderNotAvailableError: _LEADER,
    kafka.NotLeaderForPartitionError: _LEADER,
    kafka.ReplicaNotAvailableError: _LEADER,
    kafka.StaleLeaderEpochCodeError: _LEADER,
    kafka.ListenerNotFound: _LEADER,
    kafka.NotEnoughReplicasError: _REPLICAS,
    kafka.NotEnoughReplicasAfterAppendError: _REPLICAS,
    kafka.CorruptRecordException: Rule(TemporaryError, "a record arrived damaged"),
    kafka.OffsetOutOfRangeError: Rule(
        PermanentError, "there is no record at the offset: it is gone, or was never written"
    ),
    kafka.NoOffsetForPartitionError: Rule(TemporaryError, "the group has no position{said}"),
    kafka.KafkaStorageError: Rule(TemporaryError, "the broker cannot use its disk"),
    kafka.LogDirNotFound: Rule(TemporaryError, "the broker cannot use its disk"),
    kafka.ReassignmentInProgress: Rule(
        TemporaryError, "partitions are being moved between brokers: wait until that is done"
    ),
    kafka.NotControllerError: Rule(TemporaryError, "the cluster's controller is changing"),
    kafka.QuotaViolationError: Rule(TemporaryError, "a quota of the cluster is used up{said}", 1.0),
    kafka.OperationNotAttempted: Rule(
        TemporaryError, "it was not tried, as something else in the request failed{said}"
    ),
    # What passes, in groups.
    kafka.GroupLoadInProgressError: _COORDINATOR,
    kafka.GroupCoordinatorNotAvailableError: _COORDINATOR,
    kafka.NotCoordinatorForGroupError: _COORDINATOR,
    kafka.IllegalGenerationError: _MEMBER,
    kafka.UnknownMemberIdError: _MEMBER,
    kafka.CommitFailedError: _MEMBER,
    kafka.MemberIdRequired: _MEMBER,
    kafka.RebalanceInProgressError: Rule(TemporaryError, "the group is sharing out its partitions"),
    kafka.InconsistentGroupProtocolError: Rule(
        TemporaryError,
        "the group's other members share out partitions in another way: another program may be "
        "using the group's name",
        _UNTIL_SOMEBODY_ACTS,
    ),
    kafka.NonEmptyGroup: Rule(TemporaryError, "the group has members"),
    kafka.GroupIdNotFound: Rule(TemporaryError, "there is no such group"),
    # What passes, in producers.
    kafka.OutOfOrderSequenceNumber: _PRODUCER,
    kafka.DuplicateSequenceNumber: _PRODUCER,
    kafka.InvalidProducerEpoch: _PRODUCER,
    kafka.UnknownProducerId: _PRODUCER,
    kafka.ProducerFenced: _PRODUCER,
    kafka.InvalidTxnState: _TRANSACTION,
    kafka.InvalidProducerIdMapping: _TRANSACTION,
    kafka.InvalidTransactionTimeout: _TRANSACTION,
    kafka.ConcurrentTransactions: _TRANSACTION,
    kafka.TransactionCoordinatorFenced: _TRANSACTION,
    # The way to the brokers.
    kafka.KafkaConnectionError: _UNREACHED,
    kafka.NodeNotReadyError: Rule(NotReady, "a broker cannot be reached"),
    kafka.NoBrokersAvailable: _UNREACHED,
    kafka.BrokerNotAvailableError: _UNREACHED,
    kafka.KafkaUnavailableError: _UNREACHED,
    kafka.MetadataEmptyBrokerList: _UNREACHED,
    kafka.StaleMetadata: _LEADER,
    kafka.KafkaTimeoutError: _TIMED_OUT,
    kafka.RequestTimedOutError: _TIMED_OUT,
    TimeoutError: _TIMED_OUT,
    OSError: _UNREACHED,
    # Who one is to them.
    TokenUnavailable: Rule(NotReady, "there is no access token to log in with{said}"),
    kafka.SaslAuthenticationFailed: _LOGIN,
    kafka.AuthenticationFailedError: _LOGIN,
    kafka.AuthenticationMethodNotSupported: _LOGIN,
    kafka.UnsupportedSaslMechanismError: Rule(
        NotReady, "the brokers do not offer this way to log in: see auth.type", _UNTIL_SOMEBODY_ACTS
    ),
    kafka.IllegalSaslStateError: Rule(
        NotReady, "the brokers ask for no login: see auth", _UNTIL_SOMEBODY_ACTS
    ),
    kafka.DelegationTokenAuthDisabled: _TOKEN,
    kafka.DelegationTokenNotFound: _TOKEN,
    kafka.DelegationTokenOwnerMismatch: _TOKEN,
    kafka.DelegationTokenRequestNotAllowed: _TOKEN,
    kafka.DelegationTokenExpired: _TOKEN,
    kafka.InvalidPrincipalType: _REQUEST,
    # What only a fault of a client or of a broker brings about.
    kafka.UnknownError: Rule(
        TemporaryError, "the broker failed without saying why{said}; its log may say it"
    ),
    kafka.InvalidRequestError: _REQUEST,
    kafka.InvalidFetchRequestError: _REQUEST,
    kafka.InvalidRequiredAcksError: _REQUEST,
    kafka.IllegalArgumentError: _REQUEST,
    kafka.KafkaConfigurationError: _REQUEST,
    kafka.IllegalOperation: _REQUEST,
    kafka.IllegalStateError: _CLIENT,
    kafka.KafkaProtocolError: _CLIENT,
    kafka.TooManyInFlightRequests: _CLIENT,
    kafka.FetchSessionIdNotFound: _CLIENT,
    kafka.InvalidFetchSessionEpoch: _CLIENT,
    kafka.StaleControllerEpochError: _BROKERS_OWN,
    kafka.Cancelled: _CLOSED,
    kafka.ConsumerStoppedError: _CLOSED,
    kafka.ProducerClosed: _CLOSED,
    kafka.KafkaError: Rule(TemporaryError, "Kafka's client failed{said}"),
}
"""By the class of the error, or the nearest of its bases that is here."""

BY_CODE: Mapping[int, Rule] = {
    73: Rule(
        PermanentError,
        "the brokers let nobody delete topics (delete.topic.enable): use deletionPolicy Retain",
    ),
    **dict.fromkeys((74, 75, 78, 80, 83, 100, 103, 106, 108), _LEADER),
    76: Rule(PermanentError, "the topic does not take this compression: see compression.type"),
    **dict.fromkeys((77, 84, 85, 101, 102), _BROKERS_OWN),
    81: Rule(
        TemporaryError,
        "the group has as many members as the brokers' group.max.size allows",
        _UNTIL_SOMEBODY_ACTS,
    ),
    **dict.fromkeys((82, 110, 111, 113), _MEMBER),
    86: Rule(TemporaryError, "members of the group are subscribed to the topic"),
    87: Rule(PermanentError, "the topic does not take the message{said}"),
    88: Rule(TemporaryError, "a transaction on the group's position is not finished"),
    89: Rule(
        TemporaryError, "a quota of the cluster is used up{said}: wait, or have it raised", 1.0
    ),
    90: _PRODUCER,
    **dict.fromkeys((105, 120), _TRANSACTION),
}
"""By the code in the broker's answer, for what aiokafka does not know.

The names are in Kafka's own list, "Error Codes" in the guide to its protocol: from 73,
TOPIC_DELETION_DISABLED, to 120, TRANSACTION_ABORTABLE.
"""
