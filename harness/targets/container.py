"""An implementation as a container, built from its Dockerfile."""

from __future__ import annotations

import contextlib
import io
import tarfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Literal

from harness import containers
from harness.endpoint import Endpoint
from harness.errors import CannotRunError, TargetError
from harness.handshake import check_again, wait_until_ready
from harness.limits.meter import CgroupMeter
from harness.limits.settings import ORIGIN
from harness.manifest import Source, project
from harness.processes import describe_exit
from harness.targets.guard import MEMORY_LIMIT, Guard, Usage, together
from harness.text import last_lines, printable

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container
    from docker.models.networks import Network

_PORT = 9001
_CPUS = 2.0
_PROCESS_LIMIT = 4096  # a thread a connection, of a thousand, is nothing to be blamed for
_READY_LIMIT_S = 60
_LOG_LINES = 20_000


def build_image(client: DockerClient, source: Source, base: str | None, say: Callable[[str], None]) -> str:
    """Build the image from the manifest's Dockerfile; its tag. `base` overrides the Dockerfile's BASE."""
    dockerfile = (source.folder / source.manifest.container.dockerfile).resolve()
    if not dockerfile.is_file():
        raise TargetError(f"{source.name}: no {dockerfile}")
    if source.asked_version:
        raise TargetError(f"{source.name}: an image has the version of its manifest, {source.manifest.version}")
    # a Dockerfile may be shared with another implementation: its name in the context is where it lies
    in_context = f"implementations/{dockerfile.parent.name}/{dockerfile.name}"
    tag = f"wsconform/{source.manifest.name}:{source.manifest.version}"
    tail = ""
    with containers.explained(f"cannot build the image of {source.manifest.name}", TargetError):
        for event in client.api.build(
            fileobj=_context(source, dockerfile, in_context),
            custom_context=True,
            dockerfile=in_context,
            tag=tag,
            buildargs={"BASE": base} if base else None,
            labels={"wsconform.implementation": source.manifest.name},
            rm=True,
            forcerm=True,
            decode=True,
        ):
            tail = (tail + str(event.get("stream", "")))[-8192:]
            if step := str(event.get("stream", "")).strip():
                say(f"building {source.manifest.name}: {printable(step, 60)}")
            if "error" in event:
                reason = printable(str(event["error"]), 200)
                raise TargetError(
                    f"cannot build the image of {source.manifest.name}: {reason}", details=last_lines(tail)
                )
    return tag


def _context(source: Source, dockerfile: Path, in_context: str) -> io.BytesIO:
    """The build context: the folder with its files, the Dockerfile, and the project's files that its manifest names."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.add(source.home, f"implementations/{source.home.name}", filter=_clean)
        if dockerfile.parent != source.home:
            archive.add(dockerfile, in_context, filter=_clean)
        for name in source.manifest.container.files:
            archive.add(project() / name, name, filter=_clean)
    buffer.seek(0)
    return buffer


def _clean(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Leave out caches, and what differs from checkout to checkout, so that the engine's build cache holds."""
    if Path(member.name).name in {"__pycache__", "node_modules"}:
        return None
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = 0
    return member


class ContainerTarget:
    """An implementation in a container on a network of its own."""

    started_as: Literal["container"] = "container"

    def __init__(
        self,
        client: DockerClient,
        source: Source,
        log: Path,
        *,
        base: str | None,
        say: Callable[[str], None],
        given: Mapping[str, str] | None = None,
    ) -> None:
        self.name = source.name
        self.deflates = source.deflates
        self.limits = source.manifest.limits_by_name
        self._given = given or {}
        self._client = client
        self._source = source
        self._log = log
        self._base = base
        # Without its address within our reach (rootless, Docker Desktop) its port must be, also to look at it.
        self._published = not containers.shares_our_network(client)
        self._say = say
        self._image: str | None = None
        self._network: Network | None = None
        self._is_neighbour = False  #: on the network of another one, which removes it
        self._container: Container | None = None
        self._endpoint: Endpoint | None = None
        self._guard: Guard | None = None
        self._used: list[Usage] = []

    def start(self) -> Endpoint:
        """Build the image where needed, start it and wait for a handshake."""
        self._remove_container()
        if self._image is None:
            self._image = build_image(self._client, self._source, self._base, self._say)
        if self._network is None:
            self._network = containers.private_network(self._client, published=self._published)
        with containers.explained(f"cannot start the container of {self.name}", TargetError):
            self._container = self._client.containers.create(
                self._image,
                name=f"wsconform-{self.name}-{token_hex(4)}",  # only a given name is known to its neighbours
                network=self._network.name,
                environment=self._environment,
                ports={f"{_PORT}/tcp": ("127.0.0.1", 0)} if self._published else None,
                **containers.confinement(memory=MEMORY_LIMIT, processes=_PROCESS_LIMIT),
                nano_cpus=round(min(_CPUS, self._client.info()["NCPU"]) * 1e9),
            )
            self._container.start()
            self._container.reload()
            if (meter := self.meter()) is not None:
                self._guard = Guard(meter, lambda: None)  # the engine ends it over its limit
            self._endpoint = self._find_endpoint(self._container, str(self._network.name))
        problem = wait_until_ready(self._endpoint, self._gone, _READY_LIMIT_S)
        if problem is not None:
            output = self._output()
            self.stop()
            raise TargetError(f"{self.name} did not start in its container: {problem}", details=last_lines(output))
        return self._endpoint

    @property
    def _environment(self) -> dict[str, str]:
        manifest = self._source.manifest
        address = {"HOST": "0.0.0.0", "PORT": str(_PORT)}  # noqa: S104 - of its own network
        return {**manifest.environment, **manifest.environment_of(self._given), **address}

    def _find_endpoint(self, container: Container, network: str) -> Endpoint:
        container.reload()
        settings = container.attrs["NetworkSettings"]
        inside = f"ws://{container.name}:{_PORT}"
        origin = self._given.get(ORIGIN)
        if self._published and (ports := settings["Ports"].get(f"{_PORT}/tcp")):
            return Endpoint(f"ws://127.0.0.1:{ports[0]['HostPort']}", network, inside, origin)
        # On Linux the host has a leg in the bridge, also of a network without a way out.
        address = settings["Networks"][network]["IPAddress"]
        if not address:
            raise TargetError(f"{self.name} has no address on its network: {self._gone() or 'it has ended'}")
        return Endpoint(f"ws://{address}:{_PORT}", network, inside, origin)

    def _gone(self) -> str | None:
        if self._container is None:
            return "it was not started"
        try:
            with containers.explained("its container can't be seen"):
                self._container.reload()
        except CannotRunError as error:
            return error.message
        state = self._container.attrs["State"]
        if state["Running"]:
            return None
        out_of_memory = f", out of memory ({MEMORY_LIMIT >> 30} GiB)" if state.get("OOMKilled") else ""
        code = int(state["ExitCode"])
        signalled = 128
        return f"it ended with {describe_exit(signalled - code if code > signalled else code)}{out_of_memory}"

    def problem(self) -> str | None:
        """None if a fresh connection works, else how the container ended or what is wrong with its answer."""
        if (reason := self._gone()) is not None or self._endpoint is None:
            return reason or "it was not started"
        return check_again(self._endpoint, self._gone)

    def _output(self) -> str:
        if self._container is None:
            return ""
        with containers.explained("its output can't be read"):
            return bytes(self._container.logs(tail=_LOG_LINES)).decode("utf-8", "replace")

    def last_output(self) -> str:
        """The last line that it wrote."""
        with self._quietly():
            return last_lines(self._output(), 1)
        return ""

    def given(self, settings: Mapping[str, str], label: str) -> ContainerTarget:
        """Another container of the same image, with the environment that sets these limits."""
        other = ContainerTarget(
            self._client,
            self._source,
            self._log.with_name(f"{self._log.stem}.{label}.log"),
            base=self._base,
            say=self._say,
            given=settings,
        )
        other._image = self._image
        other._network = self._network  # an engine has some thirty to give, and each probe has a container
        other._is_neighbour = self._network is not None
        return other

    def meter(self) -> CgroupMeter | None:
        """Of its cgroup, where the engine runs on this machine and the kernel tells."""
        if self._container is None or not containers.shares_our_network(self._client):
            return None
        with contextlib.suppress(OSError, KeyError):
            return CgroupMeter(int(self._container.attrs["State"]["Pid"]))
        return None

    def usage(self) -> Usage | None:
        """What it has used until it was stopped, all its starts together."""
        return together(self._used) if self._used else None

    def stop(self) -> None:
        """End and remove the container and its network."""
        self._remove_container()
        if self._network is not None and not self._is_neighbour:
            containers.remove_network(self._network)
            self._network = None

    def _remove_container(self) -> None:
        if self._container is None:
            return
        if self._guard is not None:
            self._used.append(self._guard.end())
            self._guard = None
        with self._quietly():
            self._container.stop(timeout=5)
        with self._quietly(), self._log.open("a", encoding="utf-8") as file:
            file.write(self._output())
        containers.remove(self._container)
        self._container = None

    @staticmethod
    @contextlib.contextmanager
    def _quietly() -> Iterator[None]:
        """Cleaning up goes on whatever is gone already."""
        with contextlib.suppress(CannotRunError, OSError), containers.explained("cleaning up"):
            yield
