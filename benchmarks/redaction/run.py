"""What redaction finds, touches and costs, beside detect-secrets and CredSweeper in the same run.

Each tool masks what it finds. A secret leaks if it, or half of it, is still there; a harmless line is touched if
anything in it is masked. The peers are no dependencies of the project: an environment for this benchmark needs only

    pip install detect-secrets==1.5.0 credsweeper==1.19.5 google-re2
    python benchmarks/redaction/run.py
"""

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from credsweeper.app import CredSweeper  # noqa: E402
from credsweeper.file_handler.string_content_provider import StringContentProvider  # noqa: E402
from detect_secrets.core.scan import scan_line  # noqa: E402
from detect_secrets.settings import default_settings, get_plugins, transient_settings  # noqa: E402

from selfimprover.redaction import Redactor  # noqa: E402
from tests.secrets_corpus import Case, held_out, leaks, negatives, positives  # noqa: E402

Mask = Callable[[str], str]

PERSONAL = frozenset({"email", "home", "home-user"})
ENTROPY = frozenset({"Base64HighEntropyString", "HexHighEntropyString"})
MEGABYTE = 1_000_000
WORST = ("a", "eyJ", "password='", "token: ", "x://a:b@", '\\"', "AKIA", "A=\n")
PATIENCE = 2.0


def masked(text: str, values: Iterator[str]) -> str:
    """The text without the given values."""
    for value in sorted({value for value in values if value}, key=len, reverse=True):
        text = text.replace(value, "*")
    return text


def by_detect_secrets(text: str) -> str:
    """With whatever plugins are set."""
    return masked(text, (found.secret_value or "" for line in text.splitlines() for found in scan_line(line)))


def by_credsweeper() -> Mask:
    """Its rules and filters, without machine learning."""
    sweeper = CredSweeper(ml_threshold=0, log_level="CRITICAL")

    def mask(text: str) -> str:
        candidates = sweeper.file_scan(StringContentProvider(text.splitlines()))
        return masked(text, (line.value or "" for one in candidates for line in one.line_data_list))

    return mask


def recall(mask: Mask, cases: list[Case]) -> str:
    """The share of secrets that are gone."""
    return f"{sum(not leaks(case.secret, mask(case.text)) for case in cases) / len(cases):.3f}"


def touched(mask: Mask, cases: list[Case]) -> str:
    """How many harmless lines are not as they were."""
    return f"{sum(mask(case.text) != case.text for case in cases)}/{len(cases)}"


def milliseconds(mask: Mask, texts: list[str]) -> str:
    """The median of three rounds over all texts, for one of them."""
    rounds = []
    for _ in range(3):
        start = time.perf_counter()
        for text in texts:
            mask(text)
        rounds.append((time.perf_counter() - start) / len(texts) * 1_000)
    return f"{statistics.median(rounds):.2f}"


def worst(mask: Mask) -> str:
    """The slowest text of a megabyte; a tool that is slow on a tenth of it is not asked for the rest."""
    slowest = (0.0, "")
    for unit in WORST:
        for size in (MEGABYTE // 10, MEGABYTE):
            start = time.perf_counter()
            mask(unit * (size // len(unit)))
            seconds = time.perf_counter() - start
            if size < MEGABYTE and seconds > PATIENCE:
                return f"not tried ({unit!r}: {seconds:.1f} s for 100 kB)"
        slowest = max(slowest, (seconds, repr(unit)))
    return f"{slowest[0]:.1f} s ({slowest[1]})"


def row(name: str, mask: Mask) -> str:
    """A line of the table."""
    known, unseen = positives(), held_out.positives()
    harmless, unseen_harmless = list(negatives()), list(held_out.negatives())
    cells = (
        name,
        recall(mask, known),
        recall(mask, [case for case in known if case.kind not in PERSONAL]),
        touched(mask, harmless),
        recall(mask, unseen),
        recall(mask, [case for case in unseen if case.kind not in PERSONAL]),
        touched(mask, unseen_harmless),
        milliseconds(mask, [case.text for case in (*known, *harmless)]),
        worst(mask),
    )
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Prints the table."""
    print(
        f"{len(positives())} secrets of {len({case.kind for case in positives()})} kinds, {len(negatives())} harmless"
    )
    print(f"held out: {len(held_out.positives())} secrets, {len(list(held_out.negatives()))} harmless\n")
    print("| tool | recall | not personal | touched | held out: recall | not personal | touched | ms/text | 1 MB |")
    print("|---|---|---|---|---|---|---|---|---|")
    print(row("selfimprover", Redactor(b"key")), flush=True)
    print(row("CredSweeper, no ML", by_credsweeper()), flush=True)
    with default_settings():
        plugins = [{"name": type(plugin).__name__} for plugin in get_plugins()]
        print(row("detect-secrets", by_detect_secrets), flush=True)
    without = [plugin for plugin in plugins if plugin["name"] not in ENTROPY]
    with transient_settings({"plugins_used": without}):
        print(row("detect-secrets, no entropy", by_detect_secrets), flush=True)


if __name__ == "__main__":
    main()
