"""The port of a net.tcp endpoint."""

import asyncio
import ssl

from ml_connector.sandbox.kernel import Kernel
from ml_connector.sandbox.nettcp.connection import Connection
from ml_connector.sandbox.nettcp.service import Service
from ml_connector.sandbox.server import bound
from ml_connector.sandbox.standin import Row

BUFFER = 1 << 20


class Listener:
    """Listens on a port of 127.0.0.1; every client gets a task of its own."""

    def __init__(self, kernel: Kernel, service: Service, tls: ssl.SSLContext | None) -> None:
        self._kernel = kernel
        self._service = service
        self._tls = tls
        self._connections: dict[asyncio.Task[None], Connection] = {}
        self._server: asyncio.Server | None = None

    async def open(self) -> Row:
        """Begins to listen; returns what the connection form must say of it. Raises OSError, naming the port."""
        port = self._service.options.nettcp_port
        try:
            self._bound = bound(port)
        except OSError as error:
            raise OSError(error.errno, f"{error.strerror} (nettcp_port {port})") from None
        self._port = self._bound.getsockname()[1]
        await self.listen()
        told = {"nettcp_address": self.address}
        return told if self.address == self.url else {**told, "nettcp_via": self.url}

    async def listen(self) -> None:
        """At the start, and again after `refuse`."""
        self._server = await asyncio.start_server(self._accept, sock=self._bound, backlog=1024, limit=BUFFER)

    def refuse(self) -> None:
        """Stops listening and resets every connection; the port stays bound."""
        if self._server is not None:
            self._server.close()
            self._server = None
            self._bound = bound(self._port)
        for connection in list(self._connections.values()):
            connection.reset()

    async def close(self) -> None:
        if self._server is None:
            self._bound.close()
        else:
            self._server.close()
        tasks = list(self._connections)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def secured(self) -> bool:
        """Whether a client needs the authority."""
        return self._service.options.nettcp_security == "tls"

    @property
    def url(self) -> str:
        """Where a client connects to."""
        return f"net.tcp://127.0.0.1:{self._port}{self._service.path}"

    @property
    def address(self) -> str:
        """What its envelopes are addressed to."""
        return self._service.options.nettcp_listens_as or self.url

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(reader, writer, self._kernel, self._service, self.address, self._tls)
        task = asyncio.get_running_loop().create_task(connection.serve())
        self._connections[task] = connection
        task.add_done_callback(lambda done: self._connections.pop(done, None))
