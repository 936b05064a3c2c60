"""The process of a sidecar."""

import asyncio
import sys
from pathlib import Path

import pytest

from penstock.delivery import Delivery
from penstock.local import sidecar
from penstock.local.sidecar import check_sidecar_installed, sidecar_service
from penstock.plugin import UsageError
from penstock.resources.models import Processor
from penstock.window import Window, WindowType
from penstock.workload import StreamBinding

STREAM = StreamBinding("127.0.0.1:6565", "default_words", "text/plain")
STREAMS = {"words": STREAM, "words-that-failed": STREAM}


def processor() -> Processor:
    return Processor.model_validate(
        {
            "metadata": {"name": "upper"},
            "spec": {
                "inputs": [{"stream": "words"}],
                "window": {"type": "Count", "count": 3},
                "delivery": {"deadLetter": {"stream": "words-that-failed"}},
            },
        }
    )


async def test_its_bindings_are_files_and_its_variables_name_them(tmp_path: Path) -> None:
    service = sidecar_service(processor(), "upper", STREAMS, 4321, tmp_path / "upper")
    environment = service.command.environment
    bindings = Path(environment["CNB_BINDINGS"])
    assert (bindings / "input_000" / "secret" / "topic").read_text() == "default_words"
    assert environment["FUNCTION"] == "127.0.0.1:4321"
    window = Window.model_validate_json(environment["PENSTOCK_WINDOW"])
    assert window == Window(type=WindowType.COUNT, count=3)
    delivery = Delivery.model_validate_json(environment["PENSTOCK_DELIVERY"])
    assert delivery.dead_letter_stream == "words-that-failed"
    dead_letter = bindings / "dead_letter_000" / "metadata" / "stream"
    assert dead_letter.read_text() == "words-that-failed"
    assert float(environment["PENSTOCK_GRACE_SECONDS"]) == sidecar.GRACE_SECONDS
    assert service.command.arguments == [sys.executable, "-P", "-m", "penstock_sidecar"]


async def test_its_log_is_for_a_person_unless_the_person_says_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def log_format() -> str:
        service = sidecar_service(processor(), "upper", STREAMS, 4321, tmp_path / "upper")
        return service.command.environment["PENSTOCK_LOG_FORMAT"]

    monkeypatch.delenv("PENSTOCK_LOG_FORMAT", raising=False)
    assert log_format() == "text"
    monkeypatch.setenv("PENSTOCK_LOG_FORMAT", "json")
    assert log_format() == "json"


async def test_its_metrics_are_on_the_port_that_it_is_given_and_on_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def address(port: int | None) -> tuple[str, str]:
        service = sidecar_service(
            processor(), "upper", STREAMS, 4321, tmp_path / "upper", metrics_port=port
        )
        environment = service.command.environment
        return environment["PENSTOCK_HOST"], environment["PENSTOCK_METRICS_PORT"]

    monkeypatch.setenv("PENSTOCK_METRICS_PORT", "9000")
    assert address(9100) == ("127.0.0.1", "9100")
    assert address(None) == ("127.0.0.1", "")


async def test_it_is_ready_by_its_file_and_not_by_that_of_a_life_before(tmp_path: Path) -> None:
    service = sidecar_service(processor(), "upper", STREAMS, 4321, tmp_path / "upper")
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
