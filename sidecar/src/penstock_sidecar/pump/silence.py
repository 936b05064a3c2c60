"""Says when a function that owes something has been silent for long: it may hang."""

import asyncio
import logging

_LOG = logging.getLogger(__name__)

SECONDS = 10.0
"""How long a silence lasts before it is said; it is said again after twice that, and so on."""


class Silence:
    """Follows one call of the function.

    Something is owed while messages are not taken, while inputs are not done that the host has
    begun to report, and when the call has all its inputs. A function of streams that only gathers
    what it gets, for as long as its window is open, owes nothing.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._since = 0.0
        self._patience = SECONDS
        self._fed = 0
        self._done = 0
        self._feeding = False
        self._finished = False

    def feeding(self, messages: int) -> None:
        """So many messages are on their way to it."""
        owed = self._owed
        self._fed += messages
        self._feeding = True
        self._listen(sign=not owed)

    def taken(self) -> None:
        """It took them, or the network did: where a host reports, that alone is a sign of life."""
        self._feeding = False
        self._listen(sign=not self._done)

    def finished(self) -> None:
        """It has all its inputs."""
        owed = self._owed
        self._finished = True
        self._listen(sign=not owed)

    def heard(self, inputs_done: int) -> None:
        """It gave outputs, or said that so many of its inputs are done; 0: it does not say."""
        self._done = max(self._done, inputs_done)
        self._listen(sign=True)

    def end(self) -> None:
        """It is over."""
        if self._timer:
            self._timer.cancel()
            self._timer = None

    @property
    def _owed(self) -> str:
        if self._feeding:
            return "takes no messages"
        if self._done and self._done < self._fed:
            return f"is not done with what it took (messages: {self._fed - self._done})"
        return "has all messages of a window and does not end" if self._finished else ""

    def _listen(self, *, sign: bool) -> None:
        """Look out for silence.

        Args:
            sign: The host has just shown that it lives, or begun to owe something.
        """
        if sign:
            self._since = self._loop.time()
            self._patience = SECONDS
        # One timer for a call, not one for each message: it looks how long the silence is.
        if self._timer is None and self._owed:
            self._timer = self._loop.call_later(SECONDS, self._look)

    def _look(self) -> None:
        self._timer = None
        if not self._owed:
            return
        silent = self._loop.time() - self._since
        if silent >= self._patience:
            self._patience = 3 * silent
            _LOG.warning(
                "the function %s, and has said nothing for %.0f s: it is slow, or it hangs; "
                "nothing is lost, its inputs are repeated when it is started again",
                self._owed,
                silent,
            )
        self._timer = self._loop.call_later(self._patience - silent, self._look)
