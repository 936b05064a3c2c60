"""The addresses of brokers, as Kafka's users write them: `kafka-0:9092, [2001:db8::1]:9093`."""

import re
from ipaddress import IPv6Address
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, Field

DEFAULT_PORT = 9092

_FORM = "expected host, host:port or [IPv6 address]:port"
_HOST = r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9.])?"
_IN_BRACKETS = r"\[[0-9A-Fa-f:.]+(%[A-Za-z0-9._-]+)?\]"
_ENTRY = rf"({_HOST}|{_IN_BRACKETS})(:[0-9]{{1,5}})?"
_LIST = rf"^ *{_ENTRY} *(, *{_ENTRY} *)*$"


class BrokerAddress(NamedTuple):
    """Where a broker listens.

    Attributes:
        host: A name or an IP address, without brackets.
        port: From 1 to 65535.
    """

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "BrokerAddress":
        """Read one address; the port may be left out.

        Raises:
            ValueError: It is none; the text says what is expected.
        """
        if "://" in text:
            raise ValueError(f'"{text}" begins with a protocol: {_FORM}; for TLS there is tls')
        if text.count(":") > 1 and not text.startswith("["):
            raise ValueError(f'"{text}" has more than one colon: {_FORM}')
        match = re.fullmatch(r"(?P<host>\[.*\]|[^:]*)(:(?P<port>.*))?", text)
        if match is None or not re.fullmatch(rf"{_HOST}|{_IN_BRACKETS}", match["host"]):
            raise ValueError(f'"{text}" is not the address of a broker: {_FORM}')
        host, port = match["host"], str(DEFAULT_PORT) if match["port"] is None else match["port"]
        if not re.fullmatch(r"[0-9]{1,5}", port) or not 1 <= int(port) <= 65535:
            raise ValueError(f'"{text}" has no port from 1 to 65535: {_FORM}')
        if host.startswith("["):
            host = host[1:-1]
            _check_ipv6(host)
        return cls(host, int(port))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_broker_addresses(text: str) -> tuple[BrokerAddress, ...]:
    """Read a list, separated by commas; spaces around an address do not count.

    Raises:
        ValueError: It is empty, or an entry is no address; the text says which.
    """
    if not text.strip():
        raise ValueError(f"is empty, at least one broker is needed: {_FORM}")
    entries = [entry.strip() for entry in text.split(",")]
    if "" in entries:
        raise ValueError(f"entry {entries.index('') + 1} is empty: remove a comma")
    return tuple(BrokerAddress.parse(entry) for entry in entries)


def _check_ipv6(host: str) -> None:
    try:
        IPv6Address(host)
    except ValueError as error:
        raise ValueError(f'"[{host}]" is not an IPv6 address in brackets: {error}') from error


def _check(text: str) -> str:
    parse_broker_addresses(text)
    return text


BrokerAddresses = Annotated[
    str, AfterValidator(_check), Field(json_schema_extra={"pattern": _LIST, "minLength": 1})
]
"""A pydantic field: a list of addresses, kept as it was written."""
