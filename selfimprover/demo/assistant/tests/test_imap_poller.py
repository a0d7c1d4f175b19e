import asyncio
from unittest import IsolatedAsyncioTestCase

from assistant.imap_poller import ImapError, ImapPoller
from tests.loopback import serve


def mailbox(unseen: str, *, login: str = "OK"):
    """A mail server with one mailbox."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"* OK ready\r\n")
        while line := await reader.readline():
            tag, command = line.decode().split()[:2]
            if command == "SEARCH":
                writer.write(f"* SEARCH {unseen}\r\n".encode())
            writer.write(f"{tag} {login if command == 'LOGIN' else 'OK'} done\r\n".encode())

    return handle


async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


class ImapPollerTest(IsolatedAsyncioTestCase):
    async def poller(self, handle, **options) -> ImapPoller:
        return ImapPoller("127.0.0.1", await serve(self, handle), "assistant", "", **options)

    async def test_a_poll_finds_the_unseen_mails(self) -> None:
        poller = await self.poller(mailbox("2 3 5"))

        self.assertEqual([2, 3, 5], await poller.poll())

    async def test_an_empty_mailbox_has_none(self) -> None:
        poller = await self.poller(mailbox(""))

        self.assertEqual([], await poller.poll())

    async def test_a_refused_login_is_an_error(self) -> None:
        poller = await self.poller(mailbox("", login="NO"))

        with self.assertRaisesRegex(ImapError, "LOGIN refused: NO"):
            await poller.poll()

    async def test_a_server_that_does_not_greet_is_not_waited_for(self) -> None:
        poller = await self.poller(silence, timeout=0.05)

        with self.assertRaisesRegex(TimeoutError, "no greeting .* within 0.05 s"):
            await poller._connect()
