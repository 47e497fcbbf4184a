"""Refusals in Azure Resource Manager's error format, raised by every rule of this plane."""

from dataclasses import dataclass, field

from lavawall.emulator.store import Json


@dataclass
class ArmError(Exception):
    """One refusal: what the client sees as {"error": {"code", "message"}}."""

    status: int
    code: str
    message: str
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.status} {self.code}: {self.message}"

    def body(self) -> Json:
        return error_body(self.code, self.message)


def error_body(code: str, message: str) -> Json:
    return {"error": {"code": code, "message": message}}


def bad_request(message: str, code: str = "BadRequest") -> ArmError:
    return ArmError(400, code, message)


def conflict(message: str, code: str = "Conflict") -> ArmError:
    return ArmError(409, code, message)


def not_found(message: str, code: str = "ResourceNotFound") -> ArmError:
    return ArmError(404, code, message)
