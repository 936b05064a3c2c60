"""What all commands share: help, versions, and how they fail."""

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from penstock import __version__
from penstock.cli.reference import main, reference
from penstock.cli.root import COMMANDS, penstock

ROOT = Path(__file__).parents[3]


def python(code: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": "", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_help_imports_nothing_that_takes_long() -> None:
    done = python(
        "import sys; sys.argv[1:] = ['--help']\n"
        "from penstock.cli.__main__ import main\n"
        "try: main()\n"
        "finally: print({'grpc', 'pydantic', 'yaml', 'aiohttp', 'asyncio'} & set(sys.modules))"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Usage: penstock [OPTIONS] COMMAND [ARGS]...")
    assert done.stdout.endswith("set()\n")


def test_the_summary_of_a_command_is_its_own_first_sentence() -> None:
    context = click.Context(penstock)
    for name, lazy in COMMANDS.items():
        command = penstock.get_command(context, name)
        assert command is not None
        assert command.get_short_help_str(limit=200) == lazy.summary


def test_the_reference_is_what_the_commands_say() -> None:
    assert (ROOT / "docs" / "cli.md").read_text() == reference(), "run make generate"


def test_the_check_of_the_reference_tells(tmp_path: Path) -> None:
    arguments = ["--output", str(tmp_path / "cli.md")]
    stale = CliRunner().invoke(main, [*arguments, "--check"])
    assert stale.exit_code == 1
    assert "run make generate" in stale.stderr
    assert CliRunner().invoke(main, arguments).exit_code == 0
    assert (tmp_path / "cli.md").read_text() == reference()
    assert CliRunner().invoke(main, [*arguments, "--check"]).exit_code == 0


def test_the_version_is_that_of_the_package() -> None:
    done = python("from penstock.cli.__main__ import main; main()")
    assert done.returncode == 2
    for command in (
        [str(Path(sys.executable).parent / "penstock"), "--version"],
        [sys.executable, "-m", "penstock.cli", "--version"],
    ):
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert printed == f"penstock {__version__}\n"


@pytest.mark.parametrize(
    ("missing", "command", "extra"),
    [
        ("click", "gateway serve inmemory", "cli"),
        ("yaml", "gateway serve inmemory", "cli"),
        ("aiohttp", "gateway serve inmemory", "cli"),
        ("kopf", "operator", "operator"),
        ("kopf", "controller inmemory", "operator"),
    ],
)
def test_without_its_extra_a_command_says_what_to_install(
    missing: str, command: str, extra: str
) -> None:
    done = python(
        f"import sys; sys.modules[{missing!r}] = None\n"
        f"sys.argv[1:] = {command.split()}\n"
        "from penstock.cli.__main__ import main; main()"
    )
    assert done.returncode == 1
    assert done.stderr == (
        f"This command of penstock needs the package {missing}, which is not installed: "
        f"pip install 'penstock[{extra}]'\n"
    )


FAILING = (
    "import sys; sys.argv[1:] = ['plugin', 'list']\n"
    "import penstock.plugin\n"
    "def fail(): raise {error}\n"
    "penstock.plugin.load_plugins = fail\n"
    "from penstock.cli.__main__ import main; main()"
)


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        ("penstock.plugin.PenstockError('no luck')", 1, "Error: no luck\n"),
        ("penstock.plugin.UsageError('wrong')", 2, "Error: wrong\n"),
        ("KeyboardInterrupt", 130, ""),
        (
            "KeyError('two\\nlines')",
            1,
            (
                "Error: penstock failed where it should not have: KeyError: 'two\\nlines'. With "
                "PENSTOCK_DEBUG=1 in the environment it shows where; please report it.\n"
            ),
        ),
    ],
)
def test_an_error_is_one_message_and_an_exit_code(error: str, code: int, message: str) -> None:
    done = python(FAILING.format(error=error))
    assert (done.returncode, done.stderr, done.stdout) == (code, message, "")


@pytest.mark.parametrize("error", ["penstock.plugin.PenstockError('no luck')", "KeyError('x')"])
def test_who_looks_for_an_error_sees_where_it_was_raised(error: str) -> None:
    done = python(FAILING.format(error=error), PENSTOCK_DEBUG="1")
    assert done.returncode == 1
    assert "Traceback" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["publsh"], 'there is no command "publsh"; did you mean "publish"?'),
        (["xyz"], 'there is no command "xyz"'),
        (["publish", "--paylod", "x"], "--paylod"),
        (["run"], "Missing argument 'FILE...'"),
    ],
)
def test_a_misspelt_command_is_a_usage_error(arguments: list[str], message: str) -> None:
    done = CliRunner().invoke(penstock, arguments)
    assert done.exit_code == 2
    assert message in done.stderr


def test_an_output_that_is_full_is_named() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "penstock.cli", "--help"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == "Error: standard output cannot be written: No space left on device\n"
