"""`python -m minijax SCRIPT.py [ARGS]` runs a program written for JAX on minijax; JAX need not be installed.

The program sees what it would see under `python SCRIPT.py`: its own `sys.argv`, `sys.path[0]` and `__main__`
module, the same exit status, and tracebacks that begin in its own file.
"""

from __future__ import annotations

import importlib.machinery
import io
import os
import runpy
import sys
from types import CodeType, ModuleType, TracebackType
from typing import Any

import minijax

USAGE = """usage: python -m minijax SCRIPT.py [ARGS]
       python -m minijax -m MODULE [ARGS]
       python -m minijax -c CODE [ARGS]

Runs a program that says `import jax` on minijax, as `python` itself would run it."""


def main(args: list[str]) -> None:
    """Do what the command line `args` (without the program's name) says."""
    if args[:1] in (["-h"], ["--help"]):
        print(USAGE)
    elif args[:1] in (["-m"], ["-c"]) and len(args) > 1:
        _start()
        (run_module if args[0] == "-m" else run_code)(args[1], args[2:])
    elif args and not args[0].startswith("-"):
        _start()
        run_script(args[0], args[1:])
    else:
        print(USAGE, file=sys.stderr)
        sys.exit(2)


def _start() -> None:
    minijax.install_as_jax()
    sys.excepthook = _without_our_frames(sys.excepthook)


def run_script(path: str, args: list[str]) -> None:
    """Run the file at `path`; exit with status 2, as Python does, if it cannot be read."""
    full = os.path.abspath(path)
    try:
        with io.open_code(full) as file:
            source = file.read()
    except OSError as error:
        sys.stderr.write(f"{sys.executable}: can't open file {full!r}: [Errno {error.errno}] {error.strerror}\n")
        sys.exit(2)
    sys.argv = [path, *args]
    _set_first_path(os.path.dirname(os.path.realpath(path)))
    module = _new_main(full, importlib.machinery.SourceFileLoader("__main__", full))
    _execute(compile(source, full, "exec", dont_inherit=True), module)


def run_module(name: str, args: list[str]) -> None:
    """Run a module or package as `python -m` does; `sys.path[0]` is the current directory already."""
    sys.argv = [name, *args]
    runpy.run_module(name, run_name="__main__", alter_sys=True)


def run_code(source: str, args: list[str]) -> None:
    """Run a piece of program text."""
    sys.argv = ["-c", *args]
    _set_first_path("")
    _execute(compile(source, "<string>", "exec", dont_inherit=True), _new_main(None, None))


def _set_first_path(directory: str) -> None:
    if not sys.flags.safe_path:  # under `python -P` there is no such entry to replace
        sys.path[0] = directory


def _new_main(path: str | None, loader: Any) -> ModuleType:
    """An empty `__main__` module in place of this one, as pickle and `import __main__` look for it."""
    module = ModuleType("__main__")
    module.__dict__.update(__builtins__=__builtins__, __annotations__={}, __loader__=loader)
    if path is not None:
        module.__dict__.update(__file__=path, __cached__=None)
    sys.modules["__main__"] = module
    return module


def _execute(code: CodeType, module: ModuleType) -> None:
    exec(code, module.__dict__)


def _without_our_frames(hook: Any) -> Any:
    """`sys.excepthook` for tracebacks that begin where the program begins."""

    def show(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        while traceback is not None and _is_ours(traceback.tb_frame.f_code.co_filename):
            traceback = traceback.tb_next
        hook(kind, error.with_traceback(traceback), traceback)

    return show


def _is_ours(filename: str) -> bool:
    return filename in (__file__, "<frozen runpy>", runpy.__file__)


if __name__ == "__main__":
    main(sys.argv[1:])
