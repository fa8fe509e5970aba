"""Django as WSGI; ``asgi.py`` wraps it."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "transcribify.settings.development")

application = get_wsgi_application()
