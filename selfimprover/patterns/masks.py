"""Masks the varying parts of an error message, so that messages of one cause become one template.

Numbers that carry meaning (status codes, errno, exit codes, signals) stay: a 404 and a 503 are two causes.
"""

import re

_MAX_CHARACTERS = 400
_PLACEHOLDER = re.compile(r"\[REDACTED:[a-z0-9-]+(?::[0-9a-f]+)?\]")
_MEANINGFUL = re.compile(
    r"(?i:\b(?:(?:error|exit|return|status|response)[ _-]?code|exit status|status|errno|rc|signal|http(?:/[\d.]{1,3})?)"
    r"[\s:=#(\[]{1,3}-?\d{1,3}\b)"
    r"|(?<![\w.:])[1-5]\d\d(?= (?:(?:Client|Server|client|server) [Ee]rror|[A-Z][a-z]+(?: [A-Z][a-z]+)?\b))"
)
_KEEP = re.compile(
    r"(?i)\b(?:utf-?(?:8|16|32)|sha-?(?:1|256|512)|md5|u?int(?:8|16|32|64)|float(?:32|64)|base64|x86_64|ipv[46]|s3|h2)\b"
)
_MASKS = tuple(
    (re.compile(pattern), mask)
    for pattern, mask in (
        (r"\b[a-z][a-z0-9+.-]{1,15}://[^\s'\"<>)\]]+", "<url>"),
        (r"\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b", "<uuid>"),
        (r"\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+\b", "<email>"),
        (r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?", "<time>"),
        (r"\b\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?\b", "<time>"),
        (r"\b(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5})?\b", "<host>"),
        (r"\b(?:localhost|[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8}):\d{1,5}\b", "<host>"),
        (r"(?<![\w.<])(?:[A-Za-z]:\\|~?/|\.{1,2}/)[\w.+@%~-]+(?:[/\\][\w.+@%~-]*)*", "<path>"),
        (r"\b0[xX][0-9a-fA-F]+\b", "<hex>"),
        (r"\b(?=[0-9a-fA-F]*\d)(?=[0-9a-fA-F]*[a-fA-F])[0-9a-fA-F]{7,64}\b", "<hex>"),
        (r"\b[a-z]{2,10}_(?=\w*\d)\w{8,}\b", "<id>"),
        (r"(?<![\w<])[-+]?\d[\d_,]*(?:\.\d+)?(?:[eE][-+]?\d+)?", "<n>"),
    )
)
_QUOTED_MASK = re.compile(
    r"(['\"])(?:(?!\1).){0,200}<(?:url|uuid|email|time|host|path|hex|id|n|secret)>(?:(?!\1).){0,200}\1"
)
_SPACE = re.compile(r"\s+")


def template(message: str) -> str:
    """The message with urls, paths, ids, times and plain numbers masked: a pure function of its text."""
    masked = mask_placeholders(message.strip())  # before the cut: half a placeholder still has its digest
    text = _SPACE.sub(" ", masked[:_MAX_CHARACTERS])
    kept: list[str] = []

    def keep(match: re.Match[str]) -> str:
        kept.append(match.group())
        return f"\x00{chr(0xE000 + len(kept) - 1)}\x00"

    text = _KEEP.sub(keep, _MEANINGFUL.sub(keep, text.replace("\x00", "")))
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    text = _QUOTED_MASK.sub("<value>", text)
    for index, original in enumerate(kept):
        text = text.replace(f"\x00{chr(0xE000 + index)}\x00", original)
    return text.replace("\x00", "")


def mask_placeholders(text: str) -> str:
    """Reduces every redaction placeholder to one mask: their digests differ between installations."""
    return _PLACEHOLDER.sub("<secret>", text)
