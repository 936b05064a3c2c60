"""The suite in a project of a stranger, who has settings of their own or none."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PATIENCE = 50.0
GUIDE = Path(__file__).parents[3] / "docs" / "writing-a-gateway.md"

SUBCLASS = """
import pytest
from penstock.testing import Backend, GatewayConformance

class TestMyGateway(GatewayConformance):
    @pytest.fixture
    def backend(self) -> Backend:
        return Backend({backend})
"""

STRICT = "[pytest]\naddopts = --strict-markers --strict-config\nfilterwarnings = error\n"
OTHER_LOOPS = """[pytest]
asyncio_mode = auto
asyncio_default_fixture_loop_scope = session
asyncio_default_test_loop_scope = session
"""
SHORT = "[pytest]\ntimeout = 1\n"


class Project:
    """A folder with a test of a gateway."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def pytest(self, *arguments: str, expect: int = 0) -> str:
        """What pytest prints; fails when it ends otherwise than expected."""
        environment = {name: text for name, text in os.environ.items() if "PYTEST" not in name}
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == expect, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path)
    project.write("test_gateway.py", SUBCLASS.format(backend='"inmemory"'))
    return project


@pytest.mark.parametrize(
    "settings", ["[pytest]\n", STRICT, OTHER_LOOPS], ids=["none", "strict", "other loops"]
)
def test_it_needs_no_settings_and_minds_none(project: Project, settings: str) -> None:
    if settings == STRICT:  # what pytest-asyncio itself asks to be set
        settings += "asyncio_default_fixture_loop_scope = function\n"
    project.write("pytest.ini", settings)
    printed = project.pytest("-k", "headers or wait_for_events or who_dies or refused")
    assert "conformance of inmemory (InMemoryGateway)" in printed
    [messages] = [line for line in printed.splitlines() if line.startswith("messages")]
    assert messages.count("2 passed, 11 not run") == 3


def test_the_example_of_the_documentation_is_a_whole_test_file(project: Project) -> None:
    example = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    [suite] = [block for block in example if "GatewayConformance" in block]
    ours, count = re.subn(r'Backend\("example", .*\)', 'Backend("inmemory")', suite)
    assert count == 1
    project.write("test_gateway.py", ours)
    assert "3 passed" in project.pytest("-k", "test_headers_come_back")


def test_a_report_of_what_was_run_is_written(project: Project) -> None:
    project.pytest("-k", "headers", "--conformance-report", "found/here")
    whole = json.loads((project.folder / "found" / "here" / "inmemory.json").read_text())
    found = {case["case"]: case for case in whole["cases"]}
    assert found["headers come back"]["riff"] == "passed"
    assert found["a topic that nobody made has no end"]["riff"] == "not run"
    assert found["records outlive a restart"]["direct"] == "not declared: durable"
    page = (project.folder / "found" / "here" / "inmemory.md").read_text()
    assert page.startswith("<!-- Generated")
    assert "# InMemoryGateway" in page


def test_a_time_out_for_short_tests_does_not_end_a_case(project: Project) -> None:
    project.write("pytest.ini", SHORT)
    project.pytest("-k", "test_a_bound_in_seconds_is_kept and direct")


def test_a_run_without_the_suite_loads_nothing_of_it(project: Project) -> None:
    (project.folder / "test_gateway.py").unlink()
    project.write("test_other.py", "def test_other():\n    pass\n")
    project.write(
        "conftest.py",
        "import sys\n"
        "def pytest_unconfigure():\n"
        "    ours = {name for name in sys.modules if name.partition('.')[0] == 'penstock'}\n"
        "    print('loaded', sorted(ours), 'grpc' in sys.modules)\n",
    )
    loaded = "['penstock', 'penstock.testing', 'penstock.testing.outcome', "
    loaded += "'penstock.testing.plugin'] False"
    assert f"loaded {loaded}" in project.pytest("-s")


def test_a_gateway_that_breaks_a_promise_is_told_which_and_how(project: Project) -> None:
    project.write(
        "test_gateway.py",
        """
from dataclasses import replace

import pytest
from penstock.testing import Backend, GatewayConformance
from penstock_inmemory import InMemoryGateway

class Forgetful(InMemoryGateway):
    async def publish(self, topic, messages):
        return await super().publish(topic, [one._replace(headers={}) for one in messages])

class TestForgetful(GatewayConformance):
    @pytest.fixture
    def backend(self):
        return Backend(replace(Backend("inmemory").find(), gateway=Forgetful), name="forgetful")
""",
    )
    printed = project.pytest("-k", "test_headers_come_back and direct", expect=1)
    assert "the headers as read\n" in printed
    assert "expected: {'a': ''" in printed
    assert "came:     {}" in printed
    assert "Message promises: “The event's extensions, names in lower case.”" in printed
    assert "conformance of forgetful (InMemoryGateway)" in printed
    assert "1 failed" in printed


def test_a_case_that_hangs_says_where(project: Project) -> None:
    project.write(
        "test_gateway.py",
        """
import asyncio
from dataclasses import replace

import pytest
from penstock.testing import Backend, GatewayConformance
from penstock_inmemory import InMemoryGateway

class Hanging(InMemoryGateway):
    async def end_positions(self, topic):
        await asyncio.Event().wait()

class TestHanging(GatewayConformance):
    @pytest.fixture
    def backend(self):
        plugin = replace(Backend("inmemory").find(), gateway=Hanging)
        return Backend(plugin, patience=0.2)
""",
    )
    printed = project.pytest("-k", "test_a_topic_that_nobody_made_has_no_end and direct", expect=1)
    assert "no answer within 0.3 s to: " in printed
    assert "await rig.end_positions(unknown)" in printed


@pytest.mark.parametrize(
    ("backend", "reason"),
    [
        ('"carrier-pigeon"', "no plugin 'carrier-pigeon' is installed: there are inmemory"),
        ('"inmemory", spec={"partitions": 0}', "partitions"),
    ],
)
def test_a_backend_that_is_wrong_says_so(project: Project, backend: str, reason: str) -> None:
    project.write("test_gateway.py", SUBCLASS.format(backend=backend))
    assert reason in project.pytest("-k", "test_headers_come_back and direct", expect=1)


def test_a_class_without_a_backend_is_told_to_give_one(project: Project) -> None:
    project.write(
        "test_gateway.py",
        "from penstock.testing import GatewayConformance\n"
        "class TestNothing(GatewayConformance):\n    pass\n",
    )
    printed = project.pytest("-k", "test_headers_come_back and direct", expect=1)
    assert "TestNothing: give it a fixture `backend`" in printed


def test_an_author_may_expect_a_case_to_fail(project: Project) -> None:
    project.write(
        "test_gateway.py",
        SUBCLASS.format(backend='"inmemory"')
        + "\n    @pytest.mark.xfail\n"
        + "    async def test_headers_come_back(self, rig):\n"
        + "        raise RuntimeError\n",
    )
    printed = project.pytest("-k", "test_headers_come_back and direct")
    assert "1 xfailed" in printed
    [messages] = [line for line in printed.splitlines() if line.startswith("messages")]
    assert "1 failed" in messages


def test_a_part_of_a_run_is_not_compared_with_the_report_that_is_kept(project: Project) -> None:
    (project.folder / "kept").mkdir()
    project.write("kept/inmemory.json", "{}")
    printed = project.pytest("-k", "headers", "-o", "conformance_reports=kept")
    assert "only a part of the cases of inmemory was run" in printed
