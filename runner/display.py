"""What a person sees while a run goes on, and at its end: a live line on a terminal, plain lines elsewhere."""

import shlex
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from duograd.runner.hooks import Hook
from duograd.runner.store.folders import RunFolder
from duograd.runner.training import Floats, Training

PLAIN_LINES = 10  # spread over a run whose output is not a terminal
PLAIN_SECONDS = 30.0  # the longest silence there


def is_live(console: Console) -> bool:
    """Whether what was printed can be drawn over: not in a file, even where FORCE_COLOR asks for colours there."""
    return console.is_terminal and not console.is_dumb_terminal and console.file.isatty()


def waiting(console: Console, what: str) -> AbstractContextManager[object]:
    """Shows what is waited for as long as the block lasts, where that can be drawn over afterwards."""
    return console.status(what) if is_live(console) else nullcontext()


class Rate(ProgressColumn):
    """Epochs a second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f} epochs/s" if task.speed else "", style="dim")


class Display(Hook):
    """Epoch, loss and its terms, epochs a second, time left."""

    name = "display"

    def __init__(self, console: Console) -> None:
        self.console = console
        self.live = is_live(console)
        self.progress = Progress(
            TextColumn("epoch {task.completed:.0f}/{task.total:.0f}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[terms]}"),
            Rate(),
            TimeRemainingColumn(compact=True),
            console=console,
            transient=True,
            refresh_per_second=4,
        )

    def start(self, training: Training) -> None:
        self.first, self.since, self.last = training.epoch, time.monotonic(), time.monotonic()
        if self.live:
            self.bar = self.progress.add_task("", total=training.plan.epochs, completed=training.epoch, terms="")
            self.progress.start()

    def epoch(self, training: Training, record: Floats) -> None:
        if self.live:
            if time.monotonic() - self.last > 0.1:
                self.progress.update(self.bar, completed=training.epoch, terms=terms_line(record))
                self.last = time.monotonic()
        elif self._due(training):
            self.last = time.monotonic()
            self.console.print(self._plain(training, record), highlight=False, soft_wrap=True)

    def end(self) -> None:
        if self.live:
            self.progress.stop()

    def _due(self, training: Training) -> bool:
        every = max(1, training.plan.epochs // PLAIN_LINES)
        first_or_last = training.epoch == self.first + 1 or training.ended
        return first_or_last or training.epoch % every == 0 or time.monotonic() - self.last > PLAIN_SECONDS

    def _plain(self, training: Training, record: Floats) -> str:
        rate = (training.epoch - self.first) / max(time.monotonic() - self.since, 1e-9)
        left = (training.plan.epochs - training.epoch) / rate
        return (
            f"epoch {training.epoch}/{training.plan.epochs}  {terms_line(record)}  {rate:.1f} epochs/s  "
            f"{duration(left)} left"
        )


def terms_line(record: Floats) -> str:
    """`loss 0.7012 (mse 0.5, l2 0.1, kl 0.1)  val 0.71`."""
    parts = [
        f"{key[6:]} {value:.4g}" for key, value in record.items() if key.startswith("train/") and key != "train/loss"
    ]
    val = f"  val {record['val/loss']:.4g}" if "val/loss" in record else ""
    return f"loss {record['train/loss']:.5g} ({', '.join(parts)}){val}"


def counted(number: int, what: str) -> str:
    """`1 epoch`, `2 epochs`."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """`3.2 s`, `2 min 05 s`, `1 h 02 min`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, s = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {s:02d} s"


def header(console: Console, identity: Mapping[str, Any], epochs: int) -> None:
    """One line on what is about to happen, and one for each thing to know of its data."""
    shape = " × ".join(map(str, identity["shapes"]["train"]))
    what = f"{identity['parameters']} parameters, {counted(epochs, 'epoch')}"
    line = f"  {what} on {identity['data']}: {identity['source']} ({shape})"
    console.print(Text.assemble((identity["name"], "bold"), line), soft_wrap=True)
    for note in identity.get("notes", ()):
        console.print(note, style="yellow", markup=False, highlight=False, soft_wrap=True)


def ending(console: Console, folder: RunFolder, summary: Mapping[str, Any]) -> None:
    """The end of a run: what came out, why it ended, and where everything is."""
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for name, value in summary["metrics"].items():
        table.add_row(Text(name), f"{value:.6g}")
    best = summary["best"]
    if best["value"] is not None:
        table.add_row("best", f"{best['metric']} {best['value']:.6g} at epoch {best['epoch']}")
    if "pca" in summary:
        table.add_row("PCA", f"mse {summary['pca']['mse']:.6g} with {summary['pca']['components']} components")
    took = f"{counted(summary['epochs'], 'epoch')} in {duration(summary['train_seconds'])}"
    table.add_row("training", f"{took}; whole run {duration(summary['seconds'])}")
    if summary["stopped_by"]:
        table.add_row("stopped by", Text(summary["stopped_by"]))
    console.print(table, highlight=False)
    if summary["status"] != "FINISHED":
        style = "red" if summary["status"] == "FAILED" else "yellow"
        console.print(Text(f"{summary['status']}: {summary['error']}", style), soft_wrap=True)
    if summary["status"] == "KILLED" or (summary["status"] == "FAILED" and not summary["diverged"]):
        console.print(Text(f"go on with it: duograd resume {shlex.quote(str(folder.path))}"), soft_wrap=True)
    console.print(Text(f"everything is in {folder.path}"), soft_wrap=True)
