"""Reads mails: which conversation each belongs to, and what it says."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from assistant.gateway import GatewayClient

CONTEXT_LASTS = timedelta(minutes=45)


@dataclass(frozen=True)
class Mail:
    """One mail, as far as the assistant cares."""

    id: str
    sender: str
    subject: str
    text: str
    in_reply_to: str | None = None

    @property
    def is_follow_up(self) -> bool:
        """Whether the mail continues a conversation."""
        return self.in_reply_to is not None or self.subject.lower().startswith("re:")


class EmailHandler:
    """Has mails summarised, and remembers which conversation is in context and until when."""

    def __init__(self, gateway: GatewayClient, context_lasts: timedelta = CONTEXT_LASTS) -> None:
        self._gateway = gateway
        self._context_lasts = context_lasts
        self._conversation = None
        self._email_context_until = None

    def conversation(self, now: datetime) -> str | None:
        """The conversation in context at ``now``, if there is one."""
        if self._email_context_until is None or now >= self._email_context_until:
            return None
        return self._conversation

    async def summarise(self, mail: Mail, conversation: str, now: datetime) -> str:
        """A summary of the mail; its conversation is in context from now on."""
        text = f"From: {mail.sender}\nSubject: {mail.subject}\n\n{mail.text}"
        summary = await self._gateway.summarise(text, reference=mail.id)
        self._conversation = conversation
        self._email_context_until = now + self._context_lasts
        return summary


class EmailAgent:
    """Decides what to do about a mail; the handler does it."""

    def __init__(self, gateway: GatewayClient) -> None:
        self._email_handler = EmailHandler(gateway)
        self._conversations: dict[str, str] = {}
        self.summaries: list[str] = []

    async def handle(self, mail: Mail, now: datetime) -> str:
        """Puts the mail into its conversation and returns a summary of it."""
        conversation = self._follow_up(mail, now) if mail.is_follow_up else mail.id
        summary = await self._email_handler.summarise(mail, conversation, now)
        self._conversations[mail.id] = conversation
        self.summaries.append(summary)
        return summary

    def conversation_of(self, mail_id: str) -> str | None:
        """The conversation that a handled mail was put into."""
        return self._conversations.get(mail_id)

    def _follow_up(self, mail: Mail, now: datetime) -> str:
        """The conversation that a follow-up continues, or a new one if none fits."""
        if mail.in_reply_to in self._conversations:
            return self._conversations[mail.in_reply_to]
        # Some phones drop the In-Reply-To header: the conversation in context is the best guess then.
        if self._email_context_until is not None and now < self._email_context_until:
            return self._email_handler.conversation(now) or mail.id
        return mail.id
