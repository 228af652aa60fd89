"""Networks, losses, optimizers and data of a user's own, by their file."""

import numpy as np
import pytest
from own_builders import CHAIN, EXAMPLES, GAIT, fault, refused, train, write

from duograd.data.errors import DataError
from duograd.runner import build
from duograd.runner.commands.gradcheck import errors
from duograd.runner.compose import compose, compose_tree
from duograd.runner.errors import UserError
from duograd.runner.store.folders import RunFolder


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_signature_gives_keys_with_types_and_defaults(tmp_path):
    text = "from typing import Annotated, Literal\nfrom pydantic import Field\n" + CHAIN.replace(
        "width: int = 8", "width: Annotated[int, Field(ge=1)] = 8, kind: Literal['a', 'b'] = 'a', rates=(0.1, 1)"
    )
    write(tmp_path, "my_net.py", text)
    tree = compose_tree([*GAIT, "model=my_net.py", "model.width=5"]).model
    assert (tree.width, tree.kind, list(tree.rates), tree.init) == (5, "a", [0.1, 1], "torch")
    assert refused("model=my_net.py", "model.width=0").startswith("model.width=0: expected greater than or equal to 1")
    assert refused("model=my_net.py", "model.kind=c") == "model.kind=c: expected 'a' or 'b'"
    assert "did you mean 'model.width'?" in refused("model=my_net.py", "model.widht=3")
    assert refused("model=my_net.py", "model.width=wide") == "model.width=wide: expected a whole number"


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("model=gone.py", "gone.py does not exist: name a file of Python"),
        ("model=my_net.py:nett", "my_net.py:nett has no 'nett': did you mean 'net'? known: net"),
        ("loss=my_net.py", "my_net.py defines no loss: write a function of (outputs, targets, …)"),
        ("model=two.py", "two.py defines 2 of a kind, net, other: say which, two.py:net"),
        ("model=broken.py", "broken.py, line 1: "),
        ("model=clash.py", "net(torch=…): torch is a key of duograd's own"),
    ],
)
def test_what_is_no_code_of_the_kind_is_one_line(tmp_path, typed, reason):
    write(tmp_path, "my_net.py", CHAIN)
    write(tmp_path, "two.py", CHAIN + CHAIN.replace("def net", "def other"))
    write(tmp_path, "clash.py", CHAIN.replace("width: int", "torch: int = 1, width: int"))
    write(tmp_path, "broken.py", "def net(:\n")
    assert reason in refused(typed)


def test_a_yaml_of_the_users_names_a_file_and_changes_its_defaults(tmp_path):
    (tmp_path / "conf" / "model").mkdir(parents=True)
    write(tmp_path / "conf", "my_net.py", CHAIN)
    write(tmp_path / "conf" / "model", "small.yaml", "{file: my_net.py, width: 3}")
    tree = compose_tree([*GAIT, f"hydra.searchpath=[file://{tmp_path}/conf]", "model=small"]).model
    assert (tree.name, tree.width, tree.file) == ("small", 3, str(tmp_path / "conf" / "my_net.py"))


def test_an_installed_package_brings_a_network_without_a_yaml(tmp_path, monkeypatch, installed):
    write(tmp_path, "theirs.py", CHAIN)
    monkeypatch.syspath_prepend(tmp_path)
    import hydra_plugins.duograd_own as door

    installed("duograd.families", plain="theirs:net")
    monkeypatch.setattr(door, "installed_names", lambda group: ["plain"] if group == "duograd.families" else [])
    tree = compose_tree([*GAIT, "model=plain", "model.width=4"]).model
    assert (tree.family, tree.width) == ("plain", 4)
    assert train(tmp_path / "run", "model=plain", "model.width=4")["model"] == "plain"


def test_rates_are_the_files_else_the_optimizers_own_and_that_is_said(tmp_path):
    write(tmp_path, "rated.py", CHAIN + "RATES = {'adam': 0.02}\n")
    assert compose([*GAIT, "model=rated.py", "optimizer=adam"]).optimizer.lr == 0.02
    train(tmp_path / "run", "model=rated.py", "optimizer=nesterov")
    said = RunFolder(tmp_path / "run").read_identity()["code_notes"]
    assert said == ["optimizer.lr=0.1 is nesterov's own: no table of rates has rated with nesterov in task=activity"]
    (tmp_path / "deep").mkdir()
    write(tmp_path / "deep", "rated.py", CHAIN + "RATES = {'adam': 0.02}\n")
    assert compose([*GAIT, "model=deep/rated.py", "optimizer=adam"]).optimizer.lr == 0.02
    lion = compose([*GAIT, "model=gru", f"optimizer={EXAMPLES}/optimizer.py"]).optimizer
    assert (lion.lr, lion.clip_value) == (3e-4, 0.46875), "its own rate, with what the table says of every column"


def test_a_chain_has_its_parameters_drawn_by_scheme_and_is_its_sequential_twin(tmp_path):
    write(tmp_path, "my_net.py", CHAIN)
    net = build.numpy_engine(config := compose([*GAIT, "model=my_net.py", "model.init=xavier_uniform"]), _data(config))
    weight = net.params()["1.weight"]
    assert np.abs(weight).max() <= np.sqrt(6 / sum(weight.shape)) < np.abs(weight).max() * 1.2
    assert not net.params()["3.bias"].any()


def _data(config):
    return build.data_set(config)


@pytest.mark.parametrize(
    ("layer", "line"),
    [
        (
            "lambda x, W, b: affine(x, W, b, needs_dx=False)",
            "its backward gives no dx, which layer 2 needs",
        ),
        (
            "lambda x, W, b: (x @ W.T, lambda dy: dy @ W)",
            "its backward gives no gradient of weight, bias",
        ),
    ],
)
def test_what_a_backward_leaves_out_is_named(layer, line, tmp_path):
    write(tmp_path, "my_net.py", CHAIN.replace("Layer(affine, weight=(outputs", f"Layer({layer}, weight=(outputs"))
    with pytest.raises(UserError) as caught:
        train(tmp_path / "run", "model=my_net.py")
    assert f"layer 3, <lambda>: {line}" in str(caught.value)


CNN = """
from functools import partial

import duograd
from duograd.models.chain import flatten
from duograd.models.layers.conv import conv2d
from duograd.models.layers.dense import affine, relu


def net(shape, outputs, filters: int = 2):
    C, H, W = shape
    return duograd.Chain([
        duograd.Layer(partial(conv2d, padding=1), weight=(filters, C, 3, 3), bias=(filters,)),
        relu,
        flatten,
        duograd.Layer(affine, weight=(outputs, filters * H * W), bias=(outputs,)),
    ])


def torch_sequential(shape, outputs, filters):
    from torch import nn

    C, H, W = shape
    conv, linear = nn.Conv2d(C, filters, 3, padding=1), nn.Linear(filters * H * W, outputs)
    return nn.Sequential(conv, nn.ReLU(), nn.Flatten(), linear)
"""


def test_layers_of_ours_with_options_make_a_chain_for_images_and_model_torch_names_its_twin(tmp_path):
    write(tmp_path, "cnn.py", CNN)
    small = ["task=cnn", "data=shapes", "data.count=40", "data.test_count=20", "data.size=8"]
    numerical, autograd = errors([*small, "model=cnn.py", "model.torch=torch_sequential"])
    assert max(numerical.values()) < 1e-6
    assert max(autograd.values()) < 1e-9  # float64, the same arithmetic


@pytest.mark.parametrize(
    "typed",
    [
        ["model={}/net.py"],
        ["model=gru", "model.hidden_size=4", "loss={}/loss.py"],
        ["model={}/protocol.py"],
    ],
    ids=["net", "loss", "protocol"],
)
def test_gradients_of_the_examples_are_right(typed):
    numerical, autograd = errors([*GAIT, *(text.format(EXAMPLES) for text in typed)])
    assert max(numerical.values()) < 1e-6
    assert bool(autograd) == ("protocol" not in typed[0])
    assert max(autograd.values(), default=0) < 1e-9  # float64, the same arithmetic


def test_twins_take_the_same_steps(tmp_path):
    typed = [f"model={EXAMPLES}/net.py", f"loss={EXAMPLES}/loss.py", f"optimizer={EXAMPLES}/optimizer.py"]
    for name in ("numpy", "torch"):
        train(tmp_path / name, *typed, "dtype=float64", f"backend={name}", "check_gradient=false")
    losses = [RunFolder(tmp_path / name).history()["train/loss"] for name in ("numpy", "torch")]
    np.testing.assert_allclose(*losses, rtol=1e-9)  # float64: sums in another order


def test_a_module_alone_trains_in_torch_alone(tmp_path):
    model = f"model={EXAMPLES}/module.py"
    train(tmp_path / "a", model, "backend=torch")
    train(tmp_path / "b", model, "backend=torch")
    digests = [(tmp_path / name / "best.safetensors").read_bytes() for name in "ab"]
    assert digests[0] == digests[1], "what is random in it follows from seed and step"
    assert fault(tmp_path, model) == "module.py has no network by hand, only one in torch: use backend=torch"


def test_own_data_is_split_or_comes_split(tmp_path):
    (tmp_path / "walk.csv").write_text("x,activity\n" + "".join(f"{i},{'ab'[i // 60]}\n" for i in range(120)))
    write(tmp_path, "my_data.py", (EXAMPLES / "data.py").read_text())
    windows = [*GAIT[:1], "data=my_data.py:windows", "data.path=walk.csv", "data.window=10", "data.step=5"]
    data = _data(compose(windows))
    assert (data.classes, data.train.inputs.shape[1:]) == (("a", "b"), (10, 1))
    assert data.validation is not None
    write(
        tmp_path,
        "apart.py",
        "import numpy as np\n\n\ndef apart(n: int):\n    x, y = np.arange(3.0 * n).reshape(n, 3), np.arange(n) % 2\n"
        "    return {'train': (x, y), 'test': (x[:4], y[:4])}\n",
    )
    apart = _data(compose(["task=table", "data=apart.py", "data.n=40"]))
    assert (len(apart.train), apart.validation, len(apart.test)) == (40, None, 4)
    fold = ["data.fold=0", "data.folds=4"]
    assert len(_data(compose([*windows, *fold])).validation) < len(data.validation) + len(data.test)
    with pytest.raises(DataError, match=r"data.fold=0: apart.py gives splits of its own"):
        _data(compose(["task=table", "data=apart.py", "data.n=40", *fold]))
    with pytest.raises(UserError, match=r"^data.n is not set: add data.n=VALUE$"):
        compose(["task=table", "data=apart.py"])


def test_a_network_says_which_samples_it_takes(tmp_path):
    write(tmp_path, "my_net.py", CHAIN + "INPUTS = ('images',)\n")
    assert refused("model=my_net.py").startswith("model=my_net.py is for task=cnn, not for task=activity; ")
