"""What goes wrong in the generated telemetry: error texts with ids in them, and the stacks they come from."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

PYTHON = (
    "AttributeError: 'MailTask' object has no attribute '_email_context_until' (task {uuid})",
    "KeyError: 'message_id' while reading answer {hex} of tool call {number}",
    "TypeError: unsupported operand type(s) for +: 'NoneType' and 'int' in step {number}",
    "ValueError: invalid literal for int() with base 10: '{hex}'",
    "IndexError: list index out of range",
    "json.decoder.JSONDecodeError: Expecting ',' delimiter: line {small} column {small} (char {number})",
    "json.decoder.JSONDecodeError: Unterminated string starting at: line 1 column {small} (char {number})",
    (
        "openai.RateLimitError: Error code: 429 - {{'error': {{'message': 'Rate limit reached, limit 90000, "
        "used {number}', 'type': 'tokens', 'code': 'rate_limit_exceeded'}}}}"
    ),
    "openai.APITimeoutError: Request timed out. (request req_{hex})",
    (
        "openai.BadRequestError: Error code: 400 - {{'error': {{'message': \"This model's maximum context length is "
        '128000 tokens. However, your messages resulted in {number} tokens."}}}}'
    ),
    "openai.InternalServerError: Error code: 503 - upstream connect error, request {uuid}",
    "httpx.ConnectTimeout: timed out after {small}.{number}s connecting to {ip}:443",
    "httpx.HTTPStatusError: Server error '502 Bad Gateway' for url 'https://gateway.internal/v1/jobs/{uuid}'",
    "httpx.HTTPStatusError: Client error '404 Not Found' for url 'https://api.internal/v2/items/{number}'",
    (
        "requests.exceptions.ConnectionError: HTTPSConnectionPool(host='{ip}', port=443): Max retries exceeded "
        "with url: /fetch/{hex} (Caused by NewConnectionError('Failed to establish a new connection: [Errno 111] "
        "Connection refused'))"
    ),
    "imaplib.IMAP4.abort: socket error: EOF, mailbox {number}",
    "imaplib.IMAP4.error: [AUTHENTICATIONFAILED] Authentication failed. (session {hex})",
    "TimeoutError: IMAP connect to {ip} timed out after 30 s",
    "smtplib.SMTPServerDisconnected: Connection unexpectedly closed: session {hex}",
    "smtplib.SMTPRecipientsRefused: {{'box{number}@mail.invalid': (550, b'5.1.1 User unknown')}}",
    "sqlite3.OperationalError: database is locked",
    "sqlite3.IntegrityError: UNIQUE constraint failed: messages.id (row {number})",
    'psycopg.OperationalError: connection to server at "{ip}", port 5432 failed: Connection timed out',
    (
        "psycopg.errors.DeadlockDetected: deadlock detected DETAIL: Process {number} waits for ShareLock on "
        "transaction {number}; blocked by process {number}."
    ),
    "FileNotFoundError: [Errno 2] No such file or directory: '/var/lib/assistant/tasks/{uuid}/answer.json'",
    "PermissionError: [Errno 13] Permission denied: '/srv/share/{hex}.pdf'",
    "OSError: [Errno 28] No space left on device: '/tmp/download-{hex}'",
    "subprocess.CalledProcessError: Command '['ffmpeg', '-i', '/tmp/in-{hex}.wav']' returned non-zero exit status 1.",
    "subprocess.TimeoutExpired: Command 'pdftotext /tmp/{hex}.pdf' timed out after 60 seconds",
    "RuntimeError: tool browser.click failed after {small} tries on element {hex}",
    "playwright._impl._errors.TimeoutError: Timeout 30000ms exceeded. waiting for locator('#row-{number}')",
    "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xe9 in position {number}: invalid continuation byte",
    "asyncio.exceptions.CancelledError",
    "AssertionError: plan {uuid} has no steps",
    "RecursionError: maximum recursion depth exceeded",
    (
        "ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has "
        "expired (_ssl.c:1006), peer {ip}"
    ),
)
NODE = (
    "TypeError: Cannot read properties of undefined (reading 'content') in run {uuid}",
    "TypeError: fetch failed, request {hex}",
    "Error: connect ECONNREFUSED {ip}:6379",
    "Error: getaddrinfo ENOTFOUND host-{number}.internal",
    "Error: ENOENT: no such file or directory, open '/srv/agent/cache/{hex}.json'",
    "SyntaxError: Unexpected token < in JSON at position {number}",
    "AxiosError: Request failed with status code 504 (id {uuid})",
)
BARE = (
    "gateway timeout",
    "Tool call {uuid} gave no answer within {number} ms",
    "worker {small} was killed by signal 9",
    "The model stopped because of its length limit after {number} tokens",
)

_PACKAGES = ("agent", "mail", "tools", "llm", "memory", "planner", "browser", "web", "storage", "queue")
_VERBS = ("run", "handle", "fetch", "send", "read", "plan", "dispatch", "retry", "parse", "connect", "execute", "load")
_NOUNS = ("task", "step", "message", "answer", "page", "mailbox", "tool", "job", "session", "document", "record")
_LINES = (
    "result = await self._{function}(task, timeout=self._timeout)",
    "return await asyncio.wait_for(self.{function}(request), timeout)",
    "for item in self.{function}(batch, context=context):",
    "payload = {function}(record['body'], strict=True)",
    "raise error from None",
)
_STACKS = 3


@dataclass(frozen=True)
class Cause:
    """One thing that goes wrong, with the stacks in which it was seen."""

    message: str
    stacks: tuple[str, ...]

    def error(self, rng: random.Random) -> str:
        """The text, with ids of its own."""
        return self.message.format_map(Ids(rng)) if "{" in self.message else self.message

    def traceback(self, error: str, rng: random.Random, *, own: bool) -> str | None:
        """A stack; with ``own`` one that repeats the error text, as Python and Node write it."""
        if not self.stacks:
            return None
        stack = self.stacks[int(rng.random() * len(self.stacks))]
        last = error if own else error.partition(":")[0]
        return f"{last}\n{stack}" if stack.startswith("    at ") else f"{stack}{last}"


class Ids(dict[str, str]):
    """Makes an id whenever one is asked for."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__()
        bits = rng.getrandbits
        self._makers: dict[str, Callable[[], str]] = {
            "uuid": lambda: _uuid(f"{bits(128):032x}"),
            "hex": lambda: f"{bits(48):012x}",
            "number": lambda: str(bits(17)),
            "small": lambda: str(bits(4) + 1),
            "ip": lambda: f"10.{bits(8)}.{bits(8)}.{bits(8)}",
        }

    def __missing__(self, name: str) -> str:
        return self._makers[name]()


def causes(rng: random.Random) -> Sequence[Cause]:
    """All of them, with stacks of 1 to 3.5 kB; always the same for the same state of ``rng``."""
    made = [Cause(message, tuple(_python(rng) for _ in range(_STACKS))) for message in PYTHON]
    made += [Cause(message, tuple(_node(rng) for _ in range(_STACKS))) for message in NODE]
    return [*made, *(Cause(message, ()) for message in BARE)]


def _uuid(digits: str) -> str:
    places = (0, 8, 12, 16, 20, 32)
    return "-".join(digits[start:end] for start, end in pairwise(places))


def _function(rng: random.Random) -> str:
    return f"{rng.choice(_VERBS)}_{rng.choice(_NOUNS)}"


def _python(rng: random.Random) -> str:
    lines = ["Traceback (most recent call last):"]
    for _ in range(rng.randint(8, 23)):
        package, function = rng.choice(_PACKAGES), _function(rng)
        lines.append(f'  File "/srv/assistant/{package}/{function}.py", line {rng.randint(10, 900)}, in {function}')
        lines.append(f"    {rng.choice(_LINES).format(function=_function(rng))}")
    return "\n".join(lines) + "\n"


def _node(rng: random.Random) -> str:
    lines = [
        f"    at async {_function(rng)} (/srv/agent/dist/{rng.choice(_PACKAGES)}/{_function(rng)}.js:"
        f"{rng.randint(10, 900)}:{rng.randint(1, 80)})"
        for _ in range(rng.randint(12, 35))
    ]
    return "\n".join(lines)
