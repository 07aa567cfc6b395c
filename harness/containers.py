"""The Docker engine, by its SDK: images, private networks, containers that never outlive us (extra `docker`)."""

from __future__ import annotations

import contextlib
import io
import os
import platform
import re
import shutil
import socket
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from harness.errors import CannotRunError, WsconformError
from harness.processes import owner_lives, owner_mark
from harness.text import printable

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container
    from docker.models.networks import Network

#: On every container and network that we make: who owns it.
OWNER_LABEL = "wsconform.owner"
_EXTRACT_LIMIT = 2 << 30


def connect() -> DockerClient:
    """The engine that the environment names (DOCKER_HOST, else the usual socket); CannotRunError if none answers."""
    try:
        import docker  # noqa: PLC0415 - an extra: only who uses containers needs it
    except ImportError as error:
        raise CannotRunError("the docker package is not installed: pip install 'wsconform[docker]'") from error
    try:
        return docker.from_env(timeout=120)
    except docker.errors.DockerException as error:
        # ... FileNotFoundError(2, 'No such file or directory'))
        reason = re.search(r"'([^']+)'\)*$", str(error))
        words = printable(reason[1] if reason else str(error), 120)
        raise CannotRunError(f"no Docker engine answers ({words}): start it, or set DOCKER_HOST") from error


def answer() -> bool:
    """Whether an engine answers."""
    try:
        connect()
    except CannotRunError:
        return False
    return True


@contextlib.contextmanager
def explained(action: str, kind: type[WsconformError] = CannotRunError) -> Iterator[None]:
    """Turn the SDK's errors into one line that begins with what could not be done."""
    import docker  # noqa: PLC0415
    import requests  # noqa: PLC0415 - the SDK lets its errors through

    try:
        yield
    except (docker.errors.DockerException, requests.exceptions.RequestException) as error:
        reason = getattr(error, "explanation", None) or str(error)
        raise kind(f"{action}: {printable(str(reason), 300)}") from error


def labels() -> dict[str, str]:
    """What marks a container or network as ours."""
    return {OWNER_LABEL: owner_mark()}


def sweep(client: DockerClient, *, ours: bool = False) -> int:
    """Remove containers and networks that a killed harness on this machine left behind, or `ours` too; how many."""
    import docker  # noqa: PLC0415

    def is_left(mark: str) -> bool:
        return (ours and mark == owner_mark()) or not owner_lives(mark)

    marked: dict[str, str | list[str] | bool] = {"label": OWNER_LABEL}
    removed = 0
    with contextlib.suppress(docker.errors.DockerException):
        for container in client.containers.list(all=True, filters=marked, ignore_removed=True):
            if is_left(container.labels[OWNER_LABEL]):
                remove(container)
                removed += 1
        for network in client.networks.list(filters=marked):
            if is_left(network.attrs["Labels"][OWNER_LABEL]):
                remove_network(network)
                removed += 1
    return removed


def remove(container: Container) -> None:
    """Remove a container, running or not, with its anonymous volumes."""
    import docker  # noqa: PLC0415

    with contextlib.suppress(docker.errors.APIError):  # it may be gone already
        container.remove(force=True, v=True)


def remove_network(network: Network) -> None:
    """Remove a network; one that is still in use is left to the next sweep."""
    import docker  # noqa: PLC0415

    with contextlib.suppress(docker.errors.APIError):
        network.remove()


def confinement(*, memory: str | int, processes: int) -> dict[str, Any]:
    """What every container of ours is created with: our mark, no rights, and bounds on what it may use and write."""
    from docker.types import LogConfig  # noqa: PLC0415

    return {
        "labels": labels(),
        "mem_limit": memory,
        "memswap_limit": memory,
        "pids_limit": processes,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
        "log_config": LogConfig(type=LogConfig.types.JSON, config={"max-size": "10m", "max-file": "1"}),
    }


def private_network(client: DockerClient, *, published: bool) -> Network:
    """A network of our own. Without a way out, unless a port of it is to be published on the host."""
    with explained("cannot make a container network"):
        return client.networks.create(
            f"wsconform-{token_hex(4)}", driver="bridge", internal=not published, labels=labels()
        )


def rootless(client: DockerClient) -> bool:
    """Whether the engine runs without root (its "host" is a network namespace of its own, not this machine)."""
    info: dict[str, Any] = client.info()
    return any("rootless" in option for option in info.get("SecurityOptions") or [])


def shares_our_network(client: DockerClient) -> bool:
    """Whether a container with `--network host` sees our loopback: a Linux engine with root, on this machine."""
    host = os.environ.get("DOCKER_HOST", "unix://")
    desktop = "Docker Desktop" in str(client.info().get("OperatingSystem", ""))
    return platform.system() == "Linux" and host.startswith("unix://") and not rootless(client) and not desktop


def own_address() -> str | None:
    """This machine's address towards the outside, None where it has no way out. Nothing is sent."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # RFC 5737: an address of documentation, which only selects a route
        return str(probe.getsockname()[0])
    return None


def ensure_image(client: DockerClient, reference: str, say: Callable[[str], None]) -> str:
    """Have the image here, pulled with progress if it is absent; its id. CannotRunError says why it can't be had."""
    import docker  # noqa: PLC0415

    with explained(f"cannot look for the image {reference}"):
        try:
            return str(client.images.get(plain_reference(reference)).id)
        except docker.errors.ImageNotFound:
            pass  # to be pulled
    failed = (
        f"cannot pull the image {reference} (`docker load` it, build docker/autobahn/Dockerfile, or name another one)"
    )
    with explained(failed):
        say(f"pulling {reference}")
        name = plain_reference(reference)
        done: dict[str, int] = {}
        for event in client.api.pull(name, stream=True, decode=True):
            if "error" in event:
                raise CannotRunError(f"{failed}: {printable(str(event['error']), 200)}")
            layer, detail = event.get("id", ""), event.get("progressDetail") or {}
            done[layer] = max(done.get(layer, 0), int(detail.get("current") or 0))
            say(f"pulling {reference}: {sum(done.values()) / 1e6:.0f} MB")
        return str(client.images.get(name).id)


def plain_reference(reference: str) -> str:
    """`name:tag@sha256:…` without its tag, which the digest makes idle and which not every call takes."""
    name, at, digest = reference.partition("@")
    last = name.rsplit("/", 1)[-1]
    if at and ":" in last:
        name = name.removesuffix(":" + last.rpartition(":")[2])
    return f"{name}@{digest}" if at else reference


def pack(files: dict[str, bytes]) -> bytes:
    """An uncompressed tar of small files, for `put_archive`."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o644
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


class _Chunks(io.RawIOBase):
    """A stream of chunks as a file, bounded: what a container sends is not to fill the memory or the disk."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""
        self._left = _EXTRACT_LIMIT

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - the base class's signature
        if not self._rest:
            self._rest = next(self._chunks, b"")
            self._left -= len(self._rest)
            if self._left < 0:
                raise CannotRunError(f"a container's output is over {_EXTRACT_LIMIT >> 30} GiB; it is not copied")
        count = min(len(buffer), len(self._rest))
        buffer[:count], self._rest = self._rest[:count], self._rest[count:]
        return count


def extract(container: Container, path: str, destination: Path) -> None:
    """Copy the files of a container's folder into `destination`: plain files only, ours, whoever wrote them there."""
    destination.mkdir(parents=True, exist_ok=True)
    with explained(f"cannot copy {path} out of the container"):
        chunks, _ = container.get_archive(path)
        with tarfile.open(fileobj=io.BufferedReader(_Chunks(iter(chunks)), 1 << 16), mode="r|") as archive:
            for member in archive:
                folder, _, name = member.name.partition("/")
                content = archive.extractfile(member) if member.isreg() else None
                # a name without a slash stays where it is put
                if content is not None and folder == Path(path).name and name not in {"", ".."} and "/" not in name:
                    with (destination / name).open("wb") as file:
                        shutil.copyfileobj(content, file)
