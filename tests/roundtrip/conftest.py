"""Round trips happen in the same scene as the tests of rollbacks. Nobody asks the audit log who did it."""

import pytest

from lavawall import pipeline
from tests.rollbacks.conftest import scene

__all__ = ["scene"]


@pytest.fixture(autouse=True)
def _nobody_asks_who(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "attribute", lambda _lease: 0)
