# SPDX-License-Identifier: Apache-2.0
"""Unary calls: ours beside python3-grpcio's server, by our load client, and beside nghttpd, by h2load; connections
by mutual TLS with their first call beside python3-grpcio's server."""
import contextlib
import json
import os
import re
import statistics
import subprocess
import sys

from harness import BUILD, ROOT, Folder, authority, read

from bench.nghttpd import nghttpd

CALL = "grpc.testing.TestService/EmptyCall"


def load(target, connections, *words, seconds=3):
    """One stream on each connection."""
    out = subprocess.run([os.path.join(BUILD, "tests", "rpc_bench"), target, str(seconds), str(connections), "1",
                          *words], capture_output=True, text=True, check=True).stdout
    return json.loads(out)


def requests(port, folder, connections, seconds=3):
    """A second, of an empty message each, one at a time on each connection."""
    out = subprocess.run(["h2load", "-D", str(seconds), "-c", str(connections), "-m", "1", "-d", folder("empty"),
                          "-H", "content-type: application/grpc", "-H", "te: trailers",
                          f"http://127.0.0.1:{port}/{CALL}"], capture_output=True, text=True, check=True).stdout
    assert " 0 4xx, 0 5xx" in out and ", 0 failed" in out, out
    return float(re.search(r"([0-9.]+) req/s", out)[1])


@contextlib.contextmanager
def ours(certs=None):
    words = ["--cert", certs("server.pem"), "--key", certs("server-key.pem"), "--client-ca", certs("ca.pem")] if certs else []
    process = subprocess.Popen([os.path.join(BUILD, "tests", "grpc_interop_server"), "127.0.0.1:0", *words],
                               stdout=subprocess.PIPE, text=True)
    try:
        yield ("localhost:" if certs else "127.0.0.1:") + process.stdout.readline().split()[-1]
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def grpcio(certs=None):
    sys.path[:0] = [os.path.join(BUILD, "tests", "interop"), os.path.join(ROOT, "tests", "interop")]
    import grpc
    import peer

    server, port = peer.start_server(certs and grpc.ssl_server_credentials(
        [(read(certs("server-key.pem")), read(certs("server.pem")))], read(certs("ca.pem")), True))
    try:
        yield f"{'localhost' if certs else '127.0.0.1'}:{port}"
    finally:
        server.stop(None)


def unary(size, only):
    if only and not any(word in "unary calls" for word in only):
        return
    results = {}
    for name, server in (("ours", ours), ("python3-grpcio", grpcio)):
        with server() as target:
            for connections in (1, 64):
                results[name, connections] = load(target, connections)
    for connections in (1, 64):
        mine, theirs = results["ours", connections], results["python3-grpcio", connections]
        yield {"row": f"unary calls on {connections} connection{'s' if connections > 1 else ''}",
               "figure": mine["per_second"], "unit": "calls/s", "limit": theirs["per_second"],
               "of": "python3-grpcio's server", "ratio": mine["per_second"] / theirs["per_second"]}
        yield {"row": f"  p50 / p99 on {connections}", "unit": "us",
               "figure": f"{mine['p50_us']} / {mine['p99_us']}"}
    yield from beside_nghttpd()


def beside_nghttpd():
    """Both get the same requests; nghttpd answers with a file of an empty message and has no trailers."""
    with Folder() as folder:
        folder.write("empty", bytes(5))
        folder.write(CALL, bytes(5))
        for connections in (1, 64):
            with ours() as target:
                mine = requests(target.rsplit(":", 1)[1], folder, connections)
            with nghttpd(folder.path) as port:
                theirs = requests(port, folder, connections)
            yield {"row": f"unary calls on {connections} by h2load", "figure": mine, "unit": "calls/s",
                   "limit": theirs, "of": "nghttpd, a file of the same size", "ratio": mine / theirs}


def first_calls(size, only):
    """In turns, three times; the medians of the medians."""
    if only and not any(word in "mutual TLS connections with their first call" for word in only):
        return
    times = {ours: [], grpcio: []}
    with Folder() as certs:
        authority(certs)
        words = ("--ca", certs("ca.pem"), "--cert", certs("client.pem"), "--key", certs("client-key.pem"), "--anew")
        for _ in range(3):
            for server, found in times.items():
                with server(certs) as target:
                    found.append(load(target, 1, *words)["p50_us"])
    mine, theirs = (statistics.median(times[server]) for server in (ours, grpcio))
    yield {"row": "mutual TLS, connection with its first call", "figure": mine, "unit": "us", "limit": theirs,
           "of": "our client, python3-grpcio's server", "ratio": mine / theirs}
