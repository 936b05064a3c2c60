"""What pydantic finds, in words for who wrote the manifest."""

from typing import Annotated, Any, Literal

import pytest
from pydantic import AfterValidator, BaseModel, Field, HttpUrl, ValidationError

from penstock.resources.sentence import sentence
from penstock.resources.suggestion import did_you_mean, listing


class Everything(BaseModel):
    text: str = ""
    short: str = Field(default="", max_length=3)
    long: str = Field(default="xxx", min_length=3)
    checked: Annotated[str, AfterValidator(str), Field(max_length=3)] = ""
    pattern: str = Field(default="a", pattern="^a+$")
    whole: int = 0
    small: int = Field(default=0, lt=3)
    number: float = Field(default=1.0, gt=0.5)
    flag: bool = False
    many: list[int] = Field(default=[], max_length=1)
    names: dict[str, str] = {}
    part: "Everything | None" = None
    word: Literal["one", "two"] = "one"
    url: HttpUrl | None = None


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("text", 5, "expected a text, got 5: put it in quotes"),
        ("text", ["a", "b"], "expected a text, got a list of 2"),
        ("text", {}, "expected a text, got a mapping"),
        ("short", "four", 'expected at most 3 characters, got "four"'),
        ("long", "x", 'expected at least 3 characters, got "x"'),
        ("checked", "four", 'expected at most 3 characters, got "four"'),
        ("pattern", "b", 'expected a text that matches ^a+$, got "b"'),
        ("whole", "three", 'expected a whole number, got "three"'),
        ("whole", 1.5, "expected a whole number, got 1.5"),
        ("small", 3, "expected less than 3, got 3"),
        ("number", 0.5, "expected more than 0.5, got 0.5"),
        ("number", "much", 'expected a number, got "much"'),
        ("flag", "perhaps", 'expected true or false, got "perhaps"'),
        ("many", [1, 2], "expected a list of at most 1, got a list of 2"),
        ("many", "a", 'expected a list, as [a, b], got "a"'),
        ("names", "a", 'expected a mapping of names to values, got "a"'),
        ("part", [], "expected a mapping of fields, got an empty list"),
        ("word", "ones", '"ones" is not allowed: expected one or two; did you mean "one"?'),
        ("word", 3, "3 is not allowed: expected one or two"),
        ("url", "é" * 70, f'expected a valid URL, relative URL without a base, got "{"é" * 59}…'),
    ],
)
def test_a_value_that_is_not_allowed(field: str, value: Any, said: str) -> None:
    with pytest.raises(ValidationError) as raised:
        Everything.model_validate({field: value})
    assert sentence(raised.value.errors()[0]) == said


def test_only_a_word_that_is_near_is_suggested() -> None:
    allowed = ["contentType", "gateway"]
    assert did_you_mean("CONTENTTYPE", allowed) == '; did you mean "contentType"?'
    assert did_you_mean("gatway", allowed) == '; did you mean "gateway"?'
    assert did_you_mean("window", allowed) == ""


def test_a_long_listing_is_cut() -> None:
    assert listing(["b", "a"]) == "a, b"
    assert listing(f"{n:02}" for n in range(15)) == (
        "00, 01, 02, 03, 04, 05, 06, 07, 08, 09, 10, 11 and 3 more"
    )
