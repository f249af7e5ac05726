"""A program of its own, between us and other people's: what it runs leaves nothing running.

    python -I -S leash.py DESCRIPTOR DIRECTORY PROGRAM ARGUMENT...

`contained` starts it, and imports nothing of it. It runs PROGRAM and says over DESCRIPTOR, a
socket, how that ended: ``start ERRNO``, ``exit CODE`` or ``signal NUMBER``. Before it says so,
everything is gone that PROGRAM left behind. When the socket is closed from the other side, be it
that we want an end or that we were killed, all of it is killed at once, and DIRECTORY removed.

On Linux nothing gets away by another session or a second fork: whose parent is gone becomes a child
of this program (`PR_SET_CHILD_SUBREAPER`), and not of init. Had we made ourselves that parent,
engines that are to outlive us would become ours too. Elsewhere, what stays in the program's own
process group is killed, and no more.
"""

from __future__ import annotations

import os
import select
import signal
import sys

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def main(control: int, directory: str, argv: list[str]) -> None:
    os.set_inheritable(control, False)
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    _without_core_dumps()
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    # The wake-up is written only where there is a handler.
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    child = os.fork()
    if child == 0:
        _become(control, argv)
    status, told_to_end = None, False
    while status is None and not told_to_end:
        ready, _, _ = select.select([control, woken], [], [])
        told_to_end = control in ready
        if woken in ready:
            os.read(woken, 4096)
        status = _reaped(child)
    _end_all(child)
    if told_to_end or not _say(control, status or 0):
        import shutil

        shutil.rmtree(directory, ignore_errors=True)


def _become(control: int, argv: list[str]) -> None:
    try:
        os.setsid()
        # Should this program be killed by the one that it runs, that ends as well.
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        # Python ignores it, and what is ignored stays so.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.execv(argv[0], argv)  # noqa: S606 - a shell is what there must not be
    except OSError as error:
        os.write(control, f"start {error.errno}\n".encode())
    finally:
        os._exit(127)


def _reaped(child: int) -> int | None:
    """The status of ``child``, once it has ended; whatever else has is reaped as well."""
    found = None
    try:
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return found
            if pid == child:
                found = status
    except ChildProcessError:
        return found


def _end_all(child: int) -> None:
    """Kill until there is nothing more to wait for: each round brings up the children of those that
    the last one killed."""
    while True:
        for pid in _children(child):
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                continue
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _children(child: int) -> list[int]:
    if not os.path.exists("/proc/self/stat"):  # noqa: PTH110 - pathlib takes long to import
        return [-child]
    own, found = str(os.getpid()), []
    for name in os.listdir("/proc"):  # noqa: PTH208 - the same
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - the same
                    # Its name, in brackets, may hold brackets and spaces itself.
                    parent = file.read().rpartition(")")[2].split()[1]
            except (OSError, IndexError):  # gone meanwhile
                continue
            if parent == own:
                found.append(int(name))
    return found


def _say(control: int, status: int) -> bool:
    code = os.waitstatus_to_exitcode(status)
    try:
        os.write(control, (f"exit {code}\n" if code >= 0 else f"signal {-code}\n").encode())
    except OSError:
        return False
    return True


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _without_core_dumps() -> None:
    """They would hold what the program knew, and outlive its directory."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3:])
