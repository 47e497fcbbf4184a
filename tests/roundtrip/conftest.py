"""Round trips happen in the same scene as the tests of rollbacks."""

from tests.rollbacks.conftest import scene

__all__ = ["scene"]
