"""How accurate and how fast models are on one's own recordings: the parts of ``benchmark/run.py``.

To import any of them sets Django up: recognition reads the installation's settings.
"""

import os

import django
from django.apps import apps

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "transcribify.settings.development")
if not apps.ready:
    django.setup()
