"""task=table: real tables that scikit-learn ships, classes and values, with the figures that belong to them."""

import json

import numpy as np
import pytest

from duograd.data.dataset import Split
from duograd.data.errors import DataError
from duograd.data.splits import split_fairly
from duograd.data.targets import read_targets, recognise
from duograd.runner import build
from duograd.runner.compose import compose
from duograd.runner.errors import UserError
from duograd.runner.plots.figures.permutation_importance import importances
from duograd.runner.run import run
from duograd.runner.store.folders import RunFolder

SHAPES = {"wine": (178, 13, 3), "digits": (1797, 64, 10), "breast_cancer": (569, 30, 2), "diabetes": (442, 10, 0)}
CLASSES = ["accuracy_curve", "confusion_test_recall"]
VALUES = ["predicted_against_true", "r2_curve"]


@pytest.mark.parametrize("name", SHAPES)
def test_a_set_is_split_and_standardised_by_its_training_samples(name):
    loss = "squared_error" if name == "diabetes" else "cross_entropy"
    data = build.data_set(compose(["task=table", f"data.set={name}", f"loss={loss}", "dtype=float64"]))
    N, I, C = SHAPES[name]
    assert sum(map(len, data.splits.values())) == N
    assert data.train.inputs.shape[1] == I == len(data.columns)
    assert len(data.classes) == C
    assert len(data.splits["test"]) == pytest.approx(0.2 * N, abs=C or 1)
    std = data.train.inputs.std(axis=0)
    np.testing.assert_allclose(data.train.inputs.mean(axis=0)[std > 0.99], 0, atol=1e-12)
    np.testing.assert_allclose(std[std > 0.99], 1, rtol=1e-12)
    assert abs(data.splits["test"].inputs.mean()) > 1e-6
    if name == "diabetes":
        np.testing.assert_allclose(data.train.targets.mean(), 0, atol=1e-12)
        assert data.scales[0] == pytest.approx((152, 77), abs=8)


@pytest.mark.parametrize(("keys", "figures"), [([], CLASSES), (["data.set=diabetes", "loss=huber"], VALUES)])
def test_a_run_draws_what_belongs_to_its_targets(keys, figures, tmp_path):
    folder = RunFolder(tmp_path / "run")
    config = compose(["task=table", *keys, "preset=smoke", "tracking=none", "epochs=12"])
    assert run(config, folder, []) == 0
    drawn = {path.stem for path in folder.figures.iterdir()}
    assert drawn >= {"loss_curve", "permutation_importance", *figures}
    assert not drawn & {*CLASSES, *VALUES} - {*figures}
    assert "could not be drawn" not in folder.log.read_text()
    summary = json.loads(folder.summary.read_text())
    if figures == CLASSES:
        assert summary["metrics"]["test/accuracy"] > 0.9
        assert set(summary["importance"]) == set(build.data_set(config).columns)
    else:
        assert summary["metrics"]["test/r2"] > 0.3
        assert 40 < summary["rmse"]["test"]["progression"] < 70  # in the data's own units


def test_a_loss_for_other_targets_is_told_with_one_that_fits():
    with pytest.raises(UserError, match=r"are values: use loss=huber or loss=squared_error$"):
        compose(["task=table", "data.set=diabetes"])
    with pytest.raises(UserError, match=r"are classes: use loss=cross_entropy or loss=svm, or data.set=diabetes$"):
        compose(["task=table", "loss=huber"])


def test_what_the_network_looks_at_matters():
    """An engine that says the first column: shuffling it costs, the others not; inputs of one column move as one."""

    class First:
        def evaluate(self, batch):
            return {"loss": float(((batch.inputs[:, 0] - batch.targets) ** 2).mean())}

    x = np.random.default_rng(0).standard_normal((200, 3))
    rises = importances(First(), Split(x, x[:, 0]), ["word", "other", "word"], np.random.default_rng(1))
    assert list(rises) == ["word", "other"]
    assert rises["word"] == pytest.approx(2, abs=0.3)
    assert rises["other"] == 0


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (["a", "b"], "classes"),
        ([True, False], "classes"),
        ([0, 1, 2] * 5, "classes"),
        ([0, 1, 2], "values"),
        (list(range(100)), "values"),
        ([0.0, 1.0] * 20, "values"),
    ],
)
def test_the_kind_of_target_is_recognised(raw, kind):
    assert recognise(np.array(raw)) == kind


@pytest.mark.parametrize(
    ("raw", "kind", "message"),
    [
        (
            ["a", "b", "b"],
            None,
            "target y has one sample only of class a: give two at least, one to learn from and one",
        ),
        ([1, 1, 2], "classes", "or use data.target_kind=values"),
        (["a", "a"], None, "target y has one class only, 'a': give samples of two at least"),
        (["a", "b"], "values", "target y holds words such as 'a', no values: use data.target_kind=classes"),
        ([1.5, 1.5], None, "target y is the same in all 2 samples, there is nothing to learn"),
        ([1.0, np.nan], None, "target y has 1 value that is NaN or infinite as float64, the first at \\[1\\]"),
        ([[1, 2], [3, 4]], "classes", "give each sample one class, or use data.target_kind=values"),
    ],
)
def test_targets_that_teach_nothing_are_told(raw, kind, message):
    with pytest.raises(DataError, match=message):
        read_targets(np.array(raw), ["y"], kind)


def test_a_fair_split_leaves_a_sample_of_each_class_for_training():
    strata = np.repeat([0, 1, 2], [100, 10, 2])
    parts = split_fairly(strata, 0.2, 0.5, np.random.default_rng(0))
    assert sorted(np.concatenate(parts)) == list(range(112))
    assert [np.bincount(strata[part], minlength=3).tolist() for part in parts] == [[30, 3, 1], [20, 2, 0], [50, 5, 1]]
    with pytest.raises(DataError, match=r"data\.test_fraction=0.1 of 3 samples leaves none for test: choose another"):
        split_fairly(np.array([0, 1, 2]), 0, 0.1, np.random.default_rng(0))


def test_test_samples_do_not_change_with_the_validation_fraction():
    strata = np.arange(60) % 3
    tests = [split_fairly(strata, fraction, 0.2, np.random.default_rng(4))[2].tolist() for fraction in (0, 0.3)]
    assert tests[0] == tests[1]
