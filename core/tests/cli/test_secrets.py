"""Secrets on their way to a plugin that penstock knows nothing of, from a manifest and mounted."""

import json
from pathlib import Path
from textwrap import dedent
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.command_line import Penstock

PLUGIN = """
    from pydantic import BaseModel
    from penstock.plugin import GatewayKind, PermanentError, SecretSource, hookimpl
    from penstock_inmemory import InMemoryGateway

    class Spec(BaseModel, extra="forbid"):
        password: SecretSource

    class VaultGateway(InMemoryGateway):
        def __init__(self, spec):
            super().__init__()
            self.password = spec.password

        def log_in(self):
            if self.password.text() != "hunter2":
                raise PermanentError("the password is wrong")

        async def provision(self, stream):
            self.log_in()
            address = await super().provision(stream)
            return address._replace(drift=("partitions: 2 are declared, the topic has 3",))

    class DirectVault(VaultGateway):
        async def open(self):
            self.log_in()

    @hookimpl
    def penstock_gateway_kind():
        return GatewayKind("VaultGateway", Spec, frozenset(), "Streams of a vault.")

    @hookimpl
    def penstock_gateway_factory():
        return VaultGateway

    @hookimpl
    def penstock_pubsub_factory():
        return DirectVault
"""
APP = """\
apiVersion: streaming.projectriff.io/v1alpha1
kind: VaultGateway
metadata: {name: vault}
spec:
  password: {secretName: login, key: password}
---
apiVersion: streaming.projectriff.io/v1alpha1
kind: Stream
metadata: {name: words}
spec: {gateway: {name: vault}, contentType: text/plain}
---
apiVersion: streaming.projectriff.io/v1alpha1
kind: Processor
metadata: {name: sink}
spec:
  inputs: [{stream: words}]
  template: {spec: {containers: [{command: [penstock-invoker, "function:sink"]}]}}
"""
SECRET = """\
apiVersion: v1
kind: Secret
metadata: {name: login}
data: {password: aHVudGVyMg==}
"""
DRIFT = "partitions: 2 are declared, the topic has 3"
VALUES = ("hunter2", "aHVudGVyMg==")


@pytest.fixture
def app(penstock: Penstock, tmp_path: Path) -> Path:
    """A folder of manifests with a gateway whose plugin is installed as pip would."""
    packages = tmp_path / "packages"
    metadata = packages / "penstock_vault-1.2.3.dist-info"
    metadata.mkdir(parents=True)
    (packages / "penstock_test_vault.py").write_text(dedent(PLUGIN))
    (metadata / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: penstock-vault\nVersion: 1.2.3\n"
    )
    (metadata / "entry_points.txt").write_text("[penstock.gateways]\nvault = penstock_test_vault\n")
    penstock.environment["PYTHONPATH"] = str(packages)
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "function.py").write_text("def sink(word: str) -> None: ...\n")
    (folder / "app.yaml").write_text(APP)
    (folder / "secret.yaml").write_text(SECRET)
    return folder


def test_a_run_gives_the_gateway_and_the_sidecar_what_a_manifest_holds(
    penstock: Penstock, app: Path
) -> None:
    with penstock.run(app) as session:
        session.shows('sidecar of "sink" is ready')
        work = penstock.state / "run"
        file = work / "secrets" / "default" / "login" / "password"
        assert file.read_text() == "hunter2"
        (connection,) = work.rglob("connection")
        spec = json.loads(connection.read_text())["spec"]
        assert spec["password"]["file"] == str(file)
        told = [one.read_text() for one in penstock.state.rglob("*") if one.is_file()]
        assert [text for text in told if any(value in text for value in VALUES)] == ["hunter2"]
        assert session.interrupt() == 0
    assert not work.exists()
    assert not [line for line in session.lines if any(value in line for value in VALUES)]


def test_a_run_says_once_how_a_stream_differs_from_what_was_declared(
    penstock: Penstock, app: Path
) -> None:
    with penstock.run(app) as session:
        assert session.interrupt() == 0
    assert [line for line in session.lines if DRIFT in line] == [
        f'penstock       | Stream "words": {DRIFT}'
    ]


@pytest.mark.parametrize(
    ("secret", "problem"),
    [
        ("", ':5: VaultGateway "vault": spec.password.secretName: no Secret "login" in namespace'),
        (
            SECRET.replace("{password:", "{pasword:"),
            ':5: VaultGateway "vault": spec.password.key: no key "password" in Secret "login" at',
        ),
    ],
)
@pytest.mark.parametrize("command", ["run", "lint"])
def test_a_secret_that_is_missing_is_said_before_anything_is_started(
    penstock: Penstock, app: Path, command: str, secret: str, problem: str
) -> None:
    (app / "secret.yaml").write_text(secret or "{apiVersion: v1, kind: ConfigMap}")
    done = penstock(command, str(app), code=2)
    assert f"{app / 'app.yaml'}{problem}" in done.stdout + done.stderr
    assert not [value for value in VALUES if value in done.stdout + done.stderr]
    assert not penstock.state.exists()


def test_lint_takes_secrets_and_shows_nothing_of_them(penstock: Penstock, app: Path) -> None:
    done = penstock("lint", str(app))
    assert done.stdout == ""
    assert done.stderr == "1 gateway, 1 stream, 1 processor: 0 errors, 0 warnings\n"


def provision(port: str) -> tuple[int, str]:
    request = Request(f"http://127.0.0.1:{port}/default/words", method="PUT")
    try:
        with urlopen(request, timeout=10) as reply:
            return reply.status, reply.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()


@pytest.mark.usefixtures("app")
def test_a_server_finds_secrets_where_they_are_mounted(penstock: Penstock, tmp_path: Path) -> None:
    mount = tmp_path / "mount"
    with penstock.start(
        *("gateway", "serve", "vault", "--port", "0", "--provisioner-port", "0"),
        *("--secrets", str(mount)),
        *("--set", "password.secretName=login", "--set", "password.key=password"),
    ) as session:
        (port,) = session.shows(r"provisioner on port (\d+)")
        status, text = provision(port)
        assert status == 503
        assert f"no file {mount}/login/password" in text
        (mount / "login").mkdir(parents=True)
        (mount / "login" / "password").write_text("hunter2\n")
        status, text = provision(port)
        assert status == 201
        answer = json.loads(text)
        assert (answer["topic"], answer["drift"]) == ("default_words", [DRIFT])
