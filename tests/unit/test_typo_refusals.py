from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from selfimprover.drafting.recipes.typo import MisspeltName
from selfimprover.errors import RefusedError
from tests.unit.naming_cases import (
    MESSAGE,
    Files,
    another_sample,
    corrected,
    found_in,
    in_app,
    undefined,
)
from tests.unit.recipe_cases import after, project

NAMES: dict[str, tuple[Files, str, str]] = {
    # names that are two words, not one misspelt
    "plural": (in_app("def run(users):\n    return user\n"), "user", "more than a slip"),
    "singular": (in_app("def run(user):\n    return users\n"), "users", "more than a slip"),
    "tense": (in_app("def run(created):\n    return create\n"), "create", "more than a slip"),
    "last letter": (in_app("def run(parsed):\n    return parser\n"), "parser", "more than a slip"),
    "number": (in_app("def run(item1):\n    return item2\n"), "item2", "more than a slip"),
    "first letter": (in_app("def run(host):\n    return post\n"), "post", "more than a slip"),
    "prefix": (in_app("def set_user(): ...\n\n\ndef run():\n    get_user()\n"), "get_user", "more than a slip"),
    "private": (in_app("def run(_value):\n    return value\n"), "value", "the same number of words"),
    "capital": (in_app("class Order: ...\n\n\ndef run():\n    return order.x\n"), "order", "more than a slip"),
    "underscore": (in_app("def run(username):\n    return user_name\n"), "user_name", "the same number of words"),
    "short": (in_app("def run(row):\n    return rwo\n"), "rwo", "more than a slip"),
    "two words differ": (in_app("def run(frist_nmae):\n    return first_name\n"), "first_name", "more than a slip"),
    "far": (in_app("def run(customer):\n    return basket\n"), "basket", "none is"),
    "several": (in_app("def run(message, mesaage):\n    return mesage.id\n"), "mesage", "mesaage, message"),
    "several, one is global": (
        in_app("mesaage = 1\n\n\ndef run(message):\n    return mesage.id\n"),
        "mesage",
        "mesaage, message",
    ),
    "a real word elsewhere": (
        in_app("FORM_ID = 1\n\n\ndef run(from_x):\n    return form_x\n"),
        "form_x",
        "'form' is a word that Python or the project uses",
    ),
    # the name is meant
    "written elsewhere": ({**MESSAGE, "lib.py": "messsage = 1\n"}, "messsage", "writes messsage 2 times"),
    "in a comment": (in_app(MESSAGE["app.py"] + "# messsage\n"), "messsage", "2 times"),
    "in a text": (in_app(MESSAGE["app.py"] + "x = 'messsage'\n"), "messsage", "2 times"),
    "in the README": ({**MESSAGE, "README.md": "Set `messsage`.\n"}, "messsage", "2 times"),
    "in a template": ({**MESSAGE, "t/x.html": "{{ messsage }}\n"}, "messsage", "2 times"),
    "in settings": ({**MESSAGE, "x.toml": "messsage = 1\n"}, "messsage", "2 times"),
    "in a test": ({**MESSAGE, "tests/test_app.py": "def test(): assert messsage\n"}, "messsage", "2 times"),
    "twice on the line": (in_app("def run(message):\n    return messsage(messsage)\n"), "messsage", "exactly once"),
    "the definition is misspelt": (
        in_app("def recieve(): ...\n\n\ndef run():\n    return receive()\n"),
        "receive",
        "'recieve' is written nowhere but in its definition",
    ),
    "a module of the standard library": (
        in_app("def run(loggin):\n    return logging.info(1)\n"),
        "logging",
        "an import may be missing",
    ),
    # the close name is not certainly bound
    "bound on a condition": (
        in_app("def run(x):\n    if x:\n        message = 1\n    return messsage\n"),
        "messsage",
        "set elsewhere or on conditions",
    ),
    "bound later": (in_app("def run():\n    print(messsage)\n    message = 1\n"), "messsage", "elsewhere or on cond"),
    "bound in a try": (
        in_app("def run():\n    try:\n        message = 1\n    finally:\n        pass\n    return messsage\n"),
        "messsage",
        "elsewhere or on conditions",
    ),
    "loop variable after the loop": (
        in_app("def run(x):\n    for message in x: pass\n    return messsage\n"),
        "messsage",
        "elsewhere or on conditions",
    ),
    "declared only": (in_app("def run():\n    message: int\n    return messsage\n"), "messsage", "on conditions"),
    "deleted": (in_app("def run(message):\n    del message\n    return messsage\n"), "messsage", "is deleted"),
    "except clause": (
        in_app("def run():\n    try: x()\n    except E as message: pass\n    return messsage\n"),
        "messsage",
        "an except clause",
    ),
    "global statement": (
        in_app("def run():\n    global message\n    message = 1\n    return messsage\n"),
        "messsage",
        "global",
    ),
    "of the function around": (
        in_app("def outer(message):\n    def run():\n        return messsage\n    return run\n"),
        "messsage",
        "the function around",
    ),
    "of another function": (
        in_app("def other(message): ...\n\n\ndef run():\n    return messsage\n"),
        "messsage",
        "none is",
    ),
    "global on a condition": (
        in_app("if 1:\n    message = 1\n\n\ndef run():\n    return messsage\n"),
        "messsage",
        "not bound exactly once",
    ),
    "global twice": (
        in_app("message = 1\nmessage = 2\n\n\ndef run():\n    return messsage\n"),
        "messsage",
        "not bound exactly once",
    ),
    "global of another function": (
        in_app("message = 1\n\n\ndef f():\n    global message\n    message = 2\n\n\ndef run():\n    return messsage\n"),
        "messsage",
        "not bound exactly once",
    ),
    "import in a try": (
        in_app("try:\n    import message\nexcept E: ...\n\n\ndef run():\n    return messsage.x\n"),
        "messsage",
        "not bound exactly once",
    ),
    "star import": (in_app("from x import *\n" + MESSAGE["app.py"]), "messsage", r"imports `\*`"),
    "exec": (in_app("exec('a = 1')\n" + MESSAGE["app.py"]), "messsage", "calls exec"),
    "globals": (in_app("globals()['a'] = 1\n" + MESSAGE["app.py"]), "messsage", "calls globals"),
    # the use does not fit
    "function not called": (
        in_app("def connect(): ...\n\n\ndef run():\n    return conect.x\n"),
        "conect",
        "is a function, but is not called",
    ),
    "too many arguments": (
        in_app("def connect(): ...\n\n\ndef run():\n    return conect(1)\n"),
        "conect",
        "does not take the arguments",
    ),
    "starred arguments": (
        in_app("def connect(*a): ...\n\n\ndef run(x):\n    return conect(*x)\n"),
        "conect",
        "does not take the arguments",
    ),
    "unknown keyword": (
        in_app("def connect(a): ...\n\n\ndef run(x):\n    return conect(b=1)\n"),
        "conect",
        "does not take the arguments",
    ),
    "async, not awaited": (
        in_app("async def connect(): ...\n\n\ndef run():\n    return conect()\n"),
        "conect",
        "do not agree on whether it is awaited",
    ),
    "awaited, not async": (
        in_app("def connect(): ...\n\n\nasync def run():\n    return await conect()\n"),
        "conect",
        "do not agree on whether it is awaited",
    ),
    "generator awaited": (
        in_app("def connect(): yield\n\n\nasync def run():\n    return await conect()\n"),
        "conect",
        "is a generator",
    ),
    "decorated": (
        in_app("import x\n\n\n@x.y\ndef connect(): ...\n\n\ndef run():\n    return conect()\n"),
        "conect",
        "is decorated",
    ),
    "value called": (in_app("def run(message):\n    return messsage()\n"), "messsage", "is a value, but is called"),
    "wrong arguments for a class": (
        in_app("class Order:\n    def __init__(self, a): ...\n\n\ndef run():\n    return Ordre()\n"),
        "Ordre",
        "does not take the arguments",
    ),
    "foreign import": (
        in_app("from httpx import stream\n\n\ndef run():\n    return steram()\n"),
        "steram",
        "neither in the project nor known",
    ),
    "module without the attribute": (
        in_app("import asyncio\n\n\ndef run():\n    return asycnio.slumber()\n"),
        "asycnio",
        "is not used as one that has",
    ),
    "Python's own function as a value": (
        in_app("def run(x):\n    return isinstnace\n"),
        "isinstnace",
        "is not called",
    ),
    "Python's own function with other arguments": (
        in_app("def run(x):\n    return isinstnace(x)\n"),
        "isinstnace",
        "does not take the arguments",
    ),
    # where the name stands
    "in a lambda": (in_app("def run(message):\n    return (lambda: messsage.id)()\n"), "messsage", "in a lambda"),
    "in a default": (
        in_app("message = 1\n\n\ndef run():\n    def inner(a=messsage): ...\n"),
        "messsage",
        "in a lambda, a default",
    ),
    "in a text only": (
        in_app("def run(message):\n    return getattr(message, 'messsage')\n"),
        "messsage",
        "holds it 0 times",
    ),
    "as an attribute": (in_app("def run(message):\n    return message.messsage\n"), "messsage", "as a name"),
    "as a keyword": (in_app("def run(message):\n    return dict(messsage=1)\n"), "messsage", "as a name"),
    "assigned": (in_app("def run(message):\n    messsage = 1\n"), "messsage", "does not read"),
}


@pytest.mark.parametrize("case", NAMES)
def test_a_name_that_may_be_meant_or_may_not_be_there_is_refused(tmp_path: Path, case: str) -> None:
    files, wrong, reason = NAMES[case]
    lines = [line.strip() for line in files["app.py"].splitlines() if wrong in line and "def run" not in line]
    at = next((line for line in lines if not line.startswith(("#", "FORM", "x ="))), wrong)

    with pytest.raises(RefusedError, match=reason):
        corrected(tmp_path, files, undefined(wrong), at)


def test_samples_that_disagree_are_refused(tmp_path: Path) -> None:
    found = found_in(tmp_path, MESSAGE, undefined("messsage"), "messsage")
    traceback = found.samples[0].traceback or ""
    cases: dict[str, Callable[[], object]] = {
        "different errors": lambda: another_sample(found, undefined("mesage")),
        "do not all end": lambda: another_sample(found, "TypeError: name 'messsage' is not defined"),
        "different lines": lambda: another_sample(
            found, undefined("messsage"), traceback.replace("return messsage.id", "return messsage")
        ),
        "several places": lambda: replace(found, places=(("app.py:run", 2), ("app.py:walk", 2))),
        "no sample has a traceback": lambda: replace(found, samples=(replace(found.samples[0], traceback=None),)),
    }
    for reason, change in cases.items():
        with pytest.raises(RefusedError, match=reason):
            MisspeltName().apply(change(), tmp_path)  # type: ignore[arg-type]


def test_a_traceback_of_another_error_is_refused(tmp_path: Path) -> None:
    found = found_in(tmp_path, MESSAGE, undefined("messsage"), "messsage")
    (sample,) = found.samples
    other = (sample.traceback or "").replace(undefined("messsage"), "KeyError: 'x'")

    with pytest.raises(RefusedError, match="do not all end with one error"):
        MisspeltName().apply(replace(found, samples=(replace(sample, traceback=other),)), tmp_path)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/venv/lib/python3.11/site-packages/app.py", "not in the project's own code"),
        ("<ipython-input-3>", "not in the project's own code"),
        ("/srv/app/elsewhere.py", "not in the project's own code"),
    ],
)
def test_a_line_outside_the_project_is_refused(tmp_path: Path, path: str, reason: str) -> None:
    found = found_in(tmp_path, MESSAGE, undefined("messsage"), "messsage")
    (sample,) = found.samples
    traceback = (sample.traceback or "").replace("/srv/app/app.py", path)

    with pytest.raises(RefusedError, match=reason):
        MisspeltName().apply(replace(found, samples=(replace(sample, traceback=traceback),)), tmp_path)


def test_code_that_has_changed_since_is_refused_and_so_is_its_own_work(tmp_path: Path) -> None:
    found = found_in(tmp_path, MESSAGE, undefined("messsage"), "messsage")
    project(tmp_path, {"app.py": after(MisspeltName().apply(found, tmp_path))})

    with pytest.raises(RefusedError, match="the code has changed since"):
        MisspeltName().apply(found, tmp_path)


def test_a_hint_of_python_that_names_another_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="Python itself suggests messages, not message"):
        corrected(tmp_path, MESSAGE, undefined("messsage") + ". Did you mean: 'messages'?", "messsage")


def test_a_name_that_is_bound_below_the_line_that_ran_is_refused(tmp_path: Path) -> None:
    files = in_app("print(messsage)\nmessage = 1\n")

    with pytest.raises(RefusedError, match="is bound only below line 1"):
        corrected(tmp_path, files, undefined("messsage"), "messsage", "<module>")
