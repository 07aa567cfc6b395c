"""A WebSocket echo server that keeps all limits but one: FAULT, in the environment.

    HOST=127.0.0.1 PORT=9001 MAX_FRAME_SIZE=16384 FAULT="frame-limit-off-by 1" python tests/faulty_limits/server.py

Without FAULT it keeps all of them. The faults are classes in the modules *_faults.py, each with what it does wrong in
its docstring (N is the argument); faults.toml says which limit probes find it. The other variables are refimpl's.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

if __package__ is None:  # started by its path, from anywhere
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from tests.faulty_limits import (
    base,
    connection_faults,
    garbage_faults,
    inflated_faults,
    opening_faults,
    size_faults,
    time_faults,
)

#: Importing them fills FAULTS
MODULES = (size_faults, inflated_faults, time_faults, opening_faults, connection_faults, garbage_faults)

if __name__ == "__main__":
    sys.exit(base.serve(os.environ.get("FAULT", "")))
