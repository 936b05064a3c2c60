"""What follows when the function fails with messages: again, in parts, or without the one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from random import Random

from penstock.dead_letter import Origin as LetterOrigin
from penstock.delivery import Guarantee
from penstock.plugin import PenstockError, PermanentError
from penstock_sidecar.engine.bundle import Bundle
from penstock_sidecar.engine.calls import Calls
from penstock_sidecar.engine.commands import Command, Lost, Retried, SetAside, Split
from penstock_sidecar.engine.outbox import Outbox
from penstock_sidecar.engine.outputs import Origin
from penstock_sidecar.engine.settings import Settings
from penstock_sidecar.engine.settlement import Partition, Run, bounds_of, describe
from penstock_sidecar.rfc3339 import text_of


class Failures:
    """Deals with what failed, and counts.

    Args:
        settings: The processor.
        calls: Where what is tried again queues up.
        outbox: Where dead letters go.
        finish: Told of what is done, as it never will be processed.
        stop: Stops the partition of a message, where there are no dead letters.
    """

    def __init__(
        self,
        settings: Settings,
        calls: Calls,
        outbox: Outbox,
        finish: Callable[[Run], None],
        stop: Callable[[Run, PenstockError], Iterator[Command]],
    ) -> None:
        self._settings = settings
        self._delivery = settings.delivery
        self._calls = calls
        self._outbox = outbox
        self._finish = finish
        self._stop = stop
        self._chance = Random(settings.seed)  # noqa: S311 - it hides nothing
        self._refused: set[Run] = set()
        self.retries = 0
        self.dead_letters = 0
        self.lost = 0

    def deal_with(
        self,
        bundle: Bundle,
        error: PenstockError,
        now: float,
        *,
        given: int,
        named: int | None = None,
        retryable: bool = True,
    ) -> Iterator[Command]:
        """Say what becomes of a bundle that failed.

        Args:
            bundle: All of it that is not done.
            error: Why it failed.
            now: The time.
            given: How many of its messages the function may have seen: the first so many.
            named: With which of them it failed, if that is known.
            retryable: Whether it may go well when it is tried again.
        """
        bundle.attempts += 1
        bundle.error = error
        if bundle.failed_at is None:
            bundle.failed_at = now
        if self._delivery.guarantee is Guarantee.AT_MOST_ONCE:
            # What the function may have seen it does not get again, if it is not known to have
            # failed before it came to that.
            yield from self._without(bundle, named or 0, given if named is None else 1, now)
        elif retryable and bundle.attempts < self._delivery.deliveries:
            yield self._again(bundle, named, now)
        elif named is None and bundle.records > 1:
            yield Split(error, self._where(bundle.runs), bundle.records)
            self._calls.split(bundle, bundle.halves())
        else:
            yield from self._without(bundle, named or 0, 1, now)

    def set_aside(
        self, run: Run, error: PenstockError, now: float, bundle: Bundle | None = None
    ) -> Iterator[Command]:
        """Make a dead letter of one message, or stop where there are none.

        Args:
            run: The message.
            error: Why.
            now: The time.
            bundle: What the function was given it with; ``None``: it was not.
        """
        dead_letters = self._settings.dead_letters
        if dead_letters is None:
            if self._delivery.guarantee is Guarantee.AT_MOST_ONCE:
                self.lost += 1
                self._finish(run)
                yield Lost(error, self._where([run]))
            else:
                yield from self._stop(run, error)
            return
        self.dead_letters += 1
        failed_at = bundle.failed_at if bundle and bundle.failed_at is not None else now
        key = run.partition.key
        letter = LetterOrigin(
            processor=self._settings.group,
            stream=self._settings.stream(key.input),
            partition=key.partition,
            offset=run.offsets[0],
            window=bundle.label if bundle else "",
            error=str(error),
            attempts=bundle.attempts if bundle else 0,
            first_failure=text_of(round((failed_at + self._settings.wall_clock) * 1000)),
        ).mark(run.messages[0])
        needed = self._outbox.put(dead_letters, [letter], Origin(run=run))
        self._outbox.then({dead_letters: needed}, lambda: self._finished(run))
        yield SetAside(error, self._where([run]))

    def refuse(self, run: Run, error: PenstockError) -> Iterator[Command]:
        """The dead letter of a message is refused for good: it stays where it is."""
        self._refused.add(run)
        letter = PermanentError(f"the dead-letter stream refused it: {error}")
        yield from self._stop(run, letter)

    def _finished(self, run: Run) -> Iterable[Partition]:
        if run in self._refused:
            self._refused.remove(run)
            return []
        self._finish(run)
        return [run.partition]

    def _again(self, bundle: Bundle, named: int | None, now: float) -> Command:
        self.retries += 1
        if named is not None and self._calls.splits and not self._settings.window.per_key:
            bundle = self._calls.set_apart(bundle, bundle.at(named).partition)
        pause = self._delivery.pauses.pause(bundle.attempts, self._chance.random())
        bundle.not_before = now + pause
        self._calls.retry(bundle)
        assert bundle.error, "it failed"
        return Retried(bundle.error, self._where(bundle.runs), bundle.attempts, pause)

    def _without(self, bundle: Bundle, first: int, count: int, now: float) -> Iterator[Command]:
        """Set some messages aside, and go on with the others."""
        assert bundle.error, "it failed"
        for run in [self._calls.pop(bundle, first) for _ in range(count)]:
            yield from self.set_aside(run, bundle.error, now, bundle)
        bundle.attempts, bundle.failed_at = 0, None
        self._calls.resume(bundle)

    def _where(self, runs: Iterable[Run]) -> str:
        return describe(bounds_of(runs), self._settings.inputs)
