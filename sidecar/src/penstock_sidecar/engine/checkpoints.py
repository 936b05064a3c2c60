"""What is settled as soon as enough outputs are accepted."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from penstock_sidecar.engine.settlement import Partition

Settle = Callable[[], Iterable[Partition]]
"""Settles inputs; called once, when they are done for good. Returns whose they are."""


class _Checkpoint:
    """Waits for a number of outputs."""

    __slots__ = ("outputs", "settle")

    def __init__(self, outputs: int, settle: Settle) -> None:
        self.outputs = outputs
        self.settle = settle


class Checkpoints:
    """What waits for outputs to be accepted.

    An output is published in the order in which its messages came, so of two checkpoints that
    wait for it the earlier never needs more than the later.

    Args:
        outputs: How many there are.
    """

    def __init__(self, outputs: int) -> None:
        self._waiting: list[deque[tuple[int, _Checkpoint]]] = [deque() for _ in range(outputs)]
        self._ready: list[Settle] = []
        self._open = 0

    def __bool__(self) -> bool:
        return bool(self._open or self._ready)

    def add(self, needs: Mapping[int, int], accepted: Sequence[int], settle: Settle) -> None:
        """Inputs are done but for their outputs.

        Args:
            needs: How many messages an output must have accepted, counted from the start.
            accepted: How many each has accepted by now.
            settle: Says what is done then.
        """
        missing = [output for output, needed in needs.items() if accepted[output] < needed]
        if not missing:
            self._ready.append(settle)
            return
        self._open += 1
        checkpoint = _Checkpoint(len(missing), settle)
        for output in missing:
            self._waiting[output].append((needs[output], checkpoint))

    def settle(self, accepted: Sequence[int]) -> Iterator[Partition]:
        """Settle what is done for good, by what each output has accepted by now."""
        ready, self._ready = self._ready, []
        for waiting, count in zip(self._waiting, accepted, strict=True):
            while waiting and waiting[0][0] <= count:
                _, checkpoint = waiting.popleft()
                checkpoint.outputs -= 1
                if not checkpoint.outputs:
                    self._open -= 1
                    ready.append(checkpoint.settle)
        for settle in ready:
            yield from settle()
