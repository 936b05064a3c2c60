"""The metrics of a sidecar: what is counted, under which names and labels."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from penstock.observability.metrics_page import (
    COUNT_BUCKETS,
    LONG_SECONDS_BUCKETS,
    SECONDS_BUCKETS,
    MetricsPage,
)

_PROCESSOR: Final = ("processor",)
_INPUT: Final = ("processor", "input", "stream")
_OUTPUT: Final = ("processor", "output", "stream")
_BUFFER: Final = ("processor", "buffer")


class SidecarMetrics:
    """All of them.

    Args:
        page: Where they are shown.
    """

    def __init__(self, page: MetricsPage) -> None:
        registry = page.registry
        self.about = Gauge(
            "penstock_sidecar_info",
            "The processor, its namespace where that is known, and its consumer group; always 1.",
            ("processor", "namespace", "group"),
            registry=registry,
        )
        self.ready = Gauge(
            "penstock_sidecar_ready",
            "Whether messages can flow: 1 or 0.",
            _PROCESSOR,
            registry=registry,
        )
        self.input_messages = Counter(
            "penstock_sidecar_input_messages_total",
            "Messages that were read.",
            _INPUT,
            registry=registry,
        )
        self.input_bytes = Counter(
            "penstock_sidecar_input_bytes_total",
            "Bytes of payload that were read.",
            _INPUT,
            registry=registry,
        )
        self.input_batch = Histogram(
            "penstock_sidecar_input_batch_messages",
            "Messages in each batch that was read.",
            _PROCESSOR,
            buckets=COUNT_BUCKETS,
            registry=registry,
        )
        self.expired_positions = Counter(
            "penstock_sidecar_expired_positions_total",
            "Times that retention removed messages before they were read.",
            _INPUT,
            registry=registry,
        )
        self.output_messages = Counter(
            "penstock_sidecar_output_messages_total",
            "Messages that were published, and accepted by their gateway.",
            _OUTPUT,
            registry=registry,
        )
        self.output_bytes = Counter(
            "penstock_sidecar_output_bytes_total",
            "Bytes of payload that were published, and accepted by their gateway.",
            _OUTPUT,
            registry=registry,
        )
        self.output_batch = Histogram(
            "penstock_sidecar_output_batch_messages",
            "Messages in each batch that was published.",
            _PROCESSOR,
            buckets=COUNT_BUCKETS,
            registry=registry,
        )
        self.publish_seconds = Histogram(
            "penstock_sidecar_publish_seconds",
            "How long a gateway took to answer for a batch.",
            _PROCESSOR,
            buckets=SECONDS_BUCKETS,
            registry=registry,
        )
        self.publishing_messages = Gauge(
            "penstock_sidecar_publishing_messages",
            "Messages that a gateway has not answered for yet.",
            _PROCESSOR,
            registry=registry,
        )
        self.publish_failures = Counter(
            "penstock_sidecar_publish_failures_total",
            "Messages that a gateway did not accept, each time they were published, by the reason.",
            (*_OUTPUT, "reason"),
            registry=registry,
        )
        self.end_to_end_seconds = Histogram(
            "penstock_sidecar_end_to_end_seconds",
            "From when the first record of a batch was stored until the whole batch was done: the "
            "function is done with it, and its outputs are accepted. One value for each batch that "
            "was read.",
            _PROCESSOR,
            buckets=LONG_SECONDS_BUCKETS,
            registry=registry,
        )
        self.function_calls = Counter(
            "penstock_sidecar_function_calls_total",
            "Calls of the function: one for each window, and one more where a call ends before "
            "its window, or is repeated.",
            _PROCESSOR,
            registry=registry,
        )
        self.calls_in_flight = Gauge(
            "penstock_sidecar_calls_in_flight",
            "Calls of the function that are open.",
            _PROCESSOR,
            registry=registry,
        )
        self.function_failures = Counter(
            "penstock_sidecar_function_failures_total",
            "Calls that failed: the function did, or its host was gone.",
            (*_PROCESSOR, "reason"),
            registry=registry,
        )
        self.function_seconds = Histogram(
            "penstock_sidecar_function_seconds",
            "Of a function of one value, from when a frame of messages is handed to it until it is "
            "done with them; of a function of streams, from when it has all messages of its window "
            "until its call ends.",
            _PROCESSOR,
            buckets=LONG_SECONDS_BUCKETS,
            registry=registry,
        )
        self.open_windows = Gauge(
            "penstock_sidecar_open_windows",
            "Windows that have messages and are not done.",
            _PROCESSOR,
            registry=registry,
        )
        self.ended_windows = Counter(
            "penstock_sidecar_ended_windows_total",
            "Windows that ended, and that are done.",
            _PROCESSOR,
            registry=registry,
        )
        self.early_windows = Counter(
            "penstock_sidecar_early_windows_total",
            "Windows that ended before they were to, by the reason: a bound of the window, or a "
            "buffer that is full.",
            (*_PROCESSOR, "reason"),
            registry=registry,
        )
        self.late_messages = Counter(
            "penstock_sidecar_late_messages_total",
            "Messages whose windows had ended when they came, by what became of them: Drop or "
            "DeadLetter.",
            (*_PROCESSOR, "policy"),
            registry=registry,
        )
        self.late_windows = Counter(
            "penstock_sidecar_late_windows_total",
            "Windows that were made for late messages, by policy NewWindow.",
            _PROCESSOR,
            registry=registry,
        )
        self.undated_messages = Counter(
            "penstock_sidecar_undated_messages_total",
            "Messages without a time, or with one that cannot be: they got another one.",
            _PROCESSOR,
            registry=registry,
        )
        self.dead_letters = Counter(
            "penstock_sidecar_dead_letters_total",
            "Messages that were given to the dead-letter stream.",
            _PROCESSOR,
            registry=registry,
        )
        self.lost_messages = Counter(
            "penstock_sidecar_lost_messages_total",
            "Messages that were not processed and are not repeated, by guarantee AtMostOnce.",
            _PROCESSOR,
            registry=registry,
        )
        self.stopped_partition = Gauge(
            "penstock_sidecar_stopped_partition",
            "Partitions that stand still, because a message of each can be neither processed nor "
            "set aside; 1 for each of them.",
            (*_INPUT, "partition"),
            registry=registry,
        )
        self.retries = Counter(
            "penstock_sidecar_retries_total",
            "What failed and is done again: read, publish, ack, function, where it gets messages "
            "again, or session, where everything begins anew.",
            (*_PROCESSOR, "operation"),
            registry=registry,
        )
        self.acks = Counter(
            "penstock_sidecar_acks_total",
            "Positions that were stored, each of one partition.",
            _INPUT,
            registry=registry,
        )
        self.partitions = Gauge(
            "penstock_sidecar_partitions",
            "Partitions that are assigned to this sidecar now.",
            _INPUT,
            registry=registry,
        )
        self.assigned_partitions = Counter(
            "penstock_sidecar_assigned_partitions_total",
            "Partitions that this sidecar was given.",
            _INPUT,
            registry=registry,
        )
        self.revoked_partitions = Counter(
            "penstock_sidecar_revoked_partitions_total",
            "Partitions that were taken from this sidecar.",
            _INPUT,
            registry=registry,
        )
        self.lag = Gauge(
            "penstock_sidecar_lag_messages",
            "Messages of a partition that are not acked; of the partitions that are assigned to "
            "this sidecar.",
            (*_INPUT, "partition"),
            registry=registry,
        )
        self.buffer_messages = Gauge(
            "penstock_sidecar_buffer_messages",
            "Messages that are kept: read, for the function to take them; held, until they are "
            "done, those of read among them; write, to be published.",
            _BUFFER,
            registry=registry,
        )
        self.buffer_bytes = Gauge(
            "penstock_sidecar_buffer_bytes",
            "Bytes of payload that are kept.",
            _BUFFER,
            registry=registry,
        )
        self.buffer_limit_messages = Gauge(
            "penstock_sidecar_buffer_limit_messages",
            "From how many messages on a buffer is full, and nothing more is asked for.",
            _BUFFER,
            registry=registry,
        )
        self.buffer_limit_bytes = Gauge(
            "penstock_sidecar_buffer_limit_bytes",
            "From how many bytes on a buffer is full.",
            _BUFFER,
            registry=registry,
        )
