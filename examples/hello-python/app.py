"""A minimal service: one file, no dependencies. It knows nothing of Lambda or Fargate."""

import json
import os
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

GREETING = os.environ.get("GREETING", "hello")

stopping = threading.Event()
in_flight = 0
idle = threading.Condition()


class Service(ThreadingHTTPServer):
    request_queue_size = 128  # Many may ask to connect at once.


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # Connections stay open, as a load balancer wants them.
    timeout = 75  # Longer than its 60 s, so that it never sends into a closed connection.
    wbufsize = -1  # Head and body leave in one write.

    def do_GET(self):
        global in_flight
        with idle:
            in_flight += 1
        try:
            self.answer(urlsplit(self.path).path)
            self.wfile.flush()
        finally:
            with idle:
                in_flight -= 1
                idle.notify_all()

    def answer(self, path):
        answers = {
            # lambdaflex-ignore differs-body / it tells which tier answers
            "/": {"message": GREETING, "tier": os.environ.get("LAMBDAFLEX_TIER", "none")},
            "/healthz": {"status": "ok"},
        }
        body = json.dumps(answers.get(path, {"detail": f"there is nothing at {path}"})).encode()
        self.send_response(200 if path in answers else 404)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        if stopping.is_set():
            self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


address = (os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "8080")))
service = Service(address, Handler)


def stop(*_):
    stopping.set()
    # From another thread: shutdown waits for the loop that this one is in.
    threading.Thread(target=service.shutdown).start()


signal.signal(signal.SIGTERM, stop)
service.serve_forever(poll_interval=0.05)

# What is in flight is still answered; idle connections end with the process.
with idle:
    idle.wait_for(lambda: in_flight == 0)
