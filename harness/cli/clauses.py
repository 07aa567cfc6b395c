"""`wsconform clauses`: what the RFCs ask of a server, and what tests it."""

from __future__ import annotations

import json
from collections import Counter

import click

from harness.clauses import Clause, clauses
from harness.cli.common import debug_option
from harness.errors import UsageError


@click.command("clauses")
@click.argument("sections", nargs=-1, metavar="[SECTION]...")
@click.option("--untested", is_flag=True, help="Those alone that could be seen from outside and that no case tests.")
@click.option("--json", "as_json", is_flag=True, help="As a JSON array.")
@debug_option
def list_clauses(sections: tuple[str, ...], untested: bool, as_json: bool) -> None:
    """List what RFC 6455 and RFC 7692 ask of a server, and which cases test it.

    A SECTION such as 'RFC 6455 5.1' or 'RFC 7692' asks for those alone whose section begins like that.
    """
    chosen = [clause for clause in clauses() if not sections or any(_is_of(clause, section) for section in sections)]
    if not chosen:
        raise UsageError(f"no clause is of {sections[0]!r}; 'RFC 6455 5.1', say, or RFC 7692")
    chosen = [clause for clause in chosen if clause.untested or not untested]
    if as_json:
        click.echo(json.dumps([clause.model_dump(by_alias=True) for clause in chosen]))
        return
    for clause in chosen:
        tested = ", ".join(clause.cases) or "no case"
        click.echo(f"{clause.source:<18} {clause.level:<10} {clause.says}")
        click.echo(f"{'':<18} {'':<10} {clause.unobservable or tested}")
    counts = Counter(clause.state for clause in chosen)
    click.echo(", ".join(f"{count} {what}" for what, count in sorted(counts.items())) or "none", err=True)


def _is_of(clause: Clause, section: str) -> bool:
    return f"{clause.source}.".startswith(f"{section.strip().rstrip('.')}.") or f"{clause.source} ".startswith(
        f"{section} "
    )
