"""Kubernetes is built once, found again, and its absence is said plainly."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.servers.kubernetes_programs import version

SCRIPT = Path(__file__).parents[1] / "scripts" / "kubernetes.sh"
TOOLS = ("awk", "bash", "cat", "dirname", "mktemp", "mkdir", "mv", "rm", "tail")
PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager")
PATIENCE = 50.0
BUILDS = """#!/bin/bash
while [ "$1" != -o ]; do shift; done
[ "$(basename "$2")" != "$FAILS" ] || { echo "no module $3"; exit 1; }
echo "$3" >"$2" && chmod +x "$2"
"""
"""A `go` that builds at once; what the real one builds is what the other tests start."""


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder with the programs that every machine has."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in (*TOOLS, "basename", "chmod"):
        found = shutil.which(name)
        assert found
        (folder / name).symlink_to(found)
    return folder


@pytest.fixture
def environment(tools: Path, tmp_path: Path) -> dict[str, str]:
    """Variables with which nothing has been built, and nothing is required."""
    names = ("KUBEBUILDER_ASSETS", "PENSTOCK_REQUIRE")
    kept = {name: value for name, value in os.environ.items() if name not in names}
    return {**kept, "PATH": str(tools), "XDG_CACHE_HOME": str(tmp_path / "cache"), "FAILS": ""}


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """Where what was built is kept."""
    return tmp_path / "cache" / "penstock" / f"kubernetes-{version()}"


def with_go(tools: Path) -> None:
    (tools / "go").write_text(BUILDS)
    (tools / "go").chmod(0o755)


def run(environment: dict[str, str], *arguments: str) -> tuple[int, str]:
    """The exit code of the script, and what it prints."""
    done = subprocess.run(
        [SCRIPT, *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return done.returncode, done.stdout


def test_without_go_that_is_said_and_fails_only_where_it_is_required(
    environment: dict[str, str],
) -> None:
    code, printed = run(environment)
    assert (code, "There is no go, with which Kubernetes is built: install Go" in printed) == (
        0,
        True,
    )
    code, printed = run({**environment, "PENSTOCK_REQUIRE": "all"})
    assert (code, "There is no go" in printed) == (1, True)


def test_it_is_built_once(environment: dict[str, str], tools: Path, kept: Path) -> None:
    with_go(tools)
    code, printed = run(environment)
    assert code == 0
    assert f"of Kubernetes {version()}, once: some minutes" in printed
    assert sorted(one.name for one in kept.iterdir()) == sorted(PROGRAMS)
    assert (kept / "etcd").read_text() == "go.etcd.io/etcd/server/v3\n"
    assert (kept / "kube-apiserver").read_text() == "k8s.io/kubernetes/cmd/kube-apiserver\n"
    assert run(environment) == (0, "")


def test_a_node_needs_more(environment: dict[str, str], tools: Path, kept: Path) -> None:
    with_go(tools)
    run(environment)
    code, printed = run(environment, "node")
    assert (code, "Building kubelet kube-scheduler kube-proxy of Kubernetes" in printed) == (
        0,
        True,
    )
    assert (kept / "kubelet").exists()
    assert run(environment, "node") == (0, "")


def test_a_build_that_fails_keeps_what_is_whole(
    environment: dict[str, str], tools: Path, kept: Path
) -> None:
    with_go(tools)
    code, printed = run({**environment, "FAILS": "kube-apiserver"})
    assert code == 0
    assert "no module k8s.io/kubernetes/cmd/kube-apiserver" in printed
    assert "Go could not build kube-apiserver. Can it fetch modules?" in printed
    assert [one.name for one in kept.iterdir()] == ["etcd"]
    code, printed = run(environment)
    assert (code, "Building kube-apiserver kube-controller-manager of" in printed) == (0, True)


def test_programs_of_ones_own_are_used(
    environment: dict[str, str], tmp_path: Path, kept: Path
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    environment = {**environment, "KUBEBUILDER_ASSETS": str(own), "PENSTOCK_REQUIRE": "all"}
    code, printed = run(environment)
    assert (code, f"KUBEBUILDER_ASSETS is {own}, where these are missing: etcd" in printed) == (
        1,
        True,
    )
    for name in PROGRAMS:
        (own / name).touch(mode=0o755)
    assert run(environment) == (0, "")
    assert not kept.exists()
