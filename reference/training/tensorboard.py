"""Event files that TensorBoard shows, written by tensorboardX: neither TensorFlow nor PyTorch is needed."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tensorboardX import SummaryWriter

from .callbacks import Callback
from .checkpoints import named_arrays
from .history import Row

if TYPE_CHECKING:
    from .loop import Loop

__all__ = ["TensorBoard"]

NOT_MEASURES = ("epoch", "step")


class TensorBoard(Callback):
    """Write what happens to event files in `folder`; `tensorboard --logdir FOLDER` shows them.

    Scalars: the measures of every `every_steps`-th step below "step/", all of an epoch's row below "epoch/".
    Histograms after each epoch: every parameter. Text: `texts` at the beginning. Images after each epoch:
    `images(loop)` gives u8[count, height, width, 1 or 3] or f[...] in 0..1 by name. `settings`, numbers and words,
    stand in the table of hyperparameters beside the measures of the last epoch.

    A resumed training writes a file of its own, which takes the place of what came after its first step.
    """

    def __init__(
        self,
        folder: Path | str,
        *,
        every_steps: int = 10,
        histograms: bool = True,
        texts: Mapping[str, str] | None = None,
        settings: Mapping[str, float | str] | None = None,
        images: Callable[["Loop"], Mapping[str, np.ndarray]] | None = None,
    ) -> None:
        self.folder = Path(folder)
        self.every_steps = every_steps
        self.histograms = histograms
        self.texts = dict(texts or {})
        self.settings = dict(settings or {})
        self.images = images
        self._writer: Any = None
        self._last: Row = {}

    def on_begin(self, loop: "Loop") -> None:
        # steps from this one on that an earlier file has were not kept when that training was killed
        self._writer = SummaryWriter(
            str(self.folder),
            purge_step=loop.step + 1 if loop.step else None,
            filename_suffix=f".{loop.step:08d}",  # the name has the second only: a quick restart is another file
        )
        for name, text in self.texts.items():
            self._writer.add_text(name, text, loop.step)

    def on_measures(self, loop: "Loop", step: int, measures: Row) -> None:
        if step % self.every_steps == 0:
            for name, value in measures.items():
                self._writer.add_scalar(f"step/{name}", value, step)

    def on_epoch(self, loop: "Loop", row: Row) -> None:
        for name, value in row.items():
            if name not in NOT_MEASURES:
                self._writer.add_scalar(f"epoch/{name}", value, loop.step)
        if self.histograms:
            for name, array in named_arrays(loop.jax, loop.whole_state().params)[0].items():
                self._writer.add_histogram(name, array.astype(np.float64), loop.step)
        if self.images is not None:
            for name, pictures in self.images(loop).items():
                self._writer.add_images(name, np.asarray(pictures), loop.step, dataformats="NHWC")
        self._writer.flush()
        self._last = row

    def on_end(self, loop: "Loop") -> None:
        if self._writer is None:
            return
        if self.settings and self._last:
            measures = {f"hparam/{name}": v for name, v in self._last.items() if name not in NOT_MEASURES}
            self._writer.add_hparams(self.settings, measures, name="hparams", global_step=loop.step)
        self._writer.close()
        self._writer = None
