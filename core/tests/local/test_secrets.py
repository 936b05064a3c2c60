"""Secrets of a run: files for its user alone."""

import os
import stat
from pathlib import Path

import pytest
from pydantic import BaseModel

from penstock.local.secrets import mount_secrets
from penstock.plugin import GatewayKind, SecretSource
from penstock.resources.kubernetes_secret import Secret
from penstock.resources.models import ConcreteGateway, concrete_gateway
from penstock.resources.source import NOWHERE, Source


class Spec(BaseModel):
    password: SecretSource
    ca: SecretSource | None = None


KIND = GatewayKind("VaultGateway", Spec, frozenset(), "Streams of a vault.")
PASSWORD = {"secretName": "login", "key": "password"}


def gateway(namespace: str, ca: str = "/ca.pem") -> ConcreteGateway:
    data = {
        "metadata": {"name": "vault", "namespace": namespace},
        "spec": {"password": PASSWORD, "ca": {"file": ca}},
    }
    return concrete_gateway(KIND).model_validate(data, context=Source(Path("apps/app.yaml"), 3))


def secret(namespace: str, value: bytes, name: str = "login") -> Secret:
    return Secret(namespace, name, NOWHERE, {"password": value, "unused": b"unused"})


def test_each_namespace_has_its_own_and_only_what_is_named_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    gateways = mount_secrets(
        [gateway("a"), gateway("b")],
        [secret("a", b"one"), secret("b", b"\x00two\n"), secret("b", b"three", "other")],
        folder,
    )
    specs = [one.spec for one in gateways]
    assert all(isinstance(spec, Spec) for spec in specs)
    files = [spec.password.path for spec in specs if isinstance(spec, Spec)]
    assert files == [folder / "a/login/password", folder / "b/login/password"]
    assert [file.read_bytes() for file in files] == [b"one", b"\x00two\n"]
    assert {one for one in folder.rglob("*") if one.is_file()} == set(files)


def test_what_is_written_is_for_its_user_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        mount_secrets([gateway("a")], [secret("a", b"one")], tmp_path / "secrets")
    finally:
        os.umask(before)
    modes = {
        one.name: stat.S_IMODE(one.stat().st_mode)
        for one in (tmp_path / "secrets", *(tmp_path / "secrets").rglob("*"))
    }
    assert modes == {"secrets": 0o700, "a": 0o700, "login": 0o700, "password": 0o600}


def test_gateways_may_share_a_secret(tmp_path: Path) -> None:
    first, second = mount_secrets([gateway("a")] * 2, [secret("a", b"one")], tmp_path)
    assert first.spec == second.spec


@pytest.mark.parametrize(
    ("ca", "path"), [("certs/ca.pem", Path("apps/certs/ca.pem").absolute()), ("/ca", Path("/ca"))]
)
def test_a_relative_file_begins_beside_its_manifest(tmp_path: Path, ca: str, path: Path) -> None:
    (resolved,) = mount_secrets([gateway("a", ca)], [secret("a", b"one")], tmp_path)
    assert isinstance(resolved.spec, Spec)
    assert resolved.spec.ca == SecretSource(file=str(path))
    assert resolved.source == Source(Path("apps/app.yaml"), 3)


def test_without_secrets_nothing_is_written(tmp_path: Path) -> None:
    data = {"metadata": {"name": "vault"}, "spec": {"password": {"file": "/password"}}}
    plain = concrete_gateway(KIND).model_validate(data)
    assert mount_secrets([plain], [secret("default", b"one")], tmp_path / "secrets") == [plain]
    assert not (tmp_path / "secrets").exists()
