"""What the server has been told of its topics: the content type that each one's stream declares."""

from penstock.media_type import OCTET_STREAM, MediaType, fits
from penstock.plugin import ContentTypeMismatch, PermanentError


class StreamCatalog:
    """Content types by topic; a topic that nobody declared takes every message."""

    def __init__(self) -> None:
        self._content_types: dict[str, str] = {}

    def declare(self, topic: str, content_type: str) -> None:
        """Say what a topic's messages are; the last word counts.

        Args:
            topic: The topic.
            content_type: A media type or a range; empty is `application/octet-stream`.

        Raises:
            PermanentError: It is not a media type.
        """
        try:
            MediaType.parse(content_type)
        except ValueError as error:
            raise PermanentError(f"content type of topic {topic}: {error}") from error
        self._content_types[topic] = content_type or OCTET_STREAM

    def forget(self, topic: str) -> None:
        """Take back what was said of a topic."""
        self._content_types.pop(topic, None)

    def mismatch(self, topic: str, content_type: str) -> ContentTypeMismatch | None:
        """Why a message of a content type is refused by a topic; ``None``: it fits."""
        declared = self._content_types.get(topic)
        if declared is None or fits(declared, content_type):
            return None
        return ContentTypeMismatch(declared, content_type)
