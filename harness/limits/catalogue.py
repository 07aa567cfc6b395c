"""All probes there are."""

from __future__ import annotations

from functools import cache

from harness.limits.model import Family, Probe
from harness.limits.probes import (
    l01_frame_size,
    l02_message_size,
    l03_inflated_size,
    l04_keepalive,
    l05_close_timeout,
    l06_opening,
    l07_origin,
    l08_floods,
    l09_connections,
    l10_garbage,
    l11_close_arrives,
)

FAMILIES: tuple[Family, ...] = tuple(
    module.FAMILY
    for module in (
        l01_frame_size,
        l02_message_size,
        l03_inflated_size,
        l04_keepalive,
        l05_close_timeout,
        l06_opening,
        l07_origin,
        l08_floods,
        l09_connections,
        l10_garbage,
        l11_close_arrives,
    )
)


@cache
def probes() -> dict[str, Probe]:
    """Every probe by its id, in order."""
    return {probe.id: probe for family in FAMILIES for probe in family.probes}
