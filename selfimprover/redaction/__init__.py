"""Takes secrets out of a text before it is stored, shown, fingerprinted, sent or published.

First the secrets that this process itself knows, in every usual encoding; then the token formats that providers
publish; then values that their surroundings announce; last e-mail addresses and user names in home paths. All patterns
run on RE2: linear time on any text. ``Redactor.leak`` is the gate for what leaves the machine.
"""

from selfimprover.redaction.known import names_secret, secrets_in, secrets_of_key
from selfimprover.redaction.placeholders import is_redacted
from selfimprover.redaction.redactor import Hit, Redactor

__all__ = ["Hit", "Redactor", "is_redacted", "names_secret", "secrets_in", "secrets_of_key"]
