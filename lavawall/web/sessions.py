"""Stores sessions under a keyed hash of their key, so that a copied database cannot be used to take over
sessions.
"""

import hashlib
import hmac
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.base_session import AbstractBaseSession
from django.contrib.sessions.models import Session
from django.utils import timezone

KEY_LENGTH = 40
"""Length of the column session_key."""


class SessionStore(DatabaseStore):
    def _get_session_from_db(self) -> Session | None:
        return Session.objects.filter(
            session_key=_hashed(self.session_key or ""), expire_date__gt=timezone.now()
        ).first()

    def exists(self, session_key: str) -> bool:
        return Session.objects.filter(session_key=_hashed(session_key)).exists()

    def create_model_instance(self, data: dict[str, Any]) -> AbstractBaseSession:
        row = super().create_model_instance(data)
        row.session_key = _hashed(row.session_key)
        return row

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key is not None:
            Session.objects.filter(session_key=_hashed(key)).delete()


def _hashed(session_key: str) -> str:
    digest = hmac.new(settings.SECRET_KEY.encode(), b"session:" + session_key.encode(), hashlib.sha256)
    return digest.hexdigest()[:KEY_LENGTH]
