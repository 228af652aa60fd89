"""A run on its way through its folder: it trains, evaluates, sums up, draws, and waits for its mirror."""

import logging
import os
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from duograd.data.dataset import DataSet
from duograd.models.errors import ArchitectureError
from duograd.runner import build, display, loop
from duograd.runner.config import MlflowTracking, RunConfig
from duograd.runner.context import RunContext, kept_in, logged_to
from duograd.runner.display import waiting
from duograd.runner.drawing import draw_figures, finished_run
from duograd.runner.engines import Engine
from duograd.runner.errors import UserError, system_fault
from duograd.runner.hooks import Hook, checkpoint
from duograd.runner.hooks.checkpoint import Best, Checkpointing
from duograd.runner.hooks.frames import Frames
from duograd.runner.hooks.logs import MetricsLog, StepsLog
from duograd.runner.hooks.stopping import StopFile
from duograd.runner.longer import ends_by_itself
from duograd.runner.own.faults import OwnCodeError
from duograd.runner.own.modules import guarded
from duograd.runner.plots.figure import frame_drawers, left_out
from duograd.runner.store import files, identity
from duograd.runner.store.folders import RunFolder
from duograd.runner.store.identity import Outcome
from duograd.runner.tracking import address
from duograd.runner.tracking.follower import Follower, patience
from duograd.runner.training import Diverged, Floats, Interrupted, Training

EXIT = {"FINISHED": 0, "FAILED": 1}
MIRROR_SECONDS = 120.0  # the longest wait at the end for MLflow to be brought up to date


class Session:
    """One run on its way through its folder."""

    def __init__(
        self,
        config: RunConfig,
        folder: RunFolder,
        data: DataSet,
        engine: Engine,
        who: dict[str, Any],
        context: RunContext,
        resumed: bool,
        longer: bool = False,
    ) -> None:
        self.config, self.folder, self.data, self.engine, self.who = config, folder, data, engine, who
        self.resumed, self.longer = resumed, longer
        self.context, self.console, self.interruption = context, context.console, context.interruption
        self.started = time.monotonic()
        self.training = Training(engine, data, build.plan(config, data))
        self.best = Best()
        self.earlier_seconds = 0.0  # of earlier sessions
        self.hooks = self._hooks()

    def _hooks(self) -> list[Hook]:
        """In the order in which they hear of an epoch: what decides to stop stands before what acts on it."""
        model = self.config.model
        names = [name for name in self.config.task.frames if not left_out(name, self.data, model)]
        frames = frame_drawers(names, self.data)
        return [
            MetricsLog(self.folder.metrics),
            StepsLog(self.folder.steps, self.training.full_batch),
            self.best,
            *build.early_stopping(self.config),
            StopFile(self.folder.stop),
            Frames(self.folder.frames, frames),
            self.context.progress(self.console, build.leading_metrics(self.config)),
            Checkpointing(self.config.checkpoint.every_seconds, self._save),
            self.interruption,
        ]

    def go(self) -> int:
        """Trains, evaluates, sums up, draws and waits for the mirror; the exit code.

        The end of the training is on disk before anything is drawn: no picture can change how a run ended.
        """
        with logged_to(self.folder.log) as log, kept_in(log, self.console), self._mirrored():
            log.info("%s", self.who["command"])
            display.header(self.console, self.who, self.config.epochs)
            notes = (*self.data.notes, *self.who.get("code_notes", ()))  # which the header has
            for note in notes if self.console.quiet else ():
                log.warning("%s", note)
            outcome = self._attempt(log)
            try:
                summary = self._conclude(outcome, log)
            except OSError as error:  # not even a summary can be written
                outcome = replace(outcome, status="FAILED", error=system_fault(error))
                summary = self._summary(outcome)
            self.context.ending(self.console, self.folder, summary)
        return EXIT.get(outcome.status, 128 + (self.interruption.caught or 0))

    def _conclude(self, outcome: Outcome, log: logging.Logger) -> dict[str, Any]:
        """Writes summary.json, before and after the figures; a run that is killed in between goes on from there."""
        finished = outcome.status == "FINISHED"
        files.write_json(self.folder.summary, self._summary(outcome, drawing=finished))
        log.info("%s after %d epochs. %s", outcome.status, self.training.epoch, outcome.error or "")
        if finished:
            outcome.facts = self._draw(outcome.metrics, log)
            self.folder.checkpoint_before.unlink(missing_ok=True)  # there is nothing left to go on with
        summary = self._summary(outcome)
        files.write_json(self.folder.summary, summary)
        return summary

    def _summary(self, outcome: Outcome, drawing: bool = False) -> dict[str, Any]:
        best = self.best.state()
        return identity.summary_json(self.config, self.training, best, self.who, outcome, self._seconds(), drawing)

    def _seconds(self) -> float:
        """How long the run has gone on, in all its sessions."""
        return self.earlier_seconds + time.monotonic() - self.started

    def _attempt(self, log: logging.Logger) -> Outcome:
        """The training and its last evaluation; whatever happens, what it reached is saved and said."""
        try:
            with self._undisturbed(), guarded():
                self._train(log)
                return Outcome("FINISHED", metrics=self._evaluate())
        except Interrupted as interruption:
            return Outcome("KILLED", f"ended by {signal.Signals(interruption.signum).name}")
        except Diverged as divergence:
            checkpoint.save_best(self.folder, self.best)  # the last parameters are worth nothing; these may be
            return Outcome("FAILED", str(divergence), diverged=True)
        except OSError as error:
            return Outcome("FAILED", system_fault(error))
        except (OwnCodeError, ArchitectureError) as error:  # the second: what it gave is not what it gave at first
            text = getattr(error, "traceback", "")
            log.error("%s\n%s", error, text)
            if not self.console.quiet:
                print(text, end="", file=sys.stderr)
            return Outcome("FAILED", f"{error}; mend it and run anew", facts={"own_code": True})
        except UserError:
            raise
        except Exception as error:
            log.exception("a fault of duograd's own")
            if not self.console.quiet:
                traceback.print_exc()
            return Outcome("FAILED", f"a fault of duograd's own: {error!r}; the traceback is in {self.folder.log}")

    @contextmanager
    def _undisturbed(self) -> Iterator[None]:
        """Signals wait for a good moment; errors of floats are left alone: the loop checks that losses are finite."""
        with self.interruption.listening(), np.errstate(all="ignore"):
            yield

    def _train(self, log: logging.Logger) -> None:
        # L-BFGS keeps its memory inside the solver, so a killed run of it is done again, to the same end.
        if not self.training.plan.solver and checkpoint.restore(
            self.folder, self.training, self.hooks, partial(self._warn, log)
        ):
            self.earlier_seconds = checkpoint.clock(self.folder).get("seconds", self.training.train_seconds)
            log.info("resumed after epoch %d, step %d", self.training.epoch, self.training.step)
            if self.longer and not ends_by_itself(self.training.stop_reason or ""):
                self.training.stop_reason = None  # somebody's wish, which this one follows
                self._save()
        self.folder.summary.unlink(missing_ok=True)  # of an earlier end; so is a wish to stop
        self.folder.stop.unlink(missing_ok=True)
        try:
            loop.fit(self.training, self.hooks)
            self._save()
        except Interrupted as interruption:
            if interruption.whole:
                self._save()
            raise

    def _evaluate(self) -> Floats:
        """The last evaluation. Raises Interrupted between two splits."""
        with waiting(self.console, "evaluating") as say:

            def before(split: str) -> None:
                say(f"evaluating {split} after the last update (Ctrl-C: later, by duograd resume)")
                self.interruption.step(self.training)

            return loop.evaluate_all(self.training, before)

    def _save(self) -> None:
        checkpoint.save(self.folder, self.training, self.hooks, self._seconds())

    def _draw(self, metrics: Floats, log: logging.Logger) -> dict[str, Any]:
        """Draws the task's figures; the facts that they give."""
        untrained, epochs = partial(build.engine, self.config, self.data), self.training.epoch
        run = finished_run(self.engine, untrained, self.data, metrics, self.who, epochs, self.folder)
        figures, model = self.config.task.figures, self.config.model
        with self._undisturbed(), waiting(self.console, "drawing") as say:

            def wanted(name: str) -> bool:
                say(f"drawing {name} (Ctrl-C leaves out the rest)")
                return self.context.drawn and self.interruption.caught is None

            draw_figures(figures, run, model, wanted, log, partial(self._warn, log))
        return run.facts

    def _warn(self, log: logging.Logger, line: str) -> None:
        log.warning("%s", line, exc_info=sys.exc_info()[0] is not None)
        with kept_in(None, self.console):
            self.console.print(line, style="yellow", highlight=False, markup=False, soft_wrap=True)

    @contextmanager
    def _mirrored(self) -> Iterator[None]:
        """Follows the folder in MLflow meanwhile, from another process: training neither waits nor fails with it."""
        if not self.context.mirrored or not isinstance(self.config.tracking, MlflowTracking):
            yield
            return
        environ = address.environment(str(self.config.tracking.uri), not self.resumed, os.environ)
        follower = Follower.start(self.folder.path, environ)
        try:
            yield
        finally:
            follower.conclude(patience(MIRROR_SECONDS), self.console)
