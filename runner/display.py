"""What a person sees of a run before and after its training, and of what is waited for."""

import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from threading import Timer
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from duograd.runner.store.folders import RunFolder

REFRESHES_A_SECOND = 4
SILENT_S = 3.0  # a longer wait is said, where nothing can be drawn over


def is_live(console: Console) -> bool:
    """Whether what was printed can be drawn over: not in a file, even where FORCE_COLOR asks for colours there."""
    return console.is_terminal and not console.is_dumb_terminal and console.file.isatty()


@contextmanager
def waiting(
    console: Console, what: str, silent_s: float = SILENT_S, still: bool = False
) -> Iterator[Callable[[str], None]]:
    """Shows what is waited for as long as the block lasts, which is given a function that says it anew.

    Where nothing can be drawn over afterwards, a wait that takes long is a line of its own. still: what is waited for
    may print (a download its progress), so that nothing moves meanwhile, and the next line is written over this one.
    """
    if is_live(console) and still:
        say_over(console, what)
        yield partial(say_over, console)
        return
    if is_live(console):
        spinner = Spinner("dots", Text(what))
        with Live(spinner, console=console, transient=True, refresh_per_second=REFRESHES_A_SECOND) as live:

            def say(words: str) -> None:
                spinner.update(text=Text(words))
                live.refresh()

            yield say
        return
    words = [what]
    notice = Timer(silent_s, lambda: console.print(f"{words[-1]} …", highlight=False, soft_wrap=True, markup=False))
    notice.daemon = True
    notice.start()
    try:
        yield words.append
    finally:
        notice.cancel()


def say_over(console: Console, words: str) -> None:
    """A line that the next one is written over."""
    console.print(Text(f"{words} …"), end="\r", soft_wrap=True)


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
    """One line on what is about to happen, and one for each thing to know of its data and of the user's code."""
    shape = " × ".join(map(str, identity["shapes"]["train"]))
    what = f"{identity['parameters']} parameters, {counted(epochs, 'epoch')}"
    line = f"  {what} on {identity['data']}: {identity['source']} ({shape})"
    paragraph(console, Text.assemble((identity["name"], "bold"), line))
    for note in (*identity.get("notes", ()), *identity.get("code_notes", ())):
        paragraph(console, Text(note, "yellow"))


def paragraph(console: Console, text: Text) -> None:
    """Prints a text whose lines end between words on a terminal, and not at all elsewhere."""
    console.print(text, highlight=False, soft_wrap=not console.is_terminal)


def ending(console: Console, folder: RunFolder, summary: Mapping[str, Any]) -> None:
    """The end of a run: what came out, why it ended, and where everything is."""
    if summary["metrics"]:
        console.print(metrics_table(summary["metrics"]), highlight=False)
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
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
    if summary["status"] == "KILLED" or (
        summary["status"] == "FAILED" and not summary["diverged"] and not summary.get("own_code")
    ):
        console.print(Text(f"go on with it: duograd resume {shlex.quote(str(folder.path))}"), soft_wrap=True)
    console.print(Text(f"everything is in {folder.path}"), soft_wrap=True)


def metrics_table(metrics: Mapping[str, float]) -> Table:
    """A column for each split, a row for each metric; those of the same values share one."""
    splits = list(dict.fromkeys(name.partition("/")[0] for name in metrics))
    rows: dict[tuple[str, ...], list[str]] = {}
    for metric in dict.fromkeys(name.partition("/")[2] for name in metrics):
        values = (metrics.get(f"{split}/{metric}") for split in splits)
        texts = tuple("" if value is None else f"{value:.6g}" for value in values)
        rows.setdefault(texts, []).append(metric)
    table = Table("", *splits, box=None, padding=(0, 2, 0, 0), header_style="")
    for texts, names in rows.items():
        table.add_row(Text(", ".join(names)), *texts)
    return table
