# SPDX-License-Identifier: Apache-2.0
"""A webhook's receiver of our own: verifies as Standard Webhooks has it, answers as it is told, and keeps what came."""
import base64
import contextlib
import hashlib
import hmac
import http.server
import json
import ssl
import subprocess
import threading

import grpc

from harness import PATIENCE, PROTOCOL, Computations, Folder, authority, until
from people import Caller

webhooks, webhooks_grpc = PROTOCOL["webhooks"]


class Came:
    """One request, as it came."""

    def __init__(self, handler):
        self.path, self.headers = handler.path, {k.lower(): v for k, v in handler.headers.items()}
        self.names = [k.lower() for k in handler.headers.keys()]
        self.text = handler.rfile.read(int(self.headers["content-length"]))
        self.id, self.body = self.headers["webhook-id"], json.loads(self.text)
        self.type = self.body["type"]

    def signed_by(self, secret):
        """Whether one of its signatures is that of this secret, by openssl's HMAC; Python's has to say the same."""
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        content = f"{self.id}.{self.headers['webhook-timestamp']}.".encode() + self.text
        ran = subprocess.run(["openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", "hexkey:" + key.hex(), "-binary"],
                             input=content, capture_output=True, check=True, timeout=PATIENCE)
        assert hmac.compare_digest(ran.stdout, hmac.new(key, content, hashlib.sha256).digest())
        wanted = "v1," + base64.b64encode(ran.stdout).decode()
        return wanted in self.headers["webhook-signature"].split(" ")


class Receiver:
    """On https://localhost (or http), for a `with`. `answers`: one (status, headers, body) for each request, or a function
    of it; the last one stays."""

    def __init__(self, tls=None, answers=((204, {}, b""),)):
        self.came, self.answers, self.connections = [], list(answers), 0
        self.lock, self.release = threading.Lock(), threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                outer.serve(self)

            def log_message(self, *_):  # pylint: disable=arguments-differ
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def get_request(self):
                outer.connections += 1
                return super().get_request()

            def finish_request(self, request, client_address):
                # The handshake of one that hangs keeps nobody else waiting.
                if tls:
                    request = outer.context.wrap_socket(request, server_side=True)
                super().finish_request(request, client_address)

            def handle_error(self, request, client_address):
                pass

        if tls:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(tls("server.pem"), tls("server-key.pem"))
        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.url = f"{'https' if tls else 'http'}://localhost:{self.port}/hook"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.release.set()
        self.server.shutdown()
        self.server.server_close()

    def serve(self, handler):
        came = Came(handler)
        with self.lock:
            self.came.append(came)
            answer = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
        if callable(answer):
            answer = answer(came)
        if answer is None:  # it hangs
            self.release.wait(PATIENCE)
            return
        status, headers, body = answer
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        if "content-length" not in headers:
            handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        with contextlib.suppress(OSError):
            handler.wfile.write(body)
            handler.wfile.flush()

    def types(self):
        return [c.type for c in list(self.came)]

    def until(self, *types):
        """These have come, in that order."""
        until(lambda: self.types() == list(types), f"{types} (it is {self.types()})")
        return self.came[-1]


class Hooks:
    """webhooks.WebhookService with one token, or without."""

    def __init__(self, channel, metadata=()):
        self.stub, self.metadata = webhooks_grpc.WebhookServiceStub(channel), metadata

    def __call__(self, method, **fields):
        service = webhooks.DESCRIPTOR.services_by_name["WebhookService"].methods_by_name[method]
        request = service.input_type._concrete_class(**fields)  # pylint: disable=protected-access
        return getattr(self.stub, method)(request, timeout=PATIENCE, metadata=self.metadata)

    def code(self, method, **fields):
        try:
            self(method, **fields)
        except grpc.RpcError as error:
            return error.code()
        return None

    def text(self, method, **fields):
        try:
            self(method, **fields)
        except grpc.RpcError as error:
            return error.details()
        raise AssertionError(f"{method} is not refused")


NETWORKS = "127.0.0.0/8"


@contextlib.contextmanager
def told(**settings):
    """A service that may tell receivers on this machine, whose authority it trusts."""
    with Folder() as folder, Folder() as tls:
        authority(tls)
        settings = {"WEBHOOK_NETWORKS": NETWORKS, "WEBHOOK_CA": tls("ca.pem"), **settings}
        with Computations(folder, **{k: v for k, v in settings.items() if v is not None}) as running:
            running.folder, running.tls = folder, tls
            attach(running)
            yield running


def attach(running):
    running.root = Caller(running.channel)
    running.hooks = Hooks(running.channel)


def again(running, **settings):
    """Killed and started again, with other settings perhaps."""
    running.channel.close()
    running.process.kill()
    for key, value in settings.items():
        if value is None:
            running.settings.pop("COMPUTATIONS_" + key, None)
        else:
            running.settings["COMPUTATIONS_" + key] = value
    running.start()
    attach(running)


def deliveries(running, number, hooks=None):
    return (hooks or running.hooks)("Deliveries", number=number).deliveries


def until_delivered(running, number, *states):
    """Its deliveries are in these states, newest first."""
    until(lambda: [d.state for d in deliveries(running, number)] == list(states),
          f"{states} (it is {[(d.state, d.problem) for d in deliveries(running, number)]})")
    return deliveries(running, number)
