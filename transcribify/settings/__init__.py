"""Settings: each variable is read once, where it is explained. Choose with ``DJANGO_SETTINGS_MODULE``:

``transcribify.settings.development`` (default: ./run serve, a laptop), ``….production`` (refuses to start when unsafe),
``….test``. Variables come from the environment or from a file ``.env`` beside ``manage.py``.
"""
