"""A real API of Kubernetes: etcd, kube-apiserver and kube-controller-manager; there is no node."""

import ssl
import urllib.error
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import yaml
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from tests.servers.certificates import Certificates
from tests.servers.kubernetes_api import KubernetesApi
from tests.servers.kubernetes_programs import KubernetesPrograms
from tests.servers.ports import HOST, free_port
from tests.servers.process import ServerProcess

ADMIN_TOKEN = "the-token-of-the-administrator"
CONTROLLERS = (
    "deployment-controller",
    "garbage-collector-controller",
    "namespace-controller",
    "replicaset-controller",
    "root-ca-certificate-publisher-controller",
    "serviceaccount-controller",
)


class KubernetesServer:
    """An API server and its controllers; a context manager that starts and ends them.

    Owner references, the deletion of namespaces, and Deployments with their ReplicaSets and Pods
    are real; no pod ever runs.

    Args:
        programs: What is started; what `KubernetesPrograms.find` finds if it is None.

    Raises:
        Unavailable: Kubernetes cannot be had on this machine.
    """

    def __init__(self, programs: KubernetesPrograms | None = None) -> None:
        self._programs = programs or KubernetesPrograms.find()
        self._etcd = ServerProcess("etcd")
        self._api_server = ServerProcess("kube-apiserver")
        self._controller_manager = ServerProcess("kube-controller-manager")
        self._etcd_port, self._etcd_peer_port = free_port(), free_port()
        self.port = free_port()
        self._controllers_port = free_port()
        self._resources = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            for process in (self._etcd, self._api_server, self._controller_manager):
                stack.enter_context(process)
            self._certificates = Certificates(self._api_server.folder)
            self._write_files()
            self._start_etcd()
            self.start()
            self.api = KubernetesApi(self.url, ADMIN_TOKEN, self._certificates.authority)
            self._start_controllers()
            self._resources = stack.pop_all()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._resources.__exit__(exc_type, exc, traceback)

    @property
    def url(self) -> str:
        """Where the API server is."""
        return f"https://{HOST}:{self.port}"

    @property
    def authority(self) -> Path:
        """The certificate of who vouches for the API server."""
        return self._certificates.authority

    @property
    def log(self) -> str:
        """What the API server has logged so far."""
        return self._api_server.log.read_text(errors="replace")

    def start(self) -> None:
        """Start the API server, with what was stored before."""
        self._api_server.start(self._api_server_command(), self._is_ready)

    def kill(self) -> None:
        """End the API server at once; its data and the controllers stay.

        A clean stop waits for the watches of others, for up to a minute.
        """
        self._api_server.kill()

    def restart(self) -> None:
        """Kill the API server and start it: same data, same port, and all watches are broken."""
        self.kill()
        self.start()

    def freeze(self) -> None:
        """Let the API server stand still, its connections open, until `thaw`."""
        self._api_server.freeze()

    def thaw(self) -> None:
        """Let the API server go on."""
        self._api_server.thaw()

    def kubeconfig(
        self, file: Path, *, token: str = ADMIN_TOKEN, url: str = "", namespace: str = "default"
    ) -> Path:
        """Write how the API server is reached, and as whom; returns the file.

        Args:
            file: Where to write it.
            token: Of whom.
            url: Where something stands before the API server.
            namespace: The one that is meant where none is named.
        """
        cluster = {"server": url or self.url}
        if not url.startswith("http:"):
            cluster["certificate-authority"] = str(self.authority)
        context = {"cluster": "test", "user": "test", "namespace": namespace}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "test",
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [{"name": "test", "user": {"token": token}}],
            "contexts": [{"name": "test", "context": context}],
        }
        file.write_text(yaml.safe_dump(content))
        return file

    def _file(self, name: str) -> Path:
        return self._api_server.folder / name

    def _write_files(self) -> None:
        self._file("tokens.csv").write_text(f"{ADMIN_TOKEN},admin,admin,system:masters\n")
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        self._file("accounts.key").write_bytes(private)
        self._file("accounts.pub").write_bytes(public)

    def _start_etcd(self) -> None:
        client, peer = (f"http://{HOST}:{port}" for port in (self._etcd_port, self._etcd_peer_port))
        command = [
            str(self._programs.etcd),
            f"--data-dir={self._etcd.folder / 'data'}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--unsafe-no-fsync",
            "--log-level=warn",
        ]
        self._etcd.start(command, lambda: answers(f"{client}/readyz", None))

    def _start_controllers(self) -> None:
        command = [
            str(self._programs.controller_manager),
            f"--kubeconfig={self.kubeconfig(self._file('controllers.kubeconfig'))}",
            f"--service-account-private-key-file={self._file('accounts.key')}",
            f"--root-ca-file={self.authority}",
            f"--controllers={','.join(CONTROLLERS)}",
            f"--secure-port={self._controllers_port}",
            f"--bind-address={HOST}",
            f"--cert-dir={self._controller_manager.folder}",
            "--leader-elect=false",
            # A thousand objects are made at once in some tests.
            "--kube-api-qps=500",
            "--kube-api-burst=1000",
        ]
        health = f"https://{HOST}:{self._controllers_port}/healthz"
        untrusted = ssl.create_default_context()
        untrusted.check_hostname = False
        untrusted.verify_mode = ssl.CERT_NONE
        self._controller_manager.start(command, lambda: answers(health, untrusted))

    def _api_server_command(self) -> list[str]:
        certificate = self._certificates.server
        return [
            str(self._programs.api_server),
            f"--etcd-servers=http://{HOST}:{self._etcd_port}",
            f"--bind-address={HOST}",
            f"--advertise-address={HOST}",
            f"--secure-port={self.port}",
            f"--tls-cert-file={certificate.chain}",
            f"--tls-private-key-file={certificate.key}",
            f"--cert-dir={self._api_server.folder}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={self._file('accounts.pub')}",
            f"--service-account-signing-key-file={self._file('accounts.key')}",
            "--authorization-mode=RBAC",
            f"--token-auth-file={self._file('tokens.csv')}",
            "--service-cluster-ip-range=10.96.0.0/16",
            # The loopback is no address of a Service's endpoint.
            "--endpoint-reconciler-type=none",
        ]

    def _is_ready(self) -> bool:
        context = ssl.create_default_context(cafile=self.authority)
        return answers(f"{self.url}/readyz", context)


def answers(url: str, context: ssl.SSLContext | None) -> bool:
    """Whether a URL answers that all is well."""
    try:
        with urllib.request.urlopen(url, timeout=2, context=context) as response:
            return bool(response.status == 200)
    except OSError:
        return False
