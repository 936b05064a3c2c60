"""Knative Eventing: channels, brokers and sources become streams, their subscribers processors."""

from penstock.adoption.knative.channels import broker, channel
from penstock.adoption.knative.kafka_source import kafka_source
from penstock.adoption.knative.subscribers import service, sink_binding, subscription, trigger
from penstock.adoption.origin import Origin

_MESSAGING = "messaging.knative.dev"
_EVENTING = "eventing.knative.dev"
_SOURCES = "sources.knative.dev"

ORIGIN = Origin(
    "knative",
    kinds={
        (_EVENTING, "Broker"): broker,
        (_EVENTING, "Trigger"): trigger,
        (_MESSAGING, "Channel"): channel,
        (_MESSAGING, "InMemoryChannel"): channel,
        (_MESSAGING, "KafkaChannel"): channel,
        (_MESSAGING, "Subscription"): subscription,
        (_SOURCES, "KafkaSource"): kafka_source,
        (_SOURCES, "SinkBinding"): sink_binding,
        ("serving.knative.dev", "Service"): service,
    },
)
"""Manifests of `eventing.knative.dev`, `messaging.knative.dev` and `sources.knative.dev`."""
