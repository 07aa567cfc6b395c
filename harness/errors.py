"""What can go wrong, each with its exit code. The message is one line: what happened, with which input, what to do."""

from enum import IntEnum


class ExitCode(IntEnum):
    """The command's exit codes (a contract: CI scripts rest on them)."""

    PASSED = 0
    FAILED = 1
    USAGE = 2
    CANNOT_RUN = 3
    INCOMPLETE = 4
    INTERRUPTED = 130


class WsconformError(Exception):
    """An error for a person: `message` says what happened and what to do, `details` are further lines, if any."""

    exit_code = ExitCode.CANNOT_RUN

    def __init__(self, message: str, *, details: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class UsageError(WsconformError):
    """The command line or a file that the user wrote is wrong."""

    exit_code = ExitCode.USAGE


class CannotRunError(WsconformError):
    """The environment lacks something: an engine, an image, a program, room on the disk."""


class TargetError(WsconformError):
    """An implementation could not be set up or started."""
