# SPDX-License-Identifier: Apache-2.0
"""The agent in host mode: transfers, memory, sizes."""
import contextlib
import errno
import mmap
import os
import re
import socket
import ssl
import statistics
import subprocess
import time

from harness import Folder, authority, program, read, until
from job_host import Job

from bench.nghttpd import nghttpd

MIB = 1 << 20


def sha3_speed():
    """Bytes in a second of one core's SHA3-256, by OpenSSL itself."""
    out = subprocess.run(["openssl", "speed", "-elapsed", "-seconds", "2", "-bytes", "1048576", "-evp",
                          "sha3-256"], capture_output=True, text=True, check=True).stdout
    return float(out.split()[-1].rstrip("k")) * 1000


class Memory:
    """Memory that was touched, to be given back just when bytes begin their way to a file.

    In a virtual machine whose host takes free memory back (a balloon's page reporting, two seconds
    after it was freed), the first touch of a page costs more than all that an upload does with it:
    2.8 s for each GiB of page cache against 0.2, measured. That is the host's price, not ours. Huge
    pages, since the page cache takes large pieces first.
    """

    def __init__(self, size):
        os.sync()  # nothing older is on its way to the disk
        self.bytes = mmap.mmap(-1, size + size // 2, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self.bytes.madvise(mmap.MADV_HUGEPAGE)
        piece = bytes(MIB)
        for _ in range(len(self.bytes) // MIB):
            self.bytes.write(piece)

    def give_back(self):
        self.bytes.close()


def big_file(folder, size):
    path = folder("big.bin")
    block = os.urandom(MIB)
    with open(path, "wb") as file:
        for index in range(size // MIB):
            file.write(index.to_bytes(8, "big") + block[8:])
    return path


def spent(pid):
    """Processor seconds of a process so far."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def write_seconds(size):
    """Processor seconds for so many bytes into a new file, from a piece that stays in the cache."""
    piece = os.urandom(MIB)
    with Folder() as folder, open(folder("touch"), "wb", buffering=0) as file:
        before = time.process_time()
        for _ in range(size // MIB):
            file.write(piece)
        return time.process_time() - before


def first_touch(size, only):
    """What the machine takes for memory alone: an upload can't be quicker, and how much it is depends on what
    the host has taken back, not on us."""
    row = "processor time for a page cache of"
    if only and not any(word in row for word in only):
        return
    as_it_comes = write_seconds(size)
    Memory(size).give_back()
    touched = write_seconds(size)
    yield {"row": f"{row} {size // MIB} MiB, as memory comes", "figure": as_it_comes, "unit": "s",
           "limit": touched, "of": "memory that was touched just before", "ratio": as_it_comes / touched}


def upload(size, tls):
    """(seconds of the call, growth of the agent's memory while it ran, processor seconds of both ends)."""
    with contextlib.ExitStack() as stack:
        certs = stack.enter_context(Folder()) if tls else None
        if tls:
            authority(certs)
        job = Job(stack, agent_tls=certs)
        data = big_file(job.folder, size)
        script = job.folder.write("copy.py", "print('nothing to do')\n")
        computation = job.create(script, datasets=(data,), kind="python")
        job.run(computation)
        job("algo", script, job.key("algorithm"), "-a", "python").ok()
        before = peak = job.agent.process.memory()
        worked = spent(job.agent.process.pid)
        Memory(size).give_back()  # before the first byte, or those find nothing
        sender = subprocess.Popen([program("cocos-cli"), "data", data, job.key("data"), "-v"],
                                  env={"PATH": os.environ["PATH"], **job.where}, text=True,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        usage = None
        while not usage:
            peak = max(peak, job.agent.process.memory())
            time.sleep(0.05)
            pid, status, ended = os.wait4(sender.pid, os.WNOHANG)
            usage = ended if pid else None
        sender.returncode = os.waitstatus_to_exitcode(status)  # it is reaped: Popen would not know
        worked = spent(job.agent.process.pid) - worked + usage.ru_utime + usage.ru_stime
        said = sender.stderr.read()
        if sender.returncode:
            raise AssertionError(f"cocos-cli data: exit status {sender.returncode}: {said}")
        found = re.search(r": (\d+) bytes in ([0-9.]+) s", said)
        job("computation", "stop", computation)
        return float(found[2]), peak - before, worked


def download(size):
    """Seconds of fetching results of that size."""
    with contextlib.ExitStack() as stack:
        job = Job(stack)
        script = job.folder.write("make.py", (
            "import os\nblock = os.urandom(1 << 20)\n"
            "with open('results/out.bin', 'wb') as file:\n"
            f"    for _ in range({size // MIB}):\n        file.write(block)\n"))
        computation = job.create(script, datasets=(), kind="python")
        job.run(computation)
        job("algo", script, job.key("algorithm"), "-a", "python").ok()
        until(lambda: job("computation", "show", computation, "--json").json()["state"] == "Completed", "the run")
        Memory(size).give_back()
        done = subprocess.run([program("cocos-cli"), "result", job.key("consumer"), "-v"],
                              env={"PATH": os.environ["PATH"], **job.where}, text=True, check=True,
                              cwd=job.folder("consumer"), capture_output=True)
        found = re.search(r": (\d+) bytes in ([0-9.]+) s", done.stderr)
        return int(found[1]), float(found[2])


def curl_seconds(size):
    """The same bytes by curl from nghttpd, over HTTP/2 in plaintext."""
    with Folder() as folder:
        big_file(folder, size)
        with nghttpd(folder.path) as port:
            Memory(size).give_back()
            out = subprocess.run(["curl", "-s", "--http2-prior-knowledge", "-o", folder("got"), "-w",
                                  "%{time_total}", f"http://127.0.0.1:{port}/big.bin"],
                                 capture_output=True, text=True, check=True).stdout
            return float(out)


UPLOADS = 5


def uploads_in_turns(size, tls):
    """(bytes a second of SHA3-256, then as upload() has it), for each round.

    One core's speed may nearly double from second to second where a host has other guests, so the limit is that of just
    before and just after.
    """
    before = sha3_speed()
    for _ in range(UPLOADS):
        found = upload(size, tls)
        after = sha3_speed()
        yield ((before + after) / 2, *found)
        before = after


def transfers(size, only):
    yield from first_touch(size, only)
    if only and not any(word in "upload download growth processor time" for word in only):
        return
    for tls in (False, True):
        name = "TLS" if tls else "plaintext"
        rounds = list(uploads_in_turns(size, tls))
        limit, seconds, _, worked = (statistics.median(figures) for figures in zip(*rounds))
        growth = max(row[2] for row in rounds)
        yield {"row": f"upload of {size // MIB} MiB, {name}, verified", "figure": size / seconds / MIB,
               "unit": "MiB/s", "limit": limit / MIB, "of": "SHA3-256, one core",
               "ratio": statistics.median(size / row[1] / row[0] for row in rounds), "aim": ">= 0.9"}
        yield {"row": f"processor time of that upload, both ends, {name}", "figure": worked, "unit": "s",
               "limit": size / limit, "of": "SHA3-256 alone",
               "ratio": statistics.median(row[3] / (size / row[0]) for row in rounds)}
        yield {"row": f"agent's growth during that upload, {name}", "figure": growth / MIB, "unit": "MiB PSS",
               "aim": "<= 16"}
    bytes_, seconds = download(size)
    limit = curl_seconds(size)
    yield {"row": f"result download of {bytes_ // MIB} MiB", "figure": bytes_ / seconds / MIB, "unit": "MiB/s",
           "limit": size / limit / MIB, "of": "curl from nghttpd", "ratio": (bytes_ / seconds) / (size / limit),
           "aim": ">= 0.8"}


CONNECTIONS = 1000
TRIMMED = 8  # seconds after which what they used is back; the server looks every 5


def idle_connections(job, certs):
    """The agent's own memory: before there are connections which say nothing but the preface, with them, and
    when they have gone."""
    context = None
    if certs:
        context = ssl.create_default_context(cafile=certs("ca.pem"))
        context.set_alpn_protocols(["h2"])

    def opened():
        connection = socket.create_connection(("127.0.0.1", job.port))
        if context:
            connection = context.wrap_socket(connection, server_hostname="localhost")
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")
        return connection

    opened().close()  # what the first one makes stays for all
    time.sleep(1)
    before = job.agent.process.written()
    held = [opened() for _ in range(CONNECTIONS)]
    time.sleep(2)
    during = job.agent.process.written()
    for connection in held:
        connection.close()
    time.sleep(TRIMMED)
    return before, during, job.agent.process.written()


def memory(size, only):
    if only and not any(word in "memory idle connections" for word in only):
        return
    for tls, aim in ((False, 12), (True, 25)):
        with contextlib.ExitStack() as stack:
            certs = stack.enter_context(Folder()) if tls else None
            if tls:
                authority(certs)
            job = Job(stack, agent_tls=certs)
            script = job.folder.write("none.py", "pass\n")
            job.run(job.create(script, datasets=(), kind="python"))
            if not tls:
                yield {"row": "agent's memory, idle", "figure": job.agent.process.memory() / MIB,
                       "unit": "MiB PSS", "aim": "<= 10"}
            before, during, after = idle_connections(job, certs)
            kind = "TLS" if tls else "plaintext"
            yield {"row": f"each of {CONNECTIONS} idle {kind} connections, memory",
                   "figure": (during - before) / CONNECTIONS / 1024, "unit": "KiB", "aim": f"<= {aim}"}
            yield {"row": f"memory kept when {CONNECTIONS} {kind} connections have gone",
                   "figure": (after - before) / MIB, "unit": "MiB", "aim": "<= 2"}


def there(name):
    """The path of a program that other programs are given."""
    path = program(name)
    if not os.path.exists(path):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    return path


def sizes(size, only):
    row = "size of cocos-agent, stripped"
    if only and not any(word in row for word in only):
        return
    stripped = os.path.join("/tmp", f"cocos-agent-stripped-{os.getpid()}")
    subprocess.run(["strip", "-o", stripped, there("cocos-agent")], check=True)
    yield {"row": row, "figure": os.path.getsize(stripped) / MIB, "unit": "MiB"}
    os.unlink(stripped)
