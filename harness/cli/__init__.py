"""The command line: `wsconform`. Progress and errors go to standard error, results to standard output."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence

import click

from harness import __version__
from harness.cli.cases import cases
from harness.cli.clauses import list_clauses
from harness.cli.common import State
from harness.cli.crosscheck import crosscheck
from harness.cli.diff import diff
from harness.cli.implementations import implementations
from harness.cli.run import compare, import_, run
from harness.cli.runs import gate, merge, report
from harness.errors import ExitCode, WsconformError

__all__ = ["cli", "main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="wsconform")
def cli() -> None:
    """Tell where a WebSocket server breaks RFC 6455 and RFC 7692.

    \b
    wsconform run refimpl                  the project's own reference server
    wsconform run ws://localhost:9001      a server that you started
    wsconform run ws --cases '6.*'         one section against an implementation
    wsconform compare                      every implementation, side by side
    wsconform crosscheck refimpl           both engines, and where they disagree
    wsconform gate --baseline known.toml   judge the latest run by what you expect of it
    wsconform report --format junit        the latest run for a CI system
    wsconform diff OLD NEW                 what got worse, and what better

    \b
    Exit codes: 0 passed; 1 a verdict failed the gate; 2 usage or bad configuration; 3 the
    environment cannot do it; 4 incomplete (cases without a verdict); 130 interrupted.
    """  # noqa: D301 - \b is click's mark for a paragraph that keeps its lines


for command in (run, compare, crosscheck, import_, gate, report, diff, merge, cases, list_clauses, implementations):
    cli.add_command(command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and exit with its code; an error is one line, and a traceback besides with --debug."""
    state = State()
    try:
        code = cli.main(arguments, prog_name="wsconform", standalone_mode=False, obj=state)
    except click.ClickException as error:
        code = _complain(f"{error.format_message()} (`wsconform --help` shows what there is)", ExitCode.USAGE, state)
    except WsconformError as error:
        code = _complain(error.message, error.exit_code, state, error.details)
    except (KeyboardInterrupt, click.Abort):
        code = _complain("interrupted", ExitCode.INTERRUPTED, state)
    except SystemExit:  # click's way with a broken pipe; how it would have ended nobody knows
        code = _complain("what read its output has gone", ExitCode.CANNOT_RUN, state)
    except Exception as error:  # noqa: BLE001 - a bug must not look like a verdict: Python's own exit code for it is 1
        words = f"internal error: {type(error).__name__}: {error}; --debug shows where, please report it"
        code = _complain(words, ExitCode.CANNOT_RUN, state)
    sys.exit(int(code or 0))


def _complain(message: str, code: ExitCode, state: State, details: str = "") -> ExitCode:
    if state.debug:
        traceback.print_exc()
    click.echo(f"wsconform: {message}", err=True)
    for line in details.splitlines():
        click.echo(f"    {line}", err=True)
    return code
