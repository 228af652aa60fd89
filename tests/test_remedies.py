"""A remedy that is printed works when it is pasted: what names an override or a command says all that it needs."""

import shlex

import h5py
import numpy as np
import pytest
from PIL import Image

from duograd.data.errors import DataError
from duograd.runner import build
from duograd.runner.compose import compose
from duograd.runner.errors import UserError


def photos(folder):
    (folder / "my photos").mkdir()
    for name, side in (("a", 9), ("b", 12)):
        Image.effect_noise((side, side + 1), 50).save(folder / "my photos" / f"{name}.png")


def classes(folder):
    for name, side in (("cats", 9), ("dogs", 12)):
        (folder / "images" / name).mkdir(parents=True)
        for k in range(10):
            Image.effect_noise((side, side), 50).save(folder / "images" / name / f"{k}.png")


def column(name, values):
    def write(folder):
        rows = "".join(f"{k},{value},{k % 2}\n" for k, value in enumerate(values))
        (folder / "t.csv").write_text(f"n,{name},kind\n{rows}")

    return write


def two_columns(folder):
    rows = "".join(f"{k},2020-01-01,2020-01-01,{k % 2}\n" for k in range(20))
    (folder / "t.csv").write_text(f"n,born on,died,kind\n{rows}")


def hdf5(folder):
    with h5py.File(folder / "p.h5", "w") as file:
        file["data"] = np.random.default_rng(0).random((50, 3, 6, 6))


def nothing(folder):
    pass


TABLE = ["task=table", "data=table", "data.path=t.csv", "data.target=kind"]
VALUES = ["task=table", "data=table", "data.path=t.csv", "data.target=x"]
CNN = ["task=cnn", "data=shapes", "preset=smoke"]
DATES = [f"2020-01-{1 + k}" for k in range(20)]
REFUSED = [  # what there is, what was typed, and what the refusal has to paste
    (nothing, ["batch_size=10", "optimizer=lbfgs"], ["batch_size=null"]),
    (nothing, ["backend=torch", "backend.autocast=bfloat16", "dtype=float64"], ["dtype=float32"]),
    (nothing, ["monitor=val/loss"], ["data.validation_fraction=0.1"]),
    (nothing, ["early_stopping.gap=1"], ["data.validation_fraction=0.1"]),
    (nothing, ["model.hidden_activation=relu"], ["loss.beta=0"]),
    (nothing, ["task=activity", "data=gait", "loss=squared_error"], ["loss=cross_entropy"]),
    (nothing, ["task=activity", "data=gait", "model.dropout=0.5"], ["model.dense=[64]", "model.num_layers=2"]),
    (nothing, [*CNN, "model.norm=group"], ["model.groups=2"]),
    (nothing, [*CNN, "model.groups=2"], ["model.groups=null"]),
    (nothing, [*CNN, "model.init=normal", "model.weight_scale=null"], ["model.weight_scale=0.01"]),
    (nothing, [*CNN, "model.init=torch", "model.weight_scale=1"], ["model.weight_scale=null"]),
    (nothing, [*CNN, "model.channels=[]", "model.global_pool=true"], ["model.channels=[16,32]"]),
    (nothing, [*CNN, "model.dense=[]", "model.dense_dropout=0.5"], ["model.dense=[128]"]),
    (photos, ["data=photos", "data.root=my photos", "data.size=10"], ["data.size=9"]),
    (photos, ["data=photos", "data.root=my photos/a.png", "data.size=4"], ["\"data.root='my photos'\""]),
    (classes, ["task=cnn", "data=image_folder", "data.root=images", "data.size=null"], ["data.size=9"]),
    (column("day", DATES), TABLE, ["data.drop=[day]"]),
    (column("born on (day)", DATES), TABLE, ["\"data.drop=['born on (day)']\""]),
    (column("null", DATES), TABLE, ["\"data.drop=['null']\""]),
    (column('"it\'s ""due"" $5"', DATES), TABLE, [r"""'data.drop=['"'"'it\'"'"'s "due" $5'"'"']'"""]),
    (two_columns, [*TABLE, "data.drop=[died]"], ["\"data.drop=['died','born on']\""]),
    (column("x", ["", *range(19)]), TABLE, ["data.drop=[x]"]),
    (column("x", ["inf", *range(19)]), TABLE, ["data.drop=[x]"]),
    (column("x", [f"word {k}" for k in range(70)]), TABLE, ["data.drop=[x]"]),
    (column("x", range(40)), [*VALUES, "loss=cross_entropy"], ["loss=huber", "loss=squared_error"]),
    (hdf5, ["data=patches_h5", "data.path=p.h5", "data.count=80"], ["data.count=50"]),
    (nothing, [*CNN, "model.channels=4,8"], ["'model.channels=[4,8]'"]),
]


def refusal(typed):
    """What a run of these overrides is refused with before it begins; "" where it is not."""
    try:
        config = compose(typed)
        data = build.data_set(config)
        build.engine(config, data)
        build.plan(config, data)
    except (UserError, DataError) as error:
        return str(error)
    return ""


def key(override):
    return override.partition("=")[0]


@pytest.mark.parametrize(("given", "typed", "printed"), REFUSED, ids=[" ".join(typed)[-50:] for _, typed, _ in REFUSED])
def test_an_override_that_a_refusal_names_lets_the_run_begin(given, typed, printed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given(tmp_path)
    message = refusal(typed)
    for remedy in printed:
        assert remedy in message
        [pasted] = shlex.split(remedy)
        assert refusal([*(other for other in typed if key(other) != key(pasted)), pasted]) == ""
