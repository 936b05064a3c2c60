"""Each distribution builds as a wheel and installs alone in an empty virtual environment."""

import subprocess
import sys
import tomllib
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
COMMANDS = {
    "penstock": (("penstock", "run", "app.yaml"), 1, "pip install 'penstock[cli]'"),
    "penstock-sidecar": (("penstock-sidecar",), 1, "FUNCTION"),
    "penstock-invoker": (("penstock-invoker", "--help"), 0, "module:function"),
}
"""What each command says when its distribution is installed alone, and its exit code."""
KINDS = {"penstock-inmemory": "InMemoryGateway", "penstock-kafka": "KafkaGateway"}
"""What each plugin adds."""
LIST_KINDS = """
from penstock.plugin import load_plugins
plugins = load_plugins()
print(*plugins.by_kind, *plugins.broken)
"""


@dataclass(frozen=True)
class Distribution:
    """One folder of the workspace that is installed by itself."""

    folder: Path
    name: str

    @property
    def module(self) -> str:
        return self.name.replace("-", "_")


def workspace() -> list[Distribution]:
    """Every distribution of the repository, found by its pyproject.toml."""
    files = [*ROOT.glob("*/pyproject.toml"), *ROOT.glob("plugins/*/pyproject.toml")]
    named = {file.parent: tomllib.loads(file.read_text())["project"]["name"] for file in files}
    return [Distribution(folder, name) for folder, name in sorted(named.items())]


def run(*command: object, expect: int = 0) -> str:
    """What a command prints; fails with that when it ends otherwise than expected."""
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False
    )
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel of every distribution."""
    folder = tmp_path_factory.mktemp("wheels")
    for distribution in workspace():
        run(
            *(sys.executable, "-m", "build", "--wheel", "--no-isolation"),
            *("--outdir", folder, distribution.folder),
        )
    return folder


@pytest.mark.timeout(300)
@pytest.mark.parametrize("distribution", workspace(), ids=lambda d: d.name)
def test_a_distribution_installs_and_imports_alone(
    distribution: Distribution, wheels: Path, tmp_path: Path
) -> None:
    environment = tmp_path / "environment"
    venv.create(environment, with_pip=False, symlinks=True)
    python = environment / "bin" / "python"
    run(
        *(sys.executable, "-m", "pip", "--python", python, "install", "--quiet"),
        *("--find-links", wheels, "--constraint", ROOT / "constraints.txt", distribution.name),
    )
    run(python, "-c", f"import {distribution.module}")
    installed = run(sys.executable, "-m", "pip", "--python", python, "list", "--format", "freeze")
    others = {d.name for d in workspace()} - {distribution.name, "penstock"}
    assert not [line for line in installed.splitlines() if line.partition("==")[0] in others]
    assert run(python, "-c", LIST_KINDS).strip() == KINDS.get(distribution.name, "")
    if distribution.name in COMMANDS:
        (command, *arguments), code, text = COMMANDS[distribution.name]
        assert text in run(environment / "bin" / command, *arguments, expect=code)


@pytest.mark.parametrize("distribution", workspace(), ids=lambda d: d.name)
def test_a_wheel_carries_its_types_and_its_licence(
    distribution: Distribution, wheels: Path
) -> None:
    (wheel,) = wheels.glob(f"{distribution.module}-[0-9]*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert f"{distribution.module}/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not any("tests/" in name for name in names)
