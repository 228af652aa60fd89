"""What can be chosen by name: ours by their modules, a package's by its entry points."""

from pathlib import Path
from typing import get_args

import pytest

from duograd.data.sources import shapes
from duograd.runner.errors import UserError
from duograd.runner.registry import GROUPS, SOURCES

HERE = "test_registry"
NOT_A_SOURCE = 3


def test_a_module_is_a_choice():
    assert SOURCES.find("shapes") is shapes.SOURCE


@pytest.mark.parametrize(("part", "name"), [(part, name) for part, group in GROUPS.items() for name in group.names()])
def test_a_declaration_is_called_as_its_module_is(part, name):
    """Every module of a group declares one thing, whose configuration takes that name and no other."""
    group = GROUPS[part]
    field = group.find(name).config.model_fields[group.key.rpartition(".")[2]]
    assert get_args(field.annotation) == (name,)


def test_choices_are_found_not_listed():
    """No branch a choice, that a new one would have to be added to."""
    folders = [Path(__file__).parents[1] / name for name in ("data", "models", "runner")]
    assert not [path for folder in folders for path in folder.rglob("*.py") if "assert_never" in path.read_text()]


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
