"""The token formats that providers publish: what matches is a secret beyond doubt.

Each entry names the page of the provider that describes or shows the format. Where a provider gives no length, or has
changed it, the rule asks for less than what it gives out today. Rules of other scanners are not used here.
"""

from selfimprover.redaction.rules import Rule

_LEFT = r"(?:\b|_|\\[abfnrtv0]|\\[ux][0-9A-Fa-f]{2,4}|%[0-9A-Fa-f]{2}|\x1b\[[0-9;]{0,20}m)"
"""Where a token may begin: also behind an escape sequence, whose last letter would else be part of the word."""
_FILLERS = frozenset(b"xX*.0-_#?")

_BEGIN = r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----"
_BREAK = r"(?:[\r\n]|\\[rn])"


def _real(text: bytes, start: int, end: int) -> tuple[int, int] | None:
    """Without the end of the sentence; a token that ends in one filler alone ("ghp_xxxx") is an example."""
    end -= text[end - 1 : end] == b"."
    tail = text[start:end][-12:]
    return None if len(set(tail)) == 1 and tail[0] in _FILLERS else (start, end)


def _token(kind: str, pattern: str, *hints: str, exact: bool = False, shortest: int = 15) -> Rule:
    return Rule(kind, f"{_LEFT}({pattern})", hints, _real, exact=pattern if exact else "", shortest=shortest)


_CODE_HOSTS = (
    # docs.github.com: About authentication to GitHub, "GitHub's token formats". Installation tokens are moving to
    # ghs_APPID_JWT of some 520 characters with dots (github.blog changelog, 2026-05-15).
    _token("github-token", r"gh[pour]_[A-Za-z0-9_]{36}", "ghp_", "gho_", "ghu_", "ghr_", exact=True),
    _token("github-token", r"gh[pousr]_[A-Za-z0-9_.-]{20,}", "ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
    _token("github-token", r"github_pat_[A-Za-z0-9_]{22,}", "github_pat_"),
    # docs.gitlab.com/security/tokens, "Token prefixes"; newer tokens have parts joined by dots.
    _token("gitlab-token", r"gl(?:pat|oas|dt|rt|rtr|cbt|ptt|ft|imt|agent|soat|ffct|wt)-[A-Za-z0-9_.-]{20,}", "gl"),
    _token("gitlab-token", r"GR1348941[A-Za-z0-9_-]{20,}", "gr1348941"),
    # support.atlassian.com: API tokens (ATATT), Bitbucket app passwords (ATBB) and access tokens (ATCTT)
    _token("atlassian-token", r"AT(?:ATT|CTT|BB)[A-Za-z0-9_=-]{24,}", "atatt", "atctt", "atbb"),
)
_MODELS = (
    # platform.openai.com, docs.anthropic.com, openrouter.ai, api-docs.deepseek.com: keys begin with sk-
    _token("model-key", r"sk-[A-Za-z0-9_-]{20,}", "sk-"),
    _token("model-key", r"gsk_[A-Za-z0-9]{40,}", "gsk_"),  # console.groq.com/keys
    _token("model-key", r"xai-[A-Za-z0-9]{60,}", "xai-"),  # docs.x.ai
    _token("model-key", r"r8_[A-Za-z0-9]{37}", "r8_"),  # replicate.com/docs/topics/security/api-tokens
    _token("model-key", r"pplx-[A-Za-z0-9]{40,}", "pplx-"),  # docs.perplexity.ai
    _token("model-key", r"nvapi-[A-Za-z0-9_-]{40,}", "nvapi-"),  # docs.api.nvidia.com
    _token("model-key", r"lsv2_[a-z]{2}_[0-9a-f]{32}_[0-9a-f]{10}", "lsv2_"),  # docs.langchain.com: LangSmith API keys
    _token("model-key", r"tvly-(?:dev-|prod-)?[A-Za-z0-9-]{20,}", "tvly-"),  # docs.tavily.com
    _token("huggingface-token", r"hf_[A-Za-z0-9]{30,}", "hf_"),  # huggingface.co/docs/hub/security-tokens
    # docs.aws.amazon.com/bedrock: long-term API keys
    _token("aws-key", r"ABSK[A-Za-z0-9+/]{60,}={0,2}", "absk"),
)
_CLOUDS = (
    # docs.aws.amazon.com/IAM: identifiers reference, "Understanding unique ID prefixes" (keys and service credentials)
    _token("aws-key", r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}", "akia", "asia", "abia", "acca", exact=True),
    # cloud.google.com/docs/authentication: API keys, OAuth access and refresh tokens, client secrets
    _token("google-key", r"AIza[0-9A-Za-z_-]{35}", "aiza", exact=True),
    _token("google-token", r"ya29\.[0-9A-Za-z_.-]{20,}", "ya29."),
    _token("google-token", r"1//0[0-9A-Za-z_-]{40,}", "1//0"),
    _token("google-token", r"GOCSPX-[0-9A-Za-z_-]{20,}", "gocspx-"),
    # learn.microsoft.com/purview: Azure entity definitions: client secrets ("8Q~"), DevOps tokens ("AZDO"), and the
    # fixed signatures in the keys of storage, Service Bus, Cosmos DB and others
    _token("azure-key", r"[A-Za-z0-9_~.-]{3}[78]Q~[A-Za-z0-9_~.-]{31,34}", "q~"),
    _token("azure-key", r"[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}", "azdo"),
    _token("azure-key", r"[A-Za-z0-9+/]{76}\+ASt[A-Za-z0-9+/]{5}[AQgw]==", "+ast"),
    _token("azure-key", r"[A-Za-z0-9+/]{33}\+ASb[A-Za-z0-9+/]{5}=", "+asb"),
    _token("azure-key", r"[A-Za-z0-9+/]{76}ACDb[A-Za-z0-9+/]{5}[AQgw]==", "acdb"),
    _token("digitalocean-token", r"do[opr]_v1_[0-9a-f]{64}", "_v1_"),  # docs.digitalocean.com/reference/api
    _token("heroku-key", r"HRKU-[A-Za-z0-9_-]{36,}", "hrku-"),  # devcenter.heroku.com/articles/authentication
    # developers.cloudflare.com/fundamentals/api/get-started/token-formats; Origin CA keys: .../ssl/origin-configuration
    _token("cloudflare-token", r"cf(?:k|ut|at)_[A-Za-z0-9]{40,}", "cfk_", "cfut_", "cfat_"),
    _token("cloudflare-token", r"v1\.0-[0-9a-f]{24}-[0-9a-f]{100,}", "v1.0-"),
    _token(
        "fly-token", r"fo1_[A-Za-z0-9_-]{40,}|fm[12][ar]?_[A-Za-z0-9+/=_-]{60,}", "fo1_", "fm1", "fm2"
    ),  # fly.io/docs
    _token("netlify-token", r"nfp_[A-Za-z0-9]{36,}", "nfp_"),  # docs.netlify.com/api
    _token("supabase-key", r"sbp_[0-9a-f]{40}|sb_secret_[A-Za-z0-9_-]{20,}", "sbp_", "sb_secret_"),  # supabase.com/docs
    _token("planetscale-token", r"pscale_(?:tkn|pw|oauth)_[A-Za-z0-9_.=-]{32,}", "pscale_"),  # planetscale.com/docs
    _token("databricks-token", r"dapi[0-9a-f]{32}(?:-\d)?", "dapi"),  # docs.databricks.com/dev-tools/auth/pat
    _token("tailscale-key", r"tskey-[a-z]{3,10}-[A-Za-z0-9]{8,}-[A-Za-z0-9]{16,}", "tskey-"),  # tailscale.com/kb/1277
)
_MESSAGING = (
    # api.slack.com/authentication/token-types; api.slack.com/messaging/webhooks
    _token("slack-token", r"xox[abeoprsd](?:\.xox[bp])?-[A-Za-z0-9-]{10,}", "xox"),
    _token("slack-token", r"xapp-\d-[A-Za-z0-9-]{20,}", "xapp-"),
    Rule(
        "slack-webhook",
        r"(https?:(?:\\?/){2}hooks\.slack(?:-gov)?\.com\\?/(?:services|workflows|triggers)[A-Za-z0-9\\/_-]{20,})",
        ("hooks.slack",),
    ),
    # docs.discord.com: reference, "Authentication" (id, time and digest in base64url); resources, "Webhook"
    _token("discord-token", r"[MNO][A-Za-z0-9_-]{22,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,}", ".", shortest=57),
    Rule("discord-webhook", r"discord(?:app)?\.com\\?/api\\?/(?:v\d+/)?webhooks\\?/(\d+\\?/[\w-]{40,})", ("discord",)),
    # learn.microsoft.com: Teams incoming webhooks
    Rule("teams-webhook", r"(https://[\w-]+\.webhook\.office\.com/webhookb2/[\w@/-]{40,})", ("webhook.office.com",)),
    # core.telegram.org/bots/api: "Making requests": addresses are …/bot<token>/METHOD
    Rule("telegram-token", r"(?:\b|_|bot)(\d{8,10}:AA[A-Za-z0-9_-]{33})", (":aa",)),
    _token("twilio-key", r"SK[0-9a-f]{32}\b", "sk"),  # twilio.com/docs/glossary/what-is-a-sid
    _token("sendgrid-key", r"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}", "sg."),  # docs.sendgrid.com: API keys
    _token("mailgun-key", r"key-[0-9a-f]{32}\b", "key-"),  # documentation.mailgun.com: API keys
    _token("mailchimp-key", r"[0-9a-f]{32}-us\d{1,2}\b", "-us"),  # mailchimp.com/developer: fundamentals
    _token("brevo-key", r"xkeysib-[0-9a-f]{64}-[A-Za-z0-9]{16}", "xkeysib-"),  # developers.brevo.com
    _token("resend-key", r"re_[A-Za-z0-9]{8}_[A-Za-z0-9]{20,}", "re_"),  # resend.com/docs
)
_MONEY = (
    # docs.stripe.com/keys; docs.stripe.com/webhooks
    _token("stripe-key", r"[rs]k_(?:live|test)_[A-Za-z0-9]{16,}", "k_live_", "k_test_"),
    _token("stripe-key", r"whsec_[A-Za-z0-9+/=]{24,}", "whsec_"),
    # developer.squareup.com/docs: access tokens and application secrets
    _token("square-token", r"sq0(?:atp|csp|idp)-[A-Za-z0-9_-]{22,}|EAAA[A-Za-z0-9_-]{60}", "sq0", "eaaa"),
    _token("shopify-token", r"shp(?:at|ca|pa|ss|ua|tka)_[A-Fa-f0-9]{32}", "shp"),  # shopify.dev/docs/api/usage
)
_PACKAGES = (
    _token("npm-token", r"npm_[A-Za-z0-9]{36}", "npm_", exact=True),  # docs.npmjs.com/about-access-tokens
    _token("pypi-token", r"pypi-[A-Za-z0-9_-]{50,}", "pypi-"),  # pypi.org/help/#apitoken: a macaroon in base64
    _token("rubygems-key", r"rubygems_[0-9a-f]{48}", "rubygems_"),  # guides.rubygems.org/api-key-scopes
    _token("crates-token", r"cio[A-Za-z0-9]{32}\b", "cio"),  # the token prefix of crates.io (util/token.rs)
    _token("docker-token", r"dckr_(?:pat|oat)_[A-Za-z0-9_-]{27,}", "dckr_"),  # docs.docker.com/security/access-tokens
    _token("nuget-key", r"oy2[a-z0-9]{43}\b", "oy2"),  # learn.microsoft.com/nuget: scoped API keys
)
_OPERATIONS = (
    # developer.hashicorp.com: Vault tokens (1.10 and later); HCP Terraform API tokens
    _token("vault-token", r"hv[sbr]\.[A-Za-z0-9_-]{24,}", "hvs.", "hvb.", "hvr."),
    _token("terraform-token", r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_-]{60,}", ".atlasv1."),
    _token("pulumi-token", r"pul-[0-9a-f]{40}", "pul-"),  # pulumi.com/docs: access tokens
    _token("doppler-token", r"dp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9_.-]{40,}", "dp."),  # docs.doppler.com
    _token("onepassword-token", r"ops_eyJ[A-Za-z0-9_=-]{100,}", "ops_eyj"),  # developer.1password.com
    # grafana.com/docs: service account tokens and cloud access policies
    _token("grafana-token", r"glsa_[A-Za-z0-9]{32}_[0-9A-Fa-f]{8}|glc_[A-Za-z0-9+/=]{32,}", "glsa_", "glc_"),
    _token("newrelic-key", r"NRAK-[A-Z0-9]{27}", "nrak-"),  # docs.newrelic.com: API keys
    _token("sentry-token", r"sntr(?:ys_eyJ[A-Za-z0-9+/=_-]{40,}|yu_[0-9a-f]{64})", "sntry"),  # docs.sentry.io
    _token("posthog-key", r"ph[xs]_[A-Za-z0-9]{40,}", "phx_", "phs_"),  # posthog.com/docs/api
)
_OFFICE = (
    _token("linear-key", r"lin_(?:api|oauth)_[A-Za-z0-9]{40,}", "lin_"),  # linear.app/developers
    # developers.notion.com: internal integration tokens, before and since September 2024
    _token("notion-token", r"secret_[A-Za-z0-9]{43}\b|ntn_[A-Za-z0-9]{40,}", "secret_", "ntn_"),
    _token("figma-token", r"figd_[A-Za-z0-9_-]{40,}", "figd_"),  # developers.figma.com/docs/rest-api
    _token("airtable-token", r"pat[A-Za-z0-9]{14}\.[0-9a-f]{64}", "pat"),  # airtable.com/developers: token format
    _token("postman-key", r"PMAK-[0-9a-f]{24}-[0-9a-f]{34}", "pmak-"),  # learning.postman.com
    _token("contentful-token", r"CFPAT-[A-Za-z0-9_-]{43}", "cfpat-"),  # contentful.com/developers
    _token("dropbox-token", r"sl\.[A-Za-z0-9_-]{60,}", "sl."),  # dropbox.com/developers: short-lived tokens
    _token("hubspot-token", r"pat-(?:na|eu|ap)\d-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", "pat-"),  # hubspot
    _token("facebook-token", r"EAA[A-Za-z0-9]{90,}", "eaa"),  # developers.facebook.com: access tokens
)
_STANDARDS = (
    # RFC 7519 (JWT) and RFC 7516 (JWE): base64url of '{"' is eyJ; a signature may be missing or cut off
    _token(
        "jwt", r"eyJ[A-Za-z0-9_-]{8,}\.(?:eyJ[A-Za-z0-9_-]{8,}|[A-Za-z0-9_-]{16,}|\.)(?:\.?[A-Za-z0-9_-]+){0,3}", "eyj"
    ),
    # RFC 7468 and RFC 4880, with real or escaped line breaks; cut off behind, or before
    Rule("private-key", rf"{_BEGIN}(?:[^-]|-[^-])*?-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----", ("private key",)),
    Rule("private-key", rf"({_BEGIN}(?:{_BREAK}+[A-Za-z0-9+/=]+)*)(?:[\r\n'\"\\]|\z)", ("private key",)),
    Rule(
        "private-key",
        rf"((?:[A-Za-z0-9+/=]{{4,}}{_BREAK}+)+)-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----",
        ("private key",),
    ),
    # the .ppk files of PuTTY: appendix C of its manual
    Rule(
        "private-key", r"Private-Lines: \d+\s+((?:[A-Za-z0-9+/=]+(?:\s|\\[rn])+)*[A-Za-z0-9+/=]+)", ("private-lines:",)
    ),
    _token("age-key", r"AGE-SECRET-KEY-1[0-9A-Z]{50,}", "age-secret-key-1"),  # github.com/C2SP/C2SP/blob/main/age.md
    _token("nkey-seed", r"S[ACNOUX][A-Z2-7]{56}\b", "s", shortest=58),  # docs.nats.io: NKeys; the README of nkeys
    # crypt(5): bcrypt, argon2, yescrypt, sha512crypt … and Django's and Werkzeug's encoded passwords
    Rule(
        "password-hash",
        r"(\$(?:2[abxy]\$\d\d\$[./A-Za-z0-9]{53}|(?:argon2(?:id|i|d)|scrypt|y|7|[156])\$[^\s'\"]{20,})"
        r"|\b(?:pbkdf2_sha(?:1|256|512)|pbkdf2:sha\d+:\d+|scrypt:\d+:\d+:\d+)\$[^\s'\"]{20,})",
        ("$2", "$argon2", "$scrypt", "$y$", "$7$", "$1$", "$5$", "$6$", "pbkdf2", "scrypt:"),
    ),
)

TOKENS = (
    *_CODE_HOSTS,
    *_MODELS,
    *_CLOUDS,
    *_MESSAGING,
    *_MONEY,
    *_PACKAGES,
    *_OPERATIONS,
    *_OFFICE,
    *_STANDARDS,
)
"""The rules of high confidence; they alone stop what is about to leave."""
