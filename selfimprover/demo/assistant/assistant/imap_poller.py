"""Asks the mail server which mails are unseen."""

import asyncio

ANSWER_TIMEOUT = 30.0


class ImapError(Exception):
    """The mail server refused a command."""


class ImapPoller:
    """Looks into one mailbox; every poll is a connection of its own."""

    def __init__(self, host: str, port: int, user: str, password: str, *, mailbox: str = "INBOX", timeout: float = 5.0):
        self._host = host
        self._port = port
        self._user = user
        self._password = password
        self._mailbox = mailbox
        self._timeout = timeout

    async def poll(self) -> list[int]:
        """The numbers of the unseen mails."""
        reader, writer = await self._connect()
        try:
            await self._command(reader, writer, "a1", f'LOGIN "{self._user}" "{self._password}"')
            await self._command(reader, writer, "a2", f"SELECT {self._mailbox}")
            answer = await self._command(reader, writer, "a3", "SEARCH UNSEEN")
            await self._command(reader, writer, "a4", "LOGOUT")
        finally:
            await _close(writer)
        return _search_result(answer)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection on which the server has said hello."""
        server = f"{self._host}:{self._port}"
        reader, writer = await asyncio.open_connection(self._host, self._port)
        try:
            greeting = await asyncio.wait_for(reader.readline(), self._timeout)
        except TimeoutError:
            await _close(writer)
            raise TimeoutError(f"IMAP timeout: no greeting from {server} within {self._timeout} s") from None
        if not greeting.startswith(b"* OK"):
            await _close(writer)
            raise ConnectionError(f"IMAP server {server} did not greet us")
        return reader, writer

    async def _command(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, tag: str, command: str
    ) -> list[str]:
        """Sends one command and returns the untagged lines of its answer."""
        writer.write(f"{tag} {command}\r\n".encode())
        await writer.drain()
        lines: list[str] = []
        while True:
            line = (await asyncio.wait_for(reader.readline(), ANSWER_TIMEOUT)).decode().strip()
            if not line:
                raise ConnectionError(f"IMAP server {self._host}:{self._port} hung up")
            if line.startswith(f"{tag} OK"):
                return lines
            if line.startswith(f"{tag} "):
                raise ImapError(f"{command.split()[0]} refused: {line.removeprefix(tag).strip()}")
            lines.append(line)


def _search_result(lines: list[str]) -> list[int]:
    return [int(number) for line in lines if line.startswith("* SEARCH") for number in line.split()[2:]]


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    try:
        await writer.wait_closed()
    except ConnectionError:
        pass  # the other side was faster
