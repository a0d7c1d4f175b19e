"""What redaction finds, touches and costs, beside detect-secrets and CredSweeper in the same run.

Each tool masks what it finds. A secret leaks if it, or half of it, is still there; a harmless line is touched if
anything in it is masked. The peers are no dependencies of the project: an environment for this benchmark needs only

    pip install detect-secrets==1.5.0 credsweeper==1.19.5 google-re2
    python benchmarks/redaction/run.py
"""

import statistics
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from pathlib import Path
from random import Random

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from credsweeper.app import CredSweeper  # noqa: E402
from credsweeper.file_handler.string_content_provider import StringContentProvider  # noqa: E402
from detect_secrets.core.scan import scan_line  # noqa: E402
from detect_secrets.settings import default_settings, get_plugins, transient_settings  # noqa: E402

from selfimprover.redaction import Redactor  # noqa: E402
from tests.plain_redaction import PlainRedactor  # noqa: E402
from tests.secrets_corpus import Case, held_out, leaks, negatives, positives  # noqa: E402

Mask = Callable[[str], str]

KNOWN = ("sk-other-known-value-9876543", "a-webhook-path/T0123/B0123")
PERSONAL = frozenset({"email", "home", "home-user"})
ENTROPY = frozenset({"Base64HighEntropyString", "HexHighEntropyString"})
MEGABYTE = 1_000_000
WORST = ("a", "eyJ", "password='", "token: ", "x://a:b@", '\\"', "AKIA", "A=\n")
PATIENCE = 2.0
RATED_FOR = 1.0
"""Seconds of the processor for each rate."""
ROUNDS = 3


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
            start = time.process_time()
            mask(unit * (size // len(unit)))
            seconds = time.process_time() - start
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


def messages() -> list[str]:
    """Short error texts as an assistant has them, all different, none with a secret."""
    draw = Random(1)  # noqa: S311
    reasons = ("Too Many Requests", "Bad Gateway", "Not Found", "Gateway Timeout", "Conflict")
    return [
        f"HTTPStatusError: Client error '{draw.randint(400, 599)} {draw.choice(reasons)}' for url"
        f" 'https://api.{draw.randbytes(2).hex()}.com/v{draw.randint(1, 3)}/jobs/{draw.randint(1, 10**6)}'"
        f" request req_{draw.randint(1, 999)}"
        for _ in range(20_000)
    ]


def tracebacks(root: str) -> list[str]:
    """Tracebacks of some 1.6 kB of files below ``root``, all different."""
    draw = Random(2)  # noqa: S311

    def frame() -> str:
        return (
            f'  File "{root}/agent/module_{draw.randint(1, 40)}.py", line {draw.randint(1, 900)}, in handle\n'
            "    result = await self._client.request(method, url, timeout=self._timeout, headers=headers)\n"
        )

    return [
        f"Traceback (most recent call last):\n{''.join(frame() for _ in range(10))}{error}"
        for error in messages()[:3_000]
    ]


def per_second(mask: Mask, texts: list[str]) -> float:
    """Texts for each second of the processor."""
    count, start = 0, time.process_time()
    for text in cycle(texts):
        mask(text)
        count += 1
        spent = time.process_time() - start
        if spent > RATED_FOR:
            break
    return count / spent


def rates(tools: dict[str, Mask], name: str, texts: list[str]) -> str:
    """A row: how many texts each tool masks while the first masks one; in turns, the median of rounds."""
    first = next(iter(tools))
    for mask in tools.values():
        for text in islice(texts, 50):
            mask(text)
    rounds = [{tool: per_second(mask, texts) for tool, mask in tools.items()} for _ in range(ROUNDS)]
    shares = [statistics.median(one[tool] / one[first] for one in rounds) for tool in tools]
    rate = statistics.median(one[first] for one in rounds)
    return f"| {name} | {rate:,.0f}/s | {' | '.join(f'{share:.4f}' for share in shares[1:])} |"


def changed_lines(mask: Mask) -> str:
    """How many lines of the standard library's code are not as they were."""
    library = Path(sysconfig.get_path("stdlib"))
    lines = changed = 0
    for file in sorted(library.rglob("*.py")):
        if "site-packages" in file.parts:
            continue
        text = file.read_bytes().decode("utf-8", "replace")
        before, after = text.split("\n"), mask(text).split("\n")
        lines += len(before)
        changed += len(before) - len(set(enumerate(before)) & set(enumerate(after))) if before != after else 0
    return f"{changed:,} of {lines:,}"


def speed() -> None:
    """Prints how fast each is: only ratios of one run say anything on a machine that others use."""
    ours, plain = Redactor(b"key", KNOWN), PlainRedactor(b"key", KNOWN)
    with default_settings():
        tools = {"ours": ours, "without": plain, "CredSweeper": by_credsweeper(), "detect-secrets": by_detect_secrets}
        print("\n| texts | selfimprover | without shortcuts | CredSweeper, no ML | detect-secrets |")
        print("|---|---|---|---|---|")
        print(rates(tools, "error messages, 120 characters", messages()), flush=True)
        print(rates(tools, "tracebacks, 1.6 kB", tracebacks("/srv/app")), flush=True)
        print(rates(tools, "tracebacks, a user in each frame", tracebacks("/home/alice")), flush=True)
        print(rates(tools, "lines of the corpus", [case.text for case in (*positives(), *negatives())]), flush=True)
    print("\n| 1 MB of | selfimprover | without shortcuts |\n|---|---|---|")
    for unit in (*WORST, "a@b.cc ", "/home/a "):
        text = unit * (MEGABYTE // len(unit))
        seconds = []
        for mask in (ours, plain):
            start = time.process_time()
            mask(text)
            seconds.append(f"{time.process_time() - start:.2f} s")
        print(f"| {unit!r} repeated | {' | '.join(seconds)} |", flush=True)


def main() -> None:
    """Prints the tables."""
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
    ours = Redactor(b"key")
    print("\n| lines of the standard library | changed |\n|---|---|")
    print(f"| as any text | {changed_lines(ours)} |\n| as code | {changed_lines(ours.code)} |", flush=True)
    speed()


if __name__ == "__main__":
    main()
