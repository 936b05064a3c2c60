"""The process of a sidecar."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from penstock.local import sidecar
from penstock.local.sidecar import check_sidecar_installed, sidecar_service
from penstock.plugin import UsageError
from penstock.resources.models import Processor
from penstock.workload import StreamBinding

STREAM = StreamBinding("127.0.0.1:6565", "default_words", "text/plain")


def processor() -> Processor:
    return Processor.model_validate(
        {
            "metadata": {"name": "upper"},
            "spec": {"inputs": [{"stream": "words"}], "window": {"type": "Count", "count": 3}},
        }
    )


async def test_its_bindings_are_files_and_its_variables_name_them(tmp_path: Path) -> None:
    service = sidecar_service(processor(), "upper", {"words": STREAM}, 4321, tmp_path / "upper")
    environment = service.command.environment
    bindings = Path(environment["CNB_BINDINGS"])
    assert (bindings / "input_000" / "secret" / "topic").read_text() == "default_words"
    assert environment["FUNCTION"] == "127.0.0.1:4321"
    assert json.loads(environment["PENSTOCK_WINDOW"]) == {"type": "Count", "count": 3}
    assert float(environment["PENSTOCK_GRACE_SECONDS"]) == sidecar.GRACE_SECONDS
    assert service.command.arguments == [sys.executable, "-P", "-m", "penstock_sidecar"]


async def test_it_is_ready_by_its_file_and_not_by_that_of_a_life_before(tmp_path: Path) -> None:
    service = sidecar_service(processor(), "upper", {"words": STREAM}, 4321, tmp_path / "upper")
    ready = Path(service.command.environment["PENSTOCK_READY_FILE"])
    assert not await service.is_ready()
    await asyncio.to_thread(ready.touch)
    assert await service.is_ready()
    service.before_start()
    assert not await service.is_ready()


def test_without_its_package_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    check_sidecar_installed()
    monkeypatch.setattr(sidecar, "MODULE", "penstock_no_sidecar")
    with pytest.raises(UsageError, match="pip install penstock-sidecar"):
        check_sidecar_installed()
