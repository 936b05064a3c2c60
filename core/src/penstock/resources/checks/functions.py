"""What runs a processor's function: a build, an image or a command."""

from collections.abc import Iterator

from penstock.resources.models import FUNCTION_CONTAINER, Build, Processor
from penstock.resources.problem import Problem
from penstock.resources.source import FieldPath
from penstock.resources.suggestion import closest

_CONTAINERS: FieldPath = ("spec", "template", "spec", "containers")


def function_problems(processor: Processor, *, local: bool) -> Iterator[Problem]:
    """Too much or too little to run the function from.

    Args:
        processor: The processor.
        local: Whether a command is needed, as the local runtime does; else an image or a build.
    """
    build = processor.spec.build or Build()
    built = bool(build.function_ref or build.container_ref)
    if build.function_ref and build.container_ref:
        message = "functionRef and containerRef exclude each other; remove one"
        yield Problem.about(processor, ("spec", "build", "containerRef"), message)
    containers = processor.spec.template.spec.containers
    places = [index for index, one in enumerate(containers) if one.is_function]
    for index in places[1:]:
        message = f"containers[{places[0]}] is the function's already; give this one another name"
        yield Problem.about(processor, (*_CONTAINERS, index, "name"), message)
    if not places:
        yield from _without_container(processor, built=built, local=local)
        return
    container, path = containers[places[0]], (*_CONTAINERS, places[0])
    if built and container.image:
        message = "an image and spec.build exclude each other; remove one"
        yield Problem.about(processor, (*path, "image"), message)
    if local and not container.command:
        message = (
            "is missing: the local runtime starts a command, not an image; give one, as "
            '[penstock-invoker, "module:function"]'
        )
        near = closest("command", container.model_extra or ())
        message += f'; is "{near}" meant to be it?' if near else ""
        yield Problem.about(processor, (*path, "command"), message)
    for index, variable in enumerate(container.env):
        if local and variable.name == "GRPC_PORT":
            message = "GRPC_PORT is set by penstock run to a free port; remove it"
            yield Problem.about(processor, (*path, "env", index, "name"), message, "warning")
    if not local and not built and not container.image:
        message = "is missing, and so is spec.build: a cluster needs one of the two"
        yield Problem.about(processor, (*path, "image"), message)


def _without_container(processor: Processor, *, built: bool, local: bool) -> Iterator[Problem]:
    if built and not local:
        return
    need = "a command" if local else "an image"
    message = f'no container is called "{FUNCTION_CONTAINER}"; the function needs one with {need}'
    yield Problem.about(processor, _CONTAINERS, message)
