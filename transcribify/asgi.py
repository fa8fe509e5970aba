"""The web process: a thin asynchronous shell around Django's WSGI application.

Under Django's own ASGI handler an upload is spooled to disk whole before anyone is asked who they are. As WSGI, Django
authenticates first and its upload handlers cap the stream while it arrives (``docs/decisions``).
"""

from transcribify import wsgi  # first: it sets Django up
from transcribify.shell import Shell

application = Shell(wsgi.application)
