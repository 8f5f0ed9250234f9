"""Mini-batch training: the loop of chapter 5.

The data moves to the network's device once. Batches are drawn on the host for many iterations at a time,
and losses are read back as rarely: every 100 iterations on the CPU, every 1,000 on a GPU. So no step waits
for the device, and the host draws the next batches while the device works on these.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack
from os import PathLike
from typing import Any

from backends.communicators import Communicator, choose_communicator
from backprop.arrays.checks import flag, function, memory, one_of, positive_integer
from backprop.arrays.initializers import generator
from backprop.networks import Network
from backprop.networks.pieces import samples_at_once
from backprop.networks.weights import description
from backprop.optimizers import Optimizer, Schedule
from backprop.optimizers.schedule import schedule_of
from backprop.training.arguments import directory, interval, length, optimizer_for, require_network
from backprop.training.batches import SHUFFLES, restored_on_error
from backprop.training.checkpoint_writer import CheckpointWriter, NoCheckpoints
from backprop.training.checkpoints import Checkpoints
from backprop.training.early_stopping import EarlyStopping, require_watched
from backprop.training.history import History
from backprop.training.identity import identity
from backprop.training.loop import Run
from backprop.training.ranks import own_rows, require_multiple, require_same_run, start_as_first
from backprop.training.rates import Rates
from backprop.training.sets import prepared
from backprop.training.step import Trainer


@memory("train", "lower batch_size, or the hidden units of the network")
def train(
    net: Network,
    x_train: Any,
    t_train: Any,
    x_test: Any = None,
    t_test: Any = None,
    *,
    iterations: int | None = None,
    epochs: int | None = None,
    batch_size: int = 100,
    learning_rate: float | None = None,
    optimizer: Optimizer | None = None,
    schedule: Schedule | Callable[[int], float] | None = None,
    shuffle: str = "draw",
    validation: float | tuple[Any, Any] | None = None,
    patience: int | None = None,
    evaluate_every: int | str | None = "epoch",
    rng: Any = None,
    recompute_loss: bool = False,
    callback: Callable[[History], Any] | None = None,
    checkpoint: str | PathLike[str] | None = None,
    checkpoint_every: int | str | None = None,
    resume: bool = False,
    communicator: Communicator | str | None = None,
) -> History:
    """Train a network on random mini-batches and return the history.

    Parameters
    ----------
    net : Network
        If it overrides `loss`, `gradient`, `predict` or `accuracy`, the overrides train and measure it.
    x_train : array (N, …)
        Samples, on the host or on the network's device.
    t_train : array
        Targets as the network's loss takes them: for SoftmaxCrossEntropy labels (N,) or one-hot (N, C).
    x_test, t_test : array, optional
        Test data in the same form.
    iterations : int, optional
        Number of updates, 10,000 by default.
    epochs : int, optional
        Number of epochs of N // batch_size updates each, instead of `iterations`. N does not count samples
        that are held out.
    batch_size : int
        Samples per batch.
    learning_rate : float, optional
        Rate of the SGD used if no optimizer is given, 0.1 by default.
    optimizer : Optimizer, optional
        To continue an earlier run, pass its optimizer and its generator again.
    schedule : Schedule or function, optional
        What the optimizer's learning rate is multiplied with in each step: a Schedule such as Cosine(), or a
        function of the step, which counts from 0 in every call. Its values are computed before the first one.
    shuffle : {"draw", "epochs"}
        "draw" draws each batch with replacement, as the book does. "epochs" goes through a new permutation of
        the samples in each epoch; the samples left after N // batch_size batches are not used in that epoch.
    validation : float or tuple of array, optional
        A set to evaluate on during training: (x, t), or the share of the training set to hold out, in (0, 1).
        A share is drawn at random with `rng` before the first batch, by each call anew.
    patience : int, optional
        Stop after this many evaluations in a row without a new lowest loss: of the validation set if there is
        one, else of the test set. However training ends, also by an exception, the network then has the
        parameters and the state of its best evaluation, and the optimizer those of the last step.
    evaluate_every : int, "epoch" or None
        Evaluate before the first iteration, after the last, and each time this many iterations are done.
        "epoch" means N // batch_size iterations, None never.
    rng : int or numpy.random.Generator, optional
        Seed or generator of the batches, which are the same on every backend. Batches are drawn ahead, so
        during a callback the generator has already drawn those of the next iterations. If training ends
        early, it is rewound: to the last batch used, with "epochs" to the last permutation used.
    recompute_loss : bool
        Record the loss of each batch after its update, as the book does, at the cost of a second forward
        pass. By default the loss comes from the forward pass of the gradient, before the update.
    callback : callable, optional
        Called with the History so far after every evaluation, and at least every 100 iterations on the CPU or
        every 1,000 on a GPU. If it returns True, training stops, after a last evaluation if one is due. Other
        values have no meaning.
    checkpoint : str or os.PathLike, optional
        A directory, created if needed, for checkpoints: files from which the run can be resumed. The last
        three are kept.
    checkpoint_every : int or "epoch", optional
        Iterations between two checkpoints; "epoch" by default. There is also one at the end of a run,
        however it ends but by an exception, and one when a signal such as Ctrl-C ends it.
    resume : bool
        Continue from the newest checkpoint, or start at iteration 0 if there is none. The other arguments
        must be those of the run that wrote it. Weights, optimizer, generator and history are replaced by
        those of the checkpoint, and the run ends in the same bits as one that was never interrupted, on the
        same backend with the same number of BLAS threads.
    communicator : Communicator or str, optional
        The ranks that train this network together, each with its share of every batch: `Mpi()`, `Nccl()`, or
        their names "mpi" and "nccl". By default BACKPROP_COMMUNICATOR; else, for processes that were launched
        together, MPI, or NCCL with arrays on a GPU; else this process is alone. All ranks must make this
        call with the same data and settings. They start from the parameters, the generator and the checkpoint
        of rank 0, which alone writes checkpoints.

    Returns
    -------
    History

    Raises
    ------
    ValueError, TypeError
        If data or settings do not fit, before anything is changed. Also if the checkpoint is of a run with
        other settings, data or another network, if another run is using the directory, and without `resume`
        if it holds an earlier run.
    FileError
        A ValueError: if all checkpoints are damaged, or the newest is of a newer version.
    OSError
        If a checkpoint cannot be written.
    ImportError
        With `checkpoint`, without the library safetensors; with ranks, without what connects them.
    RankFailed
        If another rank fails, or has not answered for BACKPROP_TIMEOUT seconds, 300 by default.
    Diverged
        If the loss or a parameter becomes NaN or infinite. The error carries the history.

    Notes
    -----
    On a GPU the steps are captured once as a CUDA graph and replayed, provided that a replay gives the
    same bits as an eager step; `history.loop` says "captured", or why not. Products use the current
    precision (see `precision`).

    Ctrl-C, and any other signal that the program handles in Python, is answered when the running steps are
    done, also if it comes during a callback; a second one at once. An exception that ends training,
    KeyboardInterrupt too, has the record so far as its attribute `history`.

    A checkpoint holds no attributes of objects that you wrote, such as a layer with passes of its own or a
    callback, and not the state of NumPy's global generator.

    With several ranks the gradient is the mean of theirs, so that they train as one rank would, to rounding:
    docs/guides/ranks.md. Each BatchNorm sees its rank's share of a batch only, unless it is `synchronized`.

    Source: book section 5.7.4.

    Examples
    --------
    >>> from backprop import TwoLayerNet, train
    >>> net = TwoLayerNet(2, 8, 2, rng=0)
    >>> x, t = [[0.0, 1.0], [1.0, 0.0]], [0, 1]
    >>> history = train(net, x, t, iterations=200, batch_size=2, learning_rate=1.0, rng=0)
    >>> history.train_accuracy[-1], len(history.loss)
    (1.0, 200)
    """
    require_network("train", net)
    with choose_communicator(communicator, net.backend, "train").together() as ranks, ExitStack() as claim:
        if callback is not None:
            function("train", "callback", callback)
        batch_size = positive_integer("train", "batch_size", batch_size)
        require_multiple(ranks, batch_size)
        recompute_loss = flag("train", "recompute_loss", recompute_loss)
        shuffle = one_of("train", "shuffle", shuffle, SHUFFLES)
        optimizer = optimizer_for("train", optimizer, learning_rate, net.dtype)
        seeded, rng = rng is not None, generator(rng, "train")
        sets = prepared(net, (x_train, t_train), (x_test, t_test), validation)
        if shuffle == "epochs" and batch_size > sets.size:
            rule = f'batch_size must be at most {sets.size}, the training samples, with shuffle="epochs"'
            raise ValueError(f"train: {rule}, got {batch_size}")
        epoch = max(1, sets.size // batch_size)
        total, every = length(iterations, epochs, epoch), interval("evaluate_every", evaluate_every, epoch)
        if patience is not None:
            patience = positive_integer("train", "patience", patience)
            require_watched(sets, every)
        rates = None
        if schedule is not None:
            rates = Rates(schedule_of("train", "schedule", schedule), total, optimizer, net.dtype)
        folder = directory(checkpoint, checkpoint_every, flag("train", "resume", resume))
        often = interval("checkpoint_every", checkpoint_every, epoch) or epoch
        plain: dict[str, Any] = {"batch_size": batch_size, "shuffle": shuffle}
        share: Any = validation
        plain["validation"] = float(share) if sets.held else share and "a pair"
        plain |= {"patience": patience, "recompute_loss": recompute_loss}
        plain |= {"iterations": total, "evaluate_every": every}

        backend = net.backend
        writer: CheckpointWriter | NoCheckpoints | None = None
        newest = None
        if folder is not None or ranks.size > 1:
            known = identity(net, sets, optimizer, rates, rng, seeded, **plain)
            require_same_run(ranks, {**known, "checkpoint_every": folder and often})
        if folder is not None and ranks.rank:
            writer = NoCheckpoints(often)
        elif folder is not None:
            claim.enter_context((checkpoints := Checkpoints(folder)).claimed())
            writer = CheckpointWriter(checkpoints, often, known, description(Network, net))
            newest = writer.newest(resume)
        weights = [shape for shape in net.params.shapes.values() if len(shape) == 2]
        rows = (batch_size, min(samples_at_once(net), sets.largest))
        begun = time.perf_counter()
        backend.warmup([(n, *shape) for n in rows for shape in weights])
        warm = time.perf_counter()
        history = History(warmup_seconds=warm - begun, precision=backend.precision(net.dtype))
        with restored_on_error(rng):
            rng.bit_generator.state = ranks.gather(rng.bit_generator.state)[0]
            held = None
            if sets.held:
                held = sets.drawn(rng) if newest is None else newest.held(sets.held, sets.size + sets.held)
                held = ranks.gather(held)[0]
                sets = sets.hold_out(net, held)
            trainer = Trainer(net, optimizer, *sets.train, batch_size, recompute_loss, communicator=ranks)
            stopping = None if patience is None else EarlyStopping(net, patience, sets)
            batches = SHUFFLES[shuffle](rng, sets.size, batch_size)
            run = Run(trainer, sets, batches, total, every, history, rates, stopping, callback, writer, held)
            if newest is not None:
                newest.restore(run)
            start_as_first(run, ranks)
        with own_rows(net, ranks, batch_size // ranks.size):
            run()
    return history
