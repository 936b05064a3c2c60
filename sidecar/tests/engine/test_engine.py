"""Single decisions of the engine; whole histories are in the test against a reference."""

from collections.abc import Sequence
from typing import TypeVar

import pytest

from penstock.delivery import DeadLetter, Delivery, Guarantee
from penstock.plugin import (
    Message,
    NotReady,
    PenstockError,
    PermanentError,
    Position,
    Record,
    TemporaryError,
)
from penstock.window import Window, WindowType
from penstock_sidecar.engine import Command, Engine, Marks, Output, Settings, commands, events
from penstock_sidecar.engine.settings import FRAME_BYTES, FRAME_RECORDS

COUNT = Window(type=WindowType.COUNT, count=3)
Kind = TypeVar("Kind", bound=Command)


def engine(
    window: Window | None = None,
    *,
    marks: Marks | None = None,
    calls: int = 1,
    delivery: Delivery | None = None,
) -> Engine:
    """An engine with two inputs and two outputs that has a partition of each input."""
    made = Engine(
        Settings(
            group="g",
            inputs=("left", "right"),
            outputs=(Output("json", "application/json"), Output("text", "text/plain")),
            window=window or Window(),
            read_marks=marks or Marks(),
            write_marks=marks or Marks(),
            delivery=delivery or Delivery(in_flight_windows=calls),
        )
    )
    for number in (0, 1):
        made.handle(events.PartitionsAssigned(number, frozenset({0})), 0.0)
    return made


def records(
    *offsets: int, key: bytes | None = None, payload: bytes = b"{}", number: int = 0
) -> events.RecordsRead:
    message = Message(payload, "application/json", key)
    return events.RecordsRead(number, 0, [Record(message, offset, 0) for offset in offsets])


def json(count: int = 1) -> list[Message]:
    return [Message(b"1", "application/json")] * count


def only(kind: type[Kind], told: Sequence[Command]) -> Kind:
    found = [command for command in told if isinstance(command, kind)]
    assert len(found) == 1, told
    return found[0]


def kinds(told: Sequence[Command]) -> list[type]:
    return [type(command) for command in told]


def test_the_first_message_opens_a_call_and_is_fed_to_it_at_once() -> None:
    one = engine()
    told = one.handle(records(0, 1), 0.0)
    assert kinds(told) == [
        commands.OpenCall,
        commands.Feed,
        commands.ReadOutputs,
        commands.Read,
        commands.WakeAt,
    ]
    feed = only(commands.Feed, told)
    assert [(part.input, len(part.messages)) for part in feed.parts] == [(0, 2)]
    assert only(commands.WakeAt, told).time == 30.0
    # Once the host has taken what there is, it owes nothing: only the window's end is waited for.
    one.handle(events.BatchTaken(1), 1.0)
    assert one.handle(events.Woken(), 30.0) == [commands.WakeAt(60.0)]


def test_a_window_with_no_message_costs_no_call() -> None:
    one = engine(Window(size=1.0))
    assert not one.handle(events.Woken(), 100.0)


def test_what_comes_while_a_frame_is_under_way_goes_out_as_the_next_one() -> None:
    one = engine()
    one.handle(records(0), 0.0)
    one.handle(records(1), 0.0)
    one.handle(records(0, number=1), 0.0)
    feed = only(commands.Feed, one.handle(events.BatchTaken(1), 0.0))
    assert [(part.input, len(part.messages)) for part in feed.parts] == [(0, 1), (1, 1)]


@pytest.mark.parametrize(
    ("count", "payload"),
    [(FRAME_RECORDS // 2 + 1, b"{}"), (2, b"x" * (FRAME_BYTES // 3))],
    ids=["many", "large"],
)
def test_a_frame_holds_no_more_than_it_may(count: int, payload: bytes) -> None:
    one = engine()
    one.handle(records(0), 0.0)
    one.handle(records(*range(1, 1 + count), payload=payload), 0.0)
    one.handle(records(*range(count), payload=payload, number=1), 0.0)
    feed = only(commands.Feed, one.handle(events.BatchTaken(1), 0.0))
    assert [len(part.messages) for part in feed.parts] == [count]


def test_the_next_window_is_called_when_the_call_of_the_last_one_has_ended() -> None:
    one = engine(COUNT)
    one.handle(records(0, 1, 2, 3), 0.0)
    assert only(commands.FinishCall, one.handle(events.BatchTaken(1), 0.0)).call == 1
    told = one.handle(events.CallEnded(1), 0.0)
    assert only(commands.OpenCall, told).call == 2
    assert only(commands.Ack, told).positions == {0: 2}


def test_two_calls_may_be_open_where_that_is_set() -> None:
    one = engine(COUNT, calls=2)
    told = one.handle(records(0, 1, 2, 3, 4, 5, 6), 0.0)
    assert kinds(told).count(commands.OpenCall) == 2


def test_outputs_bring_what_they_bring_and_get_what_they_lack() -> None:
    one = engine()
    one.handle(records(7, 8, key=b"k"), 0.0)
    own = Message(b"2", "application/json", b"own", {"a": "b"}, "id", "type", "source", "time")
    told = one.handle(events.OutputsReceived(1, [*json(), own], (0,), (0, 1), 2), 0.0)
    published = only(commands.Publish, told)
    assert published.output == 0
    assert published.messages == [
        Message(b"1", "application/json", b"k", {}, "g/left/0/7/json/0", "riff-event", "g"),
        own,
    ]


def test_outputs_of_unknown_inputs_have_no_key_and_are_named_after_the_call() -> None:
    one = engine()
    one.handle(records(7, 8, key=b"k"), 0.0)
    published = only(commands.Publish, one.handle(events.OutputsReceived(1, json(2), (0,)), 0.0))
    assert [(message.id, message.key) for message in published.messages] == [
        ("g/left/0/7/call/json/0", None),
        ("g/left/0/7/call/json/1", None),
    ]


def test_only_outputs_of_known_inputs_inherit_a_key() -> None:
    one = engine()
    one.handle(records(0, key=b"k"), 0.0)
    one.handle(events.OutputsReceived(1, json(), (0,)), 0.0)
    told = one.handle(events.OutputsReceived(1, json(), (0,), (0,)), 0.0)
    assert not kinds(told).count(commands.Publish)
    published = only(commands.Publish, one.handle(events.Published(0, [Position(0, 0)]), 0.0))
    assert [message.key for message in published.messages] == [b"k"]


def test_outputs_go_where_their_result_index_says() -> None:
    one = engine()
    one.handle(records(0), 0.0)
    outputs = [*json(), Message(b"a", "text/plain"), *json()]
    told = one.handle(events.OutputsReceived(1, outputs, (0, 1, 0)), 0.0)
    published = [command for command in told if isinstance(command, commands.Publish)]
    assert [(one.output, len(one.messages)) for one in published] == [(0, 2), (1, 1)]


def test_progress_inside_a_window_is_acked_when_its_outputs_are_accepted() -> None:
    one = engine()
    one.handle(records(5, 6, 7), 0.0)
    told = one.handle(events.OutputsReceived(1, json(2), (0,), (0, 1), 2), 0.0)
    assert commands.Ack not in kinds(told)
    told = one.handle(events.Published(0, [Position(0, 0)] * 2), 0.0)
    assert only(commands.Ack, told) == commands.Ack(0, {0: 6})


def test_progress_without_outputs_is_acked_at_once() -> None:
    one = engine()
    one.handle(records(5, 6), 0.0)
    told = one.handle(events.OutputsReceived(1, (), inputs_done=1), 0.0)
    assert only(commands.Ack, told) == commands.Ack(0, {0: 5})


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (
            events.OutputsReceived(1, [Message(b"a", "text/plain")], (0,)),
            "output json: expected application/json got text/plain",
        ),
        (
            events.OutputsReceived(1, [Message(b"a")], (1,)),
            "output text: expected text/plain got no content type",
        ),
        (
            events.OutputsReceived(1, json(), (2,)),
            r"result index 2, known: 0 \(json\), 1 \(text\)",
        ),
        (events.OutputsReceived(1, json(), (-1,)), "result index -1"),
        (events.OutputsReceived(1, json(2), (0,), (0,)), "2 outputs with 1 result indexes and 1"),
        (events.OutputsReceived(1, json(3), (0, 0)), "3 outputs with 2 result indexes"),
        (events.OutputsReceived(1, json(), (0,), (2,)), "names input 2 .* 2 were given"),
        (events.OutputsReceived(1, json(2), (0,), (1, 0)), "another order than their inputs"),
        (events.OutputsReceived(1, (), inputs_done=3), "3 inputs are reported done .* 2 were"),
    ],
)
def test_outputs_that_cannot_be_are_a_failure_of_the_function(
    event: events.Event, text: str
) -> None:
    one = engine()
    one.handle(records(5, 6), 0.0)
    told = one.handle(event, 0.0)
    assert only(commands.AbandonCall, told).call == 1
    retried = only(commands.Retried, told)
    assert retried.where == "left[0] 5-6"
    with pytest.raises(PenstockError, match=text):
        raise retried.error
    # What comes of the call after that is of no interest.
    assert not one.handle(events.CallEnded(1), 0.0)


def test_an_output_of_an_input_that_was_done_is_a_failure() -> None:
    one = engine()
    one.handle(records(5, 6), 0.0)
    one.handle(events.OutputsReceived(1, (), inputs_done=1), 0.0)
    told = one.handle(events.OutputsReceived(1, json(), (0,), (0,)), 0.0)
    assert only(commands.Retried, told).where == "left[0] 6"


def test_a_stream_that_can_never_be_published_to_ends_everything() -> None:
    one = engine()
    one.handle(records(5), 0.0)
    one.handle(events.OutputsReceived(1, json(), (0,)), 0.0)
    failure = only(
        commands.Fail, one.handle(events.PublishFailed(0, PermanentError("no such topic")), 0.0)
    )
    assert str(failure.error) == "output json: no such topic"
    assert failure.where == "left[0] 5"
    assert not one.handle(events.CallEnded(1), 0.0)


def test_outputs_are_not_asked_for_while_too_many_wait_to_be_published() -> None:
    marks = Marks(high_records=2, low_records=1, high_bytes=100, low_bytes=50)
    one = engine(marks=marks)
    one.handle(records(0), 0.0)
    told = one.handle(events.OutputsReceived(1, json(2), (0,)), 0.0)
    assert commands.ReadOutputs not in kinds(told)
    told = one.handle(events.Published(0, [Position(0, 0)] * 2), 0.0)
    assert only(commands.ReadOutputs, told).call == 1


def test_what_a_call_that_ended_had_not_taken_makes_room() -> None:
    marks = Marks(high_records=3, low_records=2, high_bytes=100, low_bytes=50)
    one = engine(marks=marks)
    assert commands.Read not in kinds(one.handle(records(0, 1, 2), 0.0))
    assert only(commands.Read, one.handle(events.CallEnded(1), 0.0)).partition == 0


def test_a_publish_that_failed_is_tried_again_after_its_pause() -> None:
    one = engine()
    one.handle(records(0), 0.0)
    one.handle(events.OutputsReceived(1, json(), (0,)), 1.0)
    told = one.handle(events.PublishFailed(0, TemporaryError("away", 7.0)), 1.0)
    assert only(commands.WakeAt, told).time == 8.0
    assert only(commands.Publish, one.handle(events.Woken(), 8.0)).output == 0


def test_a_wake_up_that_comes_early_is_asked_for_again() -> None:
    one = engine(Window(size=5.0))
    one.handle(records(0), 0.0)
    assert one.handle(events.Woken(), 4.9) == [commands.WakeAt(5.0)]


def test_a_partition_that_is_revoked_ends_the_window_and_is_released_when_it_is_done() -> None:
    one = engine()
    one.handle(records(0, 1), 0.0)
    one.handle(events.BatchTaken(1), 0.0)
    told = one.handle(events.PartitionsRevoked(0, frozenset({0}), 10.0), 0.0)
    assert only(commands.FinishCall, told).call == 1
    assert only(commands.WakeAt, told).time == 9.0
    told = one.handle(events.CallEnded(1), 1.0)
    assert [*kinds(told)][:2] == [commands.Ack, commands.Release]
    assert only(commands.Release, told) == commands.Release(0, frozenset({0}))


def test_a_revoked_partition_of_which_nothing_is_open_is_released_at_once() -> None:
    told = engine().handle(events.PartitionsRevoked(1, frozenset({0}), 10.0), 0.0)
    assert told == [commands.Release(1, frozenset({0}))]


def test_a_revoked_partition_whose_outputs_are_not_stored_in_time_is_given_up() -> None:
    one = engine()
    one.handle(records(0, 1), 0.0)
    one.handle(events.PartitionsRevoked(0, frozenset({0}), 10.0), 0.0)
    one.handle(events.OutputsReceived(1, json(), (0,), (), 0), 8.0)
    end(one, 1)
    told = one.handle(events.Woken(), 9.0)
    assert commands.GiveUp(0, frozenset({0})) in told
    told = one.handle(events.Published(0, [Position(0, 0)]), 9.5)
    assert commands.Ack not in kinds(told)


def test_what_is_not_done_in_time_is_broken_off_and_the_rest_is_given_again() -> None:
    one = engine()
    one.handle(records(0, 1), 0.0)
    one.handle(events.BatchTaken(1), 0.0)
    one.handle(records(5, number=1), 0.0)
    one.handle(events.PartitionsRevoked(0, frozenset({0}), 10.0), 0.0)
    told = one.handle(events.Woken(), 9.0)
    assert kinds(told).index(commands.AbandonCall) < kinds(told).index(commands.Release)
    feed = only(commands.Feed, told)
    assert [(part.input, len(part.messages)) for part in feed.parts] == [(1, 1)]
    one.handle(events.BatchTaken(feed.call), 9.0)
    assert only(commands.Ack, one.handle(events.CallEnded(feed.call), 9.5)).positions == {0: 5}
    assert one.usage.held_messages == 0


def test_what_is_acked_first_the_function_goes_on_with_whoever_has_the_partition() -> None:
    one = engine(delivery=Delivery(guarantee=Guarantee.AT_MOST_ONCE))
    one.handle(records(0), 0.0)
    one.handle(events.Acked(0, {0: 0}), 0.0)
    one.handle(events.PartitionsRevoked(0, frozenset({0}), 10.0), 0.0)
    assert commands.AbandonCall not in kinds(one.handle(events.Woken(), 9.0))


def test_a_partition_that_is_lost_is_never_acked_and_does_not_end_the_window() -> None:
    one = engine()
    one.handle(records(0, 1), 0.0)
    one.handle(events.BatchTaken(1), 0.0)
    assert not one.handle(events.PartitionsRevoked(0, frozenset({0}), 0.0), 0.0)
    assert commands.Ack not in kinds(one.handle(events.CallEnded(1), 0.0))


def test_records_of_a_partition_that_went_are_ignored() -> None:
    one = engine()
    one.handle(events.PartitionsRevoked(0, frozenset({0}), 0.0), 0.0)
    assert not one.handle(records(0), 0.0)


def test_a_stop_finishes_what_is_open_acks_it_and_leaves() -> None:
    one = engine()
    one.handle(records(0, 1), 0.0)
    one.handle(records(2), 0.0)
    assert commands.Done not in kinds(one.handle(events.StopRequested(10.0), 0.0))
    told = one.handle(events.BatchTaken(1), 1.0)
    assert kinds(told) == [commands.FinishCall]
    one.handle(events.OutputsReceived(1, json(), (0,)), 2.0)
    assert commands.Done not in kinds(one.handle(events.CallEnded(1), 3.0))
    told = one.handle(events.Published(0, [Position(0, 0)]), 4.0)
    assert told == [commands.Ack(0, {0: 1}), commands.Done()]


def test_a_stop_gives_up_what_is_not_done_in_time_and_says_what() -> None:
    one = engine()
    one.handle(records(0, 1), 0.0)
    assert only(commands.WakeAt, one.handle(events.StopRequested(10.0), 0.0)).time == 10.0
    assert one.handle(events.Woken(), 10.0) == [
        commands.AbandonCall(1),
        commands.Done("left[0] 0-1"),
    ]


def test_a_stop_that_is_asked_for_again_hurries_and_never_slows_down() -> None:
    one = engine()
    one.handle(records(0, 1), 0.0)
    one.handle(events.StopRequested(10.0), 0.0)
    assert not one.handle(events.StopRequested(100.0), 0.0)
    assert commands.Done in kinds(one.handle(events.StopRequested(0.0), 1.0))


def test_a_stop_of_an_idle_engine_is_done_at_once() -> None:
    assert engine().handle(events.StopRequested(10.0), 0.0) == [commands.Done()]


def test_nothing_is_read_after_a_stop() -> None:
    one = engine()
    one.handle(records(0), 0.0)
    one.handle(events.StopRequested(10.0), 0.0)
    told = one.handle(events.PartitionsAssigned(0, frozenset({1})), 0.0)
    assert commands.Read not in kinds(told)
    assert not one.handle(records(0, number=1), 0.0)


def test_the_input_of_an_output_that_does_not_fit_is_the_one_that_is_set_aside() -> None:
    one = engine(delivery=Delivery(max_deliveries=1, dead_letter=DeadLetter(stream="oops")))
    one.handle(records(5, 6, 7), 0.0)
    outputs = [*json(), Message(b"a", "text/plain"), *json()]
    told = one.handle(events.OutputsReceived(1, outputs, (0,), (0, 1, 2), 3), 0.0)
    assert only(commands.SetAside, told).where == "left[0] 6"
    assert [len(part.messages) for part in only(commands.Feed, told).parts] == [2]


def test_what_several_calls_had_when_the_host_died_is_not_given_again_at_most_once() -> None:
    window = Window(type=WindowType.COUNT, count=1)
    at_most_once = Delivery(guarantee=Guarantee.AT_MOST_ONCE, in_flight_windows=2)
    one = engine(window, delivery=at_most_once)
    one.handle(records(0, 1), 0.0)
    told = one.handle(events.Acked(0, {0: 1}), 0.0)
    assert kinds(told).count(commands.Feed) == 2
    lost = one.handle(events.CallFailed(1, NotReady("gone")), 0.0)
    lost += one.handle(events.CallFailed(2, NotReady("gone")), 0.0)
    assert [command.where for command in lost if isinstance(command, commands.Lost)] == [
        "left[0] 0",
        "left[0] 1",
    ]
    assert commands.Feed not in kinds(one.handle(events.HostFound(), 0.0))


def test_what_a_failure_of_a_later_window_holds_up_is_called_before_it() -> None:
    one = engine(Window(type=WindowType.COUNT, count=2), calls=2)
    one.handle(records(0), 0.0)
    told = one.handle(records(1, 2), 0.0)
    assert only(commands.Feed, told).call == 2
    one.handle(events.OutputsReceived(1, [], (0,), (), 1), 0.0)
    told = one.handle(events.CallFailed(2, PermanentError("boom"), 0), 0.0)
    # The second message of the first window is of the partition that the failure is of.
    assert only(commands.Retried, told).where == "left[0] 2"
    first = only(commands.Feed, told)
    one.handle(events.BatchTaken(first.call), 0.0)
    told = one.handle(events.CallEnded(first.call), 0.0)
    assert commands.Feed not in kinds(told), "the failure's pause is not over"
    assert only(commands.Feed, one.handle(events.Woken(), 1.0)).call == 4


def test_what_a_sliding_window_has_set_aside_is_no_longer_held_by_those_that_are_open() -> None:
    sliding = Window(type=WindowType.SLIDING, size=2.0, every=1.0)
    one = engine(
        sliding, delivery=Delivery(max_deliveries=1, dead_letter=DeadLetter(stream="oops"))
    )
    one.handle(records(0), 0.5)
    one.handle(events.Woken(), 1.0)
    told = one.handle(events.CallFailed(1, PermanentError("boom"), 0), 1.0)
    assert only(commands.SetAside, told).where == "left[0] 0"
    letters = only(commands.Publish, told)
    one.handle(events.Published(letters.output, [Position(0, 0)]), 1.0)
    one.handle(events.PartitionsRevoked(0, frozenset({0}), 10.0), 1.0)
    assert one.usage.held_messages == 0
    assert one.usage.held_bytes == 0


def test_a_partition_that_stopped_while_it_was_left_does_not_end_the_session() -> None:
    one = engine()
    one.handle(records(0, 1), 0.0)
    one.handle(events.OutputsReceived(1, json(2), (0,), (0, 1), 0), 0.0)
    one.handle(events.PartitionsRevoked(0, frozenset({0}), 10.0), 0.0)
    told = one.handle(events.Published(0, [Position(0, 0), PermanentError("too large")]), 0.0)
    assert only(commands.Stopped, told).where == "left[0] 1"
    told = one.handle(events.CallFailed(1, NotReady("gone")), 0.0)
    assert commands.FindHost in kinds(told)
    assert commands.Fail not in kinds(told)


def test_what_the_function_had_behind_an_output_that_does_not_fit_it_does_not_get_again() -> None:
    one = engine(delivery=Delivery(guarantee=Guarantee.AT_MOST_ONCE))
    one.handle(records(5, 6), 0.0)
    one.handle(events.Acked(0, {0: 6}), 0.0)
    outputs = [Message(b"a", "text/plain")]
    told = one.handle(events.OutputsReceived(1, outputs, (0,), (0,), 2), 0.0)
    assert [command.where for command in told if isinstance(command, commands.Lost)] == [
        "left[0] 5",
        "left[0] 6",
    ]
    assert commands.Feed not in kinds(told)


def die(one: Engine, *calls: int) -> Sequence[Command]:
    """The function's host dies with calls that are open, and is there again."""
    for call in calls:
        one.handle(events.CallFailed(call, NotReady("gone")), 0.0)
    return one.handle(events.HostFound(), 0.0)


def end(one: Engine, call: int) -> Sequence[Command]:
    one.handle(events.BatchTaken(call), 0.0)
    return one.handle(events.CallEnded(call), 0.0)


def test_a_suspect_that_waits_behind_others_of_its_key_does_not_hold_them_up() -> None:
    one = engine(
        Window(type=WindowType.COUNT, count=4, per_key=True),
        delivery=Delivery(
            max_deliveries=1, in_flight_windows=2, dead_letter=DeadLetter(stream="oops")
        ),
    )
    one.handle(records(0, 1, 2, 3, key=b"a"), 0.0)
    one.handle(records(4, 5, 6, 7, key=b"b"), 0.0)
    assert only(commands.OpenCall, die(one, 1, 2)).call == 3
    # Tried alone, key a's window kills the host again: its halves are suspects, too.
    one.handle(events.CallFailed(3, NotReady("gone")), 0.0)
    assert only(commands.OpenCall, one.handle(events.HostFound(), 0.0)).call == 4
    # The first half fails and does not kill: its parts are no suspects, and before one.
    told: Sequence[Command] = one.handle(events.CallFailed(4, PermanentError("boom")), 0.0)
    called = []
    while opened := [command for command in told if isinstance(command, commands.OpenCall)]:
        called += opened
        told = end(one, opened[0].call)
    assert len(called) == len(["key b", "a's first", "a's second", "a's other half"])
    assert one.usage.open_windows == 0


def test_a_suspect_that_waits_for_more_of_its_window_does_not_hold_others_up() -> None:
    one = engine(COUNT, calls=2)
    one.handle(records(0, 1, 2), 0.0)
    one.handle(records(3), 0.0)
    assert only(commands.OpenCall, die(one, 1, 2)).call == 3
    one.handle(events.OutputsReceived(3, json(), (0,), (), 0), 0.0)
    assert only(commands.OpenCall, end(one, 3)).call == 4
    one.handle(events.BatchTaken(4), 0.0)
    told = one.handle(events.Published(0, [PermanentError("too large")]), 0.0)
    assert only(commands.Split, told).where == "left[0] 0-2"
    assert only(commands.OpenCall, told).call == 5


def test_what_failed_of_an_open_window_does_not_hold_up_what_failed_before() -> None:
    one = engine(COUNT, delivery=Delivery(max_deliveries=9, in_flight_windows=1))
    boom = PermanentError("boom")
    one.handle(records(0, 1, 2), 0.0)
    one.handle(records(0, number=1), 0.0)
    assert only(commands.OpenCall, one.handle(events.CallFailed(1, boom), 0.0)).call == 2
    one.handle(events.BatchTaken(2), 0.0)
    assert only(commands.OpenCall, one.handle(events.Woken(), 1.0)).call == 3
    one.handle(events.CallFailed(2, boom), 1.0)
    told = [*one.handle(events.Woken(), 2.0), *one.handle(events.CallFailed(3, boom), 2.0)]
    assert only(commands.OpenCall, told).call == 4
    one.handle(events.BatchTaken(4), 2.0)
    assert only(commands.OpenCall, one.handle(events.Woken(), 3.0)).call == 5


def test_what_is_not_called_yet_queues_up_behind_parts_of_what_failed() -> None:
    one = engine(COUNT, delivery=Delivery(max_deliveries=1, in_flight_windows=1))
    one.handle(records(0, 1, 2), 0.0)
    one.handle(records(3), 0.0)
    one.handle(events.CallFailed(1, NotReady("gone")), 0.0)
    one.handle(records(4), 0.0)
    told = list(one.handle(events.HostFound(), 0.0))
    fed = []
    while told:
        for feed in [command for command in told if isinstance(command, commands.Feed)]:
            [part] = feed.parts
            fed.append(len(part.messages))
            one.handle(events.BatchTaken(feed.call), 0.0)
        told = [
            command
            for call in {command.call for command in told if isinstance(command, commands.Feed)}
            for command in one.handle(events.CallEnded(call), 0.0)
        ]
    assert fed == [1, 2, 2]


def test_what_fails_of_a_window_that_failed_before_is_called_before_what_comes_later() -> None:
    one = engine(delivery=Delivery(max_deliveries=9, in_flight_windows=1))
    boom = PermanentError("boom")
    one.handle(records(0, 1), 0.0)
    one.handle(events.CallFailed(1, boom), 0.0)
    again = only(commands.OpenCall, one.handle(events.Woken(), 1.0)).call
    told = one.handle(events.CallFailed(again, boom, 0), 1.0)
    assert only(commands.Retried, told).where == "left[0] 0-1"
    assert commands.Feed not in kinds(one.handle(records(2), 1.0))
    fed = only(commands.Feed, one.handle(events.Woken(), 2.0))
    assert [len(part.messages) for part in fed.parts] == [2]


def test_what_is_elsewhere_by_the_time_that_its_output_is_refused_is_not_tried_again() -> None:
    one = engine(COUNT)
    one.handle(records(0, 1, 2), 0.0)
    one.handle(events.OutputsReceived(1, json(), (0,), (), 0), 0.0)
    end(one, 1)
    one.handle(events.PartitionsRevoked(0, frozenset({0}), 0.0), 0.0)
    told = one.handle(events.Published(0, [PermanentError("too large")]), 0.0)
    assert not {commands.Split, commands.OpenCall, commands.Feed} & set(kinds(told))
    assert one.usage.open_windows == 0
    assert one.usage.held_messages == 0
