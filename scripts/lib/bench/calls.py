# SPDX-License-Identifier: Apache-2.0
"""Unary calls: ours beside python3-grpcio's server and nghttpd, by one load client."""
import contextlib
import json
import os
import subprocess
import sys

from harness import BUILD, ROOT


def load(target, connections, seconds=3):
    """One stream on each connection."""
    out = subprocess.run([os.path.join(BUILD, "tests", "rpc_bench"), target, str(seconds), str(connections), "1"],
                         capture_output=True, text=True, check=True).stdout
    return json.loads(out)


@contextlib.contextmanager
def ours():
    process = subprocess.Popen([os.path.join(BUILD, "tests", "grpc_interop_server"), "127.0.0.1:0"],
                               stdout=subprocess.PIPE, text=True)
    try:
        yield "127.0.0.1:" + process.stdout.readline().split()[-1]
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def grpcio():
    sys.path[:0] = [os.path.join(BUILD, "tests", "interop"), os.path.join(ROOT, "tests", "interop")]
    import peer

    server, port = peer.start_server(None)
    try:
        yield f"127.0.0.1:{port}"
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
