"""The entry point: `penstock` and `python -m penstock.cli`."""

import errno
import os
import sys
from importlib import import_module
from time import monotonic

EXTRAS = {
    **dict.fromkeys(
        ("aiohttp", "click", "grpc_health", "grpc_reflection", "prometheus_client", "yaml"), "cli"
    ),
    "kopf": "operator",
}
"""What the command line imports that `penstock` alone does not install, and which extra does."""


def main() -> None:
    """Run the command line and exit."""
    started = monotonic()
    # A person gets penstock's messages; gRPC's own logs say the same less clearly.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    try:
        import_module("penstock.cli.root").penstock(prog_name="penstock", obj=started)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if "PENSTOCK_DEBUG" in os.environ:
            raise
        sys.exit(_explain(error))


def _explain(error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name in EXTRAS:
        return (
            f"This command of penstock needs the package {error.name}, which is not installed: "
            f"pip install 'penstock[{EXTRAS[error.name]}]'"
        )
    if isinstance(error, OSError) and error.filename is None and error.errno == errno.ENOSPC:
        return f"Error: standard output cannot be written: {error.strerror}"
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return (
        f"Error: penstock failed where it should not have: {text}. "
        "With PENSTOCK_DEBUG=1 in the environment it shows where; please report it."
    )


if __name__ == "__main__":
    main()
