"""Opaque continuation tokens: each remembers the rest of one listing, as Graph's $skiptoken does."""

import base64
import threading
from collections import OrderedDict
from typing import Generic, TypeVar

from lavawall.emulator.errors import GraphError
from lavawall.emulator.store import Randomness

Item = TypeVar("Item")


class Pages(Generic[Item]):
    """The rest of every listing that a client has not read to its end."""

    def __init__(self, randomness: Randomness, *, most: int = 5_000) -> None:
        self._randomness = randomness
        self._rests: OrderedDict[str, tuple[str, list[Item]]] = OrderedDict()
        self._most = most
        self._lock = threading.Lock()

    def store(self, owner: str, rest: list[Item]) -> str:
        token = base64.urlsafe_b64encode(self._randomness.bytes(48)).decode()
        with self._lock:
            self._rests[token] = (owner, rest)
            while len(self._rests) > self._most:
                self._rests.popitem(last=False)
        return token

    def rest(self, owner: str, token: str) -> list[Item]:
        """What follows that token; a token is good for its own directory and listing, more than once."""
        with self._lock:
            stored = self._rests.get(token)
        if stored is None or stored[0] != owner:
            raise GraphError(
                400,
                "Directory_ExpiredPageToken",
                "The specified page token value has expired or is not valid.",
            )
        return stored[1]
