"""`python -m reference`."""

import os
import sys

NEEDED = ("autograd", "jax", "jaxlib", "matplotlib", "minijax", "numpy", "PIL", "tensorboardX", "tqdm")


def _run() -> int:
    # Before NumPy is imported: the idle threads of its OpenBLAS spin, and keep busy the cores that XLA,
    # or whatever else runs beside it, waits for. With two threads on two busy cores a step took five
    # times as long as with one.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        from .cli import main

        return main()
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in NEEDED:
            raise
        print(
            f"error: this needs the module {error.name!r}, which is not installed here; "
            "install what the commands need with: pip install 'minijax[reference,bench]'",
            file=sys.stderr,
        )
        return 2


if __name__ == "__main__":
    sys.exit(_run())
