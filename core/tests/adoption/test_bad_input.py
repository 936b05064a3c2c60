"""What cannot be read as the manifest that it should be: where, why, and what is allowed."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from penstock.adoption import Adopted

Read = Callable[[str, str], Adopted]
Run = Callable[..., Result]

RIFF = "apiVersion: streaming.projectriff.io/v1alpha1\n"
STRIMZI = "apiVersion: kafka.strimzi.io/v1beta2\n"
TOPIC = f"{STRIMZI}kind: KafkaTopic\nmetadata: {{name: a, labels: {{strimzi.io/cluster: c}}}}\n"
SUBSCRIPTION = """\
apiVersion: messaging.knative.dev/v1
kind: Subscription
metadata: {name: s}
spec:
  channel: {name: a}
  subscriber: {uri: "http://a"}
"""
COMPONENT = "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: c}\n"

MISTAKES = [
    ("strimzi", "", "app.yaml: nothing of strimzi is declared here: expected Kafka of"),
    ("strimzi", "# nothing\n---\n", "app.yaml: nothing of strimzi is declared here"),
    ("strimzi", "a: [", "app.yaml:1: this is not YAML: "),
    ("strimzi", f"{TOPIC}---\n\tx: 1\n", "app.yaml:5: this is not YAML: "),
    ("strimzi", "just words", "app.yaml:1: expected a resource with apiVersion, kind and metadata"),
    ("strimzi", "kind: Kafka", "app.yaml:1: Kafka: apiVersion: is missing, and required: "),
    ("strimzi", f"{STRIMZI}metadata: {{name: a}}", "kind: is missing, and required: "),
    ("strimzi", f"{STRIMZI}kind: Kafka", "app.yaml:1: Kafka: metadata.name: is missing, and"),
    ("strimzi", f"{STRIMZI}kind: [Kafka]\nmetadata: {{name: a}}", "kind: expected a text, got a"),
    ("strimzi", f"{STRIMZI}kind: Kafka\nmetadata: [a]", "metadata: expected a mapping of fields"),
    ("strimzi", f"{TOPIC}spec: 7", 'app.yaml:4: KafkaTopic "a": spec: expected a mapping of fie'),
    (
        "strimzi",
        f"{TOPIC}spec:\n  partitions: three",
        'app.yaml:5: KafkaTopic "a": spec.partitions: expected a whole number, got "three"',
    ),
    (
        "strimzi",
        f"{TOPIC}spec:\n  config:\n    cleanup.policy: [compact]",
        'app.yaml:6: KafkaTopic "a": spec.config["cleanup.policy"]: expected a text or a number',
    ),
    (
        "strimzi",
        f"{STRIMZI}kind: KafkaTopic\nmetadata: {{name: a}}",
        'metadata.labels["strimzi.io/cluster"]: is missing, and required: the Kafka whose topic',
    ),
    (
        "strimzi",
        f"{STRIMZI}kind: Kafka\nmetadata: {{name: a}}\nspec: {{kafka: {{listeners: [plain]}}}}",
        'app.yaml:4: Kafka "a": spec.kafka.listeners: expected a list of mappings, got a list of 1',
    ),
    (
        "strimzi",
        f"{TOPIC}spec:\n  replicas: 3\n  partitions: 0",
        'app.yaml:6: Stream "a": spec.partitions: expected at least 1, got 0',
    ),
    ("strimzi", COMPONENT, "it is dapr's: penstock import dapr"),
    (
        "knative",
        f'{SUBSCRIPTION}  delivery: {{backoffDelay: "10s"}}',
        (
            'app.yaml:7: Subscription "s": spec.delivery.backoffDelay: "10s" is not a duration: '
            "expected ISO 8601, as PT10S or PT0.5S"
        ),
    ),
    (
        "knative",
        f"{SUBSCRIPTION}  delivery: {{backoffPolicy: steep}}",
        'spec.delivery.backoffPolicy: "steep" is not allowed: expected exponential or linear',
    ),
    (
        "knative",
        f"{SUBSCRIPTION}  delivery: {{retry: -1}}",
        "spec.delivery.retry: expected a number from 0, got -1",
    ),
    (
        "knative",
        SUBSCRIPTION.replace("name: a", "kind: Channel"),
        'app.yaml:5: Subscription "s": spec.channel.name: is missing, and required: the channel',
    ),
    (
        "knative",
        "apiVersion: eventing.knative.dev/v1\nkind: Trigger\nmetadata: {name: t}\nspec: {}",
        'app.yaml:4: Trigger "t": spec.broker: is missing, and required: the broker',
    ),
    (
        "knative",
        (
            "apiVersion: sources.knative.dev/v1\nkind: KafkaSource\nmetadata: {name: k}\n"
            "spec: {bootstrapServers: kafka, topics: [a], sink: {uri: a}, initialOffset: first}"
        ),
        'spec.bootstrapServers: expected a list of texts, as [a, b], got "kafka"',
    ),
    (
        "knative",
        (
            "apiVersion: sources.knative.dev/v1\nkind: KafkaSource\nmetadata: {name: k}\n"
            "spec: {bootstrapServers: [kafka], topics: [a], sink: {uri: a}, initialOffset: first}"
        ),
        'spec.initialOffset: "first" is not allowed: expected earliest or latest',
    ),
    ("dapr", COMPONENT, 'app.yaml:1: Component "c": spec.type: is missing, and required: what'),
    (
        "dapr",
        f"{COMPONENT}spec:\n  type: pubsub.kafka\n  metadata: [{{name: brokers, value: a b}}]",
        'app.yaml:4: KafkaGateway "c": spec.bootstrapServers: ',
    ),
    (
        "dapr",
        f"{COMPONENT}spec: {{type: pubsub.kafka}}",
        "spec.metadata: has no brokers, which are required",
    ),
    (
        "dapr",
        (
            f"{COMPONENT}spec:\n  type: pubsub.kafka\n"
            "  metadata:\n  - {name: brokers, value: a}\n"
            "  - {name: compression, value: rar}"
        ),
        'app.yaml:8: Component "c": spec.metadata[1].value: is not allowed: expected none or gzip',
    ),
    (
        "dapr",
        "apiVersion: dapr.io/v2alpha1\nkind: Subscription\nmetadata: {name: s}\nspec: {topic: t}",
        'app.yaml:4: Subscription "s": spec.pubsubname: is missing, and required: the component',
    ),
    (
        "riff",
        f"{RIFF}kind: Stream\nmetadata: {{name: s}}\nspec: {{contentType: a/b}}",
        'app.yaml:4: Stream "s": spec.gateway: is missing, and required: the gateway that',
    ),
    (
        "riff",
        f"{RIFF}kind: Processor\nmetadata: {{name: s}}\nspec: {{outputs: [{{stream: a}}]}}",
        'app.yaml:4: Processor "s": spec.inputs: is missing, and required: streams that the',
    ),
    (
        "riff",
        f"{RIFF}kind: KafkaGateway\nmetadata: {{name: s}}\nspec: {{partitions: 3}}",
        'KafkaGateway "s": spec.bootstrapServers: is missing, and required: brokers to',
    ),
]


@pytest.mark.parametrize(("origin", "text", "message"), MISTAKES, ids=[one[2] for one in MISTAKES])
def test_a_mistake_is_told_with_its_place(origin: str, text: str, message: str, read: Read) -> None:
    errors = [str(one) for one in read(origin, text).errors]
    assert any(message in one for one in errors), errors


def test_all_mistakes_are_told_at_once_and_nothing_is_printed(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "topics.yaml"
    file.write_text(f"{TOPIC}spec: {{partitions: x, replicas: z}}\n---\na: [\n---\n{TOPIC}")
    done = run("import", "strimzi", str(file), f"{file}.missing")
    assert (done.exit_code, done.stdout) == (2, "")
    lines = [one.split(f"{tmp_path}/")[-1] for one in done.stderr.splitlines()]
    assert 'KafkaTopic "a": Kafka "c" is not in the files' in lines.pop(0)
    assert [one.partition(": expected the node")[0] for one in lines] == [
        'topics.yaml:4: KafkaTopic "a": spec.partitions: expected a whole number, got "x"',
        'topics.yaml:4: KafkaTopic "a": spec.replicas: expected a whole number, got "z"',
        "topics.yaml:6: this is not YAML",
        "topics.yaml.missing: cannot be read: No such file or directory",
        "4 errors, 1 warning",
    ]


def test_an_origin_that_is_none_is_told_with_those_that_are(run: Run) -> None:
    done = run("import", "nats", "a.yaml")
    assert done.exit_code == 2
    assert "'riff', 'strimzi', 'knative', 'dapr'" in done.stderr


def test_bytes_that_are_no_text_are_told(run: Run) -> None:
    done = run("import", "riff", "-", stdin=b"a: \xff\n")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "standard input:1: this is not UTF-8 text" in done.stderr


def test_what_is_of_another_system_is_left_out_with_a_warning(read: Read) -> None:
    done = read("strimzi", f"{TOPIC}---\n{COMPONENT}")
    assert done.errors == []
    assert 'Component "c", app.yaml:5: is left out: it has no equal here' in done.text
    messages = [str(one) for one in done.problems]
    assert 'app.yaml:5: warning: Component "c": is left out: it has no equal here' in messages
