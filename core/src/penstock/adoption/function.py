"""Containers that were called by HTTP, as functions of processors."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from penstock.adoption.entry import PLACEHOLDER, Entry
from penstock.resources.source import FieldPath

IMAGE: FieldPath = ("spec", "template", "spec", "containers", 0, "image")
ONE_BY_ONE = {"type": "Count", "count": 1}
"""The window of a function that is called for each message."""

_OF_HTTP = ("livenessProbe", "ports", "readinessProbe", "startupProbe")


class Function(NamedTuple):
    """A function's container, and comments on its image."""

    container: Mapping[str, Any]
    comments: tuple[str, ...]

    @classmethod
    def of(cls, containers: object, whose: str) -> "Function | None":
        """The function of the first container of a pod; ``None``: there is none.

        Args:
            containers: Of the pod.
            whose: What the pod is of, in words.
        """
        if not isinstance(containers, list) or not containers:
            return None
        first = containers[0]
        if not isinstance(first, Mapping):
            return None
        # Without a name it is the function's.
        kept = {key: value for key, value in first.items() if key not in ("name", *_OF_HTTP)}
        comments = [f"of {whose}"]
        if left := [one for one in _OF_HTTP if one in first]:
            comments.append(f"no equal: {', '.join(left)}")
        if len(containers) > 1:
            comments.append(f"left out: {len(containers) - 1} more of its containers")
        return cls({"image": PLACEHOLDER, **kept}, tuple(comments))

    @classmethod
    def unknown(cls, message: str) -> "Function":
        """A function whose image is to be filled in."""
        return cls({"image": PLACEHOLDER}, (message,))

    @property
    def template(self) -> dict[str, Any]:
        """The template of a processor that runs it."""
        return {"spec": {"containers": [dict(self.container)]}}

    def explain(self, entry: Entry) -> None:
        """Comment on the image in a processor."""
        for one in self.comments:
            entry.comment(IMAGE, one)
        text = (
            "it was called by HTTP, and a function of penstock is called by gRPC, at port 8081: "
            "build it with an invoker"
        )
        entry.comment(IMAGE, text)
