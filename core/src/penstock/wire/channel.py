"""How penstock's gRPC servers and clients are set up, on every port alike."""

from typing import Final

import grpc.aio

from penstock.wire.credentials import Credentials

MAX_MESSAGE_BYTES: Final = 64 * 1024 * 1024
"""The largest gRPC message that a server takes: the bound on one published message."""

FRAME_BYTES: Final = 4 * 1024 * 1024
"""What a frame of many messages aims at: it is larger only where one message alone is."""

_KEEPALIVE_TIMEOUT_MS = 20_000
_SLACK_BYTES = 1024 * 1024
_WINDOW_BYTES = 1024 * 1024

SERVER_OPTIONS: Final = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", -1),
    # A port in use is an error, not shared between two servers.
    ("grpc.so_reuseport", 0),
    # A client that is gone without a word is noticed within 50 s.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", _KEEPALIVE_TIMEOUT_MS),
    # Clients of riff may ask after us more often than the default of five minutes allows.
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
)
"""For `grpc.aio.server`."""

CHANNEL_OPTIONS: Final = (
    # A record comes with its offset and time: what could be published can be read.
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES + _SLACK_BYTES),
    ("grpc.max_send_message_length", -1),
    # Why a call failed is a header, and some give a whole stack there: the default is 8 KiB.
    ("grpc.max_metadata_size", 64 * 1024),
    # Servers with default limits hang up on who pings more often than every five minutes. With
    # data on its way a dead peer is noticed after the timeout; an idle subscription over the
    # batch protocol has a heartbeat of its own.
    ("grpc.keepalive_time_ms", 310_000),
    ("grpc.keepalive_timeout_ms", _KEEPALIVE_TIMEOUT_MS),
    ("grpc.http2.max_pings_without_data", 0),
    # What is received of a stream that is not read. The default grows it with the bandwidth, to
    # 16 MiB and more.
    ("grpc.http2.bdp_probe", 0),
    ("grpc.http2.lookahead_bytes", _WINDOW_BYTES),
    # A server that was restarted is found again at once; the default waits up to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 5_000),
    # That another channel could not reach somebody at this address a moment ago says nothing.
    ("grpc.use_local_subchannel_pool", 1),
    # Gateways and functions are neighbours: a proxy for the world outside is not asked.
    ("grpc.enable_http_proxy", 0),
)
"""For each channel."""


def open_channel(address: str, credentials: Credentials | None = None) -> grpc.aio.Channel:
    """Open a channel; it connects when it is first used, and again whenever that is needed.

    Args:
        address: `host:port`.
        credentials: How the server proves who it is, and who one is oneself; left out: neither.
    """
    if credentials is None:
        return grpc.aio.insecure_channel(address, options=CHANNEL_OPTIONS)
    return grpc.aio.secure_channel(address, credentials.for_grpc(), options=CHANNEL_OPTIONS)
