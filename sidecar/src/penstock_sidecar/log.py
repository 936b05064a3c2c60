"""The log: one event a line, on standard error."""

import logging
import time


class OneLine(logging.Formatter):
    """A time, a level, and the event; what would be several lines is made one."""

    converter = staticmethod(time.gmtime)

    def __init__(self) -> None:
        super().__init__("%(asctime)s.%(msecs)03dZ %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        """The record's line."""
        return super().format(record).replace("\n", "\\n")


def log_to_stderr() -> None:
    """Log to standard error from now on."""
    handler = logging.StreamHandler()
    handler.setFormatter(OneLine())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
