"""Getting rid of an error by not looking is told; handling it is not."""

import textwrap

import pytest

from selfimprover.domain import Edit
from selfimprover.drafting.swallowing import swallowed

BASE = """
def load(self, text):
    data = json.loads(text)
    if "id" not in data:
        raise ValueError("no id")
    return data["id"].strip()
"""


def told(after: str, before: str = BASE, error_type: str | None = "AttributeError", path: str = "shop/box.py") -> str:
    edit = Edit(path, textwrap.dedent(before), textwrap.dedent(after))
    return "\n".join(swallowed([edit], error_type))


def around(handler: str, body: str = 'return data["id"].strip()') -> str:
    """The base with its last line in a ``try`` with a handler."""
    lines = textwrap.indent(textwrap.dedent(handler).strip("\n"), "    ")
    whole = textwrap.indent(body, "        ")
    return BASE.replace('    return data["id"].strip()\n', f"    try:\n{whole}\n{lines}\n")


@pytest.mark.parametrize(
    "handler",
    [
        *("except:\n    pass", "except Exception:\n    pass", "except BaseException:\n    return"),
        *(
            "except Exception:\n    return None",
            "except Exception:\n    return {}",
            "except Exception as e:\n    return ''",
        ),
        *("except AttributeError:\n    return None", "except (KeyError, AttributeError):\n    return dict()"),
        *(
            "except TypeError:\n    ...",
            "except builtins.Exception:\n    return []",
            "except Exception:\n    data = None",
        ),
        "except Exception as error:\n    logger.warning('bad: %s', error)\n    return None",
        "except Exception:\n    logging.exception('x')",
        "except Exception as error:\n    print(error)",
        "except ValueError:\n    raise\nexcept Exception:\n    return False",
        "finally:\n    return None",
    ],
)
def test_a_new_handler_that_does_nothing_is_told(handler: str) -> None:
    assert "swallows the error: it catches" in told(around(handler))


@pytest.mark.parametrize("loop", ["for one in many:", "while True:"])
def test_going_on_with_the_next_is_told(loop: str) -> None:
    before = f"def f(many):\n    {loop}\n        g(one)\n"
    after = (
        f"def f(many):\n    {loop}\n        try:\n            g(one)\n        except Exception:\n            continue\n"
    )

    assert told(after, before) == (
        "shop/box.py:5 in f swallows the error: it catches Exception and only goes on. Instead, fix what makes the"
        " error, let it rise, or answer it with something that callers can tell from success."
    )


@pytest.mark.parametrize(
    "head",
    ["contextlib.suppress(Exception)", "suppress(AttributeError, ValueError)", "open(x), suppress(BaseException)"],
)
def test_a_suppression_is_told(head: str) -> None:
    after = BASE.replace('    return data["id"]', f'    with {head}:\n        return data["id"]')

    assert "suppresses it" in told(after)


@pytest.mark.parametrize(
    "handler",
    [
        "except AttributeError as error:\n    raise BoxError('bad id') from error",
        "except Exception:\n    logger.exception('bad')\n    raise",
        "except Exception:\n    self.rollback()\n    raise",
        "except Exception as error:\n    return Failure(str(error))",
        "except Exception as error:\n    self.errors.append(error)",
        "except Exception:\n    return self.fallback(data)",
        "except Exception:\n    self.failed += 1",
        "except json.JSONDecodeError:\n    return None",
        "except UnicodeDecodeError:\n    continue_with = None",
        "except FileNotFoundError:\n    return []",
        "except BoxMissing:\n    pass",
        "except StopIteration:\n    return None",
        "except (ValueError, KeyError, TypeError):\n    return None",
        "finally:\n    self.close()",
    ],
)
def test_handling_an_error_is_no_swallowing(handler: str) -> None:
    assert told(around(handler)) == ""


def test_a_lookup_with_a_default_is_fine_but_not_around_everything() -> None:
    handler = "except KeyError:\n    return None"
    assert "catches KeyError" in told(around(handler, "return g(data['id'], h(data))"), error_type="KeyError")

    assert told(around(handler, "value = data['id']"), error_type="KeyError") == ""
    assert "catches KeyError" in told(
        around(handler, "value = data['id']\nreturn self.parse(value)"), error_type="KeyError"
    )


def test_an_error_of_the_line_is_passed_over_only_if_it_is_not_the_one_to_fix() -> None:
    handler = "except TimeoutError:\n    return None"

    assert told(around(handler, "self.connect()")) == ""
    assert "catches TimeoutError" in told(around(handler, "self.connect()"), error_type="TimeoutError")


@pytest.mark.parametrize(
    "after",
    [
        """
        def f(self):
            for attempt in range(3):
                try:
                    return self.connect()
                except Exception:
                    if attempt == 2:
                        raise
                    sleep(1)
        """,
        """
        def f(self):
            for attempt in range(3):
                try:
                    return self.connect()
                except Exception as error:
                    last = error
                sleep(1)
            raise last
        """,
        """
        def f(self):
            for attempt in range(3):
                try:
                    return self.connect()
                except Exception:
                    logger.warning("again")
                    continue
            raise ConnectionError("three times")
        """,
        """
        def f(self):
            for attempt in range(3):
                try:
                    return self.connect()
                except TimeoutError:
                    continue
            else:
                raise ConnectionError("three times")
        """,
    ],
)
def test_a_retry_that_raises_in_the_end_is_fine(after: str) -> None:
    assert told(after, "def f(self):\n    return self.connect()\n", "TimeoutError") == ""


def test_a_retry_that_never_raises_is_told() -> None:
    turn = "        try:\n            return c()\n        except Exception:\n            continue\n"
    after = "def f(self):\n    for _ in range(3):\n" + turn

    assert "only goes on" in told(after, "def f(self):\n    return c()\n")


@pytest.mark.parametrize(
    "after",
    [
        BASE.replace('raise ValueError("no id")', "return None"),
        BASE.replace('        raise ValueError("no id")\n', '        logger.error("no id")\n'),
        BASE.replace('    if "id" not in data:\n        raise ValueError("no id")\n', ""),
    ],
)
def test_a_raise_that_is_gone_is_told(after: str) -> None:
    assert "shop/box.py in load no longer says `raise ValueError('no id')`" in told(after)


def test_a_raise_that_moved_or_changed_is_fine() -> None:
    moved = BASE.replace('        raise ValueError("no id")\n', "        self.refuse()\n") + (
        '\n\ndef refuse(self):\n    raise ValueError("no id")\n'
    )
    assert told(moved) == ""
    assert told(BASE.replace("ValueError(", "BoxError(")) == ""
    helper = Edit("shop/rules.py", None, 'def refuse():\n    raise ValueError("no id")\n')
    assert swallowed([Edit("a.py", BASE, BASE.replace('raise ValueError("no id")', "refuse()")), helper]) == ()
    assert told("\n", BASE.replace('        raise ValueError("no id")\n', "        pass\n")) == ""


def test_what_swallowed_before_is_not_the_change_but_widening_it_is() -> None:
    old = around("except ValueError:\n    return None")
    broad = around("except Exception:\n    return None")

    assert told(broad.replace("strip()", "rstrip()"), broad) == ""
    assert "catches Exception" in told(broad, old)
    assert "catches Exception" in told(broad, around("except Exception:\n    raise"))


def test_a_second_silent_handler_beside_a_first_is_told() -> None:
    one = "    try:\n        {}()\n    except Exception:\n        pass\n"
    before, after = f"def f():\n{one.format('g')}    h()\n", f"def f():\n{one.format('g')}{one.format('h')}"

    assert told(after, before).count("swallows the error") == 1


def test_of_several_raises_that_moved_only_the_one_that_is_gone_is_told() -> None:
    before = "def f():\n    raise A\n\ndef g():\n    raise B\n"
    after = "def f():\n    h()\n\ndef g():\n    pass\n\ndef h():\n    raise A\n"

    text = told(after, before)

    assert "in g no longer says `raise B`" in text
    assert "raise A" not in text


def test_code_that_is_moved_under_a_silent_handler_is_told() -> None:
    before = "def f(x):\n    y = g(x)\n    try:\n        h(y)\n    except Exception:\n        pass\n"
    after = "def f(x):\n    try:\n        y = g(x)\n        h(y)\n    except Exception:\n        pass\n"

    assert "swallows more than before" in told(after, before)


def test_an_optional_import_a_test_and_another_language_are_no_matter() -> None:
    optional = "try:\n    import fast\nexcept ImportError:\n    fast = None\n"
    silent = around("except Exception:\n    pass")

    assert told(optional, "") == ""
    assert "catches everything" in told(optional.replace(" ImportError", ""), "")
    assert told(silent, path="tests/test_box.py") == ""
    assert told(silent, path="box.txt") == ""
    assert "only passes over it" in told("\ufeff" + silent, "\ufeff" + BASE)


def test_a_new_file_and_one_with_other_newlines_are_looked_at_too() -> None:
    silent = around("except Exception:\n    pass")

    assert "swallows" in "".join(swallowed([Edit("a.py", None, silent)]))
    assert "swallows" in "".join(swallowed([Edit("a.py", BASE.replace("\n", "\r\n"), silent.replace("\n", "\r\n"))]))
