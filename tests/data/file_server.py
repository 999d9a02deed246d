"""A real HTTP server on loopback that serves one file, and misbehaves as it is told."""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class FileServer:
    """What is served, how, and what was asked for.

    Attributes:
        content: the file's bytes, whatever its name.
        url: the folder that has it.
        cuts: after how many bytes each of the next answers ends although more was announced.
        status: of every answer, instead of the file.
        ranges: whether it sends a part when asked for one.
        says_length: whether it says how long an answer is.
        pause: seconds of silence in the middle of every answer.
        asked: of each request, its path and the first byte that it asked for.
    """

    content: bytes
    url: str = ""
    cuts: list[int] = field(default_factory=list)
    status: int = 200
    ranges: bool = True
    says_length: bool = True
    pause: float = 0.0
    asked: list[tuple[str, int]] = field(default_factory=list)

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer a GET."""
        wanted = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
        first = int(wanted[1]) if wanted else 0
        self.asked.append((request.path, first))
        if self.status != 200:
            request.send_error(self.status)
            return
        if wanted and self.ranges and first >= len(self.content):
            request.send_error(416)
            return
        part = wanted is not None and self.ranges
        body = self.content[first:] if part else self.content
        request.send_response(206 if part else 200)
        if part:
            request.send_header("Content-Range", f"bytes {first}-{len(self.content) - 1}/{len(self.content)}")
        if self.says_length:
            request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        end = self.cuts.pop(0) if self.cuts else len(body)
        for piece in (body[: end // 2], body[end // 2 : end]):
            request.wfile.write(piece)
            request.wfile.flush()
            time.sleep(self.pause)


@contextmanager
def serving(content: bytes, **behaviour: Any) -> Iterator[FileServer]:
    """Serve a file on loopback."""
    server = FileServer(content, **behaviour)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.answer(self)

        def log_message(self, *_: Any) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            pass  # a client that has gone away

    with Quiet(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        server.url = f"http://127.0.0.1:{http.server_port}/files"
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()
