"""The fuzzingclient in its container, `crossbario/autobahn-testsuite`: no bind mount, so no file of somebody else."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import containers
from harness.endpoint import Endpoint
from harness.engines.autobahn import VERSION, Monitor, write_spec

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

DEFAULT_IMAGE = f"crossbario/autobahn-testsuite:{VERSION}"
_MEMORY_LIMIT = "2g"
_PROCESS_LIMIT = 64
_OUT_OF_MEMORY = 137
_POLL_S = 0.05
_HOST_NAME = "host.docker.internal"


class AutobahnContainer:
    """Runs `wstest` in a container that it makes and removes, reaching the server wherever that is."""

    on_host = False

    def __init__(self, client: DockerClient, image: str, identity: str) -> None:
        self._client = client
        self._image = identity  # a tag may come to mean another image while we run
        self._host_network = containers.shares_our_network(client)
        # Where "host" is not this machine's network, its loopback is out of reach. A rootless engine goes out by
        # the machine's own address, Docker Desktop by a name.
        address = None if self._host_network or not containers.rootless(client) else containers.own_address()
        self._host_name = address or _HOST_NAME
        self.listen_host = "127.0.0.1" if self._host_network else address or "0.0.0.0"  # noqa: S104
        self.version = f"{VERSION} ({image}, {identity.removeprefix('sha256:')[:12]})"

    def url(self, endpoint: Endpoint) -> str:
        """A server on this host is `localhost` also from inside; a container is known by its own name."""
        if endpoint.network_url:
            return endpoint.network_url
        if endpoint.on_this_host and not self._host_network:
            return endpoint.with_host(self._host_name).url
        return endpoint.url

    def run(self, spec: dict[str, Any], endpoint: Endpoint, folder: Path, monitor: Monitor) -> str:
        """Create, give it its specification, start, follow its output, fetch its reports, remove."""
        with containers.explained("the Autobahn container can't be run"):
            container = self._create(endpoint)
            try:
                specification = write_spec(spec, "/reports").encode()
                container.put_archive("/config", containers.pack({"fuzzingclient.json": specification}))
                container.start()
                reason = self._follow(container, monitor, folder / "wstest.log")
                containers.extract(container, "/reports", folder)
                return reason
            finally:
                containers.remove(container)

    def _create(self, endpoint: Endpoint) -> Container:
        if endpoint.network:
            place: dict[str, Any] = {"network": endpoint.network}
        elif self._host_network:
            place = {"network_mode": "host"}
        else:
            place = {"extra_hosts": {_HOST_NAME: "host-gateway"}}
        return self._client.containers.create(
            self._image,
            ["wstest", "--mode", "fuzzingclient", "--spec", "/config/fuzzingclient.json"],
            environment={"PYTHONUNBUFFERED": "1"},
            **containers.confinement(memory=_MEMORY_LIMIT, processes=_PROCESS_LIMIT),
            **place,
        )

    def _follow(self, container: Container, monitor: Monitor, log: Path) -> str:
        reader = threading.Thread(target=_read, args=(container, monitor, log), daemon=True)
        reader.start()
        reason = None
        while reader.is_alive() and (reason := monitor.give_up()) is None:
            time.sleep(_POLL_S)
        if reason is not None:
            container.kill()
        reader.join(10)
        code = int(container.wait(timeout=30)["StatusCode"])
        if reason is None and code == _OUT_OF_MEMORY:
            return f"wstest was killed: it needed more than {_MEMORY_LIMIT} of memory"
        return reason or (f"wstest ended with exit status {code}" if code else "")


def _read(container: Container, monitor: Monitor, log: Path) -> None:
    with containers.explained("the Autobahn container's output can't be read"), log.open("wb") as file:
        left = 1 << 20
        for chunk in container.logs(stream=True, follow=True):
            monitor.feed(chunk)
            file.write(chunk[:left])
            left = max(0, left - len(chunk))
