"""Standing in for JAX: after `install_as_jax()`, `import jax` gives minijax.

The import system asks each finder in `sys.meta_path` where a module is. Ours answers for `jax` and
everything below: `jax.numpy` *is* `minijax.numpy`, the very same module object under a second name in
`sys.modules`. Were it loaded a second time from the same file, there would be two `Array` classes, two
registries of primitives, and nothing would fit together.
"""

from __future__ import annotations

import importlib
import sys
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from minijax import version

__all__ = ["install_as_jax"]


class JaxFinder:
    """The finder for `sys.meta_path`, and the loader of what it finds."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Where the module `fullname` is: None for names that are not JAX's, so that the next finder is asked.

        Raises ModuleNotFoundError for modules of JAX that minijax does not have (see NoSuchModule).
        """
        if fullname != "jax" and not fullname.startswith("jax."):
            return None
        module = _own_module(fullname)
        return ModuleSpec(fullname, self, origin=module.__file__, is_package=hasattr(module, "__path__"))

    def create_module(self, spec: ModuleSpec) -> None:
        """Let the import system make an empty module; `exec_module` replaces it."""
        return

    def exec_module(self, module: ModuleType) -> None:
        """Put our module in the place of the empty one: what stands in `sys.modules` is what `import` returns."""
        sys.modules[module.__name__] = _own_module(module.__name__)


class NoSuchModule:
    """The last finder: it is asked for modules of minijax that the others have not found.

    Python asks so too for `from jax.experimental import checkify`, where the name might be a module. Its own error
    for that would speak of minijax.experimental, which the program never mentions.
    """

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> None:
        """Raise ModuleNotFoundError for what is missing in minijax; None for what is not its business."""
        if fullname.startswith("minijax."):
            name = fullname.removeprefix("mini")
            raise ModuleNotFoundError(
                f"There is no {name}: minijax stands in for JAX here, and has neither a module nor a function of this "
                'name. What it has, and why the rest is missing, is in the section "What is the same, what is not" of '
                "the README. To run this program in full, install JAX and run it without minijax.",
                name=name,
            )


def _own_module(fullname: str) -> ModuleType:
    """`minijax.numpy` for the name "jax.numpy"."""
    return importlib.import_module("minijax" + fullname.removeprefix("jax"))


def install_as_jax() -> None:
    """From now on `import jax`, in all its forms, gives minijax, also inside other packages.

    `jax.__version__` is then the version of JAX whose interface this is, which is what packages compare it
    with. Calling it again changes nothing. Raises RuntimeError if the real JAX is imported already.
    """
    package = sys.modules["minijax"]
    there = sys.modules.get("jax")
    if there is package:
        return
    if there is not None:
        raise RuntimeError(
            f"jax is imported already, from {getattr(there, '__file__', 'an unknown place')}, and modules that hold it "
            "would go on using it beside minijax. Call minijax.install_as_jax() in the first lines of the program, "
            "before anything imports jax, or write `python -m minijax SCRIPT.py`."
        )
    # In front of all others: the usual finder would load a second copy of minijax/numpy as jax.numpy.
    sys.meta_path.insert(0, JaxFinder())
    sys.meta_path.append(NoSuchModule())
    if find_spec("ml_dtypes") is not None:
        importlib.import_module("ml_dtypes")  # as JAX does: from then on NumPy knows the name "bfloat16"
    package.__version__, package.__version_info__ = version.__version__, version.__version_info__
    importlib.import_module("jax")
