import asyncio

import pytest

from penstock.plugin import READ_BYTES, Message, Record, Retention
from penstock_inmemory.log import Log

NO_BOUNDS = Retention()
NOT_ACKED = -1


def messages(*payloads: str) -> list[Message]:
    return [Message(payload.encode()) for payload in payloads]


def everything(log: Log) -> list[Record]:
    return log.read(log.first, 10_000_000, READ_BYTES, NOT_ACKED)


def test_offsets_count_on_from_zero(now: list[float]) -> None:
    log = Log(NO_BOUNDS, lambda: now[0])
    assert log.append(messages("a", "b")) == range(2)
    now[0] += 1.5
    assert log.append(messages("c")) == range(2, 3)
    assert everything(log) == [
        Record(Message(b"a"), 0, 1_700_000_000_000),
        Record(Message(b"b"), 1, 1_700_000_000_000),
        Record(Message(b"c"), 2, 1_700_000_001_500),
    ]


def test_a_read_gives_at_most_so_many_records_from_an_offset_on() -> None:
    log = Log(NO_BOUNDS, lambda: 0)
    log.append(messages("a", "b", "c", "d"))
    assert [r.offset for r in log.read(1, 2, READ_BYTES, NOT_ACKED)] == [1, 2]
    assert log.read(4, 2, READ_BYTES, NOT_ACKED) == []
    assert log.read(400, 2, READ_BYTES, NOT_ACKED) == []


@pytest.mark.parametrize(
    ("max_bytes", "expected"), [(1, 1), (9, 1), (10, 1), (11, 2), (25, 3), (30, 3), (31, 4)]
)
def test_a_read_stops_behind_the_record_that_reaches_the_bytes(
    max_bytes: int, expected: int
) -> None:
    log = Log(NO_BOUNDS, lambda: 0)
    log.append([Message(b"0123456789", key=b"not counted")] * 4)
    assert len(log.read(0, 100, max_bytes, NOT_ACKED)) == expected


def test_records_up_to_the_acked_offset_are_marked() -> None:
    log = Log(NO_BOUNDS, lambda: 0)
    log.append(messages("a", "b", "c", "d"))
    replay = [r.replay for r in log.read(1, 10, READ_BYTES, acked=2)]
    assert replay == [True, True, False]


def test_a_log_is_trimmed_to_its_newest_messages_and_offsets_stay() -> None:
    log = Log(Retention(messages=3), lambda: 0)
    for number in range(100):
        log.append(messages(f"{number}"))
        assert log.end == number + 1
        assert log.first == max(0, number - 2)
    assert [(r.offset, r.message.payload) for r in everything(log)] == [
        (97, b"97"),
        (98, b"98"),
        (99, b"99"),
    ]


def test_a_log_is_trimmed_to_bytes_of_payloads_and_keys() -> None:
    log = Log(Retention(bytes=100), lambda: 0)
    for _ in range(50):
        log.append([Message(b"12345678", key=b"90")])
    assert (log.first, log.end) == (40, 50)
    log.append(messages("x" * 95))
    assert (log.first, log.end) == (50, 51)


def test_the_newest_message_is_kept_whatever_its_size() -> None:
    log = Log(Retention(bytes=10), lambda: 0)
    log.append(messages("small", "x" * 1000))
    assert [r.offset for r in everything(log)] == [1]
    log.append(messages("small"))
    assert [r.offset for r in everything(log)] == [2]


def test_a_log_is_trimmed_by_age(now: list[float]) -> None:
    log = Log(Retention(seconds=60), lambda: now[0])
    log.append(messages("a"))
    now[0] += 40
    log.append(messages("b", "c"))
    now[0] += 20
    log.trim()
    assert log.first == 0
    now[0] += 1
    log.trim()
    assert [r.offset for r in everything(log)] == [1, 2]
    now[0] += 60
    log.trim()
    assert log.first == log.end == 3
    assert log.append(messages("d")) == range(3, 4)


def test_of_several_bounds_the_first_that_is_passed_counts(now: list[float]) -> None:
    log = Log(Retention(seconds=60, bytes=1000, messages=2), lambda: now[0])
    log.append(messages("a", "b", "c"))
    assert log.first == 1
    log.append(messages("x" * 1000))
    assert log.first == 3
    now[0] += 61
    log.trim()
    assert log.first == 4


def test_whatever_is_trimmed_what_is_left_reads_the_same() -> None:
    log = Log(NO_BOUNDS, lambda: 0)
    payloads = [b"%d" % number * (number % 7) for number in range(500)]
    log.append([Message(payload) for payload in payloads])
    for kept in range(499, 0, -1):
        log.keep(Retention(messages=kept))
        assert log.first == 500 - kept
        record, *_ = log.read(log.first, 1, READ_BYTES, NOT_ACKED)
        assert (record.offset, record.message.payload) == (500 - kept, payloads[-kept])
        total = sum(map(len, payloads[-kept:]))
        log.keep(Retention(bytes=total))
        assert log.first == 500 - kept


def test_trimmed_messages_do_not_pile_up_in_memory() -> None:
    log = Log(Retention(messages=100), lambda: 0)
    for _ in range(1000):
        log.append(messages("a", "b", "c"))
        assert len(log._messages) < 100 * 8 / 7 + 1


def test_a_time_is_found() -> None:
    times = iter([10.0, 20.0, 20.0, 30.0])
    log = Log(NO_BOUNDS, lambda: next(times))
    for _ in range(4):
        log.append(messages("a"))
    found = [log.at_time(at) for at in (0, 10_000, 10_001, 20_000, 25_000, 30_000, 30_001)]
    assert found == [0, 0, 1, 1, 3, 3, 4]


def test_a_time_of_what_is_trimmed_is_the_first_that_is_kept(now: list[float]) -> None:
    log = Log(Retention(seconds=60, messages=9), lambda: now[0])
    log.append(messages(*"abcdefghij"))
    assert log.at_time(0) == 1
    now[0] += 61
    assert log.at_time(0) == 10


def test_timestamps_never_go_back_even_when_the_clock_does() -> None:
    times = iter([10.0, 5.0, 11.0])
    log = Log(NO_BOUNDS, lambda: next(times))
    for _ in range(3):
        log.append(messages("a"))
    assert [r.timestamp_ms for r in everything(log)] == [10_000, 10_000, 11_000]


def test_who_waits_is_woken_by_the_next_append() -> None:
    log = Log(NO_BOUNDS, lambda: 0)
    waiting = {asyncio.Event(), asyncio.Event()}
    log.waiting |= waiting
    log.append(messages("a"))
    assert all(event.is_set() for event in waiting)
    assert not log.waiting
