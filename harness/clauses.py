"""The clause map: what RFC 6455 and RFC 7692 ask of a server, and which cases would notice (clauses.toml)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Literal

from harness.results import Model, matches

Level = Literal["MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY"]


class Clause(Model):
    """A normative statement."""

    id: str  #: `6455-5.1-2`: the RFC, the section, and its number there
    source: str  #: `RFC 6455 5.1`
    level: Level
    says: str  #: one sentence of our own
    cases: tuple[str, ...] = ()  #: patterns of those that fail, or are NON-STRICT, where a server breaks it
    unobservable: str | None = None  #: why nobody can see it who talks to an echo server

    @property
    def state(self) -> Literal["tested", "untested", "unobservable"]:
        """Whether there are cases for it, and whether there could be."""
        if self.unobservable is not None:
            return "unobservable"
        return "tested" if self.cases else "untested"

    @property
    def untested(self) -> bool:
        """Whether it could be tested and is not."""
        return self.state == "untested"

    def tested_by(self, cases: Sequence[str]) -> list[str]:
        """Which of these cases test it."""
        return [case for case in cases if any(matches(pattern, case) for pattern in self.cases)]


@cache
def clauses() -> tuple[Clause, ...]:
    """All of them, in order."""
    text = resources.files("harness").joinpath("clauses.toml").read_text(encoding="utf-8")
    return tuple(Clause.model_validate(entry) for entry in tomllib.loads(text)["clauses"])


@cache
def cases_of_clauses() -> Mapping[str, tuple[str, ...]]:
    """The cases of each clause by its id, in order: all that there are, of which a run need not have had any."""
    # here, for it imports every case, and `wsconform clauses` does without them
    from harness.selection import known  # noqa: PLC0415

    return {clause.id: tuple(clause.tested_by(known())) for clause in clauses()}
