"""What a watched repository says of itself: it may ask for more than we do, never for less.

Its own driftctl.yaml, if it holds one, is written by whoever may write to the repository, which
are the people whom the gate is for. So it is heard where it is stricter, and nowhere else. Nothing
that it names is ever run.
"""

from __future__ import annotations

from dataclasses import replace

from driftctl_py.app.order import Order
from driftctl_py.app.ports import Contents, Sources
from driftctl_py.app.preparation import Settings
from driftctl_py.core.config import decode_config
from driftctl_py.core.config_expand import tightened_by

CONFIG_NAME = "driftctl.yaml"


class Tightening:
    """Reads the copies of the configuration in watched repositories."""

    def __init__(self, *, sources: Sources, contents: Contents, settings: Settings) -> None:
        self._sources = sources
        self._contents = contents
        self._settings = settings

    def tightened(self, order: Order) -> Order:
        """The order with an environment that is as strict as either says. Raises `ConfigError`
        for a copy that cannot be read, or that names policies: what it asks for is then not
        known."""
        environment, revision = order.environment, order.revision
        source = self._settings.sources[environment.source]
        if source.url == ".":
            # It is the very file that we were started with.
            return order
        text = self._contents.text(source, revision, CONFIG_NAME)
        if text is None:
            return order
        name = f"{CONFIG_NAME} of {revision.display_url} at {revision.short}"
        theirs = decode_config(text, filename=name)
        files = self._sources.files(source, revision)
        return replace(order, environment=tightened_by(environment, theirs, files))
