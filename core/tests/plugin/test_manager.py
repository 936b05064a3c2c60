"""Discovery of plugins: what works is found, what is broken is reported and stops nobody."""

from collections.abc import Callable

import pytest
from pydantic import ValidationError

from penstock.plugin import BrokenPlugin, load_plugins

InstallPlugin = Callable[[str, str], None]
GoodPlugin = Callable[[str], str]


def broken(name: str) -> BrokenPlugin:
    """The broken plugin of a name; fails when it was taken for a good one."""
    return next(plugin for plugin in load_plugins().broken if plugin.name == name)


def test_an_installed_plugin_is_found_with_its_distribution_and_kind(
    install_plugin: InstallPlugin, good_plugin: GoodPlugin
) -> None:
    install_plugin("good", good_plugin("GoodGateway"))
    plugin = load_plugins().by_kind["GoodGateway"]
    assert (plugin.name, plugin.distribution, plugin.version) == ("good", "penstock-good", "1.2.3")
    assert plugin.kind.type == "good"
    assert plugin.pubsub is None


def test_a_plugin_is_found_by_the_word_for_its_kind(
    install_plugin: InstallPlugin, good_plugin: GoodPlugin
) -> None:
    install_plugin("good", good_plugin("GoodGateway"))
    plugins = load_plugins()
    assert plugins.by_type("good") is plugins.by_kind["GoodGateway"]
    assert plugins.by_type("bad") is None


def test_a_gateway_is_made_from_a_validated_spec(
    install_plugin: InstallPlugin, good_plugin: GoodPlugin
) -> None:
    install_plugin("good", good_plugin("GoodGateway"))
    plugin = load_plugins().by_kind["GoodGateway"]
    made: object = plugin.make_gateway({"url": "here"})
    assert made == ("gateway at", "here")
    with pytest.raises(ValidationError):
        plugin.make_gateway({"url": 7})


def test_a_sidecars_hook_is_optional_and_found(
    install_plugin: InstallPlugin, good_plugin: GoodPlugin
) -> None:
    install_plugin(
        "direct",
        good_plugin("DirectGateway")
        + "\n@hookimpl\ndef penstock_pubsub_factory():\n    return lambda spec: 'direct'\n",
    )
    pubsub = load_plugins().by_kind["DirectGateway"].pubsub
    assert pubsub is not None
    made: object = pubsub(None)
    assert made == "direct"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("1 / 0", "importing penstock_test_bad raised ZeroDivisionError: division by zero"),
        ("raise ValueError('two\\nlines')", "raised ValueError: two lines"),
        ("import sys; sys.exit(3)", "importing penstock_test_bad raised SystemExit: 3"),
        ("import no_such_module", "raised ModuleNotFoundError: No module named 'no_such_module'"),
        ("", "penstock_gateway_kind gave None, expected a GatewayKind"),
        (
            """
            from penstock.plugin import hookimpl

            @hookimpl
            def penstock_gateway_kind():
                raise RuntimeError("no luck")
            """,
            "penstock_gateway_kind raised RuntimeError: no luck",
        ),
    ],
)
def test_a_broken_plugin_is_set_aside_with_its_reason_in_one_line(
    install_plugin: InstallPlugin, good_plugin: GoodPlugin, source: str, reason: str
) -> None:
    install_plugin("bad", source)
    install_plugin("good", good_plugin("GoodGateway"))
    assert reason in broken("bad").reason
    assert "\n" not in broken("bad").reason
    assert "GoodGateway" in load_plugins().by_kind


def test_a_misspelt_hook_is_refused_and_named(
    install_plugin: InstallPlugin, good_plugin: GoodPlugin
) -> None:
    source = good_plugin("BadGateway") + "\n@hookimpl\ndef penstock_gatway():\n    return None\n"
    install_plugin("bad", source)
    install_plugin("good", good_plugin("GoodGateway"))
    assert broken("bad").reason == (
        "there is no hook penstock_gatway (there are: penstock_gateway_factory, "
        "penstock_gateway_kind, penstock_pubsub_factory); did you mean penstock_gateway_kind?"
    )
    assert set(load_plugins().by_kind) >= {"GoodGateway"}
    assert "BadGateway" not in load_plugins().by_kind


def test_of_two_plugins_for_one_kind_the_first_by_name_is_used(
    install_plugin: InstallPlugin, good_plugin: GoodPlugin
) -> None:
    install_plugin("aaa", good_plugin("GoodGateway"))
    install_plugin("bbb", good_plugin("GoodGateway"))
    assert load_plugins().by_kind["GoodGateway"].name == "aaa"
    assert broken("bbb").reason == "kind GoodGateway is already that of plugin aaa"


def test_a_kind_must_be_named_as_a_gateway(
    install_plugin: InstallPlugin, good_plugin: GoodPlugin
) -> None:
    install_plugin("bad", good_plugin("Kafka"))
    assert "expected CamelCase that ends in Gateway" in broken("bad").reason
