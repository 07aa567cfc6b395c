"""The command: `wsconform`, which is `python -m harness` too."""

import sys


def main() -> None:
    """Run it. Loading it takes a moment, in which Ctrl-C is to be no traceback either."""
    try:
        from harness import cli  # noqa: PLC0415 - that is the moment
    except KeyboardInterrupt:
        sys.stderr.write("wsconform: interrupted\n")
        sys.exit(130)  # as ExitCode.INTERRUPTED, which may not be loaded
    cli.main()


if __name__ == "__main__":
    main()
