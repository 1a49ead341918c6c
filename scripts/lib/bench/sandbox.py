# SPDX-License-Identifier: Apache-2.0
"""The sandbox: how long it takes to make, and what its layers cost."""
import json
import shutil
import statistics
import subprocess
import sys
import time

from agent_job import ALGO_KEY, DATA_KEY, IRIS, USER_KEY, manifest, running, unzip
from agent_peer import Client, cvms_pb2, dataset, free_port

STARTS = 20
PATIENCE = 3600  # seconds that only end what hangs: the work takes minutes beside other work

# What scripts do beside their data: once where a layer is, once in the working directory, which is the
# memory file system that the layer lies on. `tables` unpacks, sorts and caches; `operations` does as
# little as it can with as many files as it can, so that it counts what each operation costs.
WORK = b"""#!/usr/bin/python3
import io, json, os, random, shutil, time, zipfile

def archive(count, content):
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED) as z:
        for n in range(count):
            z.writestr(f'pack/{n % 20}/{n}', content())
    return out

def table():
    return ''.join(f'{random.random()},{random.random()}\\n' for _ in range(1000))

def files(top):
    return [os.path.join(folder, name) for folder, _, names in os.walk(top) for name in names]

def tables(top):
    os.mkdir(top + '/cache')
    for path in files(top + '/pack'):
        with open(path) as file:
            rows = sorted(file.read().splitlines())
        with open(path, 'w') as file:
            file.write('\\n'.join(rows))
        with open(f'{top}/cache/{os.path.basename(path)}', 'w') as file:
            json.dump(rows, file)
        os.remove(path)

def operations(top):
    os.mkdir(top + '/cache')
    for path in files(top + '/pack'):
        with open(path, 'rb') as file:
            file.read()
        os.rename(path, f'{top}/cache/{os.path.basename(path)}')
    for path in files(top + '/cache')[::2]:
        os.remove(path)

def spent(work, zipped, top):
    begun = time.process_time()
    with zipfile.ZipFile(zipped) as z:
        z.extractall(top)
    work(top)
    seconds = time.process_time() - begun
    shutil.rmtree(top + '/pack')
    shutil.rmtree(top + '/cache')
    return seconds

os.mkdir('plain')
os.mkdir('datasets/layer')
found = {}
for work, zipped in ((tables, archive(300, table)), (operations, archive(2000, lambda: os.urandom(4096)))):
    found[work.__name__] = times = {'plain': [], 'datasets/layer': []}
    for _ in range(9):
        for place in times:
            times[place].append(spent(work, zipped, place))
json.dump(found, open('results/times', 'w'))
"""


# What a processor does without the kernel: by itself, so that only the processor's clock counts.
COUNT = b"""#!/usr/bin/python3
import json, os, sys, time

def count(until):
    total = 0
    for n in range(until):
        total += n * n % 7
    return total

begun = time.perf_counter()
count(6000000)
seconds = time.perf_counter() - begun
if os.path.isdir('results'):
    json.dump(seconds, open('results/seconds', 'w'))
print(seconds)
"""
TURNS = 7


def computation(service, number, algorithm):
    """What it leaves in results, and how long it ran by the agent's events."""
    port = free_port()
    m = manifest(port, algo=algorithm, datasets=[dataset(IRIS, DATA_KEY, "iris.csv")], id=f"b-{number}")
    service.send(runReq=m)
    service.wait(lambda s: len(s.of("run_res")) > number)
    client = Client(port)
    client.algo(algorithm, ALGO_KEY)
    client.data(IRIS, DATA_KEY, "iris.csv")
    service.wait(lambda s: s.events().count("ConsumingResults/Ready") > number, PATIENCE)
    at = {f"{e.event_type}/{e.status}": e.timestamp.seconds + e.timestamp.nanos / 1e9
          for e in service.of("agent_event") if e.computation_id == m.id}
    found = unzip(client.result(USER_KEY))
    client.close()
    service.send(stopComputation=cvms_pb2.StopComputation(computation_id=m.id))
    service.wait(lambda s: len(s.of("stop_computation_res")) > number)
    return found, at["Running/Completed"] - at["Running/Starting"]


def bare():
    """The same namespaces by a tool that does nothing else: its name, and its command."""
    if shutil.which("bwrap"):
        return "bwrap", ["bwrap", "--unshare-all", "--ro-bind", "/usr", "/usr", "--symlink", "usr/lib", "/lib",
                         "--symlink", "usr/lib64", "/lib64", "--symlink", "usr/bin", "/bin", "--proc", "/proc",
                         "--dev", "/dev", "--tmpfs", "/tmp", "/bin/sh", "-c", ":"]
    return "unshare", ["unshare", "-Urmpinuf", "--mount-proc", "/bin/sh", "-c", ":"]


def seconds_of(command):
    begun = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - begun


def counted(service, number):
    """The fastest of some turns inside and outside, one after the other: what else runs only adds to them."""
    inside, outside = [], []
    for turn in range(TURNS):
        found, _ = computation(service, number + turn, COUNT)
        inside.append(json.loads(found["seconds"]))
        outside.append(float(subprocess.run([sys.executable, "-I", "-c", COUNT.decode()], check=True, cwd="/",
                                            capture_output=True, text=True).stdout))
    return min(inside), min(outside)


def rows(_, only):
    if only and not any(word in "sandbox made core unpacked cached file operations layer" for word in only):
        return
    tool, command = bare()
    starts, limits = [], []
    with running() as (service, _):
        for number in range(STARTS):
            starts.append(computation(service, number, b"#!/bin/sh\n:\n")[1])
            limits.append(seconds_of(command))
        found, _ = computation(service, STARTS, WORK)
        inside, outside = counted(service, STARTS + 1)
    start, limit = statistics.median(starts), statistics.median(limits)
    yield {"row": "sandbox made, /bin/sh run, and all ended", "figure": 1000 * start, "unit": "ms",
           "limit": 1000 * limit, "of": tool, "ratio": start / limit}
    yield {"row": "work that fills a core, in a sandbox", "figure": inside, "unit": "s", "limit": outside,
           "of": "without one", "ratio": inside / outside, "aim": "<= 1.02"}
    times = json.loads(found["times"])
    for work, name, aim in (("tables", "tables unpacked, sorted, cached in a layer", "<= 1.1"),
                            ("operations", "nothing but file operations in a layer", "")):
        layer, plain = (statistics.median(times[work][place]) for place in ("datasets/layer", "plain"))
        yield {"row": name, "figure": layer, "unit": "s", "limit": plain, "of": "without one",
               "ratio": layer / plain, "aim": aim}
