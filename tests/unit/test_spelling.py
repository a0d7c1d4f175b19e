import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfimprover.drafting.recipes.spelling import distance, is_close, only_close, slip
from selfimprover.errors import RefusedError

texts = st.text("abcd", max_size=7)


@pytest.mark.parametrize(
    ("left", "right", "steps"),
    [
        ("", "", 0),
        ("same", "same", 0),
        ("", "abc", 3),
        ("item", "itme", 1),
        ("item", "iten", 1),
        ("item", "itemm", 1),
        ("item", "tem", 1),
        ("decode", "encode", 2),
        ("recieve", "receive", 1),
        ("ca", "abc", 3),
    ],
)
def test_a_step_inserts_drops_changes_or_swaps(left: str, right: str, steps: int) -> None:
    assert distance(left, right) == steps


@given(left=texts, right=texts)
def test_the_distance_is_that_of_both_directions_and_never_more_than_the_longer(left: str, right: str) -> None:
    assert distance(left, right) == distance(right, left)
    assert abs(len(left) - len(right)) <= distance(left, right) <= max(len(left), len(right))


@given(name=texts)
def test_a_name_is_not_close_to_itself(name: str) -> None:
    assert not is_close(name, name)


def test_one_step_is_close_in_short_names_two_in_long_ones() -> None:
    assert is_close("itme", "item")
    assert not is_close("decode", "encode")
    assert is_close("confgiuraton", "configuration")


@pytest.mark.parametrize("known", [["items", "itms"], ["other"], []])
def test_several_close_names_or_none_are_refused(known: list[str]) -> None:
    with pytest.raises(RefusedError, match="exactly one name here must be close to itmes"):
        only_close("itmes", known, "here")


SLIPS = ["recieve receive", "lenght length", "usre_name user_name", "Messgae Message", "TIMOEUT TIMEOUT"]
WORDS = [
    *("user users", "create created", "item1 item2", "get_user set_user", "order Order", "row rwo", "_value value"),
    *("username user_name", "lock unlock", "load loads", "min max", "parser parsed", "frist_nmae first_name"),
]


@pytest.mark.parametrize("pair", SLIPS)
def test_a_slip_is_inside_one_word(pair: str) -> None:
    wrong, right = pair.split()

    assert slip(wrong, right).wrong in wrong.lower()
    assert slip(wrong, right).right in right.lower()


@pytest.mark.parametrize("pair", WORDS)
def test_other_words_are_no_slips(pair: str) -> None:
    wrong, right = pair.split()

    with pytest.raises(RefusedError):
        slip(wrong, right)
    with pytest.raises(RefusedError):
        slip(right, wrong)
