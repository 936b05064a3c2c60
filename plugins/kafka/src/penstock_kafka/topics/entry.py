"""What a gateway notes about a topic."""

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """One topic's entry in the registry.

    Attributes:
        namespace, stream: Whose topic it is; empty where no stream declared it.
        owned: Gateways made it, or own it as if they had; otherwise it is adopted.
        settings: Names of the settings that gateways have set.
    """

    namespace: str
    stream: str
    owned: bool
    settings: frozenset[str] = frozenset()

    def to_json(self) -> bytes:
        """The entry as it is stored."""
        fields = {
            "namespace": self.namespace,
            "stream": self.stream,
            "owned": self.owned,
            "settings": sorted(self.settings),
        }
        return json.dumps(fields).encode()

    @classmethod
    def from_json(cls, text: bytes) -> "Entry | None":
        """Read what is stored; none: it is not an entry, whoever wrote it."""
        try:
            fields = json.loads(text)
            return cls(
                str(fields["namespace"]),
                str(fields["stream"]),
                bool(fields["owned"]),
                frozenset(map(str, fields["settings"])),
            )
        except (ValueError, KeyError, TypeError):
            return None
