"""What can be chosen by name: ours by their modules, a package's by its entry points."""

from importlib.metadata import EntryPoint

import pytest

from duograd.data.source import Source
from duograd.data.sources import shapes
from duograd.runner import registry
from duograd.runner.errors import UserError
from duograd.runner.registry import SOURCES

HERE = "test_registry"
NOT_A_SOURCE = 3


@pytest.fixture
def installed(monkeypatch):
    """Pretends that a package is installed which declares these, by name."""

    def install(group: str, **references: str) -> None:
        points = [EntryPoint(name, reference, group) for name, reference in references.items()]
        monkeypatch.setattr(registry, "entry_points", lambda group: [p for p in points if p.group == group])
        registry.references.cache_clear()

    yield install
    registry.references.cache_clear()


def test_a_module_is_a_choice():
    assert SOURCES.find("shapes") is shapes.SOURCE


@pytest.mark.parametrize("name", ["gait", "photos", "photos_sample", "cifar10"])
def test_a_declaration_is_called_as_its_module_is(name):
    source = SOURCES.find(name)
    assert isinstance(source, Source)
    assert source.config.model_fields["name"].default == name


def test_an_unknown_name_is_one_line_with_those_there_are():
    with pytest.raises(UserError, match=r"^unknown data\.name 'shape': did you mean 'shapes'\? known: activity_h5, "):
        SOURCES.find("shape")


def test_an_installed_package_adds_its_own(installed):
    installed("duograd.sources", drawings="duograd.data.sources.shapes:SOURCE")
    assert SOURCES.find("drawings") is shapes.SOURCE
    assert {"drawings", "shapes"} <= set(SOURCES.names())


def test_two_of_one_name_are_refused_and_both_are_named(installed):
    installed("duograd.sources", shapes=f"{HERE}:OTHER")
    with pytest.raises(UserError, match=rf"'shapes': duograd\.data\.sources\.shapes:SOURCE and {HERE}:OTHER"):
        SOURCES.find("gait")


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("no_such_package:SOURCE", "cannot be imported from no_such_package:SOURCE: No module named"),
        (f"{HERE}:MISSING", "MISSING"),
        (f"{HERE}:NOT_A_SOURCE", "is no Source"),
    ],
)
def test_a_package_that_is_broken_is_told(installed, reference, message):
    installed("duograd.sources", mine=reference)
    with pytest.raises(UserError, match=message):
        SOURCES.find("mine")
