"""``python -m tchannel.tcurl``."""

import sys

if __name__ == "__main__":
    try:
        from . import main
    except ImportError as _error:
        sys.stderr.write(f"tcurl: {_error}\n")
        # What tcurl ends with when something is wrong on this side.
        sys.exit(125)
    sys.exit(main())
