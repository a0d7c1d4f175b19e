from datetime import UTC, datetime, timedelta
from unittest import IsolatedAsyncioTestCase

from assistant.email_agent import EmailAgent, EmailHandler, Mail
from assistant.gateway import GatewayTimeout

NOON = datetime(2026, 2, 2, 12, tzinfo=UTC)
ORDER = Mail("m1", "shop@example.org", "Your order", "It was sent today.")


class EchoGateway:
    """Summarises by repeating the subject; times out when told to."""

    def __init__(self, *, down: bool = False) -> None:
        self.down = down

    async def summarise(self, text: str, *, reference: str) -> str:
        if self.down:
            raise GatewayTimeout("504 Gateway Timeout")
        return text.splitlines()[1]


class EmailAgentTest(IsolatedAsyncioTestCase):
    async def test_a_new_mail_begins_a_conversation(self) -> None:
        agent = EmailAgent(EchoGateway())

        summary = await agent.handle(ORDER, NOON)

        self.assertEqual("Subject: Your order", summary)
        self.assertEqual("m1", agent.conversation_of("m1"))

    async def test_an_answer_joins_the_conversation_of_the_mail_it_answers(self) -> None:
        agent = EmailAgent(EchoGateway())
        await agent.handle(ORDER, NOON)

        await agent.handle(Mail("m2", "shop@example.org", "Re: Your order", "It is late.", "m1"), NOON)

        self.assertEqual("m1", agent.conversation_of("m2"))

    async def test_a_mail_that_could_not_be_summarised_begins_no_conversation(self) -> None:
        agent = EmailAgent(EchoGateway(down=True))

        with self.assertRaises(GatewayTimeout):
            await agent.handle(ORDER, NOON)

        self.assertIsNone(agent.conversation_of("m1"))
        self.assertEqual([], agent.summaries)


class EmailHandlerTest(IsolatedAsyncioTestCase):
    async def test_a_conversation_stays_in_context_for_a_while(self) -> None:
        handler = EmailHandler(EchoGateway(), context_lasts=timedelta(minutes=10))
        await handler.summarise(ORDER, "m1", NOON)

        self.assertEqual("m1", handler.conversation(NOON + timedelta(minutes=9)))
        self.assertIsNone(handler.conversation(NOON + timedelta(minutes=10)))

    def test_nothing_is_in_context_at_first(self) -> None:
        self.assertIsNone(EmailHandler(EchoGateway()).conversation(NOON))
