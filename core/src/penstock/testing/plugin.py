"""The pytest plugin, which pytest loads in every run of every project where penstock is installed.

So it imports nothing of the suite: what it does begins with the first case of the suite.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from penstock.testing.outcome import PROPERTY

if TYPE_CHECKING:
    from penstock.testing.recorder import Recorder

CASE_SECONDS = 300
"""What pytest-timeout grants a case, where it is installed: the suite's own limits are shorter."""

_RECORDER = pytest.StashKey["Recorder"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what can be asked of the report."""
    group = parser.getgroup("penstock", "conformance of penstock's gateways")
    group.addoption(
        "--conformance-report",
        metavar="FOLDER",
        help="write what held of each gateway to FOLDER, as Markdown and JSON",
    )
    parser.addini(
        "conformance_reports",
        "folder of reports that are kept: a whole run of a gateway's suite that comes to another "
        "result fails",
        default="",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let the suite's own limits end its cases, not the one that a project has for its tests."""
    suite = sys.modules.get("penstock.testing.suite")
    if suite is None or not config.pluginmanager.hasplugin("timeout"):
        return
    for item in items:
        owner = getattr(item, "cls", None)
        if owner and issubclass(owner, suite.Suite) and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(CASE_SECONDS))


class Watch:
    """Waits for the first report of a case of the suite, and makes the recorder of all."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Pass on what is of the suite."""
        for name, properties in report.user_properties:
            if name == PROPERTY and isinstance(properties, dict):
                _recorder(self._config).add(report, properties)


def pytest_configure(config: pytest.Config) -> None:
    """Watch; of several processes of one run, the one to which the others report."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Watch(config), "penstock-watch")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the reports, and compare those that are kept; one that differs fails the run."""
    recorder = session.config.stash.get(_RECORDER, None)
    if recorder and not recorder.finish() and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the table of each gateway."""
    if recorder := config.stash.get(_RECORDER, None):
        recorder.print(terminalreporter)


def _recorder(config: pytest.Config) -> "Recorder":
    if _RECORDER not in config.stash:
        from penstock.testing.recorder import Recorder  # noqa: PLC0415 - not before it is needed

        written = config.getoption("--conformance-report")
        kept = config.getini("conformance_reports")
        config.stash[_RECORDER] = Recorder(
            Path(written) if written else None, config.rootpath / kept if kept else None
        )
    return config.stash[_RECORDER]
