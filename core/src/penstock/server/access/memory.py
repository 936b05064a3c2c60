"""What was found out a moment ago, so that not every message is a question to somebody else."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Answer = TypeVar("Answer")


class Memory(Generic[Key, Answer]):
    """Answers by question, each for a time of its own.

    Args:
        room: How many are kept; the oldest goes first.
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self._answers: OrderedDict[Key, tuple[Answer, float]] = OrderedDict()

    def keep(self, question: Key, answer: Answer, until: float) -> None:
        """Keep an answer.

        Args:
            question: What was asked.
            answer: What was answered.
            until: The time, in seconds of the caller's clock, from which it is forgotten.
        """
        self._answers[question] = (answer, until)
        self._answers.move_to_end(question)
        if len(self._answers) > self._room:
            self._answers.popitem(last=False)

    def recall(self, question: Key, now: float) -> Answer | None:
        """The answer, where it is known and not too old."""
        answer, until = self._answers.get(question, (None, now))
        if now < until:
            return answer
        self._answers.pop(question, None)
        return None
