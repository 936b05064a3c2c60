"""Every field that has no equal is told of, and no secret is."""

from collections.abc import Callable

import pytest

from penstock.adoption import Adopted

Read = Callable[[str, str], Adopted]

RESOURCES = {
    "riff Stream": "spec: {gateway: {name: franz}}",
    "riff Processor": "spec: {inputs: [{stream: a}], build: {functionRef: f}}",
    "strimzi Kafka": "spec: {kafka: {listeners: [{name: a, port: 9092, type: internal}]}}",
    "strimzi KafkaTopic": "spec: {partitions: 1}",
    "strimzi KafkaUser": "spec: {authentication: {type: tls}}",
    "knative KafkaChannel": "spec: {numPartitions: 1}",
    "knative InMemoryChannel": "spec: {}",
    "knative Channel": "spec: {channelTemplate: {kind: KafkaChannel}}",
    "knative Broker": "spec: {}",
    "knative Subscription": "spec: {channel: {name: a}, subscriber: {uri: http://a}}",
    "knative Trigger": "spec: {broker: a, subscriber: {uri: http://a}}",
    "knative KafkaSource": "spec: {bootstrapServers: [a], topics: [t], sink: {uri: http://a}}",
    "knative SinkBinding": "spec: {subject: {kind: Job, name: a}, sink: {uri: http://a}}",
    "dapr Component": "spec: {type: pubsub.in-memory}",
    "dapr Subscription": "spec: {pubsubname: a, topic: t}",
}
GROUPS = {
    "riff": "streaming.projectriff.io/v1alpha1",
    "strimzi": "kafka.strimzi.io/v1beta2",
    "dapr": "dapr.io/v1alpha1",
    "KafkaSource": "sources.knative.dev/v1",
    "SinkBinding": "sources.knative.dev/v1",
    "Broker": "eventing.knative.dev/v1",
    "Trigger": "eventing.knative.dev/v1",
    "knative": "messaging.knative.dev/v1",
}


def manifest(origin: str, kind: str, spec: str) -> str:
    return f"""
apiVersion: {GROUPS.get(kind) or GROUPS[origin]}
kind: {kind}
metadata:
  name: one
  labels: {{strimzi.io/cluster: one, team: shop}}
  annotations: {{note: "of mine"}}
{spec}
"""


@pytest.mark.parametrize("which", RESOURCES)
def test_an_unknown_field_is_told_of(which: str, read: Read) -> None:
    origin, kind = which.split()
    spec = RESOURCES[which].removesuffix("}")
    novelty = f"{spec}{',' if not spec.endswith('{') else ''} novelty: 7, more: {{a: 1, b: 2}}}}"
    done = read(origin, manifest(origin, kind, novelty))
    assert done.errors == []
    assert "no equal: spec.novelty: 7\n" in done.text
    assert "no equal: spec.more (a, b)\n" in done.text
    assert 'no equal: metadata.annotations.note: "of mine"\n' in done.text


def test_what_a_component_sets_is_told_of_by_its_name(read: Read) -> None:
    spec = "spec: {type: pubsub.in-memory, metadata: [{name: novelty, value: 7}]}"
    assert 'no equal: novelty: "7"\n' in read("dapr", manifest("dapr", "Component", spec)).text


def test_a_secret_that_is_written_out_is_nowhere_told(read: Read) -> None:
    names = "saslPassword", "clientKey", "oidcClientSecret", "awsSecretKey", "accessToken"
    for login in ("password", "mtls", "oidc", "awsiam"):
        items = [f"{{name: {one}, value: swordfish}}" for one in names]
        settings = ", ".join([f"{{name: authType, value: {login}}}", *items])
        spec = f"spec: {{type: pubsub.kafka, metadata: [{{name: brokers, value: a}}, {settings}]}}"
        done = read("dapr", manifest("dapr", "Component", spec))
        assert "bootstrapServers: a\n" in done.text
        assert "swordfish" not in done.text + "".join(map(str, done.problems))


def test_a_secret_beside_it_is_not_told(read: Read) -> None:
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: swordfish}\n---\n"
    done = read("dapr", secret + manifest("dapr", "Component", RESOURCES["dapr Component"]))
    assert 'Secret "s", app.yaml:1: stays as it is' in done.text
    assert "swordfish" not in done.text


def test_of_two_resources_of_one_name_the_first_is_taken(read: Read) -> None:
    topic = manifest("strimzi", "KafkaTopic", "spec: {topicName: One, partitions: 1}")
    other = manifest("strimzi", "KafkaTopic", "spec: {topicName: One, partitions: 2, novelty: 7}")
    done = read("strimzi", f"{topic}---{other}")
    assert done.text.count("kind: Stream") == 1
    assert "partitions: 1\n" in done.text
    assert "no equal: spec.novelty: 7\n" in done.text
    assert [str(one) for one in done.problems if "two of" in one.message] == [
        'app.yaml:10: warning: there are two of Stream "one", and they differ: the first is taken'
    ]
