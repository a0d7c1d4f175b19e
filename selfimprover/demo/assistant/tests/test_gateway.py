import asyncio
from unittest import IsolatedAsyncioTestCase

from assistant.gateway import GatewayClient, GatewayError, GatewayTimeout
from tests.loopback import serve


def answering(head: str, body: str = ""):
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 {head}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode())

    return handle


class GatewayClientTest(IsolatedAsyncioTestCase):
    async def client(self, head: str, body: str = "") -> GatewayClient:
        return GatewayClient(f"http://127.0.0.1:{await serve(self, answering(head, body))}")

    async def test_a_text_is_summarised(self) -> None:
        client = await self.client("200 OK", '{"summary": "All is well."}')

        self.assertEqual("All is well.", await client.summarise("A long text.", reference="m1"))

    async def test_a_504_is_a_gateway_timeout(self) -> None:
        client = await self.client("504 Gateway Timeout")

        with self.assertRaisesRegex(GatewayTimeout, "504 Gateway Timeout from http://127.0.0.1"):
            await client.summarise("A long text.", reference="m1")

    async def test_any_other_refusal_is_a_gateway_error(self) -> None:
        client = await self.client("403 Forbidden")

        with self.assertRaisesRegex(GatewayError, "403 Forbidden"):
            await client.summarise("A long text.", reference="m1")
