"""How the findings are printed."""


def show(what: str, found: str, goal: str = "") -> None:
    """Print a row at once, so that a long run shows where it is."""
    print(f"{what:<58} {found:>24}   {goal}", flush=True)
