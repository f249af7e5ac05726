"""What a wiring starts from: this process's environment variables, the clock, the configuration's
file and the directory of our own. The one module that reads them.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from driftctl_py.errors import ConfigError, Problem

if TYPE_CHECKING:
    from datetime import datetime

    from driftctl_py.adapters.stop import Stop
    from driftctl_py.core.config_model import Config

CONFIG_NAME = "driftctl.yaml"
# What a fingerprint's secrets are sealed with.
KEY_NAME = "DRIFTCTL_FINGERPRINT_KEY"
# By what an approver proves who they are: the secret that `key add` printed.
APPROVER_KEY_NAME = "DRIFTCTL_APPROVER_KEY"
# In the data directory: what was found out about engines.
ENGINES_NAME = "engines.json"

# Names whose values are secrets wherever they turn up; what an engine quotes is searched for them.
_SECRET_NAME = re.compile(
    r"TOKEN|SECRET|PASSWORD|PASSWD|API_?KEY|PRIVATE_?KEY|FINGERPRINT_KEY|^TF_ENCRYPTION$",
    re.IGNORECASE,
)


def now() -> datetime:
    """The moment, in UTC."""
    from datetime import UTC, datetime

    return datetime.now(UTC)


def monotonic() -> float:
    """Seconds of a clock that nobody sets."""
    import time

    return time.monotonic()


def new_id() -> str:
    """For a run or an approval: sorts by time, and two of one moment differ."""
    import secrets
    from base64 import b32encode

    return f"{now():%Y%m%d-%H%M%S}-{b32encode(secrets.token_bytes(5)).decode().lower()}"


def hostname() -> str:
    """This machine's name."""
    import socket

    return socket.gethostname()


def process_id() -> int:
    """This process's number."""
    return os.getpid()


def environ() -> Mapping[str, str]:
    """This process's environment variables."""
    return os.environ


def new_stop() -> Stop:
    """A wish to stop that can be passed to a check, not asked yet."""
    from driftctl_py.adapters.stop import Stop

    return Stop()


def find_config(given: Path | None) -> Path:
    """The configuration file: the given one, else the one that ``DRIFTCTL_CONFIG`` names, else
    `driftctl.yaml` here or in a parent up to the repository's root. Raises `ConfigError`."""
    if given is None and (named := os.environ.get("DRIFTCTL_CONFIG")):
        given = Path(named)
    if given is not None:
        if not given.exists():
            raise ConfigError((Problem(str(given), 0, "There is no such file.", _WRITE_ONE),))
        if not given.is_file():
            name = "Name the file itself with --config."
            raise ConfigError((Problem(str(given), 0, "It is not a file.", name),))
        return given
    if (found := config_here()) is not None:
        return found
    what = f"There is no {CONFIG_NAME} in {Path.cwd()} or above."
    raise ConfigError((Problem(CONFIG_NAME, 0, what, _WRITE_ONE),))


def config_here() -> Path | None:
    """The configuration file of this directory or of a parent, up to the repository's root."""
    here = Path.cwd()
    for directory in (here, *here.parents):
        if (directory / CONFIG_NAME).is_file():
            return directory / CONFIG_NAME
        if (directory / ".git").exists():
            break
    return None


_WRITE_ONE = "Write one with: driftctl-py init"


def load_config(path: Path) -> Config:
    """Read and decode the configuration. Raises `ConfigError` with every problem in it."""
    return read_config(path)[0]


def read_config(path: Path) -> tuple[Config, Callable[[], bool]]:
    """The configuration, and whether it is another one by now: whoever works for long asks, since
    what it says by then may be stricter. Raises `ConfigError`."""
    from driftctl_py.core.config import decode_config

    before = _signature(path)
    try:
        data = _content(path)
    except OSError as error:
        raise ConfigError((Problem(str(path), 0, f"It cannot be read: {error.strerror}."),)) from (
            error
        )

    def is_another() -> bool:
        nonlocal before
        now = _signature(path)
        if now is not None and now == before:
            return False
        try:
            same = _content(path) == data
        except OSError:
            # What it says now is not known.
            return True
        if same:
            # Written anew, with nothing else in it.
            before = now
        return not same

    return decode_config(data, filename=_shown(path)), is_another


def _content(path: Path) -> bytes:
    # One byte more than is accepted is enough to see that it is too much.
    with path.open("rb") as file:
        return file.read(2 * 1024 * 1024)


def _signature(path: Path) -> tuple[int, ...] | None:
    """What changes whenever the file is written; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def secret_values(*environs: Mapping[str, str]) -> frozenset[str]:
    """Values of variables whose names say that they are secrets."""
    pairs = [pair for each in environs for pair in each.items()]
    # Short values would be found in the middle of ordinary words.
    return frozenset(
        value for name, value in pairs if len(value) >= 8 and _SECRET_NAME.search(name)
    )


def data_dir(given: Path | None, configured: str | None, here: Path) -> Path:
    """Where we keep checkouts, plugins and records: option, configuration, environment, default."""
    if given is not None:
        found = given.absolute()
    elif configured is not None:
        found = path_from(configured, here)
    elif own := os.environ.get("DRIFTCTL_DATA_DIR"):
        found = Path(own).absolute()
    else:
        base = os.environ.get("XDG_DATA_HOME")
        found = (Path(base) if base else Path.home() / ".local" / "share") / "driftctl-py"
    # Without "..", since what lies in it is told from what does not by comparing paths.
    return Path(os.path.normpath(found))


def make_data_dir(path: Path) -> None:
    """Make the directory of our own, for our eyes only: made as the parent of something else, it
    would be open to whoever the umask lets in. What keeps us from it is said by whoever needs it.
    """
    with contextlib.suppress(OSError):
        path.mkdir(parents=True, exist_ok=True, mode=0o700)


def path_from(text: str, here: Path) -> Path:
    """A path from the configuration, relative to the file that it stands in."""
    return (here / Path(text).expanduser()).absolute()


def _shown(path: Path) -> str:
    """The path as a person here would type it."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
