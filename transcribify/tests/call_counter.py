"""Two ports of loopback that count who calls: nobody should."""

import selectors
import socket
import threading
from types import TracebackType


class CallCounter:
    """Listens on a TCP and a UDP port while its block runs; ``calls`` is the number of connections and datagrams."""

    def __init__(self) -> None:
        self.calls = 0
        self._tcp = socket.create_server(("127.0.0.1", 0))
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", 0))
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._count, daemon=True)

    @property
    def tcp_port(self) -> int:
        return int(self._tcp.getsockname()[1])

    @property
    def udp_port(self) -> int:
        return int(self._udp.getsockname()[1])

    def __enter__(self) -> "CallCounter":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._ended.set()
        self._thread.join()
        self._tcp.close()
        self._udp.close()

    def _count(self) -> None:
        with selectors.DefaultSelector() as ports:
            ports.register(self._tcp, selectors.EVENT_READ)
            ports.register(self._udp, selectors.EVENT_READ)
            while not self._ended.is_set():
                for key, _ in ports.select(0.2):
                    self.calls += 1
                    if key.fileobj is self._tcp:
                        self._tcp.accept()[0].close()
                    else:
                        self._udp.recv(65_536)
