"""The trainer: the training loop with callbacks, Ctrl-C and a history, and with a run that keeps its position."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from pellucid.core.errors import DivergenceError
from pellucid.training.events import (
    Callback,
    EpochFinished,
    Event,
    Patient,
    StopTraining,
    TrainingFinished,
    TrainingStarted,
)
from pellucid.training.history import History
from pellucid.training.interrupt import Interrupt, deferred_interrupt
from pellucid.training.loop import TrainingLoop
from pellucid.training.runs.run import Run


class Trainer:
    """Runs ``loop`` to the end of a training; ``history`` grows while it runs. A ``record`` writes its snapshots between
    two steps, and may have some to begin from."""

    def __init__(self, loop: TrainingLoop, callbacks: Sequence[Callback] = (), record: Run | None = None) -> None:
        self.history = History()
        self.loop, self.record = loop, record
        loop.tell, loop.tells_steps = self._hear, bool(callbacks)
        self._callbacks = callbacks
        self._one_by_one = not all(isinstance(callback, Patient) for callback in callbacks)

    def run(self) -> History:
        """Train; gives the history of this call.

        Raises `DivergenceError` when a number is not finite; the network then has its last good parameters. Raises
        `KeyboardInterrupt` after the step in which Ctrl-C was pressed; the network then has the best parameters that early
        stopping has seen, or else those of this step. Either way ``history`` has the finished epochs. Of a run that is
        recorded, SIGTERM and SIGHUP are Ctrl-C, and the last snapshot is of that step.
        """
        loop, plan, reason = self.loop, self.loop.plan, "failed"
        first, count = loop.state.epoch + 1, len(loop.training)
        if self.record is not None:
            first = self.record.begin(loop, self.history)
        try:
            with deferred_interrupt(also_ends=self.record is not None) as interrupt:
                self._tell(TrainingStarted(first, plan.epochs, loop.steps_per_epoch, count, plan.batch_size))
                while not loop.ended:
                    self._check(interrupt)
                    loop.advance(1 if self._one_by_one else None)
                    if self.record is not None:
                        self.record.after_steps()
                self._check(interrupt)
            reason = loop.ended
        except StopTraining:
            reason = loop.ended = "stopped early"
            loop.restore_best()
        except KeyboardInterrupt:
            reason = "interrupted"
            loop.restore_best()
            raise
        except DivergenceError:
            reason = "diverged"
            raise
        finally:
            loop.release()
            self.history.reason = reason
            self.history.restored = loop.restored(loop.restored_epoch - first)
            if self.record is not None:
                self.record.end(reason)
            finished = TrainingFinished(loop.state.epoch, reason, dict(self.history.final), loop.restored_epoch)
            for callback in self._callbacks:
                with suppress(StopTraining):
                    callback(finished)
        return self.history

    def _check(self, interrupt: Interrupt) -> None:
        """Raise `KeyboardInterrupt` if Ctrl-C was pressed, with a snapshot of the step that was made last: before early
        stopping restores the best, so that the training can go on."""
        if interrupt.pressed_at is not None and self.record is not None:
            self.record.keep()
        interrupt.check()

    def _hear(self, event: Event) -> None:
        """Pass on an event of the loop."""
        if isinstance(event, EpochFinished):
            self.history.epochs.append(dict(event.metrics))
            if self.record is not None:
                self.record.hear(event)
            if self._one_by_one:
                self.loop.executor.settle()  # for callbacks that hold a view of the parameters
        self._tell(event)

    def _tell(self, event: Event) -> None:
        for callback in self._callbacks:
            callback(event)
