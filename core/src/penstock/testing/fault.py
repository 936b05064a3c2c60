"""What may be done to a messaging system, to see what becomes of its gateway."""

from collections.abc import Awaitable, Callable

Action = Callable[[], Awaitable[None]]


class Fault:
    """Actions on a messaging system: derive from it, and write those that yours can.

    Each returns when it has been done, and what begins is ended by its partner also when a case
    has failed in between. A case whose actions are left out is not run, and shown so.
    """

    async def bounce(self) -> None:
        """Stop it, gently or not, and start it again; it need not answer yet on return."""
        raise NotImplementedError

    async def freeze(self) -> None:
        """Let it do nothing, with its connections open, as SIGSTOP does; `thaw` ends it."""
        raise NotImplementedError

    async def thaw(self) -> None:
        """Let it go on."""
        raise NotImplementedError

    async def cut(self) -> None:
        """Break its connections and let nobody through; `restore` ends it."""
        raise NotImplementedError

    async def slow(self) -> None:
        """Delay what passes to it and back by about a tenth of a second; `restore` ends it."""
        raise NotImplementedError

    async def restore(self) -> None:
        """Let everything through again, at its full speed."""
        raise NotImplementedError

    def offers(self, action: str) -> bool:
        """Whether an action is written; what does not derive from this class need only have it."""
        return getattr(type(self), action) is not getattr(Fault, action)
