"""The line between the service and its database, in a test's hand: cut it, freeze it, or cut it at a word."""

import asyncio
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit, urlunsplit

SOCKET = ".s.PGSQL.5432"
CHUNK = 65_536


class Lifeline:
    """Passes bytes between asyncpg and PostgreSQL, over two sockets, until the test says otherwise."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._ends: set[asyncio.StreamWriter] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._ending = asyncio.Event()
        self._ending.set()
        self._word: bytes | None = None
        self._passes_the_word = False
        self.is_cut = False

    def cut(self) -> None:
        """The database is down: what was connected breaks, and nothing connects."""
        self.is_cut = True
        self._hang_up()

    def freeze(self) -> None:
        """The database hangs: it takes everything and says nothing."""
        self._flowing.clear()

    def delay_the_end(self) -> None:
        """What the database says last arrives, and for a while not that it has hung up."""
        self._ending.clear()

    def mend(self) -> None:
        """The database is back."""
        self._ending.set()
        self.is_cut = False
        self._word = None
        self._flowing.set()

    def cut_at(self, word: bytes, *, passing: bool) -> None:
        """Break the connection that sends this word, once; `passing`: the database still gets to hear it."""
        self._word, self._passes_the_word = word, passing

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection."""
        if self.is_cut:
            writer.close()
            return
        there_reader, there_writer = await asyncio.open_unix_connection(self._database)
        self._ends |= {writer, there_writer}
        mute = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._ask(reader, there_writer, mute))
                both.create_task(self._answer(there_reader, writer, mute))
        except* (OSError, EOFError):
            pass
        finally:
            for end in (writer, there_writer):
                self._ends.discard(end)
                end.close()

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, mute: asyncio.Event) -> None:
        while data := await reader.read(CHUNK):
            await self._flowing.wait()
            if self._word is not None and self._word in data:
                self._word = None
                mute.set()
                if self._passes_the_word:
                    writer.write(data)
                    await writer.drain()
                    await asyncio.sleep(0.2)
                raise EOFError
            writer.write(data)
            await writer.drain()
        raise EOFError

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, mute: asyncio.Event) -> None:
        while data := await reader.read(CHUNK):
            await self._flowing.wait()
            if not mute.is_set():
                writer.write(data)
                await writer.drain()
        await self._ending.wait()
        raise EOFError

    def _hang_up(self) -> None:
        for end in list(self._ends):
            end.transport.abort()


@asynccontextmanager
async def lifeline(url: str) -> AsyncGenerator[tuple[Lifeline, str]]:
    """A line to this database, and the address that goes over it."""
    parts = urlsplit(url)
    line = Lifeline(Path(parse_qs(parts.query)["host"][0]) / SOCKET)
    with tempfile.TemporaryDirectory(prefix="caseload-line-") as folder:
        server = await asyncio.start_unix_server(line.serve, Path(folder) / SOCKET)
        try:
            yield line, urlunsplit(parts._replace(query=f"host={quote(folder, safe='/')}"))
        finally:
            server.close()
            line.mend()
            line._hang_up()
            with suppress(TimeoutError):
                async with asyncio.timeout(5):
                    await server.wait_closed()
