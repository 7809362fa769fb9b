"""``python -m tensorcore_conformance DEVICE``."""

import sys

from tensorcore_conformance.session import main

if __name__ == "__main__":
    sys.exit(main())
