"""Lines of an assistant's libraries and services: the second held-out part, of which the rules first found 74 %."""

from collections.abc import Callable, Iterator

from tests.secrets_corpus.cases import ALNUM, BASE64, DIGITS, HEX, LOWER, URLSAFE, Case, Values

Make = Callable[[Values], str]


def _password(values: Values) -> str:
    return values.pick("blue-Otter-17", "drowssap", "G7!kd.02", "Sunshine1", values.of(ALNUM + "-_.", 14))


def _opaque(values: Values) -> str:
    return values.of(ALNUM, values.random.choice((22, 32, 43)))


def _hex(values: Values) -> str:
    return values.of(HEX, values.random.choice((32, 40, 64)))


_POSITIVES: dict[str, tuple[Make, tuple[str, ...]]] = {
    "celery": (
        _password,
        (
            "[ERROR/MainProcess] consumer: Cannot connect to amqp://worker:{}@mq.internal:5672//: timed out.",
            "kombu.exceptions.OperationalError: transport options {{'userid': 'worker', 'password': '{}'}}",
        ),
    ),
    "imap-login": (
        _password,
        (
            "imaplib.error: command: LOGIN => invalid args ('me', '{}')",
            "aioimaplib: KOLB1 LOGIN me {}",
            "mailbox.login('me', '{}') failed",
        ),
    ),
    "aiohttp": (
        _opaque,
        (
            "aiohttp.ClientResponseError: 401, url=URL('https://x.example/a?token={}')",
            "<CIMultiDictProxy('Host': 'x', 'Authorization': 'Bearer {}')>",
            "BasicAuth(login='me', password='{}', encoding='latin1')",
        ),
    ),
    "grpc": (_opaque, ("metadata=(('authorization', 'Bearer {}'), ('x-y', '1'))", "metadata: x-api-key={}")),
    "boto": (
        lambda v: v.of(BASE64, 40),
        (
            "ClientError: creds ReadOnlyCredentials(access_key=None, secret_key='{}', token=None)",
            "aws configure set aws_secret_access_key {}",
        ),
    ),
    "elastic": (
        _opaque,
        ("ApiError(401, 'security_exception') for ApiKey {}", "elasticsearch: http_auth=('elastic', '{}')"),
    ),
    "kafka": (_password, ("KafkaException: sasl.password={} rejected", "sasl_plain_password='{}'")),
    "ssh": (
        _password,
        (
            "paramiko: connect(hostname='h', username='u', password='{}')",
            "passphrase for key '{}' is wrong",
            'expect: send "{}\\r" to Password:',
        ),
    ),
    "terraform": (_password, ('db_password = "{}"', 'variable "admin_password" {{ default = "{}" }}')),
    "github-actions": (_opaque, ("Run deploy --token {}", "env:\n  NPM_AUTH: {}", "##[debug]INPUT_TOKEN={}")),
    "home-assistant": (_opaque, ("ha: long_lived_token: {}", "mqtt: Failed auth, password {}")),
    "telegram-url": (
        lambda v: v.of(DIGITS, 9) + ":A" + "A" + v.of(URLSAFE, 33),
        ("NetworkError: https://api.telegram.org/bot{}/getUpdates", "Conflict: bot{} is polled twice"),
    ),
    "google-refresh": (
        lambda v: "1/" + "/0" + v.of(URLSAFE, 60),
        ("RefreshError: {{'refresh_token': '{}'}}", "google auth with {} failed"),
    ),
    "openai-old": (
        lambda v: "s" + "k-" + v.of(ALNUM, 20) + "T3Blbk" + "FJ" + v.of(ALNUM, 20),
        ("client(api_key={})", "401 {}."),
    ),
    "langsmith": (
        lambda v: "ls" + "v2_pt_" + v.of(HEX, 32) + "_" + v.of(HEX, 10),
        ("LANGSMITH_API_KEY={}", "403 with {}"),
    ),
    "tavily": (lambda v: "tv" + "ly-dev-" + v.of(ALNUM, 32), ("tavily error for key {}", "TavilyClient('{}')")),
    "voyage": (lambda v: "p" + "a-" + v.of(URLSAFE, 43), ("Provided API key {} is invalid.", "VOYAGE_API_KEY: {}")),
    "notion-old": (lambda v: "sec" + "ret_" + v.of(ALNUM, 43), ("APIResponseError: API token is invalid. ({})",)),
    "todoist": (_hex, ("todoist: Forbidden for token {}", "TodoistAPI('{}')")),
    "caldav": (
        _password,
        ("caldav.DAVClient(url='https://d', username='u', password='{}')", "https://u:{}@dav.example.com/cal/"),
    ),
    "spotify": (_hex, ("spotipy: client_secret='{}'", "SPOTIPY_CLIENT_SECRET={}")),
    "oauth": (
        _opaque,
        (
            "invalid_grant: {{'code': '{}', 'redirect_uri': 'x'}}",
            "code_verifier={} mismatch",
            "id_token_hint={} is malformed",
            "requests_oauthlib: oauth_token_secret={}",
        ),
    ),
    "flask": (_opaque, ("itsdangerous.BadSignature: session={} does not match", "app.config SECRET_KEY is '{}'")),
    "html": (_opaque, ('<input type="hidden" name="csrf_token" value="{}">', '<meta name="api-key" content="{}">')),
    "toml": (_opaque, ('[github]\ntoken = "{}"', 'pypi.password = "{}"', "auth_token = '{}'")),
    "signed": (_hex, ("X-Hub-Signature-256: sha256={}", "hmac={} expected other", "stripe-signature: t=1,v1={}")),
    "email": (
        lambda v: v.of(LOWER, 5) + "_" + v.of(LOWER, 4) + "@" + v.of(LOWER, 5) + ".de",
        ("no mailbox for {}.", "reply-to={}", "{{'to': ['{}']}}", "user '{}' has no agent"),
    ),
    "home": (
        lambda v: v.pick("sven", "maria-l", "x_y"),
        ("OSError: /home/{}/.cache/x: full", "'/home/{}'", "cd /Users/{} && make", "\\\\?\\C:\\Users\\{}\\a"),
    ),
    "bare": (_opaque, ("refused: {}", "got {} from the keyring")),
}
_NEGATIVES = (
    "celery.exceptions.Reject: (Exception('bad'), False)",
    "AttributeError: 'Token' object has no attribute 'expires'",
    "spacy.errors: [E1010] Unable to set entity information for token 9",
    "tiktoken: could not automatically map gpt-5 to a tokeniser.",
    "ValueError: too many tokens (12034 > 8192)",
    "ContextWindowExceededError: input_tokens=201533",
    "UserWarning: `max_length` is ignored when `padding`=`True`",
    "imaplib.abort: socket error: EOF",
    "imaplib.error: [AUTHENTICATIONFAILED] Invalid credentials (Failure)",
    "Application-specific password required: https://support.google.com/accounts/?p=InvalidSecondFactor",
    "smtplib.SMTPServerDisconnected: Connection unexpectedly closed",
    "SMTP AUTH extension not supported by server.",
    "(535, b'5.7.8 Username and Password not accepted.')",
    "telegram.error.InvalidToken: Not Found",
    "telegram.error.BadRequest: Message is not modified: chat -1001234567890",
    "aiogram: Failed to fetch updates - TelegramConflictError",
    "discord.errors.LoginFailure: Improper token has been passed.",
    "slack_sdk.errors.SlackApiError: {'ok': False, 'error': 'not_authed'}",
    "google.auth.exceptions.RefreshError: ('invalid_grant: Bad Request', {'error': 'invalid_grant'})",
    "botocore.errorfactory.ResourceNotFoundException: Secrets Manager can't find the specified secret.",
    "An error occurred (ExpiredToken) when calling the PutObject operation",
    "hvac.exceptions.Forbidden: permission denied, on get http://v:8200/v1/secret/data/x",
    "kubernetes.client.exceptions.ApiException: (401) Reason: Unauthorized",
    "jose.exceptions.JWTError: Invalid header string",
    "cryptography.fernet.InvalidToken",
    "binascii.Error: Incorrect padding",
    "ValueError: Fernet key must be 32 url-safe base64-encoded bytes.",
    "django.core.exceptions.SuspiciousOperation: session data corrupted",
    "werkzeug.exceptions.BadRequestKeyError: 400 Bad Request: KeyError: 'pin'",
    "redis.exceptions.AuthenticationError: invalid username-password pair or user is disabled.",
    "redis.exceptions.ResponseError: WRONGTYPE Operation against a key holding the wrong kind of value",
    'asyncpg.exceptions.InvalidPasswordError: password authentication failed for user "svc"',
    "pymysql.err.OperationalError: (1045, \"Access denied for user 'svc'@'10.0.0.3' (using password: YES)\")",
    "sqlite3.OperationalError: no such column: password",
    "sqlalchemy: SELECT users.id, users.password AS users_password FROM users WHERE users.email = ?",
    "[SQL: INSERT INTO tokens (id, value) VALUES (?, ?)]",
    "KeyError: 'Authorization'",
    "pydantic_core.ValidationError: 1 validation error for Settings\napi_key\n  Field required [type=missing]",
    "TypeError: Client.__init__() got an unexpected keyword argument 'proxies'",
    "    return await self._request(token=self._token, **kwargs)",
    '    password = prompt("Password: ", hide_input=True)',
    "    if secrets.compare_digest(given, expected):",
    "    auth=(self.user, self.password),",
    "    with open(os.path.expanduser('~/.netrc')) as f:",
    "    key = hashlib.sha256(text.encode()).hexdigest()",
    '    api_key: str = os.getenv("OPENAI_API_KEY", "")',
    "    session_id = uuid4().hex",
    "ssl.SSLError: [SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1129)",
    "urllib3: Retrying (Retry(total=2, connect=None)) after connection broken: /simple/pkg/",
    "nats: authorization violation",
    "wss handshake: Sec-WebSocket-Accept mismatch",
    'ETag W/"5d8c72a5edda8-2b60" changed',
    "job 01HV6ZJ4Q8W3N5T7B9C1D3F5G7 failed",
    "thread_abc123 run_def456 expired",
    "chatcmpl-9aBcDeFgHiJkLmNoPqRsTuVwXyZ12 had no choices",
    "message_id=AAMkAGI2TG93AAA= not found",
    "arn:aws:lambda:eu-west-1:123456789012:function:x timed out",
    "gs://bucket/models/ckpt-00042.safetensors missing",
    "torch.cuda.OutOfMemoryError: 79.15 GiB total capacity",
    "mount: /dev/mapper/vg0-home: already mounted on /home.",
    "contact your administrator @ the help desk",
    "assert 'password' in form.errors",
    "E       AssertionError: assert 'token' == 'tokens'",
)


def positives() -> list[Case]:
    """Every template with several values."""
    values = Values("second")
    return [
        Case(kind, template.format(secret), secret)
        for kind, (make, templates) in _POSITIVES.items()
        for template in templates
        for secret in (make(values) for _ in range(3))
    ]


def negatives() -> Iterator[Case]:
    """The lines as they are."""
    for text in _NEGATIVES:
        yield Case("found", text, "")
