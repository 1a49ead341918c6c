# SPDX-License-Identifier: Apache-2.0
"""A new call on a new connection while strangers want every place, again and again."""
import os
import resource
import select
import socket
import ssl
import subprocess
import sys
import time

STRANGERS, CALLS = 10000, 30
PAUSE = 0.1  # between calls: the strangers have their turn
HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(20)


def watch():
    """All that a client of Health/Watch has to say, in one piece."""
    import h2raw as h2
    head = h2.frame(h2.HEADERS, h2.END_HEADERS, 1, h2.request_block("/grpc.health.v1.Health/Watch"))
    return h2.PREFACE + h2.frame(h2.SETTINGS, 0, 0) + head + h2.frame(h2.DATA, h2.END_STREAM, 1, h2.message(b""))


def besiege(port, is_many, what):
    """Keeps STRANGERS connections open or opening until it is killed; a line when all were begun."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, STRANGERS + 100), hard))
    poll, begun = select.epoll(), {}

    def begin(number):
        s = socket.socket()
        s.setblocking(False)
        if is_many:
            s.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
            s.bind((f"127.1.{number >> 8}.{number & 255}", 0))
        s.connect_ex(("127.0.0.1", port))
        begun[s.fileno()] = (s, number)
        poll.register(s, select.EPOLLOUT | select.EPOLLIN)

    for number in range(STRANGERS):
        begin(number)
    print("begun", flush=True)
    while True:
        for fd, events in poll.poll():
            s, number = begun[fd]
            try:
                if events & select.EPOLLOUT:
                    s.send(what)
                    poll.modify(fd, select.EPOLLIN)
                elif s.recv(65536):
                    continue
                else:
                    raise ConnectionResetError
            except BlockingIOError:
                pass
            except OSError:
                del begun[fd]
                s.close()
                begin(number)


def call_times(port, context):
    import crowd
    times, failed = [], 0
    for _ in range(CALLS):
        time.sleep(PAUSE)
        begin = time.monotonic()
        try:
            assert crowd.answer(port, context) == 0
            times.append(time.monotonic() - begin)
        except (AssertionError, OSError):
            failed += 1
    return sorted(times), failed


def rows(size, only):
    if only and not any(word in "new call while strangers" for word in only):
        return
    import certs as certs_module
    from harness import Folder
    with Folder() as folder:
        made = certs_module.Certs(folder.path)
        for is_tls in (False, True):
            context = None
            options = []
            if is_tls:
                options = ["--cert", made.cert, "--key", made.key]
                context = ssl.create_default_context(cafile=made.ca)
                context.set_alpn_protocols(["h2"])
            for is_many in (False, True):
                yield from measure(is_tls, is_many, options, context)


def measure(is_tls, is_many, options, context):
    program = os.path.join(os.environ["COCOS_BUILD"], "tests", "grpc_interop_server")
    with subprocess.Popen([program, *options, "127.0.0.1:0"], stdout=subprocess.PIPE, text=True) as server:
        port = int(server.stdout.readline().split()[-1])
        with subprocess.Popen([sys.executable, os.path.abspath(__file__), str(port), str(int(is_many)),
                               str(int(is_tls))], stdout=subprocess.PIPE, text=True) as strangers:
            strangers.stdout.readline()
            times, failed = call_times(port, context)
            strangers.kill()
        server.kill()
    where = f"{'TLS' if is_tls else 'plaintext'}, {'many addresses' if is_many else 'one address'}"
    if not times:
        times = [float("inf")]
    yield {"row": f"new call while {STRANGERS} strangers hold on, {where}", "figure": 1000 * times[len(times) // 2],
           "unit": "ms", "aim": "<= 1000",
           "note": f"slowest {1000 * times[-1]:.0f}, {failed} of {CALLS} failed"}


if __name__ == "__main__":
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path.insert(0, os.path.join(here, "..", "..", "..", "tests", "integration"))
    besiege(int(sys.argv[1]), bool(int(sys.argv[2])), HELLO if int(sys.argv[3]) else watch())
