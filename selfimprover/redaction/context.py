"""Secrets without a format of their own, which their surroundings announce: names, headers, addresses, commands."""

from selfimprover.redaction import values
from selfimprover.redaction.rules import Rule

_LOGIN_NAMES = (
    r"(?:passw(?:or)?ds?|passphrases?|passwort|passcode|pwd|\bpw|\bpsk)"
    r"(?:[_-]?(?:\d{1,2}|hash|value|plain|text|confirm(?:ation)?))?"
)
_KEY_NAMES = (
    r"(?:secrets?(?:[ _-]?(?:key|token|value|access[_-]?key))?(?:[_-]?base)?"
    r"|(?:api|access|private|signing|signature|encryption|auth|account|master|shared|service|storage|licen[cs]e|webhook"
    r"|deploy|app|application|consumer|client|admin|subscription|primary|secondary|session|hmac|crypto|cookie|jwt|ssh"
    r"|host|server|functions)[ _-]?key(?:[_-]?(?:data|b64|base64))?)"
)
_OTHER_NAMES = (
    r"(?:tokens?(?:[_-]?(?:value|secret))?|jwt|credentials?|creds?|session[_-]?(?:id|cookie)|sessionid|phpsessid"
    r"|jsessionid|asp\.net_sessionid|connect\.sid|\bsid|\bsig|signature|hmac|bearer|\bauth|_auth(?:token)?|authtoken|id_token_hint"
    r"|otp|webhook(?:_url)?|\bdsn|_dsn|_pat|apikey|refresh|verifier)"
)
_ANY_NAME = f"(?:{_LOGIN_NAMES}|{_KEY_NAMES}|{_OTHER_NAMES})"

_TYPE = r":[ \t]*(?:str|bytes|SecretStr|Final)(?:\[str\]|[ \t]*\|[ \t]*None)?[ \t]*="
_SEPARATOR = rf"\\*['\"`]?\]?[ \t]*(?:=>|:=|{_TYPE}|==?|:|%3[AaDd])[ \t]*(?:(?:SecretStr|str|b|r|f|u|rb|br)?\(?)"
_QUOTED = r"(?:b?\\*'((?:[^'\\\r\n]|\\[^\r\n])+)|b?\\+\"([^\"\\\r\n]+)|b?\"((?:[^\"\\\r\n]|\\[^\r\n])+)|`([^`\r\n]+)"
_VALUE = _QUOTED + r"|([^\s'\"`&;,]+))"
_ITEM = r"(?:\\*'[^'\r\n]*?\\*'|\\*\"[^\"\r\n]*?\\*\")"
_LIST = rf"\\*['\"]?\]?[ \t]*[=:][ \t]*\[\s*({_ITEM}(?:\s*,\s*{_ITEM})*)"

_LOGIN_HINTS = ("passw", "passphrase", "passcode", "pwd", "pw", "psk")
_OTHER_HINTS = (
    "token",
    "jwt",
    "cred",
    "sess",
    "sid",
    "sig",
    "hmac",
    "bearer",
    "auth",
    "otp",
    "webhook",
    "dsn",
    "_pat",
    "apikey",
    "refresh",
    "verifier",
)
_ANY_HINTS = ("pass", "pwd", "secret", "key", *_OTHER_HINTS)


def _rule(kind: str, pattern: str, *hints: str) -> Rule:
    return Rule(kind, f"(?i){pattern}", hints, values.any_value)


def _place(kind: str, pattern: str, *hints: str) -> Rule:
    return Rule(kind, f"(?i){pattern}", hints, values.given_value)


_NAMES = (
    _rule("password", _LOGIN_NAMES + _SEPARATOR + _VALUE, *_LOGIN_HINTS),
    Rule("password", rf"(?i)(?:_pass|\bpass){_SEPARATOR}{_VALUE}", ("pass",), values.worded_value),
    Rule("secret", rf"(?i){_KEY_NAMES}{_SEPARATOR}{_VALUE}", ("secret", "key"), values.token_value),
    Rule("secret", rf"(?i){_OTHER_NAMES}{_SEPARATOR}{_VALUE}", _OTHER_HINTS, values.varied_value),
    Rule(
        "secret",
        rf"(?i)(?:token|credential|session[_-]?id){_SEPARATOR}{_VALUE}",
        ("token", "cred", "sess"),
        values.token_value,
    ),
    Rule(
        "secret",
        rf"[A-Z0-9]_(?:KEY|PW|CREDS?|SALT|PIN|CODE){_SEPARATOR}{_VALUE}",
        ("_key", "_pw", "_cred", "_salt", "_pin", "_code"),
        values.varied_value,
    ),
    Rule(
        "secret",
        r"(?i)['\"](?:pin|otp|cvv|cvc|tan)['\"]\s*:\s*['\"]?(\d{3,8})\b",
        ("pin", "otp", "cvv", "cvc", "tan"),
    ),
    Rule("secret", rf"(?i){_ANY_NAME}s?{_LIST}", _ANY_HINTS, values.random_list),
    # XML: <password>…</password>, <add key="ApiKey" value="…"/>
    _rule("secret", rf"<(?:[\w-]+:)?[\w-]*{_ANY_NAME}(?:\s[^<>]*)?>([^<>\s][^<>\n]*)</", *_ANY_HINTS),
    Rule(
        "secret",
        rf"(?i)name\\*['\"]?\s*:\s*\\*['\"]?[\w.-]*{_ANY_NAME}\\*['\"]?\s*,?\s*\\*['\"]?value\\*['\"]?\s*:\s*\\*['\"]?([^\s'\"\\]+)",
        ("value",),
        values.varied_value,
    ),
    # pairs: ('X-Api-Key', '…'), {"name": "X-Api-Key", "value": "…"}, <add key="ApiKey" value="…"/>
    Rule(
        "secret",
        rf"(?i){_ANY_NAME}\\*['\"]\s*,?\s*(?:\\*['\"]?(?:value|content)\\*['\"]?\s*[:=]\s*)?b?\\*['\"]([^'\"\\\r\n]+)",
        _ANY_HINTS,
        values.varied_value,
    ),
)
_COMMANDS = (
    _place("secret", rf"--?[a-z-]*(?:{_ANY_NAME}|pass)\\*['\"]?(?:=|,?[ \t]+){_VALUE}", *_ANY_HINTS),
    _place("password", r"\bsshpass[ '\",]+-p[ '\",]*([^\s'\",]+)", "sshpass"),
    _place("password", r"\b(?:mysql(?:dump|admin)?|mariadb)\b[^\n|]{0,200}?[\s'\"]-p([^\s'\",]+)", "mysql", "mariadb"),
    Rule(
        "password",
        r"(?:\s-u|--(?:proxy-)?user)[\s=',\"]+[^\s:'\"]+:([^\s'\"]+)",
        ("-u", "--user", "--proxy-user"),
        values.account_value,
    ),
    _place(
        "password",
        r"\b(?:login|unzip|zip|7z|sqlcmd|bcp)\b[^\n|]{0,120}?\s-p\s+([^\s'\"]+)",
        "login",
        "zip",
        "7z",
        "sqlcmd",
        "bcp",
    ),
    _place("password", r"\bnet use\b[^\n|]{0,120}?/user:\S+\s+([^\s'\"]+)", "net use"),
    _place("password", r"-pass(?:in|out)?\s+pass:([^\s'\"]+)", "pass:"),
    # commands of IMAP (RFC 9051), FTP (RFC 959), SMTP (RFC 4954) and Redis
    _place("password", r"\b[a-z]{0,4}\d+ login \S+ (\S+)", "login"),
    _rule("password", r"(?m)(?:^|> ?|C: )(?-i:PASS) ([^\s'\"]+)", "pass "),
    _rule("password", r"(?m)(?:^|> ?|C: )(?-i:AUTH) (?:PLAIN |LOGIN |XOAUTH2 |default )?([^\s'\"]{4,})", "auth "),
    # the .netrc format: manual of GNU inetutils
    _place("password", r"\blogin\s+\S+\s+password\s+(\S+)", "login"),
    # SQL: CREATE USER … IDENTIFIED BY, ALTER ROLE … PASSWORD
    _place("password", r"\bidentified\s+(?:with\s+\S+\s+)?by\s+\\*'([^'\r\n]+)", "identified"),
    _rule("password", r"\b(?:password|requirepass)\s+\\*['\"]([^'\"\r\n]+)", "password", "requirepass"),
    _place("password", r"\b(?:requirepass|masterauth)\s+([^\s'\"]+)", "requirepass", "masterauth"),
    # aws configure set aws_secret_access_key …
    Rule(
        "secret",
        rf"(?i)[_-]{_KEY_NAMES}(?:\s+(?:is|to|was))?\s+\\*['\"]?([^\s'\"\\,;=]{{8,}}={{0,2}})",
        ("secret", "key"),
        values.varied_value,
    ),
    # HCL: variable "admin_password" { default = "…" }
    _place("secret", rf"{_ANY_NAME}\"\s*\{{[^{{}}]{{0,200}}?\bdefault\s*=\s*\"([^\"\n]+)", "default"),
    _rule("secret", rf"define\(\s*['\"]\w*{_ANY_NAME}['\"]\s*,\s*['\"]([^'\"\r\n]+)", "define("),
    # PHP shows arguments in a stack trace: address, user, password
    _place("password", r"(?:__construct|connect)\('[^'\n]*', *'[^'\n]*', *'([^'\n]+)'", "__construct(", "connect("),
    # PostgreSQL's DETAIL of a constraint
    _place("secret", rf"\bKey \([^()\n]*{_ANY_NAME}[^()\n]*\)=\(([^()\n]+)\)", "key ("),
    # pydantic tells the rejected input below the name of its field
    _place(
        "secret",
        rf"(?m)^[\w.]*{_ANY_NAME}[ \t]*\r?\n[^\n]*\binput_value=(?:\\*'([^'\r\n]+)|\\*\"([^\"\r\n]+))",
        "input_value=",
    ),
    _place(
        "password",
        r"\b(?:[a-z_]*auth|login|login => invalid args|credentials)\s*=?\s*\(\s*b?'[^'\n]*'\s*,\s*b?'([^'\n]+)'",
        "auth",
        "login",
        "credentials",
    ),
    _place(
        "password",
        r"\b(?:[a-z_]*auth|login|login => invalid args|credentials)\s*=?\s*\(\s*b?\"[^\"\n]*\"\s*,\s*b?\"([^\"\n]+)\"",
        "auth",
        "login",
        "credentials",
    ),
)
_HEADERS = (
    # RFC 9110 §11.6.2; the schemes with parameters have several secrets in them
    _rule(
        "authorization",
        r"\bauthorization\\*['\"]?\]?\s*[:=,]\s*b?\\*['\"]?(?:digest|aws4-hmac-sha256|oauth|hawk|signature)\s+([^\r\n]{8,})",
        "authorization",
    ),
    _rule(
        "authorization",
        r"\bauthorization\\*['\"]?\]?\s*(?:=>|[:=,]|%3a)\s*b?\\*['\"]?"
        r"(?:basic|bearer|token|apikey|api-key|negotiate|ntlm|key|bot|jwt|ssws|genie-?key)"
        r"(?:\s|%20|\+)+(?:token=)?\\*['\"]?([^\s'\"\\,;]{6,})",
        "authorization",
    ),
    Rule(
        "authorization",
        r"(?i)\bauthorization\\*['\"]?\]?\s*(?:=>|[:=,]|%3a)\s*b?\\*['\"]?([^\s'\"\\,;]{8,})",
        ("authorization",),
        values.varied_value,
    ),
    Rule(
        "authorization",
        r"(?i)\b(?:bearer|basic|ssws|apikey)(?:,?\s|%20)+\\*['\"]?([A-Za-z0-9+/._~=-]{8,})",
        ("bearer", "basic", "ssws", "apikey"),
        values.varied_value,
    ),
    # docs.github.com and docs.stripe.com: signatures of webhooks
    Rule(
        "signature",
        r"(?i)signature(?:-256)?\\*['\"]?\s*[:=]\s*\\*['\"]?(?:t=\d+,)?(?:sha\d+|v\d)=([0-9a-f]{32,})",
        ("signature",),
    ),
    # RFC 6265: everything in a cookie header may be a session
    Rule(
        "cookie",
        r"(?i)\b(?:set-)?cookies?\\*['\"]?\]?\s*[:=,]\s*b?\\*['\"]?([\w!#$%&*+.^|~-]+=[^\r\n'\"]{3,})",
        ("cookie",),
    ),
    Rule("cookie", r"(?i)<Cookie [^\s=]+=([^\s>]{4,})", ("<cookie ",)),
)


def _userinfo(text: bytes, start: int, end: int) -> tuple[int, int] | None:
    """A password between ``user:`` and ``@``; a port with a path is none."""
    value = text[start:end]
    port, slash, _ = value.partition(b"/")
    is_port = bool(slash) and port.isdigit()
    return (start, end) if not is_port and values.given_value(text, start, end) else None


_ADDRESSES = (
    # RFC 3986 §3.2.1; a password is often written without the escapes it needs
    Rule("url-password", r"\b[A-Za-z][A-Za-z0-9+.-]*:(?:\\?/){2}[^\s/:@'\"?#]*:([^\s/'\"?#]+)@", ("@",), _userinfo),
    Rule(
        "url-password",
        r"\b[A-Za-z][A-Za-z0-9+.-]*:(?:\\?/){2}[^\s/:@'\"?#]*:([^\s@'\"]*[/?#][^\s@'\"]*)@[A-Za-z0-9\[]",
        ("@",),
        _userinfo,
    ),
    Rule("url-password", r"%3[Aa]%2[Ff]%2[Ff][^\s/:@'\"]*?%3[Aa]([^\s/:@'\"]+?)%40", ("%40",)),
    # Oracle's thin driver: jdbc:oracle:thin:user/password@//host
    _place("url-password", r"\bjdbc:oracle:\w+:[^/\s'\"]+/([^@\s'\"]+)@", "jdbc:oracle:"),
    Rule("url-password", r"://([^\s/:@'\"?#]{16,})@", ("@",), values.varied_value),
    Rule(
        "url-secret",
        r"(?i)[?&;](?:sig|x-amz-(?:signature|security-token|credential)|x-goog-signature)=([^\s&'\"#<>\\]{6,})",
        ("sig", "x-amz-"),
    ),
    Rule(
        "url-secret",
        r"(?i)(?:[?&;#]|%3f|%26)(?:key|k|code|auth|hmac|signature|pass|pw|pwd|jwt|appid|app_key|apikey|hash|t|ticket|invite"
        r"|confirm|otp)(?:=|%3d)([^\s&'\"#<>\\]{6,})",
        ("=", "%3d"),
        values.varied_value,
    ),
)
_SPOKEN = r"(?:password|passphrase|api[ _-]?key|access key|secret(?: key)?|token|credentials?|session(?: id)?)"
_FILLERS = r"\s+(?:was|is|provided|given|used|supplied|received|value|sent|of|for \S{1,64})"
_SPEECH = (
    # "Invalid API key provided: …", "token '…' has expired", "wrong password: …"
    Rule(
        "secret",
        rf"(?i)\b(?:{_SPOKEN}|otp|pin)(?:{_FILLERS}){{0,2}}\s*[:=]?\s*[(\[]?[`'\"]([^\s'\"`()]{{6,}})",
        ("pass", "key", "secret", "token", "cred", "session", "otp", "pin"),
        values.varied_value,
    ),
    Rule(
        "secret",
        rf"(?i)\b{_SPOKEN}(?:{_FILLERS}){{0,2}}\s*[:=]?\s+[(\[]?([^\s'\"`,;=]{{8,}}={{0,2}})",
        ("pass", "key", "secret", "token", "cred", "session"),
        values.varied_value,
    ),
)
_SPEECH_ALONE = (
    Rule(
        "secret",
        r"(?i)\b(?:key|licen[cs]e|secret|login with)\s+[(\['\"`]?([A-Za-z0-9+/_-]{20,}={0,2})",
        ("key", "license", "licence", "secret", "login with"),
        values.mixed_value,
    ),
    Rule(
        "otp", r"(?i)\b(?:verification|security|2fa|one[- ]time|login|sms|pin)[ -]?code\b\D{0,12}(\d{4,8})\b", ("code",)
    ),
    # RFC 6749: the code of a grant
    Rule("secret", r"(?i)['\"]code\\*['\"]\s*:\s*\\*['\"]([A-Za-z0-9/_.~-]{20,})", ("code",), values.mixed_value),
    Rule("otp", r"(?i)\botp\\*['\"]?\s*[=:]\s*\\*['\"]?(\d{4,8})\b", ("otp",)),
)

ANNOUNCED = (*_HEADERS, *_ADDRESSES, *_NAMES, *_COMMANDS, *_SPEECH, *_SPEECH_ALONE)
"""The rules that look at what stands around a value."""
