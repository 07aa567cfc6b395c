"""Runs a case for a test and turns its verdict into the test's outcome, by the rules of the gate."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import baseline, gate, handshake, selection
from harness.endpoint import Endpoint, parse_url
from harness.engines import Job, Record
from harness.engines.native import NativeEngine
from harness.errors import ExitCode, UsageError, WsconformError
from harness.pytest_plugin import PROFILES
from harness.pytest_plugin.words import failure, in_short
from harness.results import Behavior, Deviation, Outcome, TargetRun
from harness.text import printable

#: How long a server that was just started may take until it answers, and one that did not answer before, in seconds.
_READY_S = 3.0
_STILL_SILENT_S = 1.0


class Checker:
    """The options of a pytest run, and what it knows of the servers; UsageError if an option is wrong."""

    def __init__(self, config: pytest.Config) -> None:
        def asked(name: str) -> str:
            return str(config.getoption(f"wsconform_{name}") or config.getini(f"wsconform_{name}") or "")

        def patterns(name: str) -> list[str]:
            return list(config.getoption(f"wsconform_{name}") or config.getini(f"wsconform_{name}"))

        self.cases = _resolve(patterns("cases") or ["*"], patterns("exclude"))
        self._strict = bool(config.getoption("wsconform_strict") or config.getini("wsconform_strict"))
        self._profile = asked("profile") or PROFILES[0]
        if self._profile not in PROFILES:
            raise UsageError(f"wsconform_profile is {' or '.join(PROFILES)}, not {self._profile!r}")
        self._deviations = _deviations(config)
        if url := asked("url"):
            parse_url(url)
        self._silent: set[str] = set()  #: URLs that did not answer when they were last asked

    @staticmethod
    def moves_much(case: str) -> bool:
        """Whether it moves much data, as far as the server offers what it takes."""
        return selection.is_bulk(case, deflates=True)

    def check(self, item: pytest.Item, case: str, url: str) -> None:
        """Run the case and end the test as its verdict says; a case without a verdict fails."""
        __tracebackhide__ = True
        record, problem = self._record(case, url)
        if record is None:
            pytest.fail(f"no verdict: {printable(problem)} (case {case})", pytrace=False)
        result = record.result
        item.user_properties += [("behavior", str(result.behavior)), ("behaviorClose", str(result.behavior_close))]
        if result.remote_close_code is not None:
            item.user_properties.append(("remoteCloseCode", result.remote_close_code))
        self._conclude(record, item)

    def _conclude(self, record: Record, item: pytest.Item) -> None:
        __tracebackhide__ = True
        result = record.result
        deviations = baseline.of_target(self._deviations, result.target)
        about = TargetRun(
            target=result.target, engine=result.engine, started_as="url", deviations=deviations, expected=1, observed=1
        )
        judgement = gate.judge(about, [result], strict=self._strict)
        covering = [deviation for deviation in deviations if deviation.covers(result.case)]
        if judgement.exit_code is not ExitCode.PASSED:
            why = ""
            if judgement.stale:
                why = "this known deviation happens no more: take it out of the baseline"
            elif covering:
                why = "the known deviation is another one"
            elif result.outcome is Outcome.NON_STRICT:
                why = "it breaks a SHOULD, which fails where strict is asked for"
            options = " --profile quick" if self._profile == "quick" else ""  # its own default is full
            pytest.fail(failure(record, why, covering, item.name, options), pytrace=False)
        if judgement.known:
            reason = next(deviation.reason for deviation in covering if deviation.explains(result))
            pytest.xfail(printable(f"{reason} ({in_short(result)})"))
        if result.outcome is Outcome.UNIMPLEMENTED:
            pytest.skip(f"UNIMPLEMENTED: {printable(record.evidence.outcome)}")

    def _record(self, case: str, url: str) -> tuple[Record | None, str]:
        """The case's verdict, or why it has none."""
        try:
            return self._run(case, parse_url(url)), ""
        except WsconformError as error:
            return None, error.message

    def _run(self, case: str, endpoint: Endpoint) -> Record:
        """The case's verdict; WsconformError if it gets none."""
        if (problem := self._problem_before(endpoint)) is not None:
            raise WsconformError(f"{endpoint.url} did not answer before the case began: {problem}")
        job = Job(
            target=endpoint.url,
            endpoints=[endpoint],
            cases=[case],
            jobs=1,
            deflates=True,
            folder=Path(),  # the native engine keeps no files
            profile=self._profile,
        )
        batches = list(NativeEngine().run(job))
        died = handshake.check_again(endpoint)
        if died is not None:
            self._silent.add(endpoint.url)
        records = [record for batch in batches for record in batch.records]
        if not records:
            raise WsconformError(next((batch.reason for batch in batches if batch.reason), "the engine gave none"))
        return records[0] if died is None else _blamed(records[0], died)

    def _problem_before(self, endpoint: Endpoint) -> str | None:
        """None if the server answers; one that the fixture has only just started is waited for, once."""
        if endpoint.url in self._silent:
            problem = handshake.check(endpoint, _STILL_SILENT_S)
        else:
            problem = handshake.wait_until_ready(endpoint, lambda: None, _READY_S)
        if problem is None:
            self._silent.discard(endpoint.url)
        else:
            self._silent.add(endpoint.url)
        return problem


def _resolve(patterns: list[str], exclude: list[str]) -> list[str]:
    for pattern in patterns:
        if selection.suite_of(pattern) == "limits":
            raise UsageError(
                f"{pattern!r}: limit probes are no tests here, they need servers of their own: "
                "`wsconform run --suite limits` runs them"
            )
    return selection.resolve(patterns, exclude, "conformance")


def _deviations(config: pytest.Config) -> list[Deviation]:
    """Those of the baseline; with --runxfail verdicts count as if nobody had expected them."""
    option, setting = config.getoption("wsconform_baseline"), config.getini("wsconform_baseline")
    if not (option or setting) or config.getoption("runxfail", False):
        return []
    return baseline.load(config.invocation_params.dir / option if option else config.rootpath / setting)


def _blamed(record: Record, died: str) -> Record:
    """The verdict of a case after which nothing answered: whatever else the server did, it failed."""
    words = f"It killed the server, or left it unable to answer: {died}. {record.evidence.outcome}"
    return Record(
        record.result.model_copy(update={"behavior": Behavior.FAILED}),
        record.evidence.model_copy(update={"outcome": words.strip()}),
    )
