"""The settings of a component: a list of names and values, or of where the values are."""

from penstock.adoption.entry import Entry, as_name
from penstock.adoption.fields import Fields, as_text, summary
from penstock.adoption.foreign import Foreign
from penstock.resources.source import FieldPath


class Settings:
    """What `spec.metadata` of a component says; upper and lower case of names are the same.

    Attributes:
        refers: Whether some value is in a store of secrets.
        written_out: The secrets that stand in the component itself.
    """

    def __init__(self, found: Foreign) -> None:
        self.refers = False
        self.written_out: list[str] = []
        self._found = found
        self._taken: set[str] = set()
        self._items: dict[str, Fields] = {}
        for one in found.spec.each("metadata"):
            name = one.text("name")
            one.require("name", "what is set")
            one.pass_over("value", "secretKeyRef", "envRef")
            self._items[name.lower()] = one

    def text(self, name: str) -> str:
        """A value that stands in the component; empty where there is none."""
        item = self._take(name)
        return item.scalar("value") if item and "value" in item else ""

    def flag(self, name: str) -> bool:
        """Whether a setting is true."""
        return self.text(name).lower() in ("true", "1", "t", "y", "yes", "on")

    def secret(self, name: str, entry: Entry, place: FieldPath) -> dict[str, str]:
        """The key of a Secret in which a value is, or is to be; empty where there is none.

        Args:
            name: The setting.
            entry: Where a comment tells of a value from the environment.
            place: The field for it.
        """
        item = self._take(name)
        if item is None:
            return {}
        if item.peek("secretKeyRef"):
            self.refers = True
            reference = item.fields("secretKeyRef")
            reference.require("name", "the secret's name")
            secret = reference.text("name")
            return {"secretName": secret, "key": reference.text("key") or secret}
        if "envRef" in item:
            entry.comment(place, f"{name} was in the variable {item.text('envRef')} of the sidecar")
        else:
            self.written_out.append(name)
        return {"secretName": as_name(self._found.name), "key": name}

    def report(self, name: str, message: str) -> None:
        """Note that something is wrong with a value."""
        self._items[name.lower()].report("value", message)

    def tell_rest(self, entry: Entry) -> None:
        """Comment on the settings that nobody asked for."""
        for name, item in self._items.items():
            if name not in self._taken:
                given = item.text("name")
                value = item.peek("value")
                shown = summary(given, as_text(value)) if value not in (None, "") else ""
                entry.comment(item.path, f"no equal: {given}{shown}")

    def _take(self, name: str) -> Fields | None:
        self._taken.add(name.lower())
        return self._items.get(name.lower())
