"""How the service runs on one machine: what ``./run serve``, ``./run flower`` and ``./run demo`` start."""
