"""`python -m bench`."""

import signal
import sys

from bench.cli import main

if __name__ == "__main__":
    # As Ctrl-C: what was measured is shown, and no server is left behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
