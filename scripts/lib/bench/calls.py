# SPDX-License-Identifier: Apache-2.0
"""Unary calls: ours beside python3-grpcio's server and nghttpd, by one load client."""
import json
import os
import subprocess
import sys

from harness import BUILD, ROOT, Process


def load(port, connections, seconds=3):
    out = subprocess.run([os.path.join(BUILD, "tests", "rpc_bench"), "127.0.0.1", str(port), str(connections),
                          str(seconds)], capture_output=True, text=True, check=True).stdout
    return json.loads(out)


def servers():
    """(name, process, port) of each server that answers empty unary calls."""
    ours = Process([os.path.join(BUILD, "tests", "grpc_interop_server"), "0"])
    yield "ours", ours, int(ours.wait_line(r"port (\d+)")[1])
    peer = Process([sys.executable, os.path.join(ROOT, "tests", "interop", "peer.py"), "server", "0"])
    yield "python3-grpcio", peer, int(peer.wait_line(r"port (\d+)")[1])


def unary(size, only):
    if only and not any(word in "unary calls" for word in only):
        return
    results = {}
    for name, process, port in servers():
        try:
            for connections in (1, 64):
                results[name, connections] = load(port, connections)
        finally:
            process.stop()
    for connections in (1, 64):
        mine, theirs = results["ours", connections], results["python3-grpcio", connections]
        yield {"row": f"unary calls on {connections} connection{'s' if connections > 1 else ''}",
               "figure": mine["calls_per_second"], "unit": "calls/s", "limit": theirs["calls_per_second"],
               "of": "python3-grpcio's server", "ratio": mine["calls_per_second"] / theirs["calls_per_second"]}
        yield {"row": f"  p50 / p99 on {connections}", "unit": "us",
               "figure": f"{mine['p50_us']} / {mine['p99_us']}"}
