"""Settings of the test suite: the product's own, with fixed secrets and cheap password hashing."""

import base64
import os

os.environ.setdefault("SECRET_KEY", "tests-only-" + "k" * 40)
os.environ.setdefault("LAVAWALL_MASTER_KEY", base64.b64encode(bytes(range(32))).decode())
os.environ["LAVAWALL_PACE"] = "unlimited"
os.environ["SECURE_SSL_REDIRECT"] = "off"

from lavawall.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ALLOWED_HOSTS = ["*"]
SESSION_COOKIE_SECURE = False
CSRF_COOKIE_SECURE = False
# Production's names begin with __Host-, which browsers take over TLS only.
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME, DEVICE_COOKIE_NAME = "sessionid", "csrftoken", "device"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
MIDDLEWARE = [each for each in MIDDLEWARE if not each.startswith("whitenoise.")]  # noqa: F405
