"""The metrics of gateways: what is counted, under which names and labels."""

import asyncio
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from penstock.observability.lag import LagWatch
from penstock.observability.metrics_page import COUNT_BUCKETS, SECONDS_BUCKETS, MetricsPage
from penstock.observability.traffic import BatchMeter, PublishMeter, ReadMeter, reason_of
from penstock.server.batch_session import Buffered

TOPICS: Final = 1000
"""So many topics of a gateway have labels of their own; those after them share `OTHER`."""
OTHER: Final = "(other)"

_GATEWAY: Final = ("gateway",)
_TOPIC: Final = ("gateway", "topic")


class GatewayMetrics:
    """All of them, for the gateways of one process.

    Args:
        page: Where they are shown.
        lag_interval: As of `LagWatch`.
    """

    def __init__(self, page: MetricsPage, lag_interval: float | None = None) -> None:
        self.page = page
        self._lag_interval = lag_interval
        registry = page.registry
        self.published_messages = Counter(
            "penstock_gateway_published_messages_total",
            "Messages that were published and stored.",
            _TOPIC,
            registry=registry,
        )
        self.published_bytes = Counter(
            "penstock_gateway_published_bytes_total",
            "Bytes of payload that were published and stored.",
            _TOPIC,
            registry=registry,
        )
        self.publish_batch = Histogram(
            "penstock_gateway_publish_batch_messages",
            "Messages in each batch that was handed to the messaging system.",
            _GATEWAY,
            buckets=COUNT_BUCKETS,
            registry=registry,
        )
        self.publish_seconds = Histogram(
            "penstock_gateway_publish_seconds",
            "How long the messaging system took to answer for a batch.",
            _GATEWAY,
            buckets=SECONDS_BUCKETS,
            registry=registry,
        )
        self.publishing_messages = Gauge(
            "penstock_gateway_publishing_messages",
            "Messages that the messaging system has not answered for yet.",
            _GATEWAY,
            registry=registry,
        )
        self.refused_messages = Counter(
            "penstock_gateway_refused_messages_total",
            "Messages that were not stored, by the reason. The topic is empty where no such topic "
            "was used before.",
            (*_TOPIC, "reason"),
            registry=registry,
        )
        self.received_messages = Counter(
            "penstock_gateway_received_messages_total",
            "Messages that subscribers received.",
            _TOPIC,
            registry=registry,
        )
        self.received_bytes = Counter(
            "penstock_gateway_received_bytes_total",
            "Bytes of payload that subscribers received.",
            _TOPIC,
            registry=registry,
        )
        self.receive_batch = Histogram(
            "penstock_gateway_receive_batch_messages",
            "Messages in each batch that was read for a subscriber.",
            _GATEWAY,
            buckets=COUNT_BUCKETS,
            registry=registry,
        )
        self.expired_positions = Counter(
            "penstock_gateway_expired_positions_total",
            "Times that retention removed messages before a subscriber had read them.",
            _TOPIC,
            registry=registry,
        )
        self.acks = Counter(
            "penstock_gateway_acks_total",
            "Positions that were stored for groups, each of one partition.",
            _TOPIC,
            registry=registry,
        )
        self.retries = Counter(
            "penstock_gateway_retries_total",
            "Reads and acks that the messaging system could not answer, and that are done again.",
            (*_TOPIC, "operation"),
            registry=registry,
        )
        self.subscriptions = Gauge(
            "penstock_gateway_subscriptions",
            "Subscriptions that are open.",
            _TOPIC,
            registry=registry,
        )
        self.assigned_partitions = Counter(
            "penstock_gateway_assigned_partitions_total",
            "Partitions that subscriptions were given.",
            _TOPIC,
            registry=registry,
        )
        self.revoked_partitions = Counter(
            "penstock_gateway_revoked_partitions_total",
            "Partitions that were taken from subscriptions.",
            _TOPIC,
            registry=registry,
        )
        self.credit_messages = Gauge(
            "penstock_gateway_credit_messages",
            "Messages that subscribers are ready to take, over penstock's protocol.",
            _GATEWAY,
            registry=registry,
        )
        self.credit_bytes = Gauge(
            "penstock_gateway_credit_bytes",
            "Bytes that subscribers are ready to take, over penstock's protocol.",
            _GATEWAY,
            registry=registry,
        )
        self.unsent_messages = Gauge(
            "penstock_gateway_unsent_messages",
            "Messages that were read for subscribers and wait to be sent, over penstock's "
            "protocol.",
            _GATEWAY,
            registry=registry,
        )
        self.lag = Gauge(
            "penstock_gateway_group_lag_messages",
            "Messages of a partition that a group has not acked.",
            (*_TOPIC, "group", "partition"),
            registry=registry,
        )
        self.ready = Gauge(
            "penstock_gateway_ready",
            "Whether the messaging system answers: 1 or 0.",
            _GATEWAY,
            registry=registry,
        )
        self.streams = Gauge(
            "penstock_gateway_stream_info",
            "Which topic a stream has; always 1.",
            (*_TOPIC, "namespace", "stream"),
            registry=registry,
        )
        self._by_topic = (
            self.published_messages,
            self.published_bytes,
            self.refused_messages,
            self.received_messages,
            self.received_bytes,
            self.expired_positions,
            self.acks,
            self.retries,
            self.subscriptions,
            self.assigned_partitions,
            self.revoked_partitions,
            self.streams,
        )
        self._meters: list[GatewayMeter] = []
        page.refresh_with(self._refresh)

    def of(self, gateway: str) -> "GatewayMeter":
        """Where the gateway of a name is counted."""
        meter = GatewayMeter(self, gateway, LagWatch(interval=self._lag_interval))
        self._meters.append(meter)
        return meter

    def forget(self, gateway: str, topic: str) -> None:
        """Show nothing more of a topic."""
        for metric in self._by_topic:
            metric.remove_by_labels({"gateway": gateway, "topic": topic})

    async def _refresh(self) -> None:
        await asyncio.gather(*[meter.lag.refresh() for meter in self._meters])
        # Groups come and go, and what is gone must not stay.
        self.lag.clear()
        for meter in self._meters:
            meter.refresh()


class GatewayMeter:
    """Where one gateway is counted; made by `GatewayMetrics.of`.

    Attributes:
        name: The gateway's name.
        lag: Follows its groups.
        ready: 1 while the messaging system answers.
        batches: What is published.
        buffered: Tells what each of its sessions holds.
    """

    def __init__(self, metrics: GatewayMetrics, name: str, lag: LagWatch) -> None:
        self.name = name
        self.lag = lag
        self.ready = metrics.ready.labels(name)
        self.buffered: Callable[[], Sequence[Buffered]] = tuple
        self._metrics = metrics
        self.batches = BatchMeter(
            messages=metrics.publish_batch.labels(name),
            seconds=metrics.publish_seconds.labels(name),
            under_way=metrics.publishing_messages.labels(name),
        )
        self._topics: dict[str, TopicMeter] = {}
        self._streams: dict[tuple[str, str], str] = {}

    def topic(self, topic: str) -> "TopicMeter":
        """Where a topic is counted; to be called for those only that there are."""
        known = self._topics.get(topic)
        if known is None and len(self._topics) < TOPICS:
            known = self._topics[topic] = TopicMeter(self._metrics, self.name, topic)
        return known or self._others

    @cached_property
    def _others(self) -> "TopicMeter":
        return TopicMeter(self._metrics, self.name, OTHER)

    def provisioned(self, topic: str, namespace: str, stream: str) -> None:
        """A stream has this topic."""
        label = self.topic(topic).label
        if label != OTHER:
            self._streams[namespace, stream] = topic
            self._metrics.streams.labels(self.name, topic, namespace, stream).set(1)

    def deprovisioned(self, namespace: str, stream: str) -> None:
        """A stream and its topic are gone, and what was counted of them with them."""
        topic = self._streams.pop((namespace, stream), None)
        if topic is not None:
            del self._topics[topic]
            self._metrics.forget(self.name, topic)

    def refused(self, topic: str, error: BaseException, messages: int) -> None:
        """Messages were not stored; the topic need not be one."""
        label = topic if topic in self._topics else ""
        refused = self._metrics.refused_messages.labels(self.name, label, reason_of(error))
        refused.inc(messages)

    def refresh(self) -> None:
        """Bring up to date what is not counted but measured."""
        metrics = self._metrics
        sessions = self.buffered() or (Buffered(),)
        for gauge, values in zip(
            (metrics.credit_messages, metrics.credit_bytes, metrics.unsent_messages),
            zip(*sessions, strict=True),
            strict=True,
        ):
            gauge.labels(self.name).set(sum(values))
        for one in self.lag.lags:
            topic, group = one.followed.topic, str(one.followed.group)
            metrics.lag.labels(self.name, topic, group, one.partition).set(one.messages)


class TopicMeter:
    """Where one topic of one gateway is counted.

    Attributes:
        label: The topic's name, or `OTHER`.
        publish: What is published to it.
        read: What is read of it.
        subscriptions: Those that are open.
    """

    def __init__(self, metrics: GatewayMetrics, gateway: str, label: str) -> None:
        def failed(reason: str, messages: int) -> None:
            metrics.refused_messages.labels(gateway, label, reason).inc(messages)

        def retried(operation: str) -> None:
            metrics.retries.labels(gateway, label, operation).inc()

        names = (gateway, label)
        self.label = label
        self.publish = PublishMeter(
            messages=metrics.published_messages.labels(*names),
            bytes=metrics.published_bytes.labels(*names),
            failed=failed,
        )
        self.read = ReadMeter(
            messages=metrics.received_messages.labels(*names),
            bytes=metrics.received_bytes.labels(*names),
            batches=metrics.receive_batch.labels(gateway),
            expired=metrics.expired_positions.labels(*names),
            acks=metrics.acks.labels(*names),
            assigned=metrics.assigned_partitions.labels(*names),
            revoked=metrics.revoked_partitions.labels(*names),
            retried=retried,
        )
        self.subscriptions = metrics.subscriptions.labels(*names)
