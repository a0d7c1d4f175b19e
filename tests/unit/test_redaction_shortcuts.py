"""What makes redaction fast changes nothing of what it finds."""

import random
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfimprover.redaction import Redactor, engine, known, redactor, rules, views
from selfimprover.redaction.rules import Rule, Rules, Span, without_counts
from tests.plain_redaction import PlainRedactor
from tests.secrets_corpus import held_out, negatives, positives

KEY = b"a key of this installation"
KNOWN = [
    "correct-horse/battery+staple",
    "päßwörter-ändern",
    "-----BEGIN PRIVATE " + "KEY-----\nMIIEvQIBADANBgkqhkiG9w0\n",
]
REDACT, PLAIN = Redactor(KEY, KNOWN), PlainRedactor(KEY, KNOWN)
TEXTS = [case.text for case in (*positives(), *negatives(), *held_out.positives(), *held_out.negatives())]
ALL = redactor._ALL._rules
GAPS = ("\n", "\r\n    ", " │\n│ ", "\n> ", "\x1b[31m", "\u200b", "\u00ad", "\n\n")
ODD = st.one_of(
    st.sampled_from(TEXTS),
    st.sampled_from([*GAPS, *KNOWN, "[REDACTED:secret:abc123]", "\U000f0000", "\ud800", "K", "ſ", "_", "\\n", "%3D"]),
    st.text(max_size=12),
)


@pytest.mark.parametrize("part", range(8))
def test_the_whole_corpus_is_redacted_as_without_shortcuts(part: int) -> None:
    assert [text for text in TEXTS[part::8] if REDACT(text) != PLAIN(text)] == []


@pytest.mark.parametrize("gap", GAPS, ids=ascii)
def test_secrets_in_two_pieces_are_redacted_as_without_shortcuts(gap: str) -> None:
    chosen = random.Random(gap)
    for text in (*chosen.sample(TEXTS, 60), *KNOWN):
        place = chosen.randrange(len(text))
        broken = f"before\n{text[:place]}{gap}{text[place:]}\nbehind"

        assert REDACT(broken) == PLAIN(broken)


@given(st.lists(ODD, max_size=5), st.integers(0, 400), st.integers(0, 40))
def test_any_mixture_is_redacted_as_without_shortcuts(parts: list[str], start: int, lost: int) -> None:
    text = "".join(parts)
    text = text[:start] + text[start + lost :]

    assert REDACT(text) == PLAIN(text)


def test_every_rule_that_finds_something_is_among_the_likely_ones() -> None:
    for text in map(str.encode, TEXTS):
        folded = text.lower()
        likely = redactor._ALL.likely(text)

        assert [rule.pattern for rule in ALL if rule not in likely and any(rule.spans(text, folded))] == []


def test_few_rules_are_asked_about_a_harmless_text() -> None:
    asked = [len(redactor._ALL.likely(case.text.encode())) for case in negatives()]

    assert sum(asked) < 2 * len(asked)
    assert (
        redactor._ALL.likely(b"HTTPStatusError: Client error '429 Too Many Requests' for url 'https://a.bc/v1'") == []
    )


@pytest.mark.parametrize(
    ("pattern", "loose"),
    [
        ("a{20}", "a{3,}"),
        ("a{2}b{3}", "a{2}b{3}"),
        ("a{16,}", "a{3,}"),
        ("a{1,}", "a{1,}"),
        ("a{0,200}?b", "a{0,}?b"),
        ("a{0,2}", "a{0,2}"),
        ("a{2,24}", "a{2,}"),
        (r"\{a{1,64}\}", r"\{a{1,}\}"),
    ],
)
def test_a_pattern_without_counts_matches_more_and_never_less(pattern: str, loose: str) -> None:
    assert without_counts(pattern) == loose


def test_no_count_is_left_that_a_text_could_be_made_for() -> None:
    counts = [rules._COUNT.findall(without_counts(rule.pattern)) for rule in ALL]

    assert {int(number or 0) for found in counts for least, _, most in found for number in (least, most)} <= {
        0,
        1,
        2,
        3,
    }


class _OutOfMemory:
    def Match(self, text: bytes) -> None:  # noqa: N802  (RE2's own name)
        """What RE2 says of any text when it cannot go on."""


def test_if_re2_runs_out_of_memory_every_rule_is_asked() -> None:
    patterns = engine.PatternSet(["a", "b"], first=3)
    assert patterns.matching(b"b") == [4]

    patterns._set = _OutOfMemory()

    assert list(patterns.matching(b"b")) == [3, 4]


@pytest.mark.parametrize("unit", ["AKIA", "eyJ", "a", "A=\n"])
def test_no_text_is_looked_at_by_more_rules_because_it_is_long(unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    real = Rule.spans

    def counted(self: Rule, text: bytes, folded: bytes) -> Iterator[Span]:
        looked.append(len(text))
        return real(self, text, folded)

    monkeypatch.setattr(Rule, "spans", counted)
    for size in (5_000, 1_000_000):
        looked.clear()
        REDACT(unit * (size // len(unit)))

        assert sum(looked) <= redactor._ROUNDS * size


@given(st.text(st.sampled_from("ab \t\r\n>│é\u2502x"), max_size=30), st.integers(0, 20), st.integers(1, 20))
def test_what_stands_in_a_text_without_breaks_stands_in_it_without_blanks(text: str, start: int, length: int) -> None:
    joined = views.View(text.encode(), views.BREAK).text
    part = joined[start : start + length]

    assert views.without_blanks(part) in views.without_blanks(text.encode())


def test_known_secrets_are_likely_before_re2_is_loaded_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "loaded", lambda: False)
    secrets = known.KnownSecrets(KNOWN)
    joined = views.without_blanks(f"sent {KNOWN[0]} to".encode())

    assert KNOWN[0].encode() in secrets.likely(joined)
    assert Rules(ALL).likely(b"night.started") == []
