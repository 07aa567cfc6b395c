import dataclasses
import math
from typing import Any

import pytest

from refimpl import Parameters, Request

MIB, GIB = 1 << 20, 1 << 30
REQUEST = Request("/", {})


def test_the_defaults_are_the_seeds():
    parameters = Parameters()
    assert dataclasses.asdict(parameters) | {"accept_connection": 0, "access_denied": 0} == {
        "ping_interval": 15,
        "close_timeout": 5,
        "connection_timeout": 58,
        "accept_connection": 0,
        "access_denied": 0,
        "drop_incoming_pings": True,
        "propagate_common_errors": False,
        "max_frame_size": MIB,
        "max_message_size": MIB,
        "handshake_timeout": 10,
        "max_handshake_size": 16 * 1024,
        "max_connections": 1000,
        "max_fragments": 131_072,
    }
    assert parameters.accept_connection(REQUEST)
    assert parameters.access_denied(REQUEST) == (403, "<h1>Access denied</h1>")


def make(name: str, value: Any) -> Parameters:  # noqa: ANN401 - any kind, the wrong ones too
    values: dict[str, Any] = {name: value}
    return Parameters(**values)


def names(kind: type) -> list[str]:
    return [field.name for field in dataclasses.fields(Parameters) if type(field.default) is kind]


@pytest.mark.parametrize("name", names(int))
def test_a_size_or_count_is_from_1_to_1_gib(name: str):
    assert getattr(make(name, 1), name) == 1
    assert getattr(make(name, GIB), name) == GIB
    for value in (0, -1, GIB + 1):
        with pytest.raises(ValueError, match=f"{name} must be from 1 to"):
            make(name, value)
    for wrong in (True, 1.0, "1"):
        with pytest.raises(TypeError, match=name):
            make(name, wrong)


@pytest.mark.parametrize("name", names(float))
def test_a_time_is_0_or_more_and_finite(name: str):
    assert getattr(make(name, 0), name) == 0
    for value in (-0.001, math.inf, math.nan):
        with pytest.raises(ValueError, match=f"{name} must be from 0 to"):
            make(name, value)
    for wrong in (True, "1", None):
        with pytest.raises(TypeError, match=name):
            make(name, wrong)


@pytest.mark.parametrize("name", names(bool))
def test_a_flag_is_a_boolean(name: str):
    with pytest.raises(TypeError, match=name):
        make(name, 1)


@pytest.mark.parametrize("name", ["accept_connection", "access_denied"])
def test_a_procedure_is_callable(name: str):
    with pytest.raises(TypeError, match=name):
        make(name, True)
