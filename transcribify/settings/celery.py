"""Celery on Redis: a doorbell. ``docs/lifecycle.md`` says why each of these is as it is."""

from kombu import Queue

from transcribify.settings.environment import env

# The broker.
REDIS_URL = env.str("REDIS_URL", default="redis://localhost:6379/0")

# fork, or spawn where CUDA is used (CUDA cannot live in a forked process).
WORKER_START_METHOD = env.str("WORKER_START_METHOD", default="fork")

CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 43_200,
    # Longer than kombu waits for a message (1 s), and not longer than a client wants to wait for a hung Redis.
    "socket_timeout": 3,
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
    "health_check_interval": 15,
    # kombu's own patience when a message is published: by default 6 s, which a request would have to wait.
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.1,
    "interval_max": 0.1,
}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = False
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_CREATE_MISSING_QUEUES = False
CELERY_TASK_QUEUES = [Queue("speech"), Queue("light")]
CELERY_TASK_DEFAULT_QUEUE = "light"
CELERY_TASK_ROUTES = {"jobs.*": {"queue": "speech"}, "reports.*": {"queue": "light"}}
CELERY_TASK_SEND_SENT_EVENT = True
CELERY_WORKER_SEND_TASK_EVENTS = True
CELERY_WORKER_DISABLE_PREFETCH = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_WORKER_POOL_START_METHOD = WORKER_START_METHOD
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_TIMEZONE = "UTC"
