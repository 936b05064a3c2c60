"""What the server knows of topics."""

import pytest

from penstock.plugin import PermanentError
from penstock.server.catalog import StreamCatalog


def test_a_topic_that_nobody_declared_takes_every_message() -> None:
    assert StreamCatalog().mismatch("numbers", "not a media type") is None


def test_the_last_declaration_counts() -> None:
    catalog = StreamCatalog()
    catalog.declare("numbers", "application/json")
    catalog.declare("numbers", "text/plain")
    mismatch = catalog.mismatch("numbers", "application/json")
    assert mismatch is not None
    assert (mismatch.expected, mismatch.got) == ("text/plain", "application/json")
    assert catalog.mismatch("numbers", "text/plain") is None


def test_what_is_no_media_type_cannot_be_declared() -> None:
    catalog = StreamCatalog()
    with pytest.raises(PermanentError, match="topic numbers: 'json' is not a media type"):
        catalog.declare("numbers", "json")
    assert catalog.mismatch("numbers", "text/plain") is None
