"""The emulator as one object: starts the cloud behind TLS on a loopback port, and answers what tests ask about it."""

import gzip
import json
import logging
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from cheroot.errors import FatalSSLAlert
from cheroot.ssl.builtin import BuiltinSSLAdapter
from cheroot.wsgi import Server
from werkzeug.wrappers import Request, Response

from lavawall.emulator import seed as seeds
from lavawall.emulator.arm.control import Azure
from lavawall.emulator.arm.service import ArmService
from lavawall.emulator.certificates import make_server_certificate
from lavawall.emulator.faults import NO_JSON, Behaviour, Fault, Faults
from lavawall.emulator.graph import GraphRequest, GraphService, Logged
from lavawall.emulator.login import LoginError, LoginService
from lavawall.emulator.model import Licence
from lavawall.emulator.requests import Answer
from lavawall.emulator.seed.builder import AppRegistration, TenantInfo
from lavawall.emulator.store import Directory, Options
from lavawall.emulator.tokens import key_set

JSON_TYPE = (
    "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
)
ARM_JSON_TYPE = "application/json; charset=utf-8"
ARM_PATHS = ("/subscriptions", "/providers")
BOMB_BYTES = 80 << 20
HTML_PAGE = (
    "<!DOCTYPE html><html><head><title>Service unavailable</title></head><body>Try later.</body></html>"
)
LOGGER = logging.getLogger(__name__)


def _system_clock() -> datetime:
    return datetime.now(UTC)


@lru_cache(maxsize=1)
def _tls() -> tuple[BuiltinSSLAdapter, str]:
    """For all emulators of a process, with the authority to trust: to make one takes longer than a test's requests."""
    certificate = make_server_certificate()
    with tempfile.TemporaryDirectory(prefix="lavawall-emulator-") as folder:
        chain, key = Path(folder, "server.pem"), Path(folder, "server.key")
        chain.write_text(certificate.chain)
        key.touch(mode=0o600)
        key.write_text(certificate.key)
        return BuiltinSSLAdapter(str(chain), str(key)), certificate.authority


class Emulator:
    """A Microsoft cloud on localhost. Use as a context manager, or start() and stop()."""

    def __init__(
        self,
        *,
        seed: str = "demo",
        users: int = 0,
        groups: int = 0,
        apps: int = 0,
        port: int = 0,
        audit_delay: float = 0,
        throttle: bool = False,
        page_size: int | None = None,
        shuffle: bool = True,
        replication_delay: float = 0,
        rng_seed: int = 1,
        restore_returns_grants: bool = True,
        merge_complex_values: bool = False,
        token_lifetime: int = 3600,
        soft_deleted_roles: bool = False,
        role_settings_by_apps: bool = True,
        ca_file: str | Path | None = None,
        clock: Callable[[], datetime] = _system_clock,
    ) -> None:
        options = Options(
            audit_delay=audit_delay,
            replication_delay=replication_delay,
            throttle=throttle,
            page_size=page_size,
            shuffle=shuffle,
            restore_returns_grants=restore_returns_grants,
            merge_complex_values=merge_complex_values,
            token_lifetime=token_lifetime,
            soft_deleted_roles=soft_deleted_roles,
            role_settings_by_apps=role_settings_by_apps,
        )
        self.cloud, self._landscape = seeds.build(
            seed, options, clock, rng_seed, users=users, groups=groups, apps=apps
        )
        self.faults = Faults()
        self.requests: list[Logged] = []
        self._port = port
        self._graph = GraphService(self.cloud, self.faults, self.requests)
        self._arm = ArmService(self.cloud, self.requests)
        self.azure = Azure(self.cloud)
        self._login = LoginService(self.cloud)
        self._folder = tempfile.TemporaryDirectory(prefix="lavawall-emulator-")
        self.ca_file = str(Path(ca_file).resolve() if ca_file else Path(self._folder.name) / "ca.pem")
        self._server = self._make_server()
        self._bound = threading.Event()
        self._failure: OSError | None = None
        self._thread = threading.Thread(target=self._run, name="emulator", daemon=True)

    def _make_server(self) -> Any:
        tls, authority = _tls()
        Path(self.ca_file).write_text(authority)
        server: Any = Server(("127.0.0.1", self._port), self._respond, numthreads=8, server_name="emulator")
        server.ssl_adapter = tls
        server.shutdown_timeout = 1
        server.expiration_interval = 0.005
        server.error_log = _log_server_error
        return server

    def _run(self) -> None:
        """Binds inside the daemon thread, so that cheroot's workers are daemons too and never outlive a script."""
        try:
            self._server.prepare()
        except OSError as error:
            self._failure = error
            return
        finally:
            self._bound.set()
        self._server.serve()

    @property
    def url(self) -> str:
        """The one origin of all services; login_url, graph_url and arm_url of a connection."""
        return self.cloud.origins[0]

    @property
    def arm_url(self) -> str:
        """The same server under its other name: a token for the one origin is refused at the other."""
        return self.cloud.origins[1]

    @property
    def tenants(self) -> dict[str, TenantInfo]:
        """The seeded tenants by name, with app registrations and administrators."""
        return self._landscape.tenants

    @property
    def port(self) -> int:
        port: int = self._server.bind_addr[1]
        return port

    def start(self) -> Self:
        """Listens; the URL is known from here on."""
        self._thread.start()
        self._bound.wait()
        if self._failure is not None:
            raise OSError(f"Port {self._port} cannot be used: {self._failure}") from self._failure
        self.cloud.origins = (f"https://127.0.0.1:{self.port}", f"https://localhost:{self.port}")
        return self

    def stop(self) -> None:
        self._server.stop()
        self._thread.join(timeout=5)
        # cheroot registers each server's statistics globally and for ever, and the whole cloud with them.
        getattr(logging, "statistics", {}).pop(f"Cheroot HTTPServer {id(self._server)}", None)
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def state(self, directory_id: str) -> Directory:
        """What a directory holds, for assertions: documents(type), links(id, name), export(), deleted, audits."""
        return self.cloud.directories[directory_id]

    def export(self, directory_id: str) -> dict[str, dict[str, Any]]:
        """All that a tenant holds, Azure included, but logs and recycle bins: type -> key -> body."""
        return self.state(directory_id).export() | self.cloud.azure[directory_id].export()

    def add_app_registration(
        self,
        name: str,
        *,
        home: str,
        permissions: Iterable[str],
        consented_in: Sequence[str] = (),
        certificate: str = "valid",
    ) -> AppRegistration:
        """A further app registered in directory `home`, consented there or in the directories named.

        `certificate` is valid or expired. The app is multi-tenant when it is consented anywhere else.
        """
        return seeds.register_app(
            self.cloud,
            name,
            home=home,
            permissions=permissions,
            consented_in=consented_in,
            certificate=certificate,
        )

    def set_permissions(self, directory_id: str, client_id: str, permissions: Iterable[str]) -> None:
        """Replaces the Graph app roles that an app holds in one tenant; takes effect at once."""
        seeds.set_permissions(self.cloud, directory_id, client_id, permissions)

    def without_licence(self, directory_id: str, *licences: Licence) -> None:
        """Takes licences from a tenant: what needs them is refused from now on, what is stored stays."""
        self.state(directory_id).unlicensed |= {licence.name for licence in licences}

    def publish_domain(self, directory_id: str, domain: str) -> None:
        """Writes the tenant's verification record into the DNS of a domain, as its owner does by hand."""
        self.state(directory_id).published_domains.add(domain)

    def _respond(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        fault = (
            None if request.path.startswith("/_emulator/") else self.faults.take(request.method, request.path)
        )
        return self._response(request, fault)(environ, start_response)

    def _response(self, request: Request, fault: Fault | None) -> Response:
        if fault is None:
            return self._served(request)
        match fault.behaviour:
            case "answer":
                return _json_response(Answer(fault.status, fault.body, dict(fault.headers)))
            case "answer_after":
                self._served(request)
                return _json_response(Answer(fault.status, fault.body, dict(fault.headers)))
            case "close_before":
                raise FatalSSLAlert
            case "close_after":
                self._served(request)
                raise FatalSSLAlert
            case "not_json":
                return Response(NO_JSON, 200, content_type=JSON_TYPE)
            case "html":
                return Response(HTML_PAGE, fault.status, content_type="text/html")
            case "slow":
                time.sleep(fault.seconds)
                return self._served(request)
            case "bomb":
                return _bomb()
        return self._distorted(request, fault.behaviour)

    def _distorted(self, request: Request, behaviour: Behaviour) -> Response:
        """A listing's page that is not what Graph promises."""
        is_arm = request.path.lower().startswith(ARM_PATHS)
        answer = (self._arm if is_arm else self._graph).respond(_graph_request(request))
        if isinstance(answer.body, dict):
            if behaviour == "gaps":
                answer.body["value"] = answer.body.get("value", [])[::2]
            else:
                repeated = f"{request.base_url}?again={uuid4()}" if behaviour == "endless" else request.url
                answer.body["nextLink" if is_arm else "@odata.nextLink"] = repeated
        return _json_response(answer)

    def _served(self, request: Request) -> Response:
        path = request.path
        if path.startswith(("/v1.0/", "/beta/")):
            return _json_response(self._graph.respond(_graph_request(request)))
        if path.lower().startswith(ARM_PATHS):
            return _json_response(self._arm.respond(_graph_request(request)), ARM_JSON_TYPE)
        if path.startswith("/_emulator/"):
            return self._control(request)
        return self._logged_in(request)

    def _logged_in(self, request: Request) -> Response:
        origin = request.host_url.rstrip("/")
        parts = request.path.strip("/").split("/")
        try:
            return _json_response(Answer(200, self._login_body(request, origin, parts)))
        except LoginError as error:
            return _json_response(Answer(error.status, self._login.error_body(error)))

    def _login_body(self, request: Request, origin: str, parts: list[str]) -> dict[str, Any]:
        match [request.method, *parts]:
            case ["POST", directory, "oauth2", "v2.0", "token"]:
                address = request.headers.get("X-Forwarded-For") or request.remote_addr or ""
                agent = request.headers.get("User-Agent", "")
                return self._login.token(origin, directory, request.form.to_dict(), address, agent)
            case ["GET", directory, "v2.0", ".well-known", "openid-configuration"]:
                return self._login.configuration(origin, directory)
            case ["GET", "common", "discovery", "instance"]:
                return self._login.instance_discovery(origin)
            case ["GET", "common", "userrealm", user]:
                return self._login.user_realm(user)
            case ["GET", _, "discovery", "v2.0", "keys"]:
                return key_set()
        raise LoginError(900144, "The address is not one of the login service.", "invalid_request", 404)

    def _control(self, request: Request) -> Response:
        """/_emulator/faults: GET lists, POST adds one, DELETE clears."""
        if request.path != "/_emulator/faults":
            return _json_response(Answer(404, {"error": "unknown control endpoint"}))
        if request.method == "DELETE":
            self.faults.clear()
        if request.method == "POST":
            try:
                self.faults.add(**json.loads(request.get_data()))
            except (TypeError, ValueError) as error:
                return _json_response(Answer(400, {"error": str(error)}))
        return _json_response(Answer(200, {"faults": [vars(fault) for fault in self.faults.pending()]}))


def _bomb() -> Response:
    content = gzip.compress(bytes(BOMB_BYTES))
    return Response(content, 200, headers={"Content-Encoding": "gzip"}, content_type=JSON_TYPE)


def _graph_request(request: Request) -> GraphRequest:
    query = request.query_string.decode()
    return GraphRequest(
        method=request.method,
        origin=request.host_url.rstrip("/"),
        target=request.environ.get("REQUEST_URI", f"{request.path}?{query}"),
        headers=request.headers,
        content=request.get_data(),
    )


def _json_response(answer: Answer, content_type: str = JSON_TYPE) -> Response:
    if answer.content_type:
        return Response(
            answer.content, answer.status, headers=answer.headers, content_type=answer.content_type
        )
    if answer.body is None:
        return Response(status=answer.status, headers=answer.headers)
    content = (
        json.dumps(answer.body, ensure_ascii=False) if isinstance(answer.body, dict) else str(answer.body)
    )
    return Response(content, answer.status, headers=answer.headers, content_type=content_type)


def _log_server_error(msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
    """Broken handshakes of clients that do not trust the CA are everyday; a bug in a rule is not."""
    LOGGER.log(level if level >= logging.ERROR else logging.DEBUG, msg, exc_info=traceback)
