"""What API servers do to an operator: it goes on, and says what is wrong once."""

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.kubernetes.app import API_VERSION, app, becomes, becomes_ready, stream
from tests.kubernetes.conftest import OperatorProcess, StartOperator
from tests.servers.api_proxy import Answer, ApiProxy, Request
from tests.servers.kubernetes import KubernetesServer, answers
from tests.servers.kubernetes_api import KubernetesApi, Object, condition
from tests.servers.kubernetes_definitions import define_resources, definitions
from tests.servers.kubernetes_programs import KubernetesPrograms
from tests.servers.ports import HOST, free_port
from tests.servers.pretended_node import PretendedNode

pytestmark = pytest.mark.timeout(240)

ACCESS = Path(__file__).parents[2] / "deploy" / "access.yaml"
RBAC = "rbac.authorization.k8s.io/v1"


class Fault:
    """Answers some requests in place of the API server.

    Args:
        answer: What they are answered.
        wanted: Which they are.
        count: How many of them.
    """

    def __init__(self, answer: Answer, wanted: Callable[[Request], bool], count: int) -> None:
        self._answer = answer
        self._wanted = wanted
        self.left = count

    def __call__(self, request: Request) -> Answer | None:
        if self.left and self._wanted(request):
            self.left -= 1
            return self._answer
        return None


def is_write(request: Request) -> bool:
    return request.is_write


def is_status(request: Request) -> bool:
    return request.is_write and "/status?" in request.path


def is_watch(request: Request) -> bool:
    return request.is_watch


def is_watch_of_streams(request: Request) -> bool:
    return request.is_watch and "/streams?" in request.path


CONFLICT = Answer.failure(
    409, "Conflict", "the object has been modified; please apply your changes"
)
THROTTLED = Answer.failure(429, "TooManyRequests", "please try again later", **{"Retry-After": "1"})
BROKEN = Answer.failure(500, "InternalError", "etcdserver: leader changed")
EXPIRED = Answer(
    200,
    {
        "type": "ERROR",
        "object": {
            "kind": "Status",
            "apiVersion": "v1",
            "status": "Failure",
            "reason": "Expired",
            "code": 410,
            "message": "too old resource version: 1 (2)",
        },
    },
)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault(CONFLICT, is_status, 5), id="conflicts"),
        pytest.param(Fault(THROTTLED, is_write, 5), id="throttled"),
        pytest.param(Fault(BROKEN, is_write, 5), id="broken"),
        pytest.param(Fault(EXPIRED, is_watch_of_streams, 2), id="expired watches"),
        pytest.param(Fault(THROTTLED, is_watch_of_streams, 2), id="throttled watches"),
    ],
)
@pytest.mark.usefixtures("node")
def test_it_comes_to_the_same_when_some_requests_fail(
    kubernetes: KubernetesServer,
    namespace: str,
    start_operator: StartOperator,
    proxy: ApiProxy,
    fault: Fault,
) -> None:
    api = kubernetes.api
    proxy.answer = fault
    operator = start_operator(kubernetes, namespace, url=proxy.url)
    becomes_ready(api, *api.apply(*app(namespace)), seconds=60)
    deadline = time.monotonic() + 30
    while fault.left:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    becomes_ready(api, *api.apply(stream(namespace, "later")), seconds=60)
    assert operator.is_running
    assert "Traceback" not in operator.log


@pytest.mark.usefixtures("node")
def test_what_went_while_no_watch_looked_is_found(
    kubernetes: KubernetesServer,
    namespace: str,
    start_operator: StartOperator,
    proxy: ApiProxy,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A watch that begins anew with a list tells what is there, and not what is not."""
    api = kubernetes.api
    monkeypatch.setenv("SWEEP_SECONDS", "3")
    start_operator(kubernetes, namespace, url=proxy.url)
    becomes_ready(api, *api.apply(*app(namespace)))
    proxy.answer = Fault(EXPIRED, is_watch, 10**6)
    proxy.cut()
    secret = api.get("v1", "Secret", namespace, "numbers-stream-binding-secret")
    api.delete(secret)
    # What no watch tells of, is found; that it is so is seen while all watches fail.
    made = api.eventually("v1", "Secret", namespace, "numbers-stream-binding-secret", seconds=20)
    assert made["metadata"]["uid"] != secret["metadata"]["uid"]


@pytest.mark.usefixtures("node")
def test_it_says_that_it_is_alive(
    kubernetes: KubernetesServer,
    namespace: str,
    start_operator: StartOperator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    port = free_port()
    monkeypatch.setenv("HEALTH_PORT", str(port))
    start_operator(kubernetes, namespace)
    becomes_ready(kubernetes.api, *kubernetes.api.apply(*app(namespace)[:1]))
    assert answers(f"http://{HOST}:{port}/healthz", None)


@pytest.mark.usefixtures("node")
def test_it_goes_on_when_answers_are_slow(
    kubernetes: KubernetesServer, namespace: str, start_operator: StartOperator, proxy: ApiProxy
) -> None:
    api = kubernetes.api
    proxy.seconds = 0.5
    start_operator(kubernetes, namespace, url=proxy.url)
    becomes_ready(api, *api.apply(*app(namespace)), seconds=90)


@pytest.fixture
def its_own(
    own_kubernetes: KubernetesServer, start_operator: StartOperator
) -> Iterator[tuple[KubernetesApi, OperatorProcess]]:
    """An API server and an operator of this test's own, with an application that is ready."""
    api = own_kubernetes.api
    with PretendedNode(api):
        operator = start_operator(own_kubernetes)
        becomes_ready(api, *api.apply(*app("default")))
        yield api, operator


def test_it_goes_on_when_the_api_server_was_away(
    own_kubernetes: KubernetesServer, its_own: tuple[KubernetesApi, OperatorProcess]
) -> None:
    api, operator = its_own
    own_kubernetes.kill()
    time.sleep(3)
    own_kubernetes.start()
    becomes_ready(api, *api.apply(stream("default", "later")), seconds=60)
    own_kubernetes.freeze()
    time.sleep(3)
    own_kubernetes.thaw()
    becomes_ready(api, *api.apply(stream("default", "last")), seconds=60)
    assert operator.is_running
    assert "Traceback" not in operator.log


def test_definitions_are_upgraded_under_it(
    its_own: tuple[KubernetesApi, OperatorProcess],
) -> None:
    api, operator = its_own
    for definition in definitions():
        [version] = definition["spec"]["versions"]
        more = {"name": "More", "type": "string", "jsonPath": ".metadata.uid"}
        version["additionalPrinterColumns"].append(more)
        schema = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
        schema.setdefault("properties", {})["addedLater"] = {"type": "string"}
        api.apply(definition)
    becomes_ready(api, *api.apply(stream("default", "later")), seconds=60)
    # What an operator of before does not know, it does not pass over in silence. Watches that are
    # open tell for a second or two what the definitions of before had kept of a spec, so that one
    # change alone may go unseen until the next.
    ready: Mapping[str, Any] = {}
    for count in range(300):
        api.apply(stream("default", "newer", addedLater=f"{count}"))
        time.sleep(0.1)
        ready = condition(api.get(API_VERSION, "Stream", "default", "newer"), "Ready")
        if ready.get("reason") == "InvalidSpec":
            break
    assert ready["status"] == "False"
    assert ready["message"].startswith(
        "spec.addedLater: there is no such field; allowed: config, contentType"
    )
    assert operator.is_running
    assert "Traceback" not in operator.log


def account(namespace: str) -> list[Object]:
    """A service account with the rights of deploy/, in its namespace alone."""
    metadata = {"name": "operator", "namespace": namespace}
    documents = yaml.safe_load_all(ACCESS.read_text())
    [rules] = [one["rules"] for one in documents if one["kind"] == "ClusterRole"]
    subject = {"kind": "ServiceAccount", **metadata}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "operator"}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata},
        {"apiVersion": RBAC, "kind": "Role", "metadata": metadata, "rules": rules},
        {
            "apiVersion": RBAC,
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": role,
            "subjects": [subject],
        },
    ]


@pytest.mark.usefixtures("node")
def test_rights_are_taken_away_and_given_back(
    kubernetes: KubernetesServer,
    namespace: str,
    start_operator: StartOperator,
    proxy: ApiProxy,
) -> None:
    api = kubernetes.api
    *_, binding = api.apply(*account(namespace))
    token = api.token_of(namespace, "operator")
    operator = start_operator(kubernetes, namespace, url=proxy.url, token=token)
    gateway, *_ = becomes_ready(api, *api.apply(*app(namespace)))
    api.delete(binding)
    time.sleep(1)
    before = len(proxy.requests)
    lines = len(operator.log.splitlines())
    [more] = api.apply(stream(namespace, "more"))
    time.sleep(8)
    asked, said = len(proxy.requests) - before, operator.log.splitlines()[lines:]
    assert asked < 60, "it asks in a loop"
    assert any("forbidden" in line for line in said), said
    assert len(said) < 10, said
    api.apply(*account(namespace))
    becomes(api, more, "Ready", seconds=90)
    becomes_ready(api, gateway)
    assert "Traceback" not in operator.log


def test_it_waits_for_the_definitions_and_says_so(
    kubernetes_programs: KubernetesPrograms, start_operator: StartOperator
) -> None:
    with KubernetesServer(kubernetes_programs) as server, PretendedNode(server.api):
        operator = start_operator(server)
        time.sleep(5)
        assert operator.is_running
        [said] = operator.log.splitlines()
        define_resources(server.api)
        becomes_ready(server.api, *server.api.apply(*app("default")), seconds=60)
        assert "Traceback" not in operator.log
        assert said.endswith(
            "the cluster does not know Gateway, InMemoryGateway, KafkaGateway, Processor, Stream "
            "of streaming.projectriff.io/v1alpha1: install the definitions, as with kubectl apply "
            "-f crds/; waiting"
        )
