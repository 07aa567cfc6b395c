import pytest

import refimpl
from refimpl import close_code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (refimpl.ProtocolError, 1002),
        (refimpl.ReservedBitsError, 1002),
        (refimpl.InvalidDataError, 1007),
        (refimpl.MessageTooLargeError, 1009),
        (refimpl.ConnectionTimeoutError, 1001),
        (refimpl.UnexpectedError, 1011),
        (ZeroDivisionError, 1011),
    ],
)
def test_each_error_has_its_close_code(error: type[Exception], code: int):
    assert close_code(error()) == code


def test_reserved_bits_are_a_protocol_error():
    assert issubclass(refimpl.ReservedBitsError, refimpl.ProtocolError)


def test_everything_public_is_documented():
    assert [name for name in refimpl.__all__ if name != "Event" and not getattr(refimpl, name).__doc__] == []
