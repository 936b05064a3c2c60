"""`penstock gateway serve`: one gateway for everybody."""

import json
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from penstock.plugin import Message, PermanentError, Position
from penstock.wire.credentials import Credentials
from penstock.wire.remote import RemotePubSub
from tests.command_line import Penstock, Session
from tests.servers.certificates import Certificates


@contextmanager
def serving(penstock: Penstock, *arguments: str) -> Iterator[tuple[Session, str]]:
    """A gateway in memory on a free port, and its address."""
    with penstock.start("gateway", "serve", "inmemory", "--port", "0", *arguments) as session:
        (address,) = session.shows(r"InMemoryGateway serves ([^,;]+)")
        yield session, address


def test_messages_are_published_to_a_topic_and_read(penstock: Penstock) -> None:
    with serving(penstock) as (_, address):
        at = ("--gateway", address)
        done = penstock(
            *("publish", "letters", *at, "--payload", "a", "--content-type", "text/plain")
        )
        assert done.stderr.startswith(
            f'published 1 message to topic "default_letters" of {address}'
        )
        for target in (("letters",), ("--topic", "default_letters")):
            done = penstock("subscribe", *target, *at, "--from-beginning", "--count", "1")
            assert json.loads(done.stdout)["payload"] == "a"


def test_messages_of_one_key_are_in_one_partition(penstock: Penstock) -> None:
    with serving(penstock, "--set", "partitions=8") as (_, address):
        at = ("letters", "--gateway", address)
        places = set()
        for payload in "abcd":
            done = penstock(
                *("publish", *at, "--payload", payload, "--key", "k"),
                *("--content-type", "text/plain"),
            )
            places.add(done.stderr.partition("partition ")[2].partition(",")[0])
        assert len(places) == 1
        penstock(
            *("publish", *at, "--lines", "--content-type", "text/plain"),
            stdin="".join(f"{number}\n" for number in range(50)),
        )
        done = penstock("subscribe", *at, "--from-beginning", "--count", "54")
        payloads = [json.loads(line)["payload"] for line in done.stdout.splitlines()]
        assert [one for one in payloads if one in "abcd"] == list("abcd")
        assert sorted(map(int, set(payloads) - set("abcd"))) == list(range(50))


def test_streams_are_provisioned_on_a_port_of_its_own(penstock: Penstock) -> None:
    with serving(penstock, "--provisioner-port", "0") as (session, address):
        (port,) = session.shows(r"provisioner on port (\d+)")
        request = Request(f"http://127.0.0.1:{port}/default/letters", method="PUT")
        with urlopen(request, timeout=10) as reply:
            assert json.load(reply) == {"gateway": address, "topic": "default_letters"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_in_order(penstock: Penstock, number: signal.Signals) -> None:
    with serving(penstock) as (session, _):
        session.process.send_signal(number)
        assert session.ends() == 0
        _, *logged = session.lines
        messages = [json.loads(line)["message"] for line in logged]
        assert messages == ["serving InMemoryGateway", "stopped"]


def test_a_port_in_use_is_named(penstock: Penstock) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = penstock("gateway", "serve", "inmemory", "--port", port, code=2)
    assert port in done.stderr
    assert "in use" in done.stderr


def test_the_spec_is_read_from_a_file_and_settings_lie_over_it(
    penstock: Penstock, tmp_path: Path
) -> None:
    file = tmp_path / "spec.yaml"
    file.write_text("retention: {messages: 5, bytes: 0}\n")
    done = penstock(
        *("gateway", "serve", "inmemory", "--spec", str(file)),
        *("--set", "partitions=many", "--set", "retention.messages=-1"),
        code=2,
    )
    assert (
        f'{file}: InMemoryGateway: spec.retention.bytes: "0" is not a number of bytes'
        in done.stderr
    )
    assert 'spec.partitions: expected a whole number, got "many"' in done.stderr
    assert "spec.retention.messages: expected at least 1, got -1" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("inmemry", 'there is no gateway of type "inmemry"; did you mean "inmemory"?'),
        ("pulsar", "its plugin may be in penstock-pulsar; installed: inmemory"),
        ("inmemory --set partitons=3", "spec.partitons: there is no such field; did you mean"),
        ("inmemory --set partitions", '--set: "partitions" is not FIELD=VALUE'),
        ("inmemory --set =1", '--set: "=1" is not FIELD=VALUE'),
        ("inmemory --set a=[", '--set: "[" is not YAML'),
        ("inmemory --set a=1 --set a.b=2", "a is no field with fields in it"),
        ("inmemory --spec missing.yaml", "'missing.yaml' does not exist"),
        ("inmemory --access kubernetes", "--access needs --tls: a token is not sent where"),
        ("inmemory --tls nowhere", "nowhere/tls.key cannot be read (No such file or directory)"),
        ("inmemory --port 65536", "65536 is not in the range 0<=x<=65535"),
    ],
)
def test_what_is_wrong_is_said(penstock: Penstock, arguments: str, message: str) -> None:
    assert message in penstock.fails("gateway", "serve", *arguments.split())


@pytest.mark.parametrize(
    ("text", "message"),
    [("a: [", "spec.yaml:1: this is not YAML"), ("- a", "expected one mapping, the fields of")],
)
def test_a_spec_that_cannot_be_read_is_named(
    penstock: Penstock, tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "spec.yaml").write_text(text)
    spec = str(tmp_path / "spec.yaml")
    assert message in penstock.fails("gateway", "serve", "inmemory", "--spec", spec)


@pytest.fixture
def tls_folder(tmp_path: Path) -> tuple[Path, Path]:
    """A mounted certificate, and who has signed it."""
    certificates = Certificates(tmp_path)
    (tmp_path / "tls.crt").write_bytes(certificates.server.chain.read_bytes())
    (tmp_path / "tls.key").write_bytes(certificates.server.key.read_bytes())
    return tmp_path, certificates.authority


async def test_it_is_encrypted_and_of_one_namespace(
    penstock: Penstock, tls_folder: tuple[Path, Path]
) -> None:
    folder, authority = tls_folder
    with serving(penstock, "--tls", str(folder), "--namespace", "shop") as (_, address):
        async with RemotePubSub(address, credentials=Credentials(authority)) as client:
            assert await client.publish("shop_orders", [Message(b"1")]) == [Position(0, 0)]
            with pytest.raises(PermanentError, match='this gateway serves namespace "shop"'):
                await client.publish("bank_orders", [Message(b"1")])


def test_who_decides_on_access_has_to_be_near(
    penstock: Penstock, tls_folder: tuple[Path, Path]
) -> None:
    guarded = ("--tls", str(tls_folder[0]), "--access", "kubernetes")
    said = penstock.fails("gateway", "serve", "inmemory", *guarded)
    assert "this is no pod with a service account" in said
