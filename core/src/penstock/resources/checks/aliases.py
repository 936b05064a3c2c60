"""What a function calls its inputs and outputs."""

from collections.abc import Iterator

from penstock.resources.models import Processor
from penstock.resources.problem import Problem


def alias_problems(processor: Processor) -> Iterator[Problem]:
    """Aliases that stand for two streams on one side."""
    spec = processor.spec
    for side, bindings in (("inputs", spec.inputs), ("outputs", spec.outputs)):
        first: dict[str, int] = {}
        for index, binding in enumerate(bindings):
            before = first.setdefault(binding.alias, index)
            if before != index:
                message = (
                    f'"{binding.alias}" is the alias of {side}[{before}] already (by default it '
                    "is the stream's name); give one of them an alias of its own"
                )
                yield Problem.about(processor, ("spec", side, index, "alias"), message)
