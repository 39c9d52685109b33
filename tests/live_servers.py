"""Servers of live streams on this machine, that tests start, cut off and bring back."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cv2
import numpy as np

_BOUNDARY = "frame"


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class MjpegServer:
    """A camera that speaks HTTP: JPEG after JPEG, 100 a second, each a step brighter than the one before.

    Frame n has the brightness n modulo 250; n counts on over all connections.
    """

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/live"
        self.frames = 0
        self.connections = 0
        self._sent = threading.Condition()
        self._server: ThreadingHTTPServer | None = None
        self.start()

    def start(self) -> None:
        """Answers, from now on."""
        camera, stopped = self, threading.Event()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                camera.connections += 1
                self.send_response(200)
                self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={_BOUNDARY}")
                self.end_headers()
                try:
                    while not stopped.wait(0.01):
                        self.wfile.write(camera.next_part())
                except OSError:
                    return

            def log_message(self, *arguments: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            allow_reuse_address = True
            daemon_threads = True

        self._stopped = stopped
        self._server = Server(("127.0.0.1", self.port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def wait_for(self, frames: int) -> None:
        """Waits until it has sent so many more."""
        with self._sent:
            goal = self.frames + frames
            assert self._sent.wait_for(lambda: self.frames >= goal, timeout=30)

    def next_part(self) -> bytes:
        level = self.frames % 250
        with self._sent:
            self.frames += 1
            self._sent.notify_all()
        data = cv2.imencode(".jpg", np.full((48, 64, 3), level, np.uint8))[1].tobytes()
        head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
        return head.encode() + data + b"\r\n"

    def stop(self) -> None:
        """Cuts all connections and answers no more."""
        self._stopped.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


_SERVE = """
import asyncio, logging, sys
import aio_rtsp_toolkit.server as server
logging.disable(logging.CRITICAL)
asyncio.run(server.serve(sys.argv[1], "127.0.0.1", int(sys.argv[2])))
"""


class RtspServer:
    """An RTSP server (aio-rtsp-toolkit, in a process of its own) that plays the videos of a folder over and over."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def url(self, name: str) -> str:
        return f"rtsp://127.0.0.1:{self._port}/{name}"

    def start(self) -> None:
        """Answers, from now on."""
        command = [sys.executable, "-c", _SERVE, str(self._folder), str(self._port)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        patience = time.monotonic() + 30
        while time.monotonic() < patience and self._process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._port)) == 0:
                    return
        raise RuntimeError("the RTSP server did not start")

    def stop(self) -> None:
        """Ends it, and with it all connections."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
