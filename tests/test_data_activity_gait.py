"""The simulator: what it promises of people, physics and difficulty."""

from typing import Any

import numpy as np
import pytest
from data_builders import samples

from duograd.data.dataset import Array, DataSet
from duograd.data.errors import DataError
from duograd.data.load import load
from duograd.data.sources.gait import Gait
from duograd.data.synthetic.gait import RATE, draw_crowd, simulate
from duograd.data.windows import ACTIVITIES

DOWNSTAIRS, JOGGING, SITTING, STANDING, UPSTAIRS, WALKING = range(6)


@pytest.fixture(scope="module")
def dataset() -> DataSet:
    return load(Gait())


def of(dataset: DataSet, activity: int) -> Array:
    return dataset.train.inputs[dataset.train.targets == activity]


def magnitude(windows: Array) -> Array:
    """(N, T): free of how the phone lies in the pocket."""
    length: Array = np.linalg.norm(windows, axis=2)
    return length


def cadence(windows: Array) -> Array:
    """The frequency (N,), above 1 Hz, that repeats strongest in each window: steps a second."""
    centred = magnitude(windows) - magnitude(windows).mean(axis=1, keepdims=True)
    power = np.abs(np.fft.rfft(centred, 1000, axis=1)) ** 2
    frequency = np.fft.rfftfreq(1000, 1 / RATE)
    cadence: Array = frequency[np.argmax(power * (frequency > 1.0) * (frequency < 3.5), axis=1)]
    return cadence


def test_it_says_that_it_is_synthetic(dataset: DataSet) -> None:
    assert dataset.synthetic
    assert dataset.source == "synthetic: a simulation of 40 people"
    assert (dataset.name, dataset.classes, dataset.units) == ("gait", ACTIVITIES, "g")
    assert dataset.gallery["windows"].shape == (6, 150, 3)


def test_sizes_and_balance(dataset: DataSet) -> None:
    for split, each in ((dataset.train, 500), (dataset.validation, 50), (dataset.test, 100)):
        assert split is not None
        assert split.targets is not None
        np.testing.assert_array_equal(np.bincount(split.targets), [each] * 6)
        assert split.inputs.shape == (6 * each, 150, 3)
        assert (split.inputs.dtype, split.targets.dtype) == (np.float32, np.int64)
        assert split.inputs.flags.c_contiguous


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_seed_decides_everything(dtype: str) -> None:
    first, again, other = (load(Gait(count=60, test_count=12, seed=seed), dtype) for seed in (1, 1, 2))
    assert first.train.inputs.dtype == np.dtype(dtype)
    for name in ("train", "validation", "test"):
        assert getattr(first, name).inputs.tobytes() == getattr(again, name).inputs.tobytes()
    assert first.digest == again.digest != other.digest


def test_a_split_does_not_change_with_the_size_of_another() -> None:
    small, large = load(Gait(count=60, test_count=12)), load(Gait(count=600, test_count=12))
    assert samples(small.test)[0].tobytes() == samples(large.test)[0].tobytes()


def test_people_are_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[set[int]] = []

    def watched(crowd: Any, whose: Any, *rest: Any) -> Any:
        seen.append(set(whose.tolist()))
        return simulate(crowd, whose, *rest)

    monkeypatch.setattr("duograd.data.sources.gait.simulate", watched)
    load(Gait(people=20, test_fraction=0.25))
    assert [len(people) for people in seen] == [13, 2, 5]
    assert set.union(*seen) == set(range(20))


def test_too_few_people() -> None:
    with pytest.raises(DataError, match="of 2 people, 1 for test and 1 for validation leave nobody for training"):
        load(Gait(people=2))
    alone = load(Gait(people=1, validation_fraction=0, test_fraction=0, count=12))
    assert (alone.validation, alone.test, len(alone.train)) == (None, None, 12)


def test_small_and_odd_sizes() -> None:
    odd = load(Gait(count=8, test_count=7, window=2, people=3))
    assert [len(samples(split)[0]) for split in (odd.train, odd.validation, odd.test)] == [8, 6, 7]


def test_gravity_is_1_g_at_rest(dataset: DataSet) -> None:
    for activity in (SITTING, STANDING):
        mean = of(dataset, activity).mean(axis=1)  # over time: noise averages out
        np.testing.assert_allclose(np.linalg.norm(mean, axis=1), 1, atol=0.03)
    assert np.abs(of(dataset, STANDING)[..., 1].mean()) > 0.8  # upright
    assert np.abs(of(dataset, SITTING)[..., 1].mean()) < 0.4  # the thigh is level


def test_cadence_and_force_are_those_of_people(dataset: DataSet) -> None:
    medians = {
        activity: np.median(cadence(of(dataset, activity))) for activity in (WALKING, UPSTAIRS, DOWNSTAIRS, JOGGING)
    }
    assert 1.7 <= medians[WALKING] <= 2.1
    assert 2.5 <= medians[JOGGING] <= 3.0
    assert 1.5 <= medians[UPSTAIRS] < medians[DOWNSTAIRS] < medians[WALKING]
    loud = [magnitude(of(dataset, activity)).std(axis=1).mean() for activity in range(6)]
    assert loud[JOGGING] > 2 * loud[WALKING]
    assert max(loud[SITTING], loud[STANDING]) < 0.1 < loud[UPSTAIRS]
    assert all(abs(magnitude(of(dataset, activity)).mean() - 1) < 0.25 for activity in range(6))  # nobody takes off


def test_noise_is_what_was_asked_for() -> None:
    rng = np.random.default_rng
    crowd, who, what = draw_crowd(3, rng(0)), np.arange(600) % 3, np.arange(600) % 6
    quiet, loud = (simulate(crowd, who, what, 50, noise, rng(1), np.dtype("float64")) for noise in (0.0, 0.2))
    assert (loud - quiet).std() == pytest.approx(0.2, rel=0.02)
    np.testing.assert_allclose(magnitude(quiet[what == STANDING]), 1, atol=0.05)


def test_a_crowd_is_a_crowd() -> None:
    crowd = draw_crowd(200, np.random.default_rng(0))
    assert np.median(crowd.style[:, WALKING, 0]) == pytest.approx(1.9, rel=0.03)
    assert 0.03 < crowd.style[:, WALKING, 0].std() / 1.9 < 0.08  # pace differs less …
    assert 0.12 < crowd.style[:, WALKING, 1].std() / 0.26 < 0.25  # … than force
    assert 70 < (crowd.turn[:, 1] > np.pi / 2).sum() < 130  # phones that show their back


def linear_accuracy(dataset: DataSet) -> float:
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    flat = {name: getattr(dataset, name).inputs.reshape(len(getattr(dataset, name)), -1) for name in ("train", "test")}
    scaler = StandardScaler().fit(flat["train"])
    model = LogisticRegression(C=0.01, max_iter=300).fit(scaler.transform(flat["train"]), dataset.train.targets)
    assert dataset.test is not None
    return float(model.score(scaler.transform(flat["test"]), dataset.test.targets))


def gru_confusion(dataset: DataSet, epochs: int, hidden_size: int = 64) -> Array:
    """Test confusion (6, 6), rows true, of torch's GRU and a softmax after so many epochs of Adam."""
    import torch

    torch.manual_seed(0)
    rng, threads = np.random.default_rng(0), torch.get_num_threads()
    torch.set_num_threads(1)
    gru, out = torch.nn.GRU(3, hidden_size, batch_first=True), torch.nn.Linear(hidden_size, 6)
    parameters = [*gru.parameters(), *out.parameters()]
    adam = torch.optim.Adam(parameters, lr=3e-3)
    x, y = torch.tensor(dataset.train.inputs), torch.tensor(dataset.train.targets)
    for _ in range(epochs):
        for batch in np.array_split(rng.permutation(len(x)), len(x) // 32):
            adam.zero_grad()
            torch.nn.functional.cross_entropy(out(gru(x[batch])[0][:, -1]), y[batch]).backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            adam.step()
    torch.set_num_threads(threads)
    with torch.no_grad():
        said = out(gru(torch.tensor(samples(dataset.test)[0]))[0][:, -1]).argmax(1).numpy()
    confusion = np.zeros((6, 6), int)
    assert dataset.test is not None
    np.add.at(confusion, (dataset.test.targets, said), 1)
    return confusion


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_learnable_but_not_trivial(seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    """docs/data-activity.md quotes this: `pytest -m slow tests/test_data_activity_gait.py -s`."""
    dataset = load(Gait(seed=seed))
    linear, confusion = linear_accuracy(dataset), gru_confusion(dataset, epochs=15)
    accuracy = np.trace(confusion) / confusion.sum()
    with capsys.disabled():
        print(f"\nseed {seed}: linear softmax {linear:.3f}, GRU-64 after 15 epochs {accuracy:.3f}\n{confusion}")
    assert linear < 0.6
    assert 0.75 < accuracy < 0.95
    moving = [DOWNSTAIRS, UPSTAIRS, WALKING]
    errors = confusion - np.diag(np.diag(confusion))
    assert errors[np.ix_(moving, moving)].sum() > 0.6 * errors.sum()  # stairs and walks are what it confuses
