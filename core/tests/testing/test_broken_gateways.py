"""Each case of the suite fails on a gateway that breaks its promise."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from core.tests.testing.broken import suites
from core.tests.testing.broken.breakage import BREAKAGES, Breakage
from penstock.testing import GatewayConformance
from penstock.testing.promise import cases_of

ROOT = Path(__file__).parents[3]
CASES = cases_of(GatewayConformance)
PROCESSES = 3  # most cases wait for what never comes, so that they need no processor of their own

Failures = Mapping[tuple[str, str], str]
"""What pytest said of each case that failed, by the class and the name of its test."""


@pytest.fixture(scope="session")
def failures(tmp_path_factory: pytest.TempPathFactory) -> Failures:
    """Runs the cases on the gateways that they are meant to catch."""
    folder = tmp_path_factory.mktemp("broken")
    file = Path(suites.__file__).relative_to(ROOT)
    tests = [
        f"{file}::{breakage.suite}::{case}[{breakage.way}]"
        for breakage in BREAKAGES
        for case in breakage.cases
    ]
    processes = [
        subprocess.Popen(
            [
                *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider"),
                *("--tb=short", f"--junitxml={folder}/{part}.xml", *tests[part::PROCESSES]),
            ],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for part in range(PROCESSES)
    ]
    for process in processes:
        output, _ = process.communicate()
        assert process.returncode == pytest.ExitCode.TESTS_FAILED, output
    found: dict[tuple[str, str], str] = {}
    for part in range(PROCESSES):
        for case in ET.parse(folder / f"{part}.xml").getroot().iter("testcase"):
            suite = case.attrib["classname"].rpartition(".")[2]
            if (failure := case.find("failure")) is not None:
                found[suite, case.attrib["name"]] = f"{failure.attrib['message']}\n{failure.text}"
    return found


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("breakage", "case"),
    [
        pytest.param(breakage, case, id=f"{breakage.name}-{case}")
        for breakage in BREAKAGES
        for case in breakage.cases
    ],
)
def test_a_broken_gateway_is_caught(breakage: Breakage, case: str, failures: Failures) -> None:
    failure = failures.get((breakage.suite, f"{case}[{breakage.way}]"))
    assert failure, f"{case} passes on a gateway that {breakage.name}"
    assert str(CASES[case].promise) in failure, failure


def test_no_case_is_without_a_gateway_that_it_catches() -> None:
    caught = {case for breakage in BREAKAGES for case in breakage.cases}
    assert caught == CASES.keys()


def test_there_are_sixty_cases_at_least() -> None:
    assert len(CASES) >= 60
