import pytest

from penstock_kafka.topics.entry import Entry


def test_an_entry_is_read_as_it_was_written() -> None:
    entry = Entry("space", "stream", owned=True, settings=frozenset({"b", "a"}))
    text = b'{"namespace": "space", "stream": "stream", "owned": true, "settings": ["a", "b"]}'
    assert entry.to_json() == text
    assert Entry.from_json(text) == entry


@pytest.mark.parametrize("text", [b"", b"\xff", b"5", b"null", b"{}", b'{"owned": true}', b"[]"])
def test_what_is_no_entry_is_none(text: bytes) -> None:
    assert Entry.from_json(text) is None
