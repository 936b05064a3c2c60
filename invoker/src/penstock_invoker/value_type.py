"""The type of a function's values, as an annotation gives it."""

import inspect
from functools import cached_property
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import TypeAdapter

_NO_CLASSES = (object, Any, Union, UnionType)


class ValueType:
    """What one message's value is.

    Args:
        annotation: Any annotation that pydantic knows; `Any` where the function says nothing.
    """

    def __init__(self, annotation: Any) -> None:
        self.annotation = annotation

    def __str__(self) -> str:
        return "None" if self.annotation is NoneType else inspect.formatannotation(self.annotation)

    @property
    def is_any(self) -> bool:
        """Whether it says nothing."""
        return self.annotation is Any

    @cached_property
    def adapter(self) -> TypeAdapter[Any]:
        """What validates and serializes values of this type.

        Raises:
            pydantic.PydanticUserError: pydantic does not know the type.
        """
        return TypeAdapter(self.annotation)

    @cached_property
    def base(self) -> type | None:
        """The class that values of this type are of; ``None`` where there is no one class."""
        plain = _without_none(self.annotation)
        origin = get_origin(plain) or plain
        return origin if isinstance(origin, type) and origin not in _NO_CLASSES else None

    def is_a(self, *classes: type) -> bool:
        """Whether its values are of one of these classes, or ``None``."""
        return self.base is not None and issubclass(self.base, classes)

    def admits(self, kind: type) -> bool:
        """Whether a value of class `kind` is of this type, as far as its class tells."""
        if self.base is None or (self.base is float and issubclass(kind, int)):
            return True
        try:
            return issubclass(kind, self.base)
        except TypeError:  # a protocol or a typed dictionary: there is no telling
            return True


ANY = ValueType(Any)


def _without_none(annotation: Any) -> Any:
    """`T` of `T | None` and of `Annotated[T, …]`; everything else as it is."""
    if get_origin(annotation) is Annotated:
        return _without_none(get_args(annotation)[0])
    if get_origin(annotation) in {Union, UnionType}:
        members = [member for member in get_args(annotation) if member is not NoneType]
        if len(members) == 1:
            return _without_none(members[0])
    return annotation
