"""A small web server that can also misbehave, on the loopback interface and no other network."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[[BaseHTTPRequestHandler], None]


class WebServer:
    """Answers every path with what ``answers`` holds for it, and keeps account of the requests."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.requests: list[tuple[str, str | None]] = []  # (path, value of the Range header)
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                web.requests.append((self.path, self.headers.get("Range")))
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the client has seen enough
                    web.answers[self.path](self)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def close(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()

    # What a path may answer.

    @staticmethod
    def header(handler: BaseHTTPRequestHandler, status: int, **fields: object) -> None:
        handler.send_response(status)
        for name, value in fields.items():
            handler.send_header(name.replace("_", "-"), str(value))
        handler.end_headers()

    @staticmethod
    def whole(body: bytes) -> Answer:
        """The body, whatever part of it was asked for: a server that does not know Range."""

        def answer(handler: BaseHTTPRequestHandler) -> None:
            WebServer.header(handler, 200, Content_Length=len(body))
            handler.wfile.write(body)

        return answer

    @staticmethod
    def ranged(body: bytes, most: int | None = None) -> Answer:
        """The body from where it was asked for; breaks off after ``most`` bytes."""

        def answer(handler: BaseHTTPRequestHandler) -> None:
            asked = handler.headers.get("Range")
            begin = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
            if begin >= len(body):
                WebServer.header(handler, 416, Content_Range=f"bytes */{len(body)}")
                return
            rest = body[begin:]
            extra = {"Content_Range": f"bytes {begin}-{len(body) - 1}/{len(body)}"} if asked else {}
            WebServer.header(handler, 206 if asked else 200, Content_Length=len(rest), **extra)
            handler.wfile.write(rest[:most])

        return answer

    @staticmethod
    def in_turn(*answers: Answer) -> Answer:
        """The first answer to the first request, and so on; the last one to all that follow."""
        remaining = list(answers)

        def answer(handler: BaseHTTPRequestHandler) -> None:
            (remaining.pop(0) if len(remaining) > 1 else remaining[0])(handler)

        return answer

    @staticmethod
    def slowly(body: bytes) -> Answer:
        """The whole body, in ten pieces over half a second."""

        def answer(handler: BaseHTTPRequestHandler) -> None:
            WebServer.header(handler, 200, Content_Length=len(body))
            step = len(body) // 10
            for begin in range(0, len(body), step):
                handler.wfile.write(body[begin : begin + step])
                handler.wfile.flush()
                time.sleep(0.05)

        return answer
