"""The command `penstock-sidecar`; it takes no arguments: its environment says everything."""

import asyncio
import logging
import os
import signal
import sys

from penstock.garbage import collect_seldom
from penstock.observability.log import set_up_log
from penstock.observability.tracing import open_tracer
from penstock.plugin import PenstockError, UsageError
from penstock_sidecar.configuration import MissingVariable, read_configuration
from penstock_sidecar.processor import Processor

_LOG = logging.getLogger("penstock_sidecar")


def main() -> int:
    """Run the sidecar until SIGTERM or SIGINT; the exit status.

    0 after a signal, 1 when a variable is missing or the function fails, 2 when a value is wrong.
    """
    try:
        set_up_log(os.environ, processor=os.environ.get("GROUP", ""))
        if sys.argv[1:]:
            raise UsageError(
                f"{sys.argv[1]}: penstock-sidecar takes no arguments, its environment says "
                "everything: FUNCTION, GROUP, INPUT_NAMES, OUTPUT_NAMES, INPUT_START_OFFSETS, "
                "CNB_BINDINGS"
            )
        configuration = read_configuration(os.environ)
        with open_tracer(configuration.group.name, os.environ) as tracer:
            processor = Processor(configuration, tracer)
            collect_seldom()
            asyncio.run(_serve(processor))
    except UsageError as error:
        _LOG.error("%s", error)
        return 1 if isinstance(error, MissingVariable) else 2
    except PenstockError as error:
        _LOG.error("%s", error)
        return 1
    # A plugin raises what it likes.
    except Exception:  # noqa: BLE001
        _LOG.exception("a fault of the sidecar or of a plugin")
        return 1
    return 0


async def _serve(processor: Processor) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, processor.stop)
    await processor.run()
    _LOG.info("stopped")


if __name__ == "__main__":
    sys.exit(main())
