"""What must hold between the resources of a manifest, and within one beyond its fields.

Each check is a pure function of its own; none stops at the first problem.
"""

from collections.abc import Iterator, Sequence

from penstock.resources.checks.aliases import alias_problems
from penstock.resources.checks.content_types import content_type_problems
from penstock.resources.checks.cycles import cycle_problems
from penstock.resources.checks.dead_letters import dead_letter_problems
from penstock.resources.checks.duplicates import duplicate_problems
from penstock.resources.checks.functions import function_problems
from penstock.resources.checks.references import reference_problems
from penstock.resources.declaration import Declaration
from penstock.resources.models import Gateway, Processor, Stream
from penstock.resources.problem import Problem


def check(declarations: Sequence[Declaration], *, local: bool, complete: bool) -> Iterator[Problem]:
    """Run every check.

    Args:
        declarations: What the manifests declare, in their order.
        local: For the local runtime, which starts commands; else for a cluster, which needs
            images.
        complete: Whether everything could be read: if not, what is missing may well be there.
    """
    resources = [one.resource for one in declarations if one.resource]
    processors = [one for one in resources if isinstance(one, Processor)]
    yield from duplicate_problems(declarations)
    if complete:
        yield from reference_problems(declarations, local=local)
    for processor in processors:
        yield from alias_problems(processor)
        yield from function_problems(processor, local=local)
    streams = [one for one in resources if isinstance(one, Stream)]
    yield from content_type_problems(processors, streams)
    yield from dead_letter_problems(processors, streams)
    yield from cycle_problems(processors)
    for gateway in resources:
        if local and isinstance(gateway, Gateway):
            message = "is a gateway's pods; the local runtime runs gateways of a concrete kind"
            yield Problem.about(gateway, ("kind",), f"{message}, such as InMemoryGateway")
