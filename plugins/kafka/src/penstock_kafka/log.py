"""What aiokafka may log.

It logs each failed try to connect as an error, many times a second while a broker is away, and
keeps the cause of some to itself. penstock raises what it means to its callers, once and in words.
So the lines of aiokafka are held back unless somebody wants them: they appear when the log's level
is `debug`, or when the logger `aiokafka` is given a level of its own. What logs in never appears.
"""

import logging

from aiokafka.protocol.admin import SaslAuthenticateRequest

_CLIENT = logging.getLogger("aiokafka")
_CONNECTION = logging.getLogger("aiokafka.conn")


def quieten_client() -> None:
    """Hold back what aiokafka logs; called again, it changes nothing."""
    if _CLIENT.level == logging.NOTSET and not _CLIENT.isEnabledFor(logging.DEBUG):
        _CLIENT.setLevel(logging.CRITICAL)
    _CONNECTION.addFilter(_without_secrets)


def _without_secrets(record: logging.LogRecord) -> bool:
    """Take out the bytes of logins, which requests show at the level `debug`."""
    if isinstance(record.args, tuple):
        record.args = tuple("(a login)" if _is_login(one) else one for one in record.args)
    return True


def _is_login(argument: object) -> bool:
    return bool(getattr(argument, "API_KEY", None) == SaslAuthenticateRequest.API_KEY)
