"""The secrets that a spec refers to: found at any depth, checked, and turned into files."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from penstock.plugin import Gateway, GatewayKind, Plugin, Plugins, SecretSource
from penstock.resources.crd import custom_resource_definition
from penstock.resources.manifest import Manifests
from penstock.resources.models import concrete_gateway
from penstock.resources.secrets import mounted, secret_references, secrets_of
from penstock.resources.structural_schema import Schema, structural_schema

Read = Callable[..., Manifests]
BrokenRules = Callable[[Schema, Any], list[str]]
FOLDER = Path("/mnt")


class Part(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, frozen=True)

    user: str = "somebody"
    pass_word: SecretSource | None = None


class Spec(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, frozen=True)

    auth: Part = Part()
    key_ring: tuple[SecretSource, ...] = ()
    parts: list[Part] = Field(default_factory=list)
    named: dict[str, SecretSource] = Field(default_factory=dict)
    other: dict[str, Any] = Field(default_factory=dict)
    retries: int = 3


def source(name: str, key: str = "k") -> dict[str, str]:
    return {"secretName": name, "key": key}


EVERYWHERE = {
    "auth": {"user": "me", "passWord": source("a")},
    "keyRing": [source("b"), {"file": "own.pem"}],
    "parts": [{}, {"passWord": source("a", "other")}],
    "named": {"x.y": source("c")},
    "other": {"auth": source("not-one")},
}


def test_references_are_found_at_any_depth_by_the_names_of_the_manifest() -> None:
    found = list(secret_references(Spec.model_validate(EVERYWHERE)))
    assert [one.path for one in found] == [
        ("auth", "passWord"),
        ("keyRing", 0),
        ("keyRing", 1),
        ("parts", 1, "passWord"),
        ("named", "x.y"),
    ]
    assert found[0].source == SecretSource(secret_name="a", key="k")


def test_the_secrets_of_a_spec_are_those_to_mount() -> None:
    assert secrets_of(Spec.model_validate(EVERYWHERE)) == {"a", "b", "c"}
    assert secrets_of(Spec()) == set()


def test_what_is_mounted_has_a_file_for_each_key() -> None:
    spec = Spec.model_validate(EVERYWHERE)
    resolved = mounted(spec, FOLDER)
    assert resolved == Spec.model_validate(
        {
            "auth": {"user": "me", "passWord": {"file": "/mnt/a/k"}},
            "keyRing": [{"file": "/mnt/b/k"}, {"file": "own.pem"}],
            "parts": [{}, {"passWord": {"file": "/mnt/a/other"}}],
            "named": {"x.y": {"file": "/mnt/c/k"}},
            "other": {"auth": source("not-one")},
        }
    )
    assert isinstance(resolved.key_ring, tuple)
    assert secrets_of(spec) == {"a", "b", "c"}, "the spec itself is not changed"


def test_relative_files_begin_beside_the_manifest_where_it_is_known() -> None:
    spec = Spec(key_ring=(SecretSource(file="own.pem"), SecretSource(file="/etc/ca.pem")))
    files = [one.file for one in mounted(spec, FOLDER, Path("/app")).key_ring]
    assert files == ["/app/own.pem", "/etc/ca.pem"]


def test_a_spec_without_secrets_stays_as_it_was_written() -> None:
    spec = Spec(retries=5)
    assert mounted(spec, FOLDER).model_dump(exclude_unset=True) == {"retries": 5}


@pytest.fixture
def vault(plugins: Plugins) -> Plugins:
    """A plugin of somebody's, beside the others."""

    def make(spec: Spec) -> Gateway:
        raise AssertionError(f"reading a manifest opens no gateway: {spec}")

    kind = GatewayKind("VaultGateway", Spec, frozenset(), "Streams of a vault.")
    return Plugins(
        {**plugins.by_kind, kind.name: Plugin("vault", "penstock-vault", "1", kind, make, None)}
    )


GATEWAY = """\
apiVersion: streaming.projectriff.io/v1alpha1
kind: VaultGateway
metadata: {name: vault}
spec:
  auth:
    passWord:
      secretName: login
      key: password
"""
SECRET = """\
---
apiVersion: v1
kind: Secret
metadata: {name: login}
stringData: {user: me, password: hunter2}
"""
MISSING = 'no Secret "login" in namespace "default"'
ADVICE = "name its manifest as well, or a file in its place"
ELSEWHERE = 'one is in namespace "team-a", and references stay within theirs'
NO_KEY = 'no key "password" in Secret "login" at app.yaml:10'


class TestManifests:
    def test_a_secret_that_is_declared_is_enough(self, read: Read, vault: Plugins) -> None:
        assert read(GATEWAY + SECRET, vault).problems == []

    @pytest.mark.parametrize(
        ("secret", "problem"),
        [
            (
                "",
                f"7: {{}}.secretName: {MISSING} (there is none: {ADVICE})",
            ),
            (
                SECRET.replace("login", "logn"),
                f'7: {{}}.secretName: {MISSING} (there are: logn); did you mean "logn"?',
            ),
            (
                SECRET.replace("login", "login, namespace: team-a"),
                f"7: {{}}.secretName: {MISSING} (there is none: {ADVICE}); {ELSEWHERE}",
            ),
            (
                SECRET.replace("password", "pasword"),
                f'8: {{}}.key: {NO_KEY} (there are: pasword, user); did you mean "pasword"?',
            ),
            (
                SECRET.replace("stringData", "#"),
                f"8: {{}}.key: {NO_KEY} (there is none)",
            ),
        ],
    )
    def test_what_is_missing_is_named_with_what_there_is(
        self, read: Read, vault: Plugins, secret: str, problem: str
    ) -> None:
        (said,) = map(str, read(GATEWAY + secret, vault).problems)
        at = 'VaultGateway "vault": spec.auth.passWord'
        assert said == f"app.yaml:{problem.replace('{}', at)}"

    def test_one_that_is_wrong_is_not_missed_as_well(self, read: Read, vault: Plugins) -> None:
        (said,) = map(str, read(GATEWAY + SECRET.replace("hunter2", "5"), vault).problems)
        assert 'Secret "login": stringData.password' in said

    def test_a_cluster_has_its_own(self, read: Read, vault: Plugins) -> None:
        assert read(GATEWAY, vault, local=False).problems == []

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ("hunter2", "a secret value does not belong in a manifest: expected {secretName: "),
            ("{secretName: login}", "key is missing: expected {secretName: NAME, key: KEY} or"),
            ("{file: a, key: b}", "key and file exclude each other: expected"),
            ("{secretname: login, key: b}", '.secretname: there is no such field; did you mean "s'),
            ("{value: hunter2}", ".value: there is no such field; allowed: file, key, secretName"),
        ],
    )
    def test_a_reference_that_is_wrong_is_named_with_its_place(
        self, read: Read, vault: Plugins, given: str, message: str
    ) -> None:
        spec = f"spec:\n  auth:\n    passWord: {given}\n"
        first, *_ = map(str, read(GATEWAY.partition("spec")[0] + spec + SECRET, vault).problems)
        at = 'app.yaml:6: VaultGateway "vault": spec.auth.passWord'
        assert first.startswith((f"{at}: {message}", f"{at}{message}"))
        assert "hunter2" not in first


class TestCrd:
    def test_a_reference_is_an_object_with_a_rule(self, vault: Plugins) -> None:
        model = concrete_gateway(vault.by_kind["VaultGateway"].kind)
        definition = custom_resource_definition("VaultGateway", model)
        schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        auth = schema["properties"]["spec"]["properties"]["auth"]["properties"]["passWord"]
        assert auth["type"] == "object"
        assert list(auth["properties"]) == ["secretName", "key", "file"]
        assert auth["properties"]["key"]["pattern"].startswith("^$|")
        (rule,) = auth["x-kubernetes-validations"]
        assert rule["message"] == "either secretName and key are needed, or file"

    @pytest.mark.parametrize("secret_name", [None, "", "a"])
    @pytest.mark.parametrize("key", [None, "", "b"])
    @pytest.mark.parametrize("file", [None, "", "c"])
    def test_the_rule_and_the_model_agree(
        self,
        secret_name: str | None,
        key: str | None,
        file: str | None,
        broken_rules: BrokenRules,
    ) -> None:
        fields = {"secretName": secret_name, "key": key, "file": file}
        given = {name: text for name, text in fields.items() if text is not None}
        broken = broken_rules(structural_schema(SecretSource), given)
        try:
            SecretSource.model_validate(given)
        except ValueError:
            assert broken
        else:
            assert not broken
