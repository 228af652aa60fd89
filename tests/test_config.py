"""Configuration: every option composes, defaults are the report's, and every fault is one line with a remedy."""

from pathlib import Path

import pytest
import yaml
from faults import fault_of

from duograd.runner.compose import compose
from duograd.runner.config import dump
from duograd.runner.errors import UserError
from duograd.runner.validate import validate_plain

CONF = Path(__file__).parents[1] / "conf"
GROUPS = ("data", "model", "loss", "optimizer", "backend", "tracking", "task")
OPTIMIZERS = sorted(path.stem for path in (CONF / "optimizer").glob("*.yaml"))


def test_the_defaults_are_the_reports_chosen_setting():
    config = compose(["task=autoencoder"])
    assert (config.model.hidden_size, config.model.init, config.seed) == (64, "report", 1500)
    assert (config.loss.lambda_, config.loss.beta, config.loss.rho) == (5e-4, 0.1, 0.05)
    assert (config.optimizer.name, config.optimizer.lr, config.optimizer.momentum) == ("sgd", 0.9, 0.0)
    assert (config.schedule.name, config.schedule.gamma, config.schedule.every) == ("exponential", 0.9999, "epoch")
    assert (config.batch_size, config.epochs) == (None, 5000)
    assert config.data.name == "photos_sample"


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_only_sgds_rate_decays_unless_asked(optimizer):
    assert (compose([f"optimizer={optimizer}"]).schedule.name == "exponential") == (optimizer == "sgd")


@pytest.mark.parametrize("path", [p for g in GROUPS for p in sorted((CONF / g).glob("*.yaml"))], ids=lambda p: p.stem)
def test_an_options_name_is_its_files(path):
    content = yaml.safe_load(path.read_text())
    name = content["task"]["name"] if path.parent.name == "task" else content["name"]
    assert name == path.stem


def test_a_dumped_configuration_is_itself():
    config = compose(["loss.lambda=1e-5", "optimizer=adam", "early_stopping.patience=3"])
    assert validate_plain(yaml.safe_load(yaml.safe_dump(dump(config)))) == config


def test_zero_is_a_number_like_any_other():
    assert compose(["loss.lambda=0"]).loss.lambda_ == 0.0


FAULTS = {
    "task=autoencodr": "unknown task 'autoencodr': did you mean 'autoencoder'?",
    "optimizer=admam": "unknown optimizer 'admam': did you mean 'adam'? known: adagrad, adam,",
    "backend=jax": "unknown backend 'jax': known: numpy, torch",
    "preset=smok": "unknown preset 'smok': did you mean 'smoke'?",
    "modle=x": "unknown key 'modle': did you mean 'model'?",
    "+modle=x": "unknown key 'modle': did you mean 'model'?",
    "model.L_hid=3": "unknown key 'model.L_hid': did you mean 'model.hidden_size'?",
    "+model.L_hid=3": "unknown key 'model.L_hid': did you mean 'model.hidden_size'?",
    "optimizer.eta=0.1": "unknown key 'optimizer.eta': did you mean 'optimizer.lr'?",
    "+optimizer.alpha=0.1": "unknown key 'optimizer.alpha': did you mean 'optimizer.momentum'?",
    "+early_stopping.patiense=3": "unknown key 'early_stopping.patiense': did you mean 'early_stopping.patience'?",
    "epoch=3": "unknown key 'epoch': did you mean 'epochs'?",
    "seed=abc": "seed=abc: expected a whole number",
    "epochs=0": "epochs=0: expected greater than or equal to 1",
    "epochs=1e3": "epochs=1000.0: expected a whole number",
    "model.hidden_size=0": "model.hidden_size=0: expected greater than or equal to 1",
    "model.hidden_size=1.5": "model.hidden_size=1.5: expected a whole number",
    "model.hidden_activation=swish": "model.hidden_activation=swish: expected 'sigmoid', 'tanh' or 'relu'",
    "loss.lambda=-1": "loss.lambda=-1: expected greater than or equal to 0",
    "loss.lambda=lots": "loss.lambda=lots: expected a number",
    "loss.rho=1": "loss.rho=1: expected less than 1",
    "loss.beta=inf": "loss.beta=inf: expected a finite number",
    "optimizer.nesterov=1": "optimizer.nesterov=1: expected true or false",
    "optimizer.nesterov=true": "nesterov=true needs momentum > 0",
    "device=cuda": "device=cuda needs backend=torch",
    "dtype=float16": "dtype=float16: expected 'float32' or 'float64'",
    "early_stopping.gap=1": "early_stopping.gap needs a validation split, such as data.validation_fraction=0.1",
    "model.hidden_activation=relu": "model.hidden_activation=relu does not go with loss.beta=0.1",
    "data=patches_h5": "data=patches_h5 needs data.path=FILE",
    "task.figures=[loss_curv]": "unknown figure 'loss_curv': did you mean 'loss_curve'?",
    "task.frames=[unknown]": "unknown figure 'unknown': known: accuracy_curve,",
    "loss.name=spars": "unknown loss.name 'spars': did you mean 'sparse'?",
    "optimizer.rule=3": "optimizer.rule=3: expected a string",
    "schedule=cosine": "schedule=cosine: did you mean schedule.name=cosine? it is set by its keys: schedule.name, ",
    "schedule=cosin": "schedule=cosin: did you mean schedule.name=cosine? it is set by its keys: schedule.name, ",
    "schedule.name=cosin": "schedule.name=cosin: did you mean schedule.name=cosine? expected 'constant', ",
    "schedule.name=sudden": "schedule.name=sudden: expected 'constant', ",
    "early_stopping=3": "early_stopping=3: did you mean early_stopping.patience=3? it is set by its keys: early_st",
    "schedule=3": "schedule=3: it is set by its keys: schedule.name, schedule.gamma, ",
    "schedule=[1]": "schedule: expected no list, but its keys",
    "hydra.launcher.tls=maybe": "hydra.launcher.tls=maybe: expected true or false",
    "hydra.launcher.stak=4": "unknown key 'hydra.launcher.stak': did you mean 'hydra.launcher.stack'? known: account,",
    "hydra.launcher.stack=four": "hydra.launcher.stack=four: expected a whole number",
    "hydra.sweeper.n_trials=3": "unknown key 'hydra.sweeper.n_trials': it is of hydra/sweeper=optuna",
    "hydra.launchr.stack=4": "unknown key 'hydra.launchr': did you mean 'hydra.launcher'?",
    "foo": "cannot read 'foo'",
}


@pytest.mark.parametrize("override", FAULTS)
def test_a_fault_is_one_line_with_a_remedy(override):
    assert fault_of(compose, [override]).startswith(FAULTS[override])


def test_all_faults_are_told_at_once():
    with pytest.raises(UserError, match=r"seed=-1.*; .*epochs=0"):
        compose(["seed=-1", "epochs=0"])


def test_lbfgs_takes_no_mini_batches():
    with pytest.raises(UserError, match="batch_size=32 does not go with optimizer=lbfgs"):
        compose(["optimizer=lbfgs", "batch_size=32"])


@pytest.mark.parametrize("experiment", sorted(path.stem for path in (CONF / "experiment").glob("*.yaml")))
def test_every_experiment_composes(experiment):
    config = compose([f"experiment={experiment}"])
    assert validate_plain(yaml.safe_load(yaml.safe_dump(dump(config)))) == config


@pytest.mark.parametrize("task", ["autoencoder", "activity", "cnn", "table"])
def test_smoke_is_offline_and_short_for_every_task(task):
    config = compose([f"task={task}", "preset=smoke"])
    assert config.data.name in ("photos_sample", "gait", "shapes", "sklearn")
    assert config.epochs <= 3


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["task=activity", "data=photos_sample"],
            "data=photos_sample is for task=autoencoder, not for task=activity; task=activity has data=act",
        ),
        (
            ["task=activity", "loss=sparse"],
            "loss=sparse does not go with model=gru in task=activity: use loss=cross_entropy or loss=svm",
        ),
        (["task=activity", "monitor=val/acuracy"], "unknown monitor 'val/acuracy': did you mean 'val/accuracy'?"),
        (["task=autoencoder", "monitor=val/loss"], "monitor=val/loss needs a validation split"),
        (["task=activity", "model=lstm", "model.reset_after=true"], "reset_after=true is for cell=gru"),
        (["task=activity", "model.dropout=0.5"], "dropout=0.5 has no place"),
    ],
)
def test_what_does_not_go_together_is_told(overrides, message):
    assert fault_of(compose, overrides).startswith(message)
