"""The verdict about the closing, and what the peer did put into a record: Autobahn's rules, in its order."""

from __future__ import annotations

from harness.cases.model import Case, Event
from harness.engines.native.drivers import Driver
from harness.results import Behavior, BehaviorClose, Closing
from harness.text import printable

_SHOWN = 64


def judge(case: Case, driver: Driver, closing: Closing, *, opened: bool) -> tuple[Behavior, BehaviorClose, str, str]:
    """Both verdicts, and each in words."""
    if not opened:
        words = f"The opening handshake was not completed: {closing.reason_not_clean or 'the connection was lost'}."
        return Behavior.FAILED, BehaviorClose.FAILED, words, words
    driver.on_end()
    behavior, outcome = driver.behavior, driver.outcome
    close, words = _closing(case, closing)
    wrong_endpoint = case.close.by_engine != closing.closed_by_engine
    if (case.close.wrong_endpoint_fails and wrong_endpoint) or (
        case.wrong_code_fails and close is BehaviorClose.WRONG_CODE
    ):
        behavior, outcome = Behavior.FAILED, words
    if case.informational:
        return Behavior.INFORMATIONAL, BehaviorClose.INFORMATIONAL, _left_open(case, driver), words
    return behavior, close, outcome, words


def _closing(case: Case, closing: Closing) -> tuple[BehaviorClose, str]:
    expected = case.close
    if expected.by_engine != closing.closed_by_engine:
        if expected.by_engine:
            return BehaviorClose.FAILED, "The peer ended the connection, where it was not its turn."
        return BehaviorClose.FAILED, "The peer did not fail the connection; the engine had to end it."
    if expected.clean and not closing.was_clean:
        why = closing.reason_not_clean or "it was incomplete"
        return BehaviorClose.UNCLEAN, f"The closing handshake was not clean: {why}."
    if closing.remote_code is not None and closing.remote_code not in expected.codes:
        codes = " or ".join(map(str, expected.codes))
        return BehaviorClose.WRONG_CODE, f"The close code was {closing.remote_code}; it should be {codes}, or none."
    if closing.dropped_by_engine:
        return BehaviorClose.FAILED_BY_CLIENT, "The peer left it to the engine to drop the TCP connection."
    return BehaviorClose.OK, "The connection was closed as it should be."


def _left_open(case: Case, driver: Driver) -> str:
    seen = {Behavior.OK: "The message was answered before the close.", Behavior.NON_STRICT: "Nothing was answered."}
    return seen.get(driver.behavior, "Something was answered.") if len(case.accepted) > 1 else "See how it was closed."


def shown(event: Event) -> str:
    """`message "Hello" (text)`, `pong "x"`, `timeout A`: as the Autobahn engine shows its own."""
    if isinstance(event.data, str):
        return f"{event.kind} {event.data}"
    more = "…" if len(event.data) > _SHOWN else ""
    excerpt = event.data[:_SHOWN]
    try:
        data = f'"{printable(excerpt.decode("utf-8", "ignore" if more else "strict"))}{more}"'
    except UnicodeDecodeError:
        data = f'"0x{excerpt.hex()}{more}"'
    kind = f" ({'binary' if event.binary else 'text'})" if event.kind == "message" else ""
    return f"{event.kind} {data}{kind}"
