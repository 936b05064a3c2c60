"""What must hold: of each ack, of each message that the function gets, and when all is quiet."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple

from penstock.dead_letter import Origin
from penstock.plugin import Message, Record
from sidecar.tests.simulation.link import Link
from sidecar.tests.simulation.scenario import Kind, Scenario, Verdict


class Place(NamedTuple):
    """Where an input stands."""

    topic: str
    partition: int
    offset: int


@dataclass
class Input:
    """One message that was published, and what has become of it."""

    text: str
    place: Place
    message: Message
    verdict: Verdict
    wanted: int
    """How many outputs it has, of a function that does not gather."""
    outputs: dict[int, str] = field(default_factory=dict)
    """The ids of those that are stored, by their numbers."""
    ended: int = 0
    """How many calls have ended well with it."""
    fed: int = 0
    letter: Message | None = None
    failures: int = 0


class Violation(AssertionError):
    """Something does not hold that must."""


class Ledger:
    """Follows each input.

    Args:
        scenario: What the history is about.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.violations: list[str] = []
        self.inputs: dict[str, Input] = {}
        self.at: dict[Place, Input] = {}
        self.acked: dict[tuple[str, int], int] = {}
        self.dropped: set[str] = set()
        """Inputs that were acked without having been processed: they came too late, it seems."""
        self.stopped: dict[int, set[tuple[str, int]]] = {}
        """Partitions that each member read no further in its last session: where there are no dead
        letters, a function that answers too late is enough for that."""
        self.late = 0
        """What members have counted as late, all their lives."""
        self._ids: dict[tuple[int, str], bytes] = {}
        self._order: dict[tuple[str, int, bytes, int], int] = defaultdict(lambda: -1)

    def fault(self, text: str) -> None:
        """Something does not hold."""
        self.violations.append(text)

    def published(self, text: str, topic: str, partition: int, record: Record) -> None:
        """An input is stored."""
        place = Place(topic, partition, record.offset)
        number = int(text)
        verdict = Verdict[record.message.headers["verdict"]]
        one = Input(text, place, record.message, verdict, wanted=number % 3)
        self.inputs[text] = self.at[place] = one

    def given(self, link: Link, texts: list[str]) -> None:
        """A function got messages."""
        most = self._most_feeds
        for text in texts:
            one = self.inputs[text]
            place = one.place
            one.fed += 1
            if self.scenario.is_safe:
                if (place.topic, place.partition) in link.released:
                    self.fault(f"{link.name} processes {place} and has confirmed its revocation")
                continue
            # What was acked before the revocation, nobody else will process: it is still its own.
            if self.acked.get((place.topic, place.partition), -1) < place.offset:
                self.fault(f"{place} is given to the function before it is acked, AtMostOnce")
            if one.fed > most:
                self.fault(f"{place} is given to the function {one.fed} times, AtMostOnce")

    @property
    def _most_feeds(self) -> int:
        window = self.scenario.window
        return round(window.size / window.every) if window.size and window.every else 1

    def ended(self, texts: list[str]) -> None:
        """A function is done with messages, and its outputs have been received."""
        for text in texts:
            self.inputs[text].ended += 1

    def stored(self, output: int, message: Message) -> None:
        """An output of the function is stored."""
        texts, _, number = message.payload.decode().partition("/")
        known = self._ids.setdefault((output, message.id), message.payload)
        if self.scenario.kind is Kind.ONE_VALUE and known != message.payload:
            self.fault(f"outputs {known!r} and {message.payload!r} have one id: {message.id}")
        for text in texts.split(","):
            one = self.inputs[text]
            comes_first = int(number) not in one.outputs
            first = one.outputs.setdefault(int(number), message.id)
            if self.scenario.kind is Kind.ONE_VALUE and first != message.id:
                self.fault(f"output {message.payload!r} has two ids: {first} and {message.id}")
            if comes_first:
                self._in_order(one, output)

    def _in_order(self, one: Input, output: int) -> None:
        key = one.message.key
        if key is None or not self.scenario.keeps_order:
            return
        topic, partition, offset = one.place
        before = self._order[topic, partition, key, output]
        if offset < before:
            self.fault(f"{one.place} first comes out behind {before}, of the same key {key!r}")
        self._order[topic, partition, key, output] = max(before, offset)

    def set_aside(self, message: Message) -> None:
        """A dead letter is stored."""
        one = self.inputs[message.payload.decode()]
        one.letter = message
        origin = Origin.of(message)
        if origin is None or (origin.partition, origin.offset) != one.place[1:]:
            self.fault(f"the dead letter of {one.place} says {origin}")
        if message._replace(headers=one.message.headers) != one.message:
            self.fault(f"the dead letter of {one.place} is not what it was: {message}")

    def ack(self, link: Link, topic: str, partition: int, position: int) -> None:
        """A position is stored."""
        before = self.acked.get((topic, partition), -1)
        self.acked[topic, partition] = max(before, position)
        if not self.scenario.is_safe:
            return
        for offset in range(before + 1, position + 1):
            one = self.at.get(Place(topic, partition, offset))
            if one is None:
                self.fault(f"{link.name} acks {topic}[{partition}] {offset}, which is not there")
            elif missing := self.missing(one):
                if self.scenario.drops_late and not one.fed:
                    self.dropped.add(one.text)
                else:
                    self.fault(f"{link.name} acks {one.place} ({one.verdict.name}): {missing}")

    def missing(self, one: Input) -> str:
        """What is not done of an input, in words; empty: it is all done."""
        if one.letter or (one.text in self.dropped):
            return ""
        if not one.ended:
            return "no call has ended well with it"
        wanted = 1 if self.scenario.kind is Kind.GATHERING else one.wanted
        if len(one.outputs) < wanted:
            return f"{len(one.outputs)} of {wanted} outputs are stored"
        return ""

    def settle(self) -> None:
        """See, once all is quiet, that nothing is lost.

        Raises:
            Violation: What does not hold, now or at any moment before.
        """
        if self.scenario.is_safe:
            self._nothing_is_lost()
        if self.violations:
            more = Counter(self.violations)
            raise Violation("\n".join(list(more)[:12]))

    def _nothing_is_lost(self) -> None:
        letters = self.scenario.delivery.dead_letter is not None
        blocked = set[tuple[str, int]]().union(*self.stopped.values())
        assert not (letters and blocked), "what can be set aside stops nothing"
        for place, one in sorted(self.at.items()):
            partition = place[:2]
            if self.acked.get(partition, -1) >= place.offset:
                continue
            if not letters and any(
                other.verdict is not Verdict.WELL
                for other in self.inputs.values()
                if other.place[:2] == partition
                and other.place.offset > self.acked.get(partition, -1)
            ):
                blocked.add(partition)
            if partition not in blocked:
                left = self.missing(one) or "all of it is done"
                self.fault(f"{place} ({one.verdict.name}) is never acked: {left}")
        if len(self.dropped) > self.late:
            self.fault(f"{len(self.dropped)} inputs are lost, {self.late} were late")
