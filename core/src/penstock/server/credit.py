"""How much of a partition a client is ready to take."""

import asyncio


class Credit:
    """Records and bytes that may still be sent of one partition, and who waits for them.

    Attributes:
        records: Never passed.
        bytes: Below 0 where the last frame passed it.
    """

    def __init__(self) -> None:
        self.records = 0
        self.bytes = 0
        self._some = asyncio.Event()

    def grant(self, records: int, size: int) -> None:
        """Add what the client granted; `size` is in bytes."""
        self.records += records
        self.bytes += size
        self._tell()

    def spend(self, records: int, size: int) -> None:
        """Take off what was sent; `size` is in bytes."""
        self.records -= records
        self.bytes -= size
        self._tell()

    async def wait(self) -> None:
        """Wait until there is some, of both."""
        await self._some.wait()

    def _tell(self) -> None:
        if self.records > 0 and self.bytes > 0:
            self._some.set()
        else:
            self._some.clear()
