"""Acts of several people at the same moment."""

import threading
from collections.abc import Callable

from django.db import connection

from tenants.errors import DomainError


def together(*acts: Callable[[], object]) -> list[object]:
    """All at once, each in a thread with a connection of its own; what each returned or raised."""
    gate = threading.Barrier(len(acts))
    results: list[object] = [None] * len(acts)

    def run(index: int, act: Callable[[], object]) -> None:
        gate.wait()
        try:
            results[index] = act()
        except DomainError as error:
            results[index] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
