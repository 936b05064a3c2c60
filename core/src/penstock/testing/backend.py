"""What the suite has to know of a gateway."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from penstock.plugin import Message, Plugin, UsageError, load_plugins
from penstock.testing.fault import Fault


@dataclass(frozen=True, kw_only=True)
class Backend:
    """A gateway to be tested, and the messaging system behind it.

    The fixture makes one for each case, so it only describes: what is started (a broker) is a
    fixture of a wider scope, which it takes. The suite makes streams and groups of fresh names,
    and removes its streams where the gateway can.

    Attributes:
        plugin: The name of the entry point or the type of the kind, such as `kafka`; or a plugin
            that is not installed.
        spec: The `spec` of a resource of the kind.
        name: What the report is called; the plugin's name where left out.
        fault: What can be done to the messaging system.
        config: Settings of every stream, by the messaging system's own names.
        refused: A message that the gateway refuses for good, where there is one: too large, say.
        impossible_topic: A name that no topic can have.
        patience: Seconds for what takes a moment where it is right, before a case fails.
        session: Seconds until the messaging system counts a member out that is gone without a
            word; more than the gateway's own protocols take.
        outage: Seconds that a freeze and a cut last: longer than `session`, to see that too.
        recovery: Seconds after a fault within which messages flow again.
    """

    plugin: str | Plugin = field(kw_only=False)
    spec: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    fault: Fault | None = None
    config: Mapping[str, str] = field(default_factory=dict)
    refused: Message | None = None
    impossible_topic: str = "no topic"
    patience: float = 30.0
    session: float = 0.0
    outage: float = 3.0
    recovery: float = 60.0

    def find(self) -> Plugin:
        """The plugin.

        Raises:
            UsageError: There is none of that name, or it is broken.
        """
        if isinstance(self.plugin, Plugin):
            return self.plugin
        plugins = load_plugins()
        for plugin in plugins.by_kind.values():
            if self.plugin in (plugin.name, plugin.kind.type):
                return plugin
        for broken in plugins.broken:
            if self.plugin == broken.name:
                raise UsageError(f"plugin {broken.name} cannot be used: {broken.reason}")
        names = ", ".join(sorted(plugin.name for plugin in plugins.by_kind.values()))
        raise UsageError(f"no plugin {self.plugin!r} is installed: there are {names or 'none'}")

    @property
    def title(self) -> str:
        """What the report is called."""
        return self.name or self.find().name

    def offers(self, action: str) -> bool:
        """Whether its fault has an action."""
        return self.fault is not None and self.fault.offers(action)
