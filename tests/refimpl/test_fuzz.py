from __future__ import annotations

import os

from tests.refimpl import fuzz


def test_random_bytes_raise_nothing():
    count, wrong = fuzz.run(float(os.environ.get("REFIMPL_FUZZ_SECONDS", "3")), seed=20261123)
    assert wrong == []
    assert count > 10
