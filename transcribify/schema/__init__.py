"""The API's description of itself: OpenAPI 3.1 at ``/schema``, pages to read and try it at ``/docs``."""
