# SPDX-License-Identifier: Apache-2.0
"""nghttpd over plaintext HTTP/2, serving a folder: what others' HTTP/2 takes on this machine."""
import contextlib
import socket
import subprocess

from harness import until


@contextlib.contextmanager
def nghttpd(folder):
    """Its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(["nghttpd", "--no-tls", "-d", folder, str(port)])
    try:
        until(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0, "nghttpd")
        yield port
    finally:
        server.terminate()
        server.wait()
