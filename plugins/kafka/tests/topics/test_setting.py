import pytest

from penstock_kafka.topics.setting import Setting


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1000", "1000"),
        ("0060", "60"),
        ("0.50", "0.5"),
        ("TRUE", "true"),
        (" delete , compact", "compact,delete"),
        ("", ""),
    ],
)
def test_a_text_means_what_the_broker_makes_of_it(text: str, value: str) -> None:
    assert Setting(value, is_set=True).means(text)


@pytest.mark.parametrize(("text", "value"), [("1", "2"), ("compact", "compact,delete"), ("1", "")])
def test_another_text_means_another_value(text: str, value: str) -> None:
    assert not Setting(value, is_set=True).means(text)


def test_a_value_that_the_broker_does_not_tell_is_nobodys() -> None:
    assert not Setting(None, is_set=True).means("")
