"""Which engine a run uses."""

from __future__ import annotations

from collections.abc import Callable

from harness import containers
from harness.engines import Engine
from harness.engines.autobahn import VERSION, AutobahnEngine
from harness.engines.autobahn.container import DEFAULT_IMAGE, AutobahnContainer
from harness.engines.autobahn.local import LocalWstest, find
from harness.engines.native import NativeEngine
from harness.errors import CannotRunError

#: Names for `--engine`, the default first.
NAMES = ("native", "autobahn")


def choose(name: str, *, wstest: str | None, image: str | None, say: Callable[[str], None]) -> Engine:
    """The engine of that name. Autobahn: a wstest that was named, else the image if one was named, else a wstest of
    the right version on PATH, else the image; CannotRunError says how to get one.
    """  # noqa: D205 - one sentence
    if name == NativeEngine.name:
        return NativeEngine()
    if name not in NAMES:
        raise ValueError(name)
    if image is None and (path := find(wstest)) is not None:
        client = LocalWstest(path)
        if client.version == VERSION:
            return AutobahnEngine(client)
        say(f"{path} is Autobahn Testsuite {client.version}, not {VERSION}: its verdicts may differ; it is not used")
        if wstest:
            raise CannotRunError(f"{path} is Autobahn Testsuite {client.version}; the cases are those of {VERSION}")
    try:
        engine = containers.connect()
    except CannotRunError as error:
        raise CannotRunError(
            f"the Autobahn engine is missing: no wstest {VERSION} (--wstest, WSTEST or PATH), and {error.message};"
            " docs/autobahn.md shows how to get either"
        ) from error
    reference = image or DEFAULT_IMAGE
    identity = containers.ensure_image(engine, reference, say)
    return AutobahnEngine(AutobahnContainer(engine, reference, identity))
