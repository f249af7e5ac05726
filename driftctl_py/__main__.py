"""``python -m driftctl_py``."""

from __future__ import annotations

import sys

from driftctl_py.cli.main import main

sys.exit(main())
