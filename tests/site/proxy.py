"""A reverse proxy on loopback that forwards as the documented ones do: it appends its caller's address."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import ClassVar
from urllib.parse import urlsplit


class _Forwarder(BaseHTTPRequestHandler):
    """Its caller's address is taken from X-Test-Client, since on loopback everybody has the same."""

    target: ClassVar[str]

    def do_GET(self) -> None:
        self._forward()

    def do_POST(self) -> None:
        self._forward()

    def _forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        caller = self.headers.get("X-Test-Client", self.client_address[0])
        headers = {
            name: value for name, value in self.headers.items() if name not in {"Host", "X-Test-Client"}
        }
        chain = [*filter(None, [self.headers.get("X-Forwarded-For")]), caller]
        connection = HTTPConnection(self.target)
        connection.request(
            self.command, self.path, body or None, {**headers, "X-Forwarded-For": ", ".join(chain)}
        )
        answer = connection.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in {"transfer-encoding", "connection", "content-length"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        connection.close()

    def log_message(self, *_args: object) -> None:
        """Quiet."""


@contextmanager
def proxy_before(url: str) -> Iterator[str]:
    """The proxy's own URL."""
    handler = type("Forwarder", (_Forwarder,), {"target": urlsplit(url).netloc})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
