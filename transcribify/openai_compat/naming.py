"""A number for each request of OpenAI's clients, which their SDK shows with errors (``.request_id``)."""

import logging
import uuid

from transcribify.bodies import Message
from transcribify.openai_compat.calls import Scope, Send

logger = logging.getLogger(__name__)


def with_request_id(scope: Scope, send: Send) -> Send:
    """A ``send`` that names the request in the answer and in the log, whoever answers."""
    request_id = f"req_{uuid.uuid4().hex}"

    async def send_named(message: Message) -> None:
        if message["type"] == "http.response.start":
            logger.info("%s: %s %s", request_id, message["status"], scope["path"])
            message = {**message, "headers": [*message["headers"], (b"x-request-id", request_id.encode())]}
        await send(message)

    return send_named
