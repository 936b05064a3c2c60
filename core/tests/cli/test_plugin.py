"""`penstock plugin list`, and commands beside a plugin that is broken."""

import json
from pathlib import Path
from textwrap import dedent

import pytest

from tests.command_line import Penstock

BROKEN = {
    "raising": "raise RuntimeError('no\\nluck')",
    "misspelt": """
        from penstock.plugin import hookimpl

        @hookimpl
        def penstock_gatway_kind():
            return None
    """,
}
REASONS = {
    "raising": "importing penstock_test_raising raised RuntimeError: no luck",
    "misspelt": "penstock_gatway_kind",
}
MEMORY = """
apiVersion: streaming.projectriff.io/v1alpha1
kind: InMemoryGateway
metadata: {name: memory}
"""


@pytest.fixture(params=sorted(BROKEN))
def broken(request: pytest.FixtureRequest, penstock: Penstock, tmp_path: Path) -> str:
    """The name of a broken plugin that is installed, as pip would, for the command line."""
    name: str = request.param
    packages = tmp_path / "packages"
    metadata = packages / f"penstock_{name}-1.2.3.dist-info"
    metadata.mkdir(parents=True)
    (packages / f"penstock_test_{name}.py").write_text(dedent(BROKEN[name]))
    (metadata / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: penstock-{name}\nVersion: 1.2.3\n"
    )
    (metadata / "entry_points.txt").write_text(
        f"[penstock.gateways]\n{name} = penstock_test_{name}\n"
    )
    penstock.environment["PYTHONPATH"] = str(packages)
    return name


def test_plugins_are_listed_with_their_kinds_and_capabilities(penstock: Penstock) -> None:
    heads, *rows = penstock("plugin", "list").stdout.splitlines()
    assert heads.split() == ["NAME", "VERSION", "KIND", "CAPABILITIES"]
    (row,) = (row for row in rows if row.startswith("inmemory"))
    assert "InMemoryGateway" in row
    assert "ordered, partitions" in row


def test_plugins_are_listed_for_programs(penstock: Penstock) -> None:
    listed = json.loads(penstock("plugin", "list", "--output", "json").stdout)
    (inmemory,) = (one for one in listed if one["name"] == "inmemory")
    assert inmemory["distribution"] == "penstock-inmemory"
    assert inmemory["kind"] == "InMemoryGateway"
    assert "ordered" in inmemory["capabilities"]


def test_a_broken_plugin_is_listed_with_its_reason(penstock: Penstock, broken: str) -> None:
    table = penstock("plugin", "list").stdout
    (row,) = (row for row in table.splitlines() if row.startswith(broken))
    assert row.split()[:4] == [broken, "1.2.3", "-", "broken:"]
    assert REASONS[broken] in row
    assert "InMemoryGateway" in table
    listed = json.loads(penstock("plugin", "list", "--output", "json").stdout)
    (one,) = (one for one in listed if one["name"] == broken)
    assert REASONS[broken] in one["broken"]


def test_a_broken_plugin_is_named_and_stops_no_other(
    penstock: Penstock, broken: str, tmp_path: Path
) -> None:
    file = tmp_path / "app.yaml"
    file.write_text(MEMORY)
    done = penstock("lint", str(file))
    (warning,) = (line for line in done.stderr.splitlines() if line.startswith("warning: "))
    assert f"plugin {broken} 1.2.3 is not used: " in warning
    assert REASONS[broken] in warning
