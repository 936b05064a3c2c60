"""A gateway on Kafka that is served by itself."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from tests.command_line import Penstock, Session

SERVERS_PREFIX = "served."
"""What the topics of the fixture `server` begin with."""


class Server(NamedTuple):
    """A served gateway.

    Attributes:
        session: Its process.
        address: Where publishers and subscribers reach it.
        provisioner: The URL of its provisioner.
    """

    session: Session
    address: str
    provisioner: str

    def provision(self, stream: str, body: object = None) -> tuple[int, str]:
        """The status and the text of the answer to `PUT /default/<stream>`."""
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{self.provisioner}/default/{stream}", method="PUT", data=data)
        try:
            with urlopen(request, timeout=20) as reply:
                return reply.status, reply.read().decode()
        except HTTPError as error:
            with error:
                return error.code, error.read().decode()


@contextmanager
def serve(penstock: Penstock, bootstrap_servers: str, **settings: object) -> Iterator[Server]:
    """Serve a gateway; `settings` are more fields of its spec.

    Nothing but what penstock says may be in its output.
    """
    fields = {"bootstrapServers": bootstrap_servers, **settings}
    flags = [flag for name, value in fields.items() for flag in ("--set", f"{name}={value}")]
    ports = ("--port", "0", "--provisioner-port", "0")
    with penstock.start("gateway", "serve", "kafka", *ports, *flags) as session:
        (address,) = session.shows(r"^KafkaGateway serves (\S+), provisioner")
        (port,) = session.shows(r"^KafkaGateway serves .* provisioner on port (\d+);")
        yield Server(session, address, f"http://127.0.0.1:{port}")
        assert session.interrupt() == 0
    assert not [line for line in session.lines if "aiokafka" in line or "Traceback" in line]
