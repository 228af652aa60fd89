"""The one line that shows how far a training is: it fits the screen, and says nothing twice.

epoch 3.4/10 ━━━━━━━━━╸───────────────── loss 1.273  val accuracy 0.612  12 s/epoch  1:19 left
"""

import time
from collections.abc import Callable, Mapping, Sequence
from math import ceil, floor
from typing import NamedTuple

from rich.console import Console
from rich.live import Live
from rich.text import Text

from duograd.runner.display import REFRESHES_A_SECOND, counted, duration, is_live
from duograd.runner.hooks import Hook
from duograd.runner.pace import Pace, clock_text, rate_text
from duograd.runner.training import Floats, Training

PLAIN_SECONDS = 20.0  # between two lines where nothing can be drawn over
SLOW_S = 1.0  # an epoch that takes longer is shown in tenths
PATIENCE_S = 0.5  # what takes less needs no explanation
BAR = range(6, 41)  # columns
ROOMY = 24  # of them, where there is more to tell
APART = "  "


class Part(NamedTuple):
    """A part of the line. rank: the parts of the highest rank are the first to go where the line is too long."""

    text: str
    rank: int
    style: str = ""


EPOCH, LOSS, LEADING, LEFT, DOING, RATE, OTHER = range(7)


class ProgressLine(Hook):
    """Draws the line while a training goes on; elsewhere than on a terminal it prints it a few times a minute.

    leading: names of metrics, the most telling first. The loop only leaves its state here: what draws is a thread of
    its own, a few times a second, so that a step or an epoch costs training nothing.
    """

    name = "display"

    def __init__(self, console: Console, leading: Sequence[str], clock: Callable[[], float] = time.monotonic) -> None:
        self.console, self.leading, self._clock = console, leading, clock
        self._record: Floats = {}
        self._evaluating: tuple[int, str] | None = None
        self._live: Live | None = None

    def start(self, training: Training) -> None:
        self._training, self._first_epoch = training, training.epoch
        self._began, self._first = self._clock(), training.epoch + epoch_share(training)
        self._pace = Pace(self._began, training.epoch)
        self._spoke_at = self._evaluating_since = self._began
        if training.step:
            self.console.print(continuation(training), highlight=False, soft_wrap=not self.console.is_terminal)
        if is_live(self.console):
            self._live = Live(
                get_renderable=self.line,
                console=self.console,
                transient=True,
                refresh_per_second=REFRESHES_A_SECOND,
            )
            self._live.start(refresh=True)

    def step(self, training: Training) -> None:
        if self._live is None and self._clock() - self._spoke_at > PLAIN_SECONDS:
            self._say()

    def epoch(self, training: Training, record: Floats) -> None:
        self._record = record
        self._pace.mark(self._clock(), training.epoch)
        if self._live is None:
            if training.epoch == self._first_epoch + 1 or training.ended:
                self._say()
            else:
                self.step(training)

    def end(self) -> None:
        if self._live:
            self._live.stop()

    def _say(self) -> None:
        self._spoke_at = self._clock()
        text = APART.join(part.text for part in fit(self._parts(), self.console.width))
        self.console.print(text, highlight=False, soft_wrap=True, markup=False)

    def line(self) -> Text:
        """The line as it is now, as wide as the screen at the most."""
        width, parts = self.console.width, self._parts()
        necessary = fit([part for part in parts if part.rank < OTHER], width - BAR[0])
        [epoch, *rest] = max(fit(parts, width - ROOMY), necessary, key=len)
        words = Text(APART).join(Text(part.text, part.style) for part in rest)
        room = min(width - len(epoch.text) - len(words) - 2, BAR[-1])
        share = self._done / self._training.plan.epochs
        bar = [bar_text(share, room, self.console.options.ascii_only)] if room in BAR else []
        return Text(" ").join([Text(epoch.text), *bar, words])

    @property
    def _done(self) -> float:
        """Epochs, with the share of the one that goes on."""
        return self._training.epoch + epoch_share(self._training)

    def _rate(self) -> float | None:
        """Epochs a second; of the first epoch by its steps, once they tell."""
        spent = self._clock() - self._began
        return self._pace.rate or ((self._done - self._first) / spent if spent >= SLOW_S else None)

    def _parts(self) -> list[Part]:
        training, rate = self._training, self._rate()
        slow = rate is None or rate < 1 / SLOW_S
        done = f"{floor(self._done * 10) / 10}" if slow and training.in_epoch else str(training.epoch)
        record = self._record or loss_so_far(training)
        left = (training.plan.epochs - self._done) / rate if rate else None
        parts = [
            Part(f"epoch {done}/{training.plan.epochs}", EPOCH),
            *values(record, self.leading),
            Part(self._doing(), DOING, "yellow"),
            Part(rate_text(rate), RATE, "dim"),
            Part("" if left is None or training.ended else f"{clock_text(left)} left", LEFT, "cyan"),
        ]
        return [part for part in parts if part.text]

    def _doing(self) -> str:
        """What takes so long, beside training: it has gone on since a refresh before this one."""
        split, now = self._training.evaluating, self._clock()
        evaluating = None if split is None else (self._training.epoch, split)
        if evaluating != self._evaluating:
            self._evaluating, self._evaluating_since = evaluating, now
        return f"evaluating {split}" if split and now - self._evaluating_since >= PATIENCE_S else ""


def epoch_share(training: Training) -> float:
    """How much of the epoch that goes on is done, 0 to 1: by its steps."""
    size = training.plan.batch_size
    return training.in_epoch / ceil(len(training.data.train) / size) if size else 0.0


def loss_so_far(training: Training) -> Floats:
    """Before the first epoch has ended: the mean over the steps whose losses have been read."""
    steps, sums = training.in_epoch - len(training.pending), training.sums  # which the loop may replace meanwhile
    samples = steps * (training.plan.batch_size or 0)
    return {"train/loss": sums["loss"] / samples} if samples > 0 and "loss" in sums else {}


def continuation(training: Training) -> str:
    """`continued from epoch 1170, after 3 min 05 s of training`."""
    within = f", {counted(training.in_epoch, 'step')} into the next" if training.in_epoch else ""
    spent = f", after {duration(training.train_seconds)} of training" if training.train_seconds else ""
    return f"continued from epoch {training.epoch}{within}{spent}"


def values(record: Mapping[str, float], leading: Sequence[str]) -> list[Part]:
    """The loss, the metric that matters, and what else there is to tell: no value of a split twice."""
    if "train/loss" not in record:
        return []
    names = dict.fromkeys([*leading, *record])
    before = {("train", record["train/loss"])}
    parts = [Part(f"loss {number(record['train/loss'])}", LOSS)]
    for name in names:
        split, _, metric = name.rpartition("/")
        if split and name in record and (split, record[name]) not in before:
            before.add((split, record[name]))
            rank = LEADING if len(parts) == 1 else OTHER + len(parts)
            parts.append(Part(f"{split} {metric} {number(record[name])}", rank))
    return parts


def number(value: float) -> str:
    """Four digits, of which none goes away where it is 0: the line would jump."""
    return f"{value:#.4g}".removesuffix(".")


def fit(parts: Sequence[Part], width: int) -> list[Part]:
    """The parts that find room in a line, the least important left out."""
    kept = list(parts)
    while len(kept) > 1 and len(APART.join(part.text for part in kept)) > width:
        kept.remove(max(kept, key=lambda part: part.rank))
    return kept


def bar_text(share: float, width: int, ascii_only: bool = False) -> Text:
    """A bar of so many columns, drawn in halves where the terminal has signs for them."""
    whole, half, rest = "##-" if ascii_only else "━╸─"
    full, halves = divmod(floor(2 * width * min(share, 1.0)), 2)
    return Text.assemble((whole * full + half * halves, "magenta"), (rest * (width - full - halves), "dim"))
