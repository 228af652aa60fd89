"""What the data configs accept, and what they say otherwise."""

from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf
from pydantic import TypeAdapter, ValidationError

from duograd.data.config import DataConfig, PatchesH5, Photos, PhotosSample

CONF = Path(__file__).parents[1] / "conf" / "data"
ADAPTER: TypeAdapter[DataConfig] = TypeAdapter(DataConfig)


def from_yaml(name: str, **given: Any) -> DataConfig:
    """The config that conf/data/NAME.yaml and what a user gives make together."""
    return ADAPTER.validate_python({**OmegaConf.to_container(OmegaConf.load(CONF / f"{name}.yaml")), **given})


@pytest.mark.parametrize(
    ("given", "model"),
    [
        ({}, PhotosSample()),
        ({"root": "pictures"}, Photos(root="pictures")),
        ({"path": "file.h5"}, PatchesH5(path="file.h5")),
    ],
    ids=["photos_sample", "photos", "patches_h5"],
)
def test_yaml_holds_the_defaults(given: dict[str, Any], model: DataConfig) -> None:
    config = from_yaml(model.name, **given)
    assert config == model
    assert set(OmegaConf.load(CONF / f"{model.name}.yaml")) == set(type(model).model_fields)  # none left out


@pytest.mark.parametrize("empty", [None, ""])
@pytest.mark.parametrize(
    ("name", "key", "line"),
    [
        ("photos", "root", "data=photos needs data.root=FOLDER, a folder of images"),
        ("patches_h5", "path", "data=patches_h5 needs data.path=FILE, an HDF5 file of patches"),
    ],
)
def test_missing_place_names_the_remedy(name: str, key: str, line: str, empty: str | None) -> None:
    with pytest.raises(ValidationError) as caught:
        from_yaml(name, **{key: empty})
    (error,) = caught.value.errors()
    assert str(error["ctx"]["error"]) == line
    assert error["loc"] == (name, key)


def test_place_is_also_asked_for_where_the_key_is_absent() -> None:
    with pytest.raises(ValidationError, match=r"data=photos needs data\.root=FOLDER"):
        Photos()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("count", 0),
        ("count", 1_000_001),
        ("count", 10.0),
        ("count", True),
        ("count", "10"),
        ("size", 1),
        ("size", 513),
        ("seed", -1),
        ("seed", 2**32),
        ("validation_fraction", -0.1),
        ("validation_fraction", 1.0),
        ("validation_fraction", float("nan")),
        ("validation_fraction", float("inf")),
        ("sise", 16),
    ],
)
def test_out_of_bounds_and_unknown_keys_are_refused(key: str, value: object) -> None:
    with pytest.raises(ValidationError, match=key):
        from_yaml("photos_sample", **{key: value})


def test_a_source_refuses_the_keys_of_another() -> None:
    with pytest.raises(ValidationError, match="size"):
        from_yaml("patches_h5", path="file.h5", size=16)


def test_unknown_name_is_refused() -> None:
    with pytest.raises(ValidationError, match="photo_sample"):
        ADAPTER.validate_python({"name": "photo_sample"})


def test_configs_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        PhotosSample().seed = 1
