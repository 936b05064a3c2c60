"""The names of headers: where CloudEvents' binary mode puts the parts of an event."""

PREFIX = "ce_"
"""Stands before the name of each attribute and extension."""

ID = "ce_id"
TYPE = "ce_type"
SOURCE = "ce_source"
TIME = "ce_time"
CONTENT_TYPE = "content-type"

SPEC_VERSION = "ce_specversion"
"""Marks a record as an event; it is no part of a message."""

DATA_CONTENT_TYPE = "ce_datacontenttype"
"""The content type as riff's servers wrote it, and as we write one that would mislead readers."""

RESERVED = frozenset({"id", "type", "source", "time", "specversion", "datacontenttype"})
"""Names that an extension must not have; one that has is written without the prefix."""

TOMBSTONE = "kafkatombstone"
"""The extension, `true`, of a message whose record has no value: on a compacted topic it deletes
what has its key."""

STRUCTURED = "application/cloudevents"
"""How the content types begin of records whose value holds the whole event."""

STRUCTURED_JSON = "application/cloudevents+json"
