"""A scripted HTTPS server on loopback in Microsoft's place: each path answers with what a test has queued.

Used by the tests of this folder alone. Knows no Graph: what it answers is what the test said.
"""

import base64
import json
import ssl
import threading
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, unquote, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

DIRECTORY = "7d1c2f0a-5b7e-4a55-9d6e-0d1f3c9b8a10"
CLIENT = "0b9f7b1e-2f53-4c0e-8f0b-6a1d2c3e4f50"
SECRET = "s3cr3t-value-that-nobody-may-see"
ROLES = ["Policy.Read.All", "Directory.Read.All"]


@dataclass
class Call:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True)
class Say:
    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    drop: bool = False

    @property
    def content(self) -> bytes:
        if self.raw is not None:
            return self.raw
        return b"" if self.body is None else json.dumps(self.body).encode()


Answerer = Callable[[Call], Say]


def fake_token(serial: int, roles: list[str]) -> str:
    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    claims = {"tid": DIRECTORY, "appid": CLIENT, "roles": roles, "serial": serial}
    return f"{part({'alg': 'none'})}.{part(claims)}.signature"


class Cloud:
    """The server. `on` queues answers for a path, `calls` is what arrived (sign-in apart, see `sign_ins`)."""

    def __init__(self, folder: Path, name: str) -> None:
        self.calls: list[Call] = []
        self.sign_ins: list[Call] = []
        self.tokens: list[str] = []
        self.roles: list[str] = list(ROLES)
        self.token_answer: Answerer | None = None
        self._answers: dict[tuple[str, str], deque[Say | Answerer]] = defaultdict(deque)
        self.ca_file = folder / f"{name}-ca.pem"
        certificate = folder / f"{name}-server.pem"
        make_authority(self.ca_file, certificate)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        cast("Any", self._server).cloud = self
        self.url = f"https://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def forget(self) -> None:
        self.calls, self.sign_ins, self.tokens = [], [], []
        self.roles, self.token_answer = list(ROLES), None
        self._answers.clear()

    def on(self, method: str, path: str, *answers: Say | Answerer) -> None:
        """Answer so, one after the other; the last one again and again."""
        self._answers[method, path].extend(answers)

    def answer(self, call: Call) -> Say:
        if call.path.startswith(f"/{DIRECTORY}/") or call.path.endswith("/token"):
            return self._sign_in(call)
        self.calls.append(call)
        queue = self._answers.get((call.method, call.path))
        if not queue:
            return Say(404, {"error": {"code": "Request_ResourceNotFound", "message": "Nothing is here."}})
        chosen = queue.popleft() if len(queue) > 1 else queue[0]
        return chosen(call) if callable(chosen) else chosen

    def _sign_in(self, call: Call) -> Say:
        self.sign_ins.append(call)
        if self.token_answer is not None:
            return self.token_answer(call)
        return self.discovery() if "openid-configuration" in call.path else self.issue()

    def discovery(self, origin: str = "") -> Say:
        base = f"{origin or self.url}/{DIRECTORY}"
        return Say(
            body={
                "issuer": f"{base}/v2.0",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "token_endpoint": f"{base}/oauth2/v2.0/token",
            }
        )

    def issue(self) -> Say:
        self.tokens.append(fake_token(len(self.tokens), self.roles))
        return Say(body={"token_type": "Bearer", "expires_in": 3600, "access_token": self.tokens[-1]})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65_536
    disable_nagle_algorithm = True

    def _handle(self) -> None:
        cloud: Cloud = cast("Any", self.server).cloud
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length)
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        headers = {name.lower(): value for name, value in self.headers.items()}
        if headers.get("content-type") == "application/json":
            body: Any = json.loads(raw)
        elif headers.get("content-type", "").startswith("image/"):
            body = raw
        else:
            body = {name: values[-1] for name, values in parse_qs(raw.decode()).items()}
        say = cloud.answer(Call(self.command, unquote(parts.path), query, headers, body))
        if say.drop:
            self.close_connection = True
            return
        self.send_response(say.status)
        for name, value in say.headers.items():
            self.send_header(name, value)
        if "Content-Length" not in say.headers:
            self.send_header("Content-Length", str(len(say.content)))
        self.end_headers()
        self.wfile.write(say.content)
        if say.headers.get("Connection") == "close":
            self.close_connection = True

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _handle  # noqa: N815 - names of http.server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - name of http.server
        """Tests read the calls instead."""

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            self.close_connection = True


def make_authority(ca_file: Path, server_file: Path) -> None:
    ca_key, server_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
    ca = (
        _certificate(ca_name, ca_name, ca_key.public_key(), days=2)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    server = (
        _certificate(name, ca_name, server_key.public_key(), days=2)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    ca_file.write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    server_file.write_bytes(_pem(server_key) + server.public_bytes(serialization.Encoding.PEM))


def app_certificate(days: int = 30, key: rsa.RSAPrivateKey | None = None) -> str:
    """Private key and certificate of an application, in one PEM text; negative days: expired."""
    key = key or rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Lavawall reader")])
    certificate = _certificate(name, name, key.public_key(), days=days).sign(key, hashes.SHA256())
    return (_pem(key) + certificate.public_bytes(serialization.Encoding.PEM)).decode()


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey, *, days: int
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=60))
        .not_valid_after(now + timedelta(days=days))
    )


def _pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
