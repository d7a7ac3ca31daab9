"""minijax measured against NumPy, JAX, PyTorch and HIPS autograd, as ratios.

Each piece of work is a file: `mlp`, `cnn`, `lstm`, `attention` and `derivatives` hold what jit is for, as each
contestant's users write it; `compiling` and `eager` what jit costs and what goes without it. `work` says who the
contestants are, `floors` what nobody can be quicker than, `measuring` how they are measured, `rows` which benchmarks
there are and what is to be reached; `command` runs them. `training` is apart: seconds of whole epochs.
"""

from .command import NAMES, PROFILES, Options, run

__all__ = ["NAMES", "PROFILES", "Options", "run"]
