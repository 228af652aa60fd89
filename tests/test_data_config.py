"""What the data configs accept, and what they say otherwise."""

import pytest
from data_builders import from_yaml
from pydantic import ValidationError

from duograd.data.sources.photos import Photos
from duograd.data.sources.photos_sample import PhotosSample


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
    assert error["loc"] == (key,)


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


def test_configs_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        PhotosSample().seed = 1
