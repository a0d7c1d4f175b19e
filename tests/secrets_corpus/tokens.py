"""Tokens of providers, in lines that clients, servers and tools write."""

from collections.abc import Callable, Iterator

from tests.secrets_corpus.cases import ALNUM, BASE32, BASE64, DIGITS, HEX, LOWER, UPPER, URLSAFE, Case, Values

Make = Callable[[Values], str]

FORMATS: dict[str, Make] = {
    "github-classic": lambda v: "gh" + v.pick("p", "o", "u", "r") + "_" + v.of(ALNUM, 36),
    "github-fine-grained": lambda v: "github" + "_pat_" + v.of(ALNUM, 22) + "_" + v.of(ALNUM, 59),
    "github-installation": lambda v: "gh" + "s_" + v.of(DIGITS, 7) + "_" + jwt(v),
    "gitlab": lambda v: v.pick("glpat", "gldt", "glrt", "glptt") + "-" + v.of(URLSAFE, 20),
    "gitlab-routable": lambda v: "gl" + "pat-" + v.of(URLSAFE, 36) + ".01." + v.of(LOWER + DIGITS, 9),
    "atlassian": lambda v: "ATATT" + "3xFfGF0" + v.of(URLSAFE, 150) + "=" + v.of(HEX, 8),
    "openai": lambda v: "sk" + v.pick("-proj-", "-svcacct-", "-") + v.of(ALNUM, 48),
    "anthropic": lambda v: "sk" + "-ant-api03-" + v.of(URLSAFE, 93) + "AA",
    "groq": lambda v: "gs" + "k_" + v.of(ALNUM, 52),
    "huggingface": lambda v: "h" + "f_" + v.of(ALNUM, 34),
    "replicate": lambda v: "r" + "8_" + v.of(ALNUM, 37),
    "aws-access-key": lambda v: v.pick("AKI", "ASI") + "A" + v.of(BASE32, 16),
    "google-api-key": lambda v: "AI" + "za" + v.of(URLSAFE, 35),
    "google-oauth": lambda v: "ya" + "29." + v.of(URLSAFE, 120),
    "google-client-secret": lambda v: "GOC" + "SPX-" + v.of(URLSAFE, 28),
    "azure-client-secret": lambda v: v.of(ALNUM, 3) + "8" + "Q~" + v.of(ALNUM, 34),
    "digitalocean": lambda v: "do" + v.pick("p", "o", "r") + "_v1_" + v.of(HEX, 64),
    "cloudflare": lambda v: "cf" + v.pick("ut", "at") + "_" + v.of(ALNUM, 40) + v.of(HEX, 8),
    "slack-bot": lambda v: "xo" + "xb-" + v.of(DIGITS, 12) + "-" + v.of(DIGITS, 13) + "-" + v.of(ALNUM, 24),
    "slack-webhook": lambda v: (
        "https://hooks." + "slack.com/services/T" + v.of(UPPER, 8) + "/B" + v.of(UPPER, 8) + "/" + v.of(ALNUM, 24)
    ),
    "discord-bot": lambda v: v.pick("M", "N", "O") + v.of(ALNUM, 25) + "." + v.of(URLSAFE, 6) + "." + v.of(URLSAFE, 38),
    "telegram": lambda v: v.of(DIGITS, 10) + ":A" + "A" + v.of(URLSAFE, 33),
    "twilio": lambda v: "S" + "K" + v.of(HEX, 32),
    "sendgrid": lambda v: "S" + "G." + v.of(URLSAFE, 22) + "." + v.of(URLSAFE, 43),
    "mailgun": lambda v: "ke" + "y-" + v.of(HEX, 32),
    "mailchimp": lambda v: v.of(HEX, 32) + "-u" + "s" + v.pick("4", "12", "21"),
    "stripe": lambda v: v.pick("s", "r") + "k_" + v.pick("live", "test") + "_" + v.of(ALNUM, 24),
    "stripe-webhook": lambda v: "wh" + "sec_" + v.of(ALNUM, 32),
    "square": lambda v: "sq" + "0atp-" + v.of(URLSAFE, 22),
    "shopify": lambda v: "sh" + v.pick("pat", "pss", "pca") + "_" + v.of(HEX, 32),
    "npm": lambda v: "np" + "m_" + v.of(ALNUM, 36),
    "pypi": lambda v: "py" + "pi-AgEIcHlwaS5vcmc" + v.of(URLSAFE, 150),
    "rubygems": lambda v: "ruby" + "gems_" + v.of(HEX, 48),
    "docker": lambda v: "dc" + "kr_pat_" + v.of(URLSAFE, 27),
    "vault": lambda v: "hv" + "s." + v.of(URLSAFE, 90),
    "terraform-cloud": lambda v: v.of(ALNUM, 14) + ".atlas" + "v1." + v.of(ALNUM, 67),
    "databricks": lambda v: "da" + "pi" + v.of(HEX, 32),
    "grafana": lambda v: "gl" + "sa_" + v.of(ALNUM, 32) + "_" + v.of(HEX, 8),
    "newrelic": lambda v: "NR" + "AK-" + v.of(UPPER + DIGITS, 27),
    "sentry": lambda v: "sn" + "tryu_" + v.of(HEX, 64),
    "linear": lambda v: "li" + "n_api_" + v.of(ALNUM, 40),
    "notion": lambda v: "nt" + "n_" + v.of(ALNUM, 46),
    "figma": lambda v: "fi" + "gd_" + v.of(URLSAFE, 40),
    "airtable": lambda v: "pa" + "t" + v.of(ALNUM, 14) + "." + v.of(HEX, 64),
    "postman": lambda v: "PM" + "AK-" + v.of(HEX, 24) + "-" + v.of(HEX, 34),
    "tailscale": lambda v: "ts" + "key-auth-" + v.of(ALNUM, 17) + "-" + v.of(ALNUM, 32),
    "nats-seed": lambda v: "S" + v.pick("A", "U") + v.of(BASE32, 56),
    "age": lambda v: "AGE-SECRET" + "-KEY-1" + v.of(UPPER + DIGITS, 58),
    "jwt": lambda v: "ey" + "JhbGciOiJFUzI1NiJ9.ey" + "J" + v.of(ALNUM, 60) + "." + v.of(URLSAFE, 86),
    "bcrypt": lambda v: "$2" + "b$12$" + v.of(ALNUM + "./", 53),
    "azure-storage": lambda v: v.of(BASE64, 76) + "+A" + "St" + v.of(ALNUM, 5) + "Q==",
}

LINES = (
    "httpx.HTTPStatusError: Client error '401 Unauthorized' for url 'https://api.example.com/v2/items?x=1&t={}&page=2'",
    'openai.AuthenticationError: Error code: 401 - {{"error": {{"message": "Incorrect API key provided: {}."}}}}',
    "ValueError: unexpected value {!r} in response",
    "fatal: could not read from remote: https://bot:{}@git.example.com/acme/app.git",
    '{{"level": "error", "msg": "login failed", "ctx": {{"credential": "{}"}}}}',
    '  File "/srv/app/client.py", line 31, in call\n    client = Client("{}")\nRuntimeError: refused',
    "curl: (22) The requested URL returned error: 403 for `-H 'X-Service: {}'`",
    "CalledProcessError: Command '['deploy', '--with', '{}']' returned non-zero exit status 1.",
    "KeyError: '{}'",
    "2026-02-16T00:17:43Z ERROR worker[7] rejected credential {} (retrying in 4 s)",
    "{}",
    'payload was "{{\\"value\\": \\"{}\\", \\"n\\": 3}}"',
)


def jwt(values: Values) -> str:
    """A JSON Web Token."""
    return "ey" + "JhbGciOiJIUzI1NiJ9.ey" + "J" + values.of(ALNUM, 40) + "." + values.of(URLSAFE, 43)


def tokens() -> Iterator[Case]:
    """Every format in every line."""
    values = Values("tokens")
    for kind, make in FORMATS.items():
        for line in LINES:
            secret = make(values)
            yield Case(kind, line.format(secret), secret)
