"""Runs that are killed at random moments and gone on with: do they end in the bytes of an undisturbed one?

`python tests/killing.py --count 200 --signals 30 --sweeps 10` prints the count. Each run is a process of its own,
forked from this one, which has imported everything and trained nothing; it is killed by SIGKILL up to three times:
while it starts, trains, writes, draws, or is resumed. Of --signals, by Ctrl-C or SIGTERM instead, which it hears.
A sweep is what is typed, and is killed with all its workers.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import matplotlib.backends.backend_agg
import matplotlib.figure

from duograd.runner import cli, drawing, plots
from duograd.runner.commands import resume
from duograd.runner.compose import compose
from duograd.runner.config import RunConfig
from duograd.runner.run import run
from duograd.runner.store import files
from duograd.runner.store.folders import RunFolder

IMPORTED = (matplotlib, drawing, plots)  # before the first fork
BYTES = ("metrics.jsonl", "steps.jsonl", "checkpoint.safetensors", "best.safetensors")
ALWAYS = ["tracking=none", "checkpoint.every_seconds=0.02"]
PATCHES = ["data.count=150", "data.size=5", "model.hidden_size=9", "data.validation_fraction=0.2"]
SMOKE = ["preset=smoke", "data.count=60", "data.test_count=20"]
KINDS = {
    "full batch": [*PATCHES, "epochs=60"],
    "l-bfgs": [*PATCHES, "epochs=20", "optimizer=lbfgs"],
    "mini-batches": [*PATCHES, "epochs=12", "batch_size=20", "optimizer=adam"],
    "early stopping": [*PATCHES, "epochs=500", "batch_size=30", "early_stopping.patience=2", "optimizer.lr=2"],
    "lstm": ["task=activity", "data=gait", *SMOKE, "model=lstm", "epochs=4", "batch_size=16", "data.window=20"],
    "convnet, augmented": [
        *("task=cnn", "data=shapes", *SMOKE, "model=challenge_dropout", "epochs=3", "batch_size=16"),
        *("data.size=16", "data.augment.flip=true", "data.augment.crop=2"),
    ],
    "table": ["task=table", "data=sklearn", "data.set=wine", "epochs=15", "batch_size=16"],
    "table, full batch": ["task=table", "data=sklearn", "data.set=wine", "epochs=60", "batch_size=null"],
}
HEARD = (signal.SIGINT, signal.SIGTERM)

SWEEP = ["task=autoencoder", *ALWAYS, *KINDS["mini-batches"], "model.hidden_size=5,6,7", "sweep.answer=false"]


def child(work: Callable[[], int]) -> int:
    """The process that does the work, in silence; its exit code is the work's, as the command line would have it."""
    if pid := os.fork():
        return pid
    code = 70
    try:
        with open(os.devnull, "w") as nowhere:  # noqa: PTH123
            os.dup2(nowhere.fileno(), 1)
            os.dup2(nowhere.fileno(), 2)
            code = cli.exit_code(work)
    finally:
        os._exit(code)


def killed(pid: int, signum: int, seconds: float, folder: RunFolder | None = None) -> int | None:
    """Sends a signal after so long; the exit code where the process had ended by then, or did not die of it.

    folder: where a write is waited for then, to be killed in its middle.
    """
    moment = time.monotonic() + seconds
    while time.monotonic() < moment or (folder and not any(folder.path.glob(files.TEMPORARY))):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() < moment:
            time.sleep(0.001)
    os.kill(pid, signum)
    code = waited_for(pid)
    return None if code in (-signum, 128 + signum) else code


def waited_for(pid: int) -> int:
    """The exit code of a process, however long it takes."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def begun_or_resumed(config: RunConfig, folder: RunFolder) -> Callable[[], int]:
    """What a person would type: the command again where nothing had begun, else resume."""
    if folder.config.exists():
        return lambda: resume.main([str(folder.path)])
    return lambda: run(config, folder, [])


def moment(folder: RunFolder, since: int) -> str:
    """What a run was doing when it was killed. since: how long its log was when this process of it began."""
    if any(folder.path.glob(files.TEMPORARY)):
        return "writing"
    if since and b"resumed after" not in folder.log.read_bytes()[since:]:
        return "resuming"
    if not folder.config.exists() or not folder.metrics.exists() or not folder.metrics.stat().st_size:
        return "starting"
    summary = folder.read_summary()
    return "training" if not summary else "drawing" if summary.get("drawing") else "ended"


def left(folder: RunFolder) -> dict[str, object]:
    """What must not depend on kills: bytes, metrics, and which pictures there are."""
    content: dict[str, object] = {
        name: (folder.path / name).read_bytes() for name in BYTES if (folder.path / name).exists()
    }
    summary = folder.read_summary()
    content |= {key: summary.get(key) for key in ("status", "metrics", "epochs", "steps", "best", "stopped_by")}
    pictures = (path for path in folder.path.rglob("*.png"))
    return content | {"pictures": sorted(str(path.relative_to(folder.path)) for path in pictures)}


class Campaign:
    """Kills runs of every kind; undisturbed ones are made once each."""

    def __init__(self, root: Path, seed: int) -> None:
        self.root, self.rng = root, random.Random(seed)
        self.calm: dict[str, tuple[RunConfig, dict[str, object], float]] = {}
        self.moments: Counter[str] = Counter()
        self.sweep_seconds = 0.0

    def undisturbed(self, kind: str) -> tuple[RunConfig, dict[str, object], float]:
        if kind not in self.calm:
            config, folder = compose([*ALWAYS, *KINDS[kind]]), RunFolder(self.root / kind)
            started = time.monotonic()
            assert waited_for(child(lambda: run(config, folder, []))) == 0, (_log(folder), kind)
            self.calm[kind] = config, left(folder), time.monotonic() - started
        return self.calm[kind]

    def trial(self, number: int, signals: Sequence[int] = (signal.SIGKILL,)) -> str | None:
        """One run, killed and gone on with to its end; what is not as it should be."""
        kind = list(KINDS)[number % len(KINDS)]
        config, expected, seconds = self.undisturbed(kind)
        folder = RunFolder(self.root / f"{number}")
        for _ in range(self.rng.randint(1, 3)):
            since = folder.log.stat().st_size if folder.log.exists() else 0
            when = self.rng.uniform(0, 1.05 * seconds)
            write = folder if self.rng.random() < 0.25 else None
            code = killed(child(begun_or_resumed(config, folder)), self.rng.choice(signals), when, write)
            if code is None:
                self.moments[moment(folder, since)] += 1
            elif code != 0:
                return f"{kind}: exit code {code}: {_log(folder)}"
        if (code := waited_for(child(begun_or_resumed(config, folder)))) != 0:
            return f"{kind}: exit code {code} at the end: {_log(folder)}"
        found = left(folder)
        shutil.rmtree(folder.path)
        drawn = signals == (signal.SIGKILL,)  # a signal that is heard while drawing leaves out the rest
        wrong = [key for key in expected if found.get(key) != expected[key] and (drawn or key != "pictures")]
        return f"{kind}: {', '.join(wrong)} are others" if wrong else None

    def signalled(self, number: int) -> str | None:
        """The same of a run that hears what ends it."""
        return self.trial(number, HEARD)

    def sweep(self, number: int) -> str | None:
        """The same of a sweep of three jobs."""
        calm, folder = self.root / "sweep", self.root / f"sweep {number}"
        if not calm.exists():
            started = time.monotonic()
            assert typed(calm).wait() == 0
            self.sweep_seconds = time.monotonic() - started
        for _ in range(self.rng.randint(1, 2)):
            process = typed(folder)
            with suppress(subprocess.TimeoutExpired):
                process.wait(self.rng.uniform(0, self.sweep_seconds))
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                self.moments["sweeping"] += 1
            process.wait()
        if code := typed(folder).wait():
            return f"sweep: exit code {code} at the end"
        jobs = [path.relative_to(calm) for path in calm.rglob("*") if path.name in BYTES]
        wrong = [str(path) for path in jobs if (calm / path).read_bytes() != (folder / path).read_bytes()]
        return f"sweep: {', '.join(wrong)} are others" if wrong or not jobs else None


def typed(folder: Path) -> "subprocess.Popen[bytes]":
    """The command of a sweep, or its resume where it has begun, in a group of its own."""
    begun = (folder / "sweep.json").exists()
    words = ["resume", str(folder)] if begun else ["-m", *SWEEP, f"hydra.sweep.dir={folder}"]
    nowhere = subprocess.DEVNULL
    command = [sys.executable, "-m", "duograd", *words]
    return subprocess.Popen(command, stdout=nowhere, stderr=nowhere, start_new_session=True)


def _log(folder: RunFolder) -> str:
    return folder.log.read_text()[-500:] if folder.log.exists() else "no run.log"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--signals", type=int, default=0)
    parser.add_argument("--sweeps", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as root:
        campaign = Campaign(Path(root), given.seed)
        runs = [*([campaign.trial] * given.count), *([campaign.signalled] * given.signals)]
        trials = [*runs, *([campaign.sweep] * given.sweeps)]
        faults = []
        for number, trial in enumerate(trials):
            if fault := trial(number):
                faults.append(fault)
                print(fault)
            print(f"{number + 1} of {len(trials)}", end="\r", file=sys.stderr)
    moments = ", ".join(f"{count} {what}" for what, count in sorted(campaign.moments.items()))
    same = f"{len(trials) - len(faults)} of {len(trials)} ended as undisturbed ones"
    kinds = f"{given.sweeps} of them sweeps, {given.signals} ended by signals that they hear"
    print(f"{same} ({kinds}); killed {campaign.moments.total()} times ({moments})")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
