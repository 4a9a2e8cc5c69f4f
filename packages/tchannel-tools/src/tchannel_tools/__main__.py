"""``python -m tchannel_tools`` is ``tchannel``."""

import sys

from .main import main

if __name__ == "__main__":
    sys.exit(main())
