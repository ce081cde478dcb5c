"""From declared training options to a trainer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch.optim import Optimizer

from gatewise import declare
from gatewise.assembly import build_balance
from gatewise.errors import DeclarationError
from gatewise.fingerprint import fingerprint
from gatewise.processes import Processes
from gatewise.serving import Scorer
from gatewise.training import (
    Averages,
    Facts,
    Kept,
    LastEpochs,
    Monitor,
    MovingAverages,
    Reporter,
    Schedule,
    Stopping,
    Trainer,
    TrainingRows,
    cosine,
    make_optimizer,
    own_state,
    plateau,
    pull_back,
    restore_kept,
    step_decay,
    steps_per_epoch,
)


def make_trainer(
    scorer: Scorer,
    options: declare.Options,
    train: TrainingRows,
    run_dir: Path | None,
    reporter: Reporter,
    valid: TrainingRows | None = None,
    processes: Processes | None = None,
    *,
    kept: Kept | None = None,
    pull: float = 0.0,
) -> Trainer:
    """Return a trainer for a scorer's model, from training and validation rows and the declared options.

    Args:
        scorer: tasks and the model to train.
        options: the declared options, without any ``auto``.
        train: training rows.
        run_dir: folder of checkpoint and history, or None.
        reporter: called on every step and epoch.
        valid: validation rows.
        processes: the processes that train the model together; by default this process alone does.
        kept: the state of balancing rule and optimiser to go on with, of an earlier training of the model.
        pull: how strongly weights are drawn back to what they are now.

    Raises:
        ArtefactError: ``kept`` is the state of another model.
    """
    training, decided = options.training, options.training.decided
    balance = build_balance(options.balance, scorer.tasks).to(scorer.device)
    optimizer = make_optimizer(
        training.optimizer,
        scorer.model,
        balance,
        lr=decided.lr,
        embedding_lr=training.embedding_lr,
        weight_decay=training.weight_decay,
        momentum=training.momentum,
        embedding_update=training.embedding_update,
        embedding_decay=training.embedding_decay,
    )
    if kept:
        restore_kept(own_state(kept, scorer.model.input_layer.tables), scorer.model, balance, optimizer)
    if pull:
        pull_back(optimizer, pull)
    # after the hook that draws back, so that averages are of the weights that are left
    averages = _averages(scorer, training, optimizer)
    return Trainer(
        scorer.model,
        scorer.tasks,
        balance=balance,
        optimizer=optimizer,
        schedule=_schedule(training, optimizer, train.rows),
        monitor=Monitor(training.monitor, scorer.tasks),
        stopping=Stopping(decided.patience, training.min_delta),
        epochs=decided.epochs,
        batch_size=decided.batch_size,
        accumulate=training.accumulate,
        clip_norm=training.clip_norm,
        precision=training.precision,
        compile=training.compile,
        seed=training.seed,
        conflict_every=training.conflict_every,
        run_dir=run_dir,
        fingerprint=None if run_dir is None else _fingerprint(scorer, options, train, valid),
        reporter=reporter,
        save_seconds=60 * training.save_minutes,
        processes=processes,
        keep_optimizer=training.keep_optimizer,
        averages=averages,
    )


def facts_of(scorer: Scorer, options: declare.Options, rows: Mapping[str, int], run_dir: Path | None) -> Facts:
    """Return what is known of a training before its first step."""
    schema, parameters = scorer.encoder.schema, scorer.model.num_parameters()
    return Facts(
        options={**declare.to_dict(schema), **declare.to_dict(options)},
        rows=rows,
        features=len(schema.features),
        parameters=parameters,
        embedded=parameters - scorer.model.num_parameters(embeddings=False),
        device=str(scorer.device),
        folder=run_dir,
    )


def _fingerprint(
    scorer: Scorer, options: declare.Options, train: TrainingRows, valid: TrainingRows | None
) -> dict[str, str]:
    return fingerprint(scorer.encoder.schema, options, train.digest(), None if valid is None else valid.digest())


def _averages(scorer: Scorer, training: declare.Training, optimizer: Optimizer) -> Averages:
    if training.ema is not None:
        return MovingAverages(scorer.model, optimizer, training.ema)
    if training.average_last is not None:
        return LastEpochs(scorer.model, optimizer, training.average_last)
    return Averages()


def _schedule(training: declare.Training, optimizer: Optimizer, rows: int | None) -> Schedule:
    epochs, batch_size, *_ = training.decided
    match training.schedule:
        case declare.StepDecay(every=every, factor=factor, unit=unit):
            return step_decay(optimizer, every=every, factor=factor, unit=unit)
        case declare.Cosine(warmup=warmup, floor=floor, unit=unit):
            if unit == "epoch":
                return cosine(optimizer, total=epochs, warmup=warmup, floor=floor, unit=unit)
            if rows is None:
                raise DeclarationError(
                    "schedule 'cosine' by step needs the number of rows, which is not known: take unit 'epoch'"
                )
            steps = steps_per_epoch(rows, batch_size, training.accumulate)
            return cosine(optimizer, total=epochs * steps, warmup=warmup, floor=floor, unit=unit)
        case declare.Plateau(patience=patience, factor=factor):
            return plateau(optimizer, patience=patience, factor=factor)
    return Schedule()
