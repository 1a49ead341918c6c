# SPDX-License-Identifier: Apache-2.0
"""Attested TLS beside TLS 1.3 of the same programs: what the exchange costs, device time apart."""
import contextlib
import json
import os
import resource
import statistics
import subprocess

from harness import Folder, program

MIB = 1 << 20
ONE_BY_ONE, MANY, PARALLEL, TURNS = 1000, 2000, 50, 5


@contextlib.contextmanager
def server(folder, *options, certificate="server.pem"):
    process = subprocess.Popen(
        [program("tests/attested/attested_server"), "--certificate", folder(certificate), *options],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield f"127.0.0.1:{process.stdout.readline().split()[-1]}", process.pid
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


def client(target, *options):
    return json.loads(subprocess.run([program("tests/attested/attested_client"), target, *options],
                                     capture_output=True, text=True, check=True).stdout)


def pss(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("Pss:"))


def cpu(pid):
    """Seconds of CPU of the server, and of all clients so far."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    mine = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") + mine.ru_utime + mine.ru_stime


def uploads(folder, size):
    """Bytes in a second over TLS and over attested TLS, in turns: medians, and that of the ratios."""
    def rate(target, *how):
        return size / client(target, *how, "--count", "0", "--upload", str(size // MIB))["upload_seconds"]

    with server(folder, "--plain", certificate="plain.pem") as (plain, _), server(folder) as (attested, _):
        turns = [(rate(plain, "--ca", folder("plain.pem")), rate(attested)) for _ in range(TURNS)]
    return (*(statistics.median(side) for side in zip(*turns)),
            statistics.median(attested / tls for tls, attested in turns))


def measure(folder, plain):
    """(one by one, many at a time, the server's memory at the end)"""
    with server(folder, *(["--plain"] if plain else [])) as (target, pid):
        how = ["--ca", folder("server.pem")] if plain else []
        client(target, *how, "--count", "50")  # warm
        before = cpu(pid)
        one = client(target, *how, "--count", str(ONE_BY_ONE))
        one["cpu_us"] = (cpu(pid) - before) / ONE_BY_ONE * 1e6
        one.update({name: value for name, value in client(target, *how, "--count", "0", "--signatures").items()
                    if name in ("sign_us", "verify_us")})
        many = client(target, *how, "--count", str(MANY), "--parallel", str(PARALLEL))
        return one, many, pss(pid)


def channel(size, only):
    if only and not any(word in "attested connections TLS upload memory" for word in only):
        return
    with Folder() as folder:
        tls, tls_many, _ = measure(folder, True)
        one, many, memory = measure(folder, False)
        tls_upload, upload, ratio = uploads(folder, size)
    limit = tls["p50_us"] + one["sign_us"] + one["verify_us"]
    yield {"row": "attested connection with its first call", "figure": one["p50_us"], "unit": "us", "limit": limit,
           "of": "TLS 1.3 the same + 1 P-256 signature, made and verified", "ratio": one["p50_us"] / limit,
           "aim": "<= 1.3"}
    yield {"row": "  p50 / p99, one at a time", "figure": f"{one['p50_us']:.0f} / {one['p99_us']:.0f}", "unit": "us"}
    limit = tls["cpu_us"] + one["sign_us"] + one["verify_us"]
    yield {"row": "attested connection and call, CPU of both ends", "figure": one["cpu_us"], "unit": "us",
           "limit": limit, "of": "the same", "ratio": one["cpu_us"] / limit, "aim": "<= 1.3"}
    yield {"row": f"attested connections, {PARALLEL} at a time", "figure": MANY / many["seconds"], "unit": "per s",
           "limit": MANY / tls_many["seconds"], "of": "TLS 1.3 the same",
           "ratio": tls_many["seconds"] / many["seconds"]}
    yield {"row": f"  p50 / p99, {PARALLEL} at a time", "unit": "us",
           "figure": f"{many['p50_us']:.0f} / {many['p99_us']:.0f}"}
    yield {"row": f"upload of {size // MIB} MiB over attested TLS", "figure": upload / MIB, "unit": "MiB/s",
           "limit": tls_upload / MIB, "of": "TLS, in turns", "ratio": ratio, "aim": ">= 0.98"}
    yield {"row": f"server's memory after {MANY + ONE_BY_ONE} attested connections", "figure": memory / MIB,
           "unit": "MiB PSS", "aim": "<= 16"}
