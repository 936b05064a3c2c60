"""Many resources at once: what they cost is printed, and what it may cost is held."""

import sys
import time
from collections import Counter
from collections.abc import Sequence

import pytest

from tests.kubernetes.app import API_VERSION, processor, resource, stream
from tests.kubernetes.conftest import StartOperator
from tests.servers.api_proxy import ApiProxy, Request
from tests.servers.kubernetes import KubernetesServer
from tests.servers.kubernetes_api import KubernetesApi, is_condition
from tests.servers.pretended_node import PretendedNode

NAMESPACES = 50
STREAMS = 1000
PROCESSORS = 200
MEMORY = 250 * 1024**2
"""Bytes that the operator may take."""
PATIENCE = 240.0


@pytest.mark.timeout(600)
def test_a_thousand_streams_and_two_hundred_processors(
    own_kubernetes: KubernetesServer, start_operator: StartOperator
) -> None:
    api = own_kubernetes.api
    names = [f"team-{number}" for number in range(NAMESPACES)]
    for name in names:
        api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    for number in range(STREAMS):
        api.apply(stream(names[number % NAMESPACES], f"s-{number // NAMESPACES}"))
    for number in range(PROCESSORS):
        index = number // NAMESPACES
        api.apply(
            processor(names[number % NAMESPACES], f"p-{index}", f"s-{index}", f"s-{index + 4}")
        )
    for name in names:
        api.apply(resource("InMemoryGateway", name, "franz"))
    with ApiProxy(own_kubernetes) as proxy, PretendedNode(api):
        began = time.monotonic()
        operator = start_operator(own_kubernetes, url=proxy.url)
        wait_until_ready(api)
        seconds = time.monotonic() - began
        wait_until_quiet(proxy)
        writes = report("start", proxy.requests)
        memory, idle = operator.memory, operator.cpu_seconds
        time.sleep(5)
        idle = (operator.cpu_seconds - idle) / 5
        # Each has its own children and few statuses on the way: nothing is written over and over.
        assert writes < 12 * (STREAMS + PROCESSORS + 2 * NAMESPACES)
        assert memory < MEMORY
        proxy.requests.clear()
        api.apply(stream("team-7", "s-3", contentType="text/plain"))
        api.eventually(API_VERSION, "Stream", "team-7", "s-3", is_condition("Ready"))
        wait_until_quiet(proxy)
        assert report("one change", proxy.requests) < 12
        operator.kill()
        proxy.requests.clear()
        operator.start()
        time.sleep(15)
        assert [str(one) for one in proxy.writes] == []
        report("restart", proxy.requests)
    print(f"ready in {seconds:.1f} s, {memory / 1024**2:.0f} MiB, idle {idle:.1%} of a core")


def wait_until_ready(api: KubernetesApi) -> None:
    """Wait until all streams and processors say that they are ready."""
    deadline = time.monotonic() + PATIENCE
    for kind in ("InMemoryGateway", "Stream", "Processor"):
        while True:
            waiting = [
                f"{one['metadata']['namespace']}/{one['metadata']['name']}"
                for one in api.all(API_VERSION, kind)
                if not is_condition("Ready")(one)
            ]
            if not waiting:
                break
            assert time.monotonic() < deadline, f"{kind}: {waiting[:5]} of {len(waiting)}"
            time.sleep(1)


def wait_until_quiet(proxy: ApiProxy) -> None:
    """Wait until nothing has been written for a while."""
    while True:
        before = len(proxy.writes)
        time.sleep(3)
        if len(proxy.writes) == before:
            return


def report(what: str, requests: Sequence[Request]) -> int:
    """Print how often what was asked for; returns how many of it were writes."""
    counts = Counter(kind_of(one) for one in requests)
    sys.stdout.write(f"{what}: {len(requests)} requests\n")
    for kind, count in counts.most_common():
        sys.stdout.write(f"  {count:6} {kind}\n")
    return sum(one.is_write for one in requests)


def kind_of(request: Request) -> str:
    """What a request is about, without names."""
    if request.is_watch:
        return "watches"
    _, _, below = str(request).partition("/namespaces/")
    parts = below.split("/")[1:]
    return " ".join([request.method, "/".join([parts[0], *parts[2:]])]) if parts else "lists"
