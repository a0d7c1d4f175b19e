"""Lines that were written after the rules, which are not adjusted to them: what a new installation may expect.

A line that becomes a reason for a rule moves to the main corpus, and a new one is written in its place.
"""

from collections.abc import Callable, Iterator

from tests.secrets_corpus.cases import ALNUM, BASE64, DIGITS, HEX, LOWER, URLSAFE, Case, Values

Make = Callable[[Values], str]


def _password(values: Values) -> str:
    return values.pick("nightfall", "Ab-12-cd", "qK9$vv2p", "moscow1980", values.of(ALNUM + "-+", 18))


def _opaque(values: Values) -> str:
    return values.of(URLSAFE, values.random.choice((24, 36, 48)))


def _hex(values: Values) -> str:
    return values.of(HEX, values.random.choice((32, 48)))


_POSITIVES: dict[str, tuple[Make, tuple[str, ...]]] = {
    "nextcloud": (
        _password,
        (
            "nc_py_api: Nextcloud(nextcloud_url='https://c', nc_auth_user='u', nc_auth_pass='{}')",
            "webdav4: https://u:{}@cloud.example.com/remote.php/dav: 401",
        ),
    ),
    "matrix": (
        _opaque,
        (
            "nio: LoginError M_FORBIDDEN device=X access_token={}",
            "M_UNKNOWN_TOKEN for syt_{} soft_logout=false",
            "GET /_matrix/client/v3/sync?access_token={}&timeout=30000 401",
        ),
    ),
    "router": (
        _password,
        (
            "fritzconnection: FritzConnection(address='10.0.0.1', user='u', password=\"{}\")",
            "rtsp://admin:{}@10.0.0.9:554/stream1: 401",
            "snmp: community={} timed out",
            "wifi join: --passphrase '{}' rejected",
        ),
    ),
    "database": (
        _password,
        (
            'oracledb.connect(user="u", password="{}", dsn="db/x") ORA-12541',
            "clickhouse_connect: http://default:{}@ch:8123",
            "psql: PGPASSWORD={} psql -h db -c 'select 1' exited 2",
            "mongosh: db.auth('u', '{}')",
            "neo4j: auth=('neo4j', '{}')",
            "influx: token {} unauthorized",
        ),
    ),
    "workflow": (
        _opaque,
        (
            'n8n: credentials {{"accessToken": "{}", "region": "eu"}}',
            "airflow: Connection(conn_id='x', login='u', password='{}')",
            "prefect: PREFECT_API_KEY={} invalid",
            "zapier hook returned 410, secret: {}",
        ),
    ),
    "http-dump": (
        _opaque,
        (
            "send: b'GET / HTTP/1.1\\r\\nHost: x\\r\\nAuthorization: Bearer {}\\r\\n\\r\\n'",
            "header: Set-Cookie: auth={}; Secure",
            "* Server auth using Bearer with token '{}'",
            "-H 'apikey: {}' -H 'accept: */*'",
            '"headers": [{{"key": "X-Token", "value": "{}"}}]',
        ),
    ),
    "python-repr": (
        _opaque,
        (
            "Settings(debug=False, api_token='{}', name='x')",
            "<Credentials access_key='' secret_key='{}'>",
            "mappingproxy({{'client_secret': '{}'}})",
            "namespace(token='{}', n=1)",
            "OrderedDict([('refresh_token', '{}')])",
            "bytearray(b'password={}')",
        ),
    ),
    "azure-sas": (lambda v: v.of(ALNUM, 42), ("BlobEndpoint=https://a;SharedAccessSignature=sv=2024&ss=b&sig={}%3D",)),
    "gcp-key-id": (
        lambda v: "AI" + "za" + "Sy" + v.of(URLSAFE, 33),
        ("googlemaps.ApiError: REQUEST_DENIED (key={})", "YouTube: key {} quota"),
    ),
    "aws-session": (lambda v: v.of(BASE64, 300), ("aws_session_token={}", "'SessionToken': '{}'")),
    "openai-admin": (lambda v: "sk" + "-admin-" + v.of(URLSAFE, 80), ("401 {} lacks scopes",)),
    "elevenlabs": (lambda v: "s" + "k_" + v.of(HEX, 48), ("xi-api-key: {}", "elevenlabs rejected {}")),
    "pinecone": (lambda v: "pc" + "sk_" + v.of(ALNUM, 60), ("Pinecone(api_key='{}')", "invalid key {}")),
    "plaid": (_hex, ("plaid: {{'client_id': 'x', 'secret': '{}'}}",)),
    "pushover": (lambda v: v.of(LOWER + DIGITS, 30), ("pushover: token={}&user=x&message=y 400",)),
    "ntfy": (
        lambda v: "t" + "k_" + v.of(LOWER + DIGITS, 29),
        ("ntfy: Authorization: Bearer {}", "ntfy token {} revoked"),
    ),
    "jwt-cut": (lambda v: "ey" + "JraWQiOiJhIn0.ey" + "J" + v.of(ALNUM, 90), ("invalid assertion {}", "id_token={}…")),
    "ssh-key": (
        lambda v: "b3BlbnNzaC1rZXktdjEAAAAABG5vbmU" + v.of(BASE64, 33),
        ("-----BEGIN OPENSSH PRIVATE " + "KEY-----\\n{}\\nAAAA", "id: '-----BEGIN OPENSSH PRIVATE " + "KEY-----\n{}'"),
    ),
    "email": (
        lambda v: v.of(LOWER, 6) + "." + v.of(LOWER, 5) + "@" + v.of(LOWER, 4) + "-corp.com",
        ("calendar {} not found", 'To: "B" <{}>;', "from={}&to=x"),
    ),
    "home": (lambda v: v.pick("yuki", "omar.s"), ("open('/home/{}/a.db')", "PWD=/home/{}/src", "file:/Users/{}/b")),
    "bare": (_opaque, ("rejected {}", "Client('{}')")),
}
_NEGATIVES = (
    "nextcloud: file is locked",
    "M_LIMIT_EXCEEDED: retry_after_ms=2000",
    "playwright: Timeout 30000ms exceeded waiting for locator('#password')",
    'selenium: no such element: {"selector": "input[name=\'password\']"}',
    '<input type="password" name="password" required>',
    'placeholder="Password" autocomplete="current-password"',
    "field 'password' has wrong type: expected string, got number",
    "schema: password: {type: string, minLength: 8}",
    '"password": {"type": "string", "format": "password"}',
    '"tokens": 812, "cost": 0.0021',
    "usage: CompletionUsage(completion_tokens=9, prompt_tokens=120, total_tokens=129)",
    "token budget: 200000, used: 183211",
    "Token count: 5321",
    "truncated to max_input_tokens=8191",
    "tool call id call_a1B2c3D4e5F6g7H8i9J0k1L2 is unknown",
    "assistant asst_x1Y2z3A4b5C6d7E8f9G0h1I2 was deleted",
    "secret scanning is not enabled",
    "keyring.errors.NoKeyringError: No recommended backend was available.",
    "gpg: decryption failed: No secret key",
    "pass: gpg id is not set",
    "sudo: a password is required",
    "su: Authentication failure",
    "ssh: no key found in agent",
    "git: 'credential-manager' is not a git command",
    "bcrypt: password cannot be longer than 72 bytes",
    "passlib.exc.UnknownHashError: hash could not be identified",
    "pyotp: base32 secret is not valid",
    "webauthn: challenge mismatch",
    "login: session opened for user root(uid=0) by (uid=0)",
    "sessionmaker(bind=engine, expire_on_commit=False)",
    "sessionid cookie is not set",
    "key=lambda row: row.created_at",
    "sorted(rows, key=itemgetter('id'))",
    "cache.get(key) returned None",
    "KeyError: frozenset({'a', 'b'})",
    "license: MIT",
    "license file not found: LICENSE",
    "code 404, message File not found",
    "OSError: [Errno 28] No space left on device: '/var/tmp/x'",
    "AssertionError: 3 != 4 : wrong number of tokens",
    "yaml.scanner.ScannerError: found character '\\t' that cannot start any token",
    "lxml.etree.XMLSyntaxError: Opening and ending tag mismatch: token line 4",
    "ast.literal_eval: malformed node or string on line 1: <ast.Name object at 0x7f8e1c2d3a40>",
    "http2.StreamReset stream_id:1 error_code:8 remote_reset:True",
    "Digest mismatch for layer 5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef",
    "uuid7 01936f3c-7c1a-7b4e-9d52-3f0a5c6b7d8e exists",
    '    headers={"Authorization": f"Bearer {token}"},',
    "    params = dict(api_key=self.key, q=query)",
    '    raise InvalidToken("token expired") from error',
    "    token, _ = Token.objects.get_or_create(user=user)",
    "    assert client.post('/login', json={'password': wrong}).status_code == 401",
    "see also @decorators and a@b",
    "https://example.com/users/home/settings",
    "~/.config missing",
)


def positives() -> list[Case]:
    """Every template with several values."""
    values = Values("held out")
    return [
        Case(kind, template.format(secret), secret)
        for kind, (make, templates) in _POSITIVES.items()
        for template in templates
        for secret in (make(values) for _ in range(3))
    ]


def negatives() -> Iterator[Case]:
    """The lines as they are."""
    for text in _NEGATIVES:
        yield Case("held out", text, "")
