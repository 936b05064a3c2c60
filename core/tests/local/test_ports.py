"""Ports for functions."""

import socket

from penstock.local.ports import HOST, free_ports, is_open


async def test_free_ports_differ_and_nobody_listens_on_them() -> None:
    ports = free_ports(20)
    assert len(set(ports)) == 20
    assert not await is_open(ports[0])


async def test_a_port_is_open_when_somebody_listens() -> None:
    with socket.create_server((HOST, 0)) as server:
        assert await is_open(server.getsockname()[1])
