"""What the configurations of sources accept, and what they say otherwise."""

import pytest
from data_builders import from_yaml
from pydantic import ValidationError

from duograd.data.sources.photos import Photos
from duograd.data.sources.photos_sample import PhotosSample


@pytest.mark.parametrize(
    ("name", "keys", "line"),
    [
        ("photos", {"root": None}, "data=photos needs data.root=FOLDER, a folder of images"),
        ("photos", {"root": ""}, "data=photos needs data.root=FOLDER, a folder of images"),
        ("patches_h5", {"path": None}, "data=patches_h5 needs data.path=FILE, an HDF5 file of patches"),
        ("activity_h5", {}, "data=activity_h5 needs data.path=FILE, an HDF5 file of windows"),
        ("image_folder", {}, "data=image_folder needs data.root=DIR, a folder with one folder per class"),
        ("motionsense", {"sha256": "abc"}, "data.sha256 needs 64 hex digits, not 'abc'"),
        (
            "motionsense",
            {"url": "ftp://host/a.zip"},
            "data.url needs an address, http:// or https://, not 'ftp://host/a.zip'",
        ),
        (
            "motionsense",
            {"validation_people": [1, 4], "test_people": [2, 4]},
            "person 4 is in data.validation_people and in data.test_people: leave them in one of the two",
        ),
    ],
)
def test_a_fault_names_the_remedy(name: str, keys: dict[str, object], line: str) -> None:
    with pytest.raises(ValidationError) as caught:
        from_yaml(name, **keys)
    (error,) = caught.value.errors()
    assert str(error["ctx"]["error"]) == line
    assert len(keys) > 1 or not keys or error["loc"] == tuple(keys)


def test_place_is_also_asked_for_where_the_key_is_absent() -> None:
    with pytest.raises(ValidationError, match=r"data=photos needs data\.root=FOLDER"):
        Photos()


@pytest.mark.parametrize(
    ("name", "key", "values"),
    [
        ("photos_sample", "count", (0, 1_000_001, 10.0, True, "10")),
        ("photos_sample", "size", (1, 513)),
        ("photos_sample", "seed", (-1, 2**32)),
        ("photos_sample", "validation_fraction", (-0.1, 1.0, float("nan"), float("inf"))),
        ("photos_sample", "sise", (16,)),
        ("patches_h5", "size", (16,)),  # another source's
        ("motionsense", "window", (1,)),
        ("motionsense", "step", (0,)),
        ("motionsense", "balance", ("oversample",)),
        ("motionsense", "channels", ("gravity",)),
        ("motionsense", "people", ([],)),
        ("motionsense", "test_people", (["1"],)),
        ("motionsense", "test_fraction", (1.0,)),
        ("motionsense", "url", ("file:///data.zip",)),
        ("cifar10", "mean", ([0.5, 0.5], [0.5, 0.5, 128.0])),
        ("cifar10", "std", ([0.2, 0.0, 0.2], 0.2)),
        ("cifar10", "normalise", ("none",)),
        ("cifar10", "verify", (1,)),
        ("cifar10", "count", (0,)),
        ("cifar10", "validation_fraction", (1.0,)),
        ("cifar10", "augment", ({"crop": -1}, {"crop": 4, "flip": "yes"}, {"noise": 0.1})),
        ("shapes", "count", (9, None)),
        ("shapes", "size", (7,)),
        ("gait", "count", (5,)),
        ("gait", "test_count", (0,)),
        ("gait", "noise", (-0.1,)),
        ("gait", "people", (0,)),
        ("gait", "standardise", (1,)),
    ],
)
def test_out_of_bounds_and_unknown_keys_are_refused(name: str, key: str, values: tuple[object, ...]) -> None:
    for value in values:
        with pytest.raises(ValidationError, match=key):
            from_yaml(name, **{key: value})


def test_configs_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        PhotosSample().seed = 1
