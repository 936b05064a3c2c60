"""A gateway in memory, served by a process of its own: `gateway_process.py PORT PROTOCOL…`."""

import asyncio
import sys

import grpc

from penstock.server.batch_service import BatchGatewayService
from penstock.server.calls import Calls
from penstock.server.catalog import StreamCatalog
from penstock.server.liiklus_service import LiiklusService
from penstock.wire.channel import SERVER_OPTIONS
from penstock.wire.protocol.gateway_pb2_grpc import add_BatchGatewayServicer_to_server
from penstock.wire.protocol.liiklus_pb2_grpc import add_LiiklusServiceServicer_to_server
from penstock_inmemory import InMemoryGateway


async def main(port: str, *protocols: str) -> None:
    gateway, catalog = InMemoryGateway(), StreamCatalog()
    server = grpc.aio.server(interceptors=[Calls()], options=SERVER_OPTIONS)
    if "batch" in protocols:
        add_BatchGatewayServicer_to_server(BatchGatewayService(gateway, catalog), server)
    if "riff" in protocols:
        add_LiiklusServiceServicer_to_server(LiiklusService(gateway, catalog), server)
    taken = server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    sys.stdout.write(f"{taken}\n")
    sys.stdout.flush()
    await server.wait_for_termination()


asyncio.run(main(*sys.argv[1:]))
