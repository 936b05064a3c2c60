"""The counting finds what it is there to find."""

from tests.kafka.traffic import Output, Place, gaps, id_of, key_of, tally
from tests.kafka.traffic.messages import KEYS
from tests.kafka.traffic.tally import returns

GROUP = "g"
SENT = {number: Place(number % 2, number // 2) for number in range(4 * KEYS)}


def output(number: int, *, id_: str = "", key: bytes = b"", at: int = 0) -> Output:
    place = SENT.get(number, Place(0, 0))
    return Output(
        number,
        id_ or id_of(GROUP, place),
        key or key_of(number),
        Place(place.partition, at),
    )


ALL = [output(number) for number in SENT]


def test_what_went_well_has_no_faults() -> None:
    counted = tally(GROUP, SENT, ALL)
    assert (counted.sent, counted.received, counted.duplicates) == (len(SENT), len(SENT), 0)
    assert counted.faults == ""


def test_what_did_not_come_is_lost_and_shown_by_where_it_was() -> None:
    counted = tally(GROUP, SENT, [one for one in ALL if one.number not in {4, 5, 6, 10}])
    assert counted.lost.keys() == {4, 5, 6, 10}
    assert counted.faults.startswith("4 lost: partition 0 offsets 2 to 3 (messages 4 to 6), ")
    assert gaps(counted.lost)[1:] == [
        "partition 0 offsets 5 to 5 (messages 10 to 10)",
        "partition 1 offsets 2 to 2 (messages 5 to 5)",
    ]


def test_what_need_not_come_is_not_lost_and_counts_when_it_comes() -> None:
    counted = tally(GROUP, SENT, [one for one in ALL if one.number != 4], unsure={4, 5})
    assert counted.faults == ""
    assert counted.sent == len(SENT) - 1


def test_repeats_are_counted_and_are_in_order() -> None:
    counted = tally(GROUP, SENT, [*ALL[:100], *ALL[20:]])
    assert counted.duplicates == 80
    assert counted.faults == ""


def test_a_message_behind_a_later_one_of_its_key_is_out_of_order() -> None:
    swapped = [*ALL]
    swapped[3], swapped[3 + KEYS] = swapped[3 + KEYS], swapped[3]
    assert tally(GROUP, SENT, swapped).out_of_order == ["3 behind 67 (key key-3, partition 1)"]
    of_other_keys = [*ALL]
    of_other_keys[3], of_other_keys[4] = of_other_keys[4], of_other_keys[3]
    assert tally(GROUP, SENT, of_other_keys).faults == ""


def test_another_id_or_key_and_what_nobody_sent_are_wrong() -> None:
    odd = [output(3, id_="x"), output(4, key=b"x"), output(len(SENT))]
    counted = tally(GROUP, SENT, [*ALL, *odd])
    assert len(counted.wrong) == 3
    assert f"should be {id_of(GROUP, SENT[3])}" in counted.wrong[0]


def test_where_the_processor_went_back_to_is_seen_for_each_partition() -> None:
    received = [*ALL[:100], *ALL[20:60], *ALL[50:]]
    assert returns(received, SENT) == {
        100: Place(0, 10),
        101: Place(1, 10),
        140: Place(0, 25),
        141: Place(1, 25),
    }
