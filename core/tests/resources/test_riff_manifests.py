"""What riff's command line made, and what people had in files for it, is read as it is."""

from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.plugin import Edge, Plugins, StreamSettings
from penstock.resources.manifest import Manifests
from penstock.window import Window, WindowType

Read = Callable[..., Manifests]

# riff streaming kafka-gateway create franz … --dry-run, and so on.
DRY_RUN = """\
---
apiVersion: streaming.projectriff.io/v1alpha1
kind: KafkaGateway
metadata:
  creationTimestamp: null
  name: franz
  namespace: default
spec:
  bootstrapServers: kafka.kafka:9092
status: {}
---
apiVersion: streaming.projectriff.io/v1alpha1
kind: InMemoryGateway
metadata:
  creationTimestamp: null
  name: test
  namespace: default
spec: {}
status: {}
---
apiVersion: streaming.projectriff.io/v1alpha1
kind: PulsarGateway
metadata:
  creationTimestamp: null
  name: galaxy
  namespace: default
spec:
  serviceURL: pulsar+ssl://pulsar.pulsar:6651
status: {}
---
apiVersion: streaming.projectriff.io/v1alpha1
kind: Stream
metadata:
  creationTimestamp: null
  name: numbers
  namespace: default
spec:
  contentType: ""
  gateway:
    name: franz
status:
  binding:
    metadataRef: {}
    secretRef: {}
---
apiVersion: streaming.projectriff.io/v1alpha1
kind: Stream
metadata:
  creationTimestamp: null
  name: squares
  namespace: default
spec:
  contentType: application/json
  gateway:
    name: test
status:
  binding:
    metadataRef: {}
    secretRef: {}
---
apiVersion: streaming.projectriff.io/v1alpha1
kind: Processor
metadata:
  creationTimestamp: null
  name: square
  namespace: default
spec:
  build:
    functionRef: square
  inputs:
  - startOffset: ""
    stream: numbers
  outputs:
  - alias: out
    stream: squares
  template:
    metadata:
      creationTimestamp: null
    spec:
      containers:
      - env:
        - name: LEVEL
          value: debug
        - name: TOKEN
          valueFrom:
            secretKeyRef:
              key: token
              name: square
        name: ""
        resources: {}
status: {}
---
apiVersion: streaming.projectriff.io/v1alpha1
kind: Processor
metadata:
  creationTimestamp: null
  name: sink
  namespace: default
spec:
  build: null
  inputs:
  - alias: in
    startOffset: earliest
    stream: squares
  outputs: null
  template:
    metadata:
      creationTimestamp: null
    spec:
      containers:
      - image: registry.example/sink@sha256:2c26b46b68ffc68ff99b453c1d30413413422d706
        name: ""
        resources: {}
status: {}
"""

# kubectl get riff -o yaml, of a cluster that ran it; a Gateway is there for each concrete one.
FROM_A_CLUSTER = """\
apiVersion: v1
kind: List
metadata:
  resourceVersion: ""
  selfLink: ""
items:
- apiVersion: streaming.projectriff.io/v1alpha1
  kind: Gateway
  metadata:
    annotations:
      kubectl.kubernetes.io/last-applied-configuration: "{}"
    creationTimestamp: "2020-05-20T11:12:13Z"
    generation: 1
    labels:
      streaming.projectriff.io/gateway-type: kafka
      streaming.projectriff.io/kafka-gateway: franz
    name: franz
    namespace: team-a
    ownerReferences:
    - apiVersion: streaming.projectriff.io/v1alpha1
      blockOwnerDeletion: true
      controller: true
      kind: KafkaGateway
      name: frank
      uid: 6b5b6d1e-8f4f-4b8c-a5a1-0d7f3f8f4b0a
    resourceVersion: "1234"
    uid: 0b9ad4c4-26d3-46bd-a1c9-5b1bd4e8a8f4
  spec:
    ports:
    - name: gateway
      port: 6565
      protocol: TCP
      targetPort: 0
    - name: provisioner
      port: 80
      protocol: TCP
      targetPort: 8080
    template:
      metadata: {}
      spec:
        containers:
        - name: gateway
          image: bsideup/liiklus:0.9.0
          env:
          - name: kafka_bootstrapServers
            value: kafka.kafka:9092
          ports:
          - containerPort: 6565
            protocol: TCP
          resources: {}
  status:
    address:
      url: http://franz-gateway.team-a.svc.cluster.local
    conditions:
    - lastTransitionTime: "2020-05-20T11:13:00Z"
      status: "True"
      type: Ready
- apiVersion: streaming.projectriff.io/v1alpha1
  kind: Stream
  metadata:
    creationTimestamp: "2020-05-20T11:12:13Z"
    generation: 1
    name: letters
    namespace: team-a
  spec:
    contentType: text/plain
    gateway:
      name: franz
  status:
    binding:
      metadataRef:
        name: letters-stream-binding-metadata
      secretRef:
        name: letters-stream-binding-secret
    observedGeneration: 1
"""


@pytest.fixture(params=[DRY_RUN, FROM_A_CLUSTER], ids=["dry run", "from a cluster"])
def manifest(request: pytest.FixtureRequest) -> str:
    text: str = request.param
    return text


def test_every_manifest_is_read_without_a_problem(
    manifest: str, read: Read, riff_plugins: Plugins
) -> None:
    assert read(manifest, riff_plugins, local=False).problems == []


def test_an_empty_text_means_the_default(read: Read, riff_plugins: Plugins) -> None:
    manifests = read(DRY_RUN, riff_plugins, local=False)
    numbers, _ = manifests.streams
    square, _ = manifests.processors
    assert numbers.settings() == StreamSettings("default", "numbers")
    assert numbers.spec.content_type == "application/octet-stream"
    assert [(one.alias, one.start_offset) for one in square.spec.inputs] == [
        ("numbers", Edge.LATEST)
    ]
    assert square.spec.window == Window(type=WindowType.TUMBLING)


def test_what_was_given_is_read(read: Read, riff_plugins: Plugins) -> None:
    manifests = read(DRY_RUN, riff_plugins, local=False)
    specs = [one.spec.model_dump() for one in manifests.gateways]
    assert specs == [
        {"bootstrapServers": "kafka.kafka:9092"},
        {"partitions": 1},
        {"serviceURL": "pulsar+ssl://pulsar.pulsar:6651"},
    ]
    square, sink = manifests.processors
    assert [(one.stream, one.alias) for one in square.spec.outputs] == [("squares", "out")]
    assert square.spec.build is not None
    assert square.spec.build.function_ref == "square"
    assert sink.spec.outputs == []
    assert sink.spec.inputs[0].start_offset is Edge.EARLIEST


def test_the_container_without_a_name_is_the_functions(read: Read, riff_plugins: Plugins) -> None:
    square, sink = read(DRY_RUN, riff_plugins, local=False).processors
    assert square.spec.function_container is not None
    assert [one.name for one in square.spec.function_container.env] == ["LEVEL", "TOKEN"]
    assert sink.spec.function_container is not None
    assert sink.spec.function_container.image.startswith("registry.example/sink@sha256:")


def test_what_only_kubernetes_knows_is_kept(read: Read, riff_plugins: Plugins) -> None:
    (gateway,) = read(FROM_A_CLUSTER, riff_plugins, local=False).abstract_gateways
    container = gateway.spec.template.spec.containers[0]
    assert container.model_dump()["ports"] == [{"containerPort": 6565, "protocol": "TCP"}]
    assert gateway.metadata.model_dump()["resourceVersion"] == "1234"
    assert gateway.metadata.labels["streaming.projectriff.io/gateway-type"] == "kafka"
    assert [(one.name, one.port, one.target_port) for one in gateway.spec.ports] == [
        ("gateway", 6565, 0),
        ("provisioner", 80, 8080),
    ]


def test_an_item_of_a_list_knows_its_line(read: Read, riff_plugins: Plugins) -> None:
    (stream,) = read(FROM_A_CLUSTER, riff_plugins, local=False).streams
    lines = FROM_A_CLUSTER.splitlines()
    assert lines[stream.source.at(("spec", "contentType")).line - 1].strip() == (
        "contentType: text/plain"
    )
    assert stream.source.file == Path("app.yaml")
