"""Ids of outputs, the same each time the same input is processed, so that duplicates show.

An output of a known input is `group/input/partition/offset/output/index`: the index counts the
outputs of that input to that stream. Where the input is not known, the first input of the call
stands for it: `group/input/partition/offset/call/output/index`; such an id repeats only when the
call is given the same messages again, as a Count window's is.
"""

from collections.abc import Iterator, Sequence
from operator import lt

from penstock.plugin import PermanentError


class OutputIds:
    """Numbers the outputs of one call to one stream."""

    def __init__(self, output: str) -> None:
        self._output = output
        self._last_input = -1
        self._index = 0

    def of_call(self, first: str, count: int) -> Iterator[str]:
        """Ids of the next outputs of a call whose first input is at `first`."""
        prefix = f"{first}/call/{self._output}/"
        start = self._index
        self._index += count
        return (f"{prefix}{index}" for index in range(start, self._index))

    def of_inputs(self, inputs: Sequence[int], places: Sequence[str]) -> list[str]:
        """Ids of the next outputs, from their inputs.

        Args:
            inputs: The number within the call of the input of each output, in ascending order.
            places: Where each of those inputs is from.

        Raises:
            PermanentError: An input comes after a later one.
        """
        if inputs[0] > self._last_input and all(map(lt, inputs, inputs[1:])):
            self._last_input, self._index = inputs[-1], 0
            suffix = f"/{self._output}/0"
            return [place + suffix for place in places]
        ids = []
        for number, place in zip(inputs, places, strict=True):
            if number < self._last_input:
                raise PermanentError("outputs come in another order than their inputs")
            self._index = self._index + 1 if number == self._last_input else 0
            self._last_input = number
            ids.append(f"{place}/{self._output}/{self._index}")
        return ids
