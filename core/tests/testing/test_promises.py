"""What the cases quote is what the contract says, and all that it promises is quoted."""

import pytest

from core.tests.testing.contract import docstrings, sentences
from penstock.testing import GatewayConformance
from penstock.testing.promise import Case, Chapter, cases_of

CASES = cases_of(GatewayConformance)

NO_PROMISES = {
    "what the host does, or may rely on by the class alone": [
        "All calls are made on one event loop.",
        "All methods are called on one event loop.",
        "Called again and again while the host has room; never twice at a time for one partition.",
        (
            "Called for each `GetOffsets` of a client, and for each subscription of a group "
            "without a version."
        ),
        ("Called before each use of a topic where the streams of namespaces are kept apart."),
        "Called once a stream with `DeletionPolicy.DELETE` is deleted.",
        "Called once for each batch of progress.",
        "Called once for each member.",
        "Get ready to serve; called once, before anything else.",
        "deletion_policy: Whether `deprovision` is called when the stream is deleted.",
    ],
    "what something is, without anything that a gateway could do wrong": [
        (
            "A kind of gateway: from this alone the host makes its CRD, controller, server and "
            "commands."
        ),
        "A message as stored in one partition.",
        "A messaging system behind one interface: what a plugin opens for each declared gateway.",
        "A promise that some gateways give and others do not.",
        "A stream as declared, in a gateway's terms.",
        "An end of a topic.",
        "Empty: the member has none.",
        "Publishes to topics and reads them in groups.",
        "Whether a gateway can serve now, and if not, why, in words for a person.",
        "What becomes of a stream's data when the stream is deleted.",
        "Where a group starts in the partitions for which it has no position.",
        "Where a message was stored, or why it was not.",
        "Where a provisioned stream is found.",
        "Where a record stands in its topic.",
        "Where it is.",
        "acked: Last acked offset by partition, by version, of the group's name.",
        "capabilities: What gateways of this kind promise.",
        "content_type: What the stream's messages are.",
        "fallback: The edge for partitions that the lowest version has not acked.",
        "gateway: `host:port` that speaks the gateway protocol; empty: the server that was asked.",
        "group: Who reads.",
        "group: Who subscribes.",
        "message: The message.",
        "name: The Kubernetes kind, in CamelCase and ending in `Gateway`, such as `KafkaGateway`.",
        "name: The group's name, without a version.",
        "name: The name without a version.",
        "partition: One that is assigned.",
        "spec: The pydantic model of the resource's `spec`; field descriptions become the CRD's.",
        "start: What the subscriber asked for.",
        "start: Where it begins in partitions without a position.",
        "summary: One sentence for lists and for the CRD.",
        "topic: The topic.",
        "version: From 1; 0 is the group without a version.",
        "The namespace and the name of a stream, two DNS-1123 labels.",
        "The word for this kind in labels and commands: `kafka` for `KafkaGateway`.",
    ],
    "what the core does itself": [
        "Until then it reads none of it.",
        "Whether a member has still to hear what became of a partition.",
        (
            "Who was given anew what it had lost would take the records of the new assignment for "
            "those that follow the old ones."
        ),
        "events: What the member has not been told yet.",
        "partition: The partition.",
        "An explicit version other than 0 wins, and leaves the name as it is.",
        "Read a group as riff's clients name it: `x-v3` is version 3 of `x`.",
        "Where a subscriber of `group` starts, given what each version of the group has acked.",
    ],
    "what a gateway may do: the suite does the same again, and no case can bring it about": [
        "0: they are lost already, and another member may be reading.",
        "TemporaryError: Ask again.",
        "TemporaryError: Nothing is known to be stored: ack again.",
        "TemporaryError: Try again.",
    ],
    "what other sentences say at length, which are quoted": [
        (
            "What `provision` answers is read back so; without a change, that is "
            "`<namespace>_<stream>`."
        ),
        "A group may start at offsets or at a time, not only at an edge.",
        "A stream's data can be removed.",
        "Records that the group had acked are marked when they are read again.",
        "Versions of a group have positions of their own.",
        "Who is not subscribed may ack for a group.",
        "config: Settings of the messaging system by its own names, such as `cleanup.policy`.",
        (
            "drift: Where what exists differs from what was declared and is left so, one sentence "
            "each: a topic that was there before, with other partitions or settings."
        ),
        "offset: Its offset in the partition it was read from.",
        "partition: From 0.",
        "retention: Bounds on what is kept.",
    ],
}
"""Sentences of the contract that no case quotes, and why."""


@pytest.mark.parametrize("case", CASES.values(), ids=lambda case: case.name)
def test_a_case_quotes_the_contract_word_for_word(case: Case) -> None:
    assert case.promise.sentence in docstrings()[case.promise.source]


def test_every_sentence_of_the_contract_is_quoted_or_is_no_promise() -> None:
    known = {sentence for excused in NO_PROMISES.values() for sentence in excused}
    missing: list[str] = []
    for source, docstring in docstrings().items():
        quotes = [one.promise.sentence for one in CASES.values() if one.promise.source == source]
        missing += [
            f"{source}: {sentence}"
            for sentence in sentences(docstring)
            if sentence not in known
            and not any(quote in sentence or sentence in quote for quote in quotes)
        ]
    assert not missing, "each needs a case, or a reason in NO_PROMISES"


def test_what_is_said_to_be_no_promise_is_in_the_contract_and_not_quoted() -> None:
    said = {sentence for docstring in docstrings().values() for sentence in sentences(docstring)}
    quoted = {one.promise.sentence for one in CASES.values()}
    for excused in NO_PROMISES.values():
        assert said.issuperset(excused)
        assert quoted.isdisjoint(excused)


def test_no_two_cases_have_one_name() -> None:
    chapters = [one for one in GatewayConformance.__mro__ if issubclass(one, Chapter)]
    names = [name for one in chapters for name in vars(one) if name.startswith("test_")]
    assert len(names) == len(set(names)) == len(CASES)
