"""The function that is measured."""


def upper(text: str) -> str:
    """One value in, one value out."""
    return text.upper()
