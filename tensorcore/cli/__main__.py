"""``python -m tensorcore.cli``."""

from __future__ import annotations

import sys

from tensorcore.cli.main import main

sys.exit(main())
