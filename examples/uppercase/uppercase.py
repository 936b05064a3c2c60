"""The smallest function there is."""


def uppercase(text: str) -> str:
    """Applied to each message of the input; what it returns is a message of the output."""
    return text.upper()
