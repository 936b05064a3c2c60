"""Secrets of Kubernetes in manifests: what is in them, and that no message shows it."""

from collections.abc import Callable

import pytest

from penstock.resources.manifest import Manifests

Read = Callable[..., Manifests]
Problems = Callable[[str], list[str]]

SECRET = """\
apiVersion: v1
kind: Secret
metadata: {name: franz.login, namespace: team-a}
"""
GATEWAY = """\
---
apiVersion: streaming.projectriff.io/v1alpha1
kind: InMemoryGateway
metadata: {name: memory}
"""


def test_values_are_read_in_both_forms_and_are_in_no_repr(read: Read) -> None:
    manifests = read(
        SECRET
        + """\
type: Opaque
immutable: true
data:
  user: |
    ZnJh
    bno=
  password: bm8=
  empty: ""
stringData: {password: hünter2, ca.crt: "-----BEGIN\\n"}
"""
        + GATEWAY
    )
    assert manifests.problems == []
    (secret,) = manifests.secrets
    assert (secret.namespace, secret.name, secret.source.line) == ("team-a", "franz.login", 1)
    assert secret.data == {
        "user": b"franz",
        "password": "hünter2".encode(),
        "empty": b"",
        "ca.crt": b"-----BEGIN\n",
    }
    assert "franz.login" in repr(manifests)
    assert "hünter2" not in repr(manifests)


def test_a_secret_may_hold_nothing(read: Read) -> None:
    (secret,) = read(SECRET + "data:\nstringData: {}\n" + GATEWAY).secrets
    assert secret.data == {}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("data: {a: hunter2!}", "4: {}: data.a: is not base64; a value as it is belongs in"),
        ("data: {a: aHVudGVyMg}", "4: {}: data.a: is not base64"),
        ("data:\n  a: 12345", "5: {}: data.a: expected a text: put it in quotes"),
        ("stringData: {a: 12345}", "4: {}: stringData.a: expected a text: put it in quotes"),
        ("stringData: {a: null}", "4: {}: stringData.a: expected a text"),
        ('stringData: {a: "\\ud800"}', "4: {}: stringData.a: has characters that Unicode"),
        ("stringData: hunter2", "4: {}: stringData: expected a mapping of keys to values"),
        ("data: [hunter2]", "4: {}: data: expected a mapping of keys to values"),
        ("stringdata: {}", '4: {}: stringdata: there is no such field; did you mean "stringData"?'),
        ("spec: {}", "4: {}: spec: there is no such field; allowed: apiVersion, data, immutable,"),
    ],
)
def test_what_is_wrong_is_said_without_the_value(
    read: Read, problems: Problems, text: str, problem: str
) -> None:
    (said,) = problems(SECRET + text + "\n" + GATEWAY)
    assert said.startswith("app.yaml:" + problem.replace("{}", 'Secret "franz.login"'))
    assert read(SECRET + text + "\n" + GATEWAY).secrets == []
    for secret in ("hunter2", "aHVudGVyMg", "12345"):
        assert secret not in said


def test_a_secret_needs_a_name(problems: Problems) -> None:
    assert problems("apiVersion: v1\nkind: Secret\nmetadata: {}\n" + GATEWAY) == [
        "app.yaml:3: Secret: metadata.name: is missing, and required"
    ]


def test_the_api_of_a_secret_is_the_cores(problems: Problems) -> None:
    assert problems("kind: Secret\nmetadata: {name: a}\n" + GATEWAY) == [
        'app.yaml:1: Secret "a": apiVersion: is missing: expected v1'
    ]
    (said,) = problems("apiVersion: v2\nkind: Secret\nmetadata: {name: a}\n" + GATEWAY)
    assert 'warning: Secret "a": ignored here' in said


def test_two_of_one_name(problems: Problems) -> None:
    (said,) = problems(f"{SECRET}---\n{SECRET}{GATEWAY}")
    assert (
        'metadata.name: the name is taken in namespace "team-a" by the Secret at app.yaml:3' in said
    )


def test_secrets_alone_are_nothing_to_run(problems: Problems) -> None:
    assert problems(SECRET) == ["app.yaml: nothing of streaming.projectriff.io is declared here"]


@pytest.mark.parametrize(
    "value", ["@hunter2", "*hunter2", "!hunter2 a", "!!int hunter2", "a: hunter2", "[hunter2"]
)
@pytest.mark.parametrize("kind", ["kind: Secret", '"kind" : "Secret"'])
def test_the_text_of_one_that_is_no_yaml_is_not_shown(
    problems: Problems, kind: str, value: str
) -> None:
    (said,) = problems(f"apiVersion: v1\n{kind}\nstringData:\n  password: {value}\n{GATEWAY}")
    assert said.startswith("app.yaml:")
    assert "this Secret is not YAML, or not as a manifest may have it" in said
    assert "hunter2" not in said


def test_those_in_a_list_are_read(read: Read) -> None:
    item = "{apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: {b: c}}"
    manifests = read(f"apiVersion: v1\nkind: List\nitems: [{item}]\n{GATEWAY}")
    assert [one.data for one in manifests.secrets] == [{"b": b"c"}]


def test_one_of_the_name_is_no_gateway_that_is_missed(problems: Problems) -> None:
    stream = GATEWAY.replace("InMemoryGateway", "Stream") + "spec: {gateway: {name: login}}\n"
    (said,) = problems(SECRET.replace("franz.login, namespace: team-a", "login") + GATEWAY + stream)
    assert 'spec.gateway.name: no gateway "login"' in said
