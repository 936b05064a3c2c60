"""What goes on beside a case, and how it waits for that."""

import asyncio
from collections.abc import Callable, Coroutine

from penstock.testing.expectation import BrokenPromise


class Watch:
    """What all members of a case tell, and who waits for it.

    Attributes:
        patience: Seconds that `until` waits.
    """

    def __init__(self, patience: float) -> None:
        self.patience = patience
        self._wrong: BrokenPromise | None = None
        self._news = asyncio.Event()

    def tell(self) -> None:
        """Something has happened."""
        self._news.set()

    def blame(self, wrong: BrokenPromise) -> None:
        """Something was wrong; the first one counts."""
        self._wrong = self._wrong or wrong
        self._news.set()

    def run(self, who: str, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Do something beside the case, and keep what goes wrong in it for who waits."""
        task = asyncio.create_task(work)
        task.add_done_callback(lambda ended: self._end(who, ended))
        return task

    def _end(self, who: str, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if isinstance(error, BrokenPromise):
            self.blame(error)
        elif error:
            unexpected = BrokenPromise(f"{who} raised {error!r}")
            unexpected.__cause__ = error
            self.blame(unexpected)
        self.tell()

    def check(self) -> None:
        """Say what was wrong so far.

        Raises:
            BrokenPromise: Something was.
        """
        if self._wrong:
            raise self._wrong

    async def until(
        self,
        condition: Callable[[], bool],
        what: str,
        state: Callable[[], object],
        within: float | None = None,
    ) -> None:
        """Wait for what members tell.

        Args:
            condition: Whether it is so.
            what: The same in words.
            state: What there is instead, where it does not come to that.
            within: Seconds, where that is not the patience.

        Raises:
            BrokenPromise: It does not come to that, or something was wrong.
        """
        __tracebackhide__ = True
        seconds = within or self.patience
        try:
            async with asyncio.timeout(seconds):
                while not condition():
                    self.check()
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise BrokenPromise(
                f"{what}\n  expected: within {seconds:g} s\n  came:     {state()}"
            ) from None
        self.check()
