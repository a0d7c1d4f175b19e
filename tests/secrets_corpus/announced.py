"""Secrets without a format of their own, in lines whose other words announce them."""

import base64
from collections.abc import Callable, Iterator

from tests.secrets_corpus.cases import ALNUM, BASE64, DIGITS, HEX, LOWER, URLSAFE, Case, Values

_PASSWORDS = (
    "hunter22",
    "correct-horse-battery",
    "Tr0ub4dor",
    "s3cr3t!pw",
    "Winter2026!",
    "qwertzuiop",
    "pä55wörtlich",
)


def _password(values: Values) -> str:
    return values.pick(*_PASSWORDS, values.of(ALNUM, 12), values.of(ALNUM + "!$%*+-.", 16))


def _hex(values: Values) -> str:
    return values.of(HEX, 32)


def _opaque(values: Values) -> str:
    return values.of(ALNUM, 32)


def _aws(values: Values) -> str:
    return values.of(BASE64, 40)


def _basic(values: Values) -> str:
    return base64.b64encode(f"svc:{values.of(ALNUM, 14)}".encode()).decode().rstrip("=")


def _digits(values: Values) -> str:
    return values.of(DIGITS, 6)


def _user(values: Values) -> str:
    return values.pick("alice", "bob.miller", "j_doe", "karl-heinz", "maría")


def _mail(values: Values) -> str:
    return values.of(LOWER, 8) + values.pick("", "+bot", ".smith") + "@" + values.pick("example.org", "mail.acme.co.uk")


def _pem_body(values: Values) -> str:
    return "\n".join(values.of(BASE64, 64) for _ in range(5))


_PEM = "-----BEGIN {}PRIVATE " + "KEY-----"
_END = "-----END {}PRIVATE " + "KEY-----"

TEMPLATES: dict[str, tuple[Callable[[Values], str], tuple[str, ...]]] = {
    "password-assignment": (
        _password,
        (
            "psycopg.OperationalError: connection failed: host=db user=app password={} dbname=x",
            "pymysql.err.OperationalError: (1045, 'Access denied') args: password='{}', port=3306",
            "DB_PASSWORD={}\nDB_HOST=db.internal",
            "smtplib.SMTPAuthenticationError while using smtp_pass: {}",
            "  password: {}\n  host: mail",
            'environ({{"PGPASSWORD": "{}", "PATH": "/usr/bin"}})',
            "TypeError: connect() got an unexpected keyword argument, called with pwd={} and timeout=3",
            "MYSQL_ROOT_PASSWORD={} docker-entrypoint.sh failed",
        ),
    ),
    "password-json": (
        _password,
        (
            '{{"user": "svc", "password": "{}", "tries": 3}}',
            "{{'username': 'svc', 'new_password': '{}'}}",
            '"body": "{{\\"email\\": null, \\"password\\": \\"{}\\"}}"',
            "HTTP 400 for form username=svc&password={}&remember=1",
            "RequestValidationError: [{{'loc': ('body', 'password'), 'input': {{'password': '{}', 'n': 1}}}}]",
            "config['ldap']['bind_password'] = '{}'",
        ),
    ),
    "password-xml": (
        _password,
        ("<soap:Body><password>{}</password></soap:Body>", '<wsse:Password Type="#PasswordText">{}</wsse:Password>'),
    ),
    "password-command": (
        _password,
        (
            "subprocess.CalledProcessError: Command 'mysqldump -u root -p{} app' returned non-zero exit status 2.",
            "Command '['psql-cli', '--password', '{}', '--host', 'db']' timed out after 30 seconds",
            "sshpass -p {} ssh deploy@host: exit 5",
            "curl -u admin:{} https://example.com/api failed",
            "redis-cli: --pass={} refused",
            "restic --password={} backup: exit 1",
        ),
    ),
    "password-sql": (
        _password,
        (
            "ERROR 1396 (HY000): CREATE USER 'x'@'%' IDENTIFIED BY '{}'",
            "syntax error at or near: ALTER ROLE app WITH PASSWORD '{}'",
            "DETAIL:  Key (reset_password)=({}) already exists.",
        ),
    ),
    "password-code": (
        _password,
        (
            '  File "/srv/a.py", line 3, in <module>\n    s.login("svc", "{}")\nOSError: no',
            "    r = requests.get(url, auth=('svc', '{}'))\nrequests.exceptions.ConnectionError",
            "1 validation error for Login\npassword\n  Bad [type=string_type, input_value='{}', input_type=str]",
            'os.environ["SMTP_PASSWORD"] = "{}"',
        ),
    ),
    "url-password": (
        _password,
        (
            "sqlalchemy.exc.OperationalError: could not connect to postgresql+asyncpg://app:{}@db.internal:5432/app",
            "redis.exceptions.ConnectionError: Error 111 connecting to redis://:{}@cache:6379/0",
            "pymongo.errors.ServerSelectionTimeoutError: mongodb+srv://svc:{}@cluster0.example.net/?retryWrites=true",
            "amqp://guest:{}@mq:5672/%2F refused",
            "ProxyError: cannot connect to proxy http://user:{}@proxy.corp:3128",
        ),
    ),
    "connection-string": (
        _password,
        (
            "Server=tcp:x.database.windows.net;User ID=app;Password={};Encrypt=True",
            "pyodbc.OperationalError: DRIVER={{ODBC}};SERVER=s;UID=app;PWD={};",
        ),
    ),
    "azure-connection": (
        lambda v: v.of(BASE64, 43) + "=",
        (
            "Endpoint=sb://x.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey={}",
            "DefaultEndpointsProtocol=https;AccountName=a;AccountKey={};EndpointSuffix=core.windows.net",
        ),
    ),
    "aws-secret": (
        _aws,
        (
            "aws_secret_access_key = {}",
            "botocore: credentials AWS_SECRET_ACCESS_KEY={} rejected",
            "{{'AccessKeyId': None, 'SecretAccessKey': '{}'}}",
        ),
    ),
    "api-key": (
        _hex,
        (
            "requests.exceptions.HTTPError: 403 for url: https://api.weather.example/v1?q=x&api_key={}&u=m",
            '{{"apiKey": "{}", "region": "eu"}}',
            "X-Api-Key: {}",
            "headers: [('accept', '*/*'), ('X-Api-Key', '{}')]",
            "Invalid API key: {}",
            "OPENWEATHER_API_KEY={}",
            "DD_API_KEY='{}' agent start failed",
            "GET /maps?key={}&v=3 403",
            '{{"name": "X-Api-Key", "value": "{}"}}',
        ),
    ),
    "token-field": (
        _opaque,
        (
            "token={} is expired",
            '{{"access_token": "{}", "token_type": "bearer", "expires_in": 3600}}',
            "refresh_token: {}",
            "PRIVATE-TOKEN: {}",
            "oauthlib.oauth2.InvalidGrantError: was revoked, refresh_token={}",
            "//registry.example.com/:_authToken={}",
            "error: the token '{}' has expired",
            "https://app.example.com/cb#access_token={}&state=1",
            "TELEGRAM_TOKEN: {}",
        ),
    ),
    "client-secret": (
        _opaque,
        (
            "client_id=abc client_secret={}",
            "clientSecret: '{}',",
            "Auth0Error: {{'client_secret': '{}', 'grant_type': 'client_credentials'}}",
            "SECRET_KEY = '{}'",
            "webhook_secret={} mismatch",
        ),
    ),
    "bearer": (
        _opaque,
        (
            "Authorization: Bearer {}",
            "{{'Authorization': 'Bearer {}', 'Accept': '*/*'}}",
            "(b'authorization', b'Bearer {}')",
            'curl -H "Authorization: token {}" https://api.example.com',
            "http2 header authorization=Bearer {} rejected",
            "rejected: bearer {}",
        ),
    ),
    "basic": (_basic, ("Authorization: Basic {}", "Proxy-Authorization: Basic {}", "{{'authorization': 'Basic {}'}}")),
    "digest": (
        _hex,
        (
            'Authorization: Digest username="u", realm="r", nonce="n", uri="/", response="{}"',
            "Authorization: AWS4-HMAC-SHA256 Credential=x/20260216/eu/s3/aws4_request, Signature={}",
        ),
    ),
    "cookie": (
        _opaque,
        (
            "Cookie: lang=en; sessionid={}; theme=dark",
            "Set-Cookie: sid={}; Path=/; HttpOnly",
            "{{'Cookie': 'session={}; a=b'}}",
            "<RequestsCookieJar[<Cookie sessionid={} for example.com/>]>",
            "PHPSESSID={} not found",
            "csrftoken={} mismatch",
        ),
    ),
    "url-signature": (
        _opaque,
        (
            "403 for https://x.blob.core.windows.net/c/f?sv=2024&se=2026&sr=b&sp=r&sig={}%3D",
            "403 https://b.s3.amazonaws.com/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature={}",
            "403 https://storage.googleapis.com/b/o?X-Goog-Algorithm=x&X-Goog-Signature={}",
        ),
    ),
    "session": (_opaque, ("session_id={} expired", "'sessionId': '{}'", "JSESSIONID={}", 'invalid session "{}"')),
    "discord-webhook": (
        lambda v: v.of(URLSAFE, 68),
        ("404 Client Error: Not Found for url: https://discord.com/api/webhooks/" + "112233445566778899/{}",),
    ),
    "sentry-dsn": (_hex, ("BadDsn: https://{}@o12345.ingest.sentry.io/678",)),
    "pin": (_digits, ('{{"otp": "{}", "user": 7}}', "verify failed for {{'pin': '{}'}}", '{{"pin": {}}}')),
    "django-hash": (
        lambda v: v.of(ALNUM, 22) + "$" + v.of(BASE64, 43) + "=",
        ("user row: (7, 'pbkdf2_" + "sha256$870000${}', None)",),
    ),
    "known-list": (_opaque, ("'tokens': ['{}', 'b']", '"api_keys": ["{}"]')),
    "email": (
        _mail,
        (
            "SMTPRecipientsRefused: {{'{}': (550, b'no such user')}}",
            "DETAIL:  Key (email)=({}) already exists.",
            "ValueError: cannot parse address <{}>",
            "mail to {}, attempt 3",
            "GET /users?email={} 404",
        ),
    ),
    "home-user": (
        _user,
        (
            '  File "/home/{}/app/mail.py", line 12, in handle',
            "FileNotFoundError: [Errno 2] No such file or directory: '/Users/{}/notes.txt'",
            "PermissionError: 'C:\\Users\\{}\\AppData\\x'",
            '{{"path": "C:\\\\Users\\\\{}\\\\x"}}',
            "PATH=/usr/bin:/home/{}/bin",
        ),
    ),
    "private-key": (
        _pem_body,
        (
            "ValueError: cannot load key:\n" + _PEM.format("RSA ") + "\n{}\n" + _END.format("RSA "),
            "key was " + _PEM.format("") + "\n{}",
            "tail of it\n{}\n" + _END.format("EC ") + "\nTraceback (most recent call last):",
            _PEM.format("OPENSSH ") + "\n{}\n... cut",
        ),
    ),
    "private-key-escaped": (
        lambda v: "\\n".join(v.of(BASE64, 64) for _ in range(5)),
        ('{{"type": "service_account", "private_key": "' + _PEM.format("") + "\\n{}\\n" + _END.format("") + '\\n"}}',),
    ),
    "netrc": (_password, ("netrc.NetrcParseError: machine api.example.com login svc password {}",)),
    "har": (_opaque, ('{{"name": "Authorization", "value": "Bearer {}"}}', "('Authorization', 'Bearer {}')")),
}


def announced() -> Iterator[Case]:
    """Every template with several values."""
    values = Values("announced")
    for kind, (make, templates) in TEMPLATES.items():
        for template in templates:
            for _ in range(3):
                secret = make(values)
                yield Case(kind, template.format(secret), secret)
