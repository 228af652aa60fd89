"""Every model variant of conf/model, found there: its gradient, its twin, a whole run. A new YAML is tested unasked."""

import json

import numpy as np
import pytest
import yaml
from builders import CONF, task_of
from safetensors.numpy import load_file

from duograd.runner import build
from duograd.runner.commands.gradcheck import CEILING, errors
from duograd.runner.compose import compose
from duograd.runner.run import run
from duograd.runner.store.folders import RunFolder

MODELS = sorted(path.stem for path in (CONF / "model").glob("*.yaml"))
SMALL = {
    "autoencoder": ["data.count=60", "data.size=4", "model.hidden_size=5"],
    "activity": ["data.count=36", "data.test_count=24", "data.window=9", "model.hidden_size=5"],
    "cnn": ["data.count=20", "data.test_count=10", "data.size=8", "batch_size=10"],
    "table": ["model.dense=[6]"],
}
SMALLER = {"transformer": ["model.hidden_size=8", "model.feed_forward=6"]}  # families whose sizes are others


def family(model: str) -> str:
    """The family of a model, which may stand in the YAML that it starts from."""
    tree = yaml.safe_load((CONF / "model" / f"{model}.yaml").read_text())
    return tree.get("family") or family(tree["defaults"][0])


def small(model: str, *overrides: str) -> list[str]:
    """The variant at its smallest, on offline data."""
    task = task_of(model)
    sizes = [*SMALL[task], *SMALLER.get(family(model), [])]
    return [f"task={task}", f"model={model}", "preset=smoke", "tracking=none", *sizes, *overrides]


@pytest.mark.parametrize("model", MODELS)
def test_gradient_against_differences_and_autograd(model):
    numerical, autograd = errors(small(model))
    assert max(numerical.values()) < CEILING, numerical
    assert max(autograd.values()) < (CEILING if family(model) == "convnet" else 1e-12), autograd


SIBLINGS = ("challenge_dropout", "conv_conv_pool", "convnet_5x5_3x3", "preactivation", "rnn_dense1", "rnn_dense2")
SIBLINGS = (*SIBLINGS, "gru_dense1", "lstm_dense1", "two_layer_fc")  # whose code others run as well, with other numbers


def slow_sibling(model: str) -> object:
    return pytest.param(model, marks=pytest.mark.slow if model in SIBLINGS else ())


@pytest.fixture(scope="module", params=map(slow_sibling, MODELS))
def finished(request, tmp_path_factory):
    """The overrides of a variant's small run, and its folder by backend: made once for those that look at it."""
    overrides, root = small(request.param, "dtype=float64", "epochs=6"), tmp_path_factory.mktemp(request.param)
    folders = {backend: RunFolder(root / backend) for backend in ("numpy", "torch")}
    for backend, folder in folders.items():
        drawn = [] if backend == "numpy" else ["task.figures=[loss_curve]"]  # by the same code
        assert run(compose([*overrides, f"backend={backend}", *drawn]), folder, []) == 0
    return overrides, folders


def test_a_whole_run_is_the_same_in_both_backends(finished):
    """The same start, the same batches, the same end; pictures and reports are drawn."""
    ends = {}
    for backend, folder in finished[1].items():
        ends[backend] = json.loads(folder.summary.read_text())["metrics"], load_file(folder.best)
        assert {path.stem for path in folder.figures.iterdir()} >= {"loss_curve"}
    assert ends["numpy"][0] == pytest.approx(ends["torch"][0], rel=1e-8)
    for name, w in ends["numpy"][1].items():
        np.testing.assert_allclose(w, ends["torch"][1][name], rtol=0, atol=1e-9)


def test_a_checkpoint_of_one_backend_is_evaluated_alike_in_the_other(finished):
    overrides, folders = finished
    config = compose(overrides)
    data = build.data_set(config)
    by_hand, autograd = build.numpy_engine(config, data), build.torch_engine(config, data)
    state = load_file(folders["numpy"].checkpoint)
    for engine in (by_hand, autograd):
        engine.load(state)
    batch = data.train.batch()
    terms, twin = by_hand.evaluate(batch), autograd.evaluate(batch)
    assert {k: float(v) for k, v in terms.items()} == pytest.approx({k: float(v) for k, v in twin.items()}, rel=1e-12)
    np.testing.assert_allclose(by_hand.predict(batch.inputs), autograd.predict(batch.inputs), rtol=1e-10, atol=1e-12)
