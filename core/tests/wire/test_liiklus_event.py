"""Messages as riff's events, and back."""

from hypothesis import given
from hypothesis import strategies as st

from penstock.plugin import Message
from penstock.wire.liiklus_event import from_event, to_event
from penstock.wire.protocol.liiklus_pb2 import LiiklusEvent

NAMES = st.text("abc0123", min_size=1)
MESSAGES = st.builds(
    Message,
    payload=st.binary(),
    content_type=st.text(),
    headers=st.dictionaries(NAMES, st.text()),
    id=st.text(),
    type=st.text(),
    source=st.text(),
    time=st.text(),
)


@given(MESSAGES, st.none() | st.binary(min_size=1))
def test_a_message_comes_back_as_it_was(message: Message, key: bytes | None) -> None:
    keyed = message._replace(key=key)
    encoded = to_event(keyed).SerializeToString()
    assert from_event(LiiklusEvent.FromString(encoded), key or b"") == keyed


def test_names_of_extensions_come_in_lower_case_and_values_as_they_are() -> None:
    event = LiiklusEvent(extensions={"TraceParent": " V1"})
    assert from_event(event, b"").headers == {"traceparent": " V1"}


def test_a_time_that_is_none_is_kept() -> None:
    assert from_event(LiiklusEvent(time="2020-13-45 now"), b"").time == "2020-13-45 now"
