# SPDX-License-Identifier: Apache-2.0
"""The service with 5,000 agents connected at once, whose streams are real and whose machines are not, and 1,000 browsers that
follow what they say: memory for each, and an event's time from an agent to a browser."""
import contextlib
import resource
import ssl
import time

import h2raw as h2
from computations_service import create
from harness import PATIENCE, Computations, Folder, authority, computations, cvms, own_memory, until

from bench.scale import MS, median, p99

AGENTS, BROWSERS, EVENTS = 5000, 1000, 500
PER_ADDRESS = 16
SETTLE = 8  # seconds until what handshakes have left behind has gone back to the kernel
PROCESS = "/cvms.Service/Process"


def source(block, number):
    """An address of this host, of a few of them each."""
    number //= PER_ADDRESS
    return f"127.{block}.{number >> 8}.{(number & 255) + 1 & 255}"


def descriptors():
    """Here and in what is started here."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Agent:
    """The end of one stream that an agent has; it reads what it has to, and no more."""

    def __init__(self, port, number, context):
        self.cvm = f"cvm-{number}"
        self.peer = h2.Peer(port, source=source(1, number), context=context)
        self.stream = self.peer.open(PROCESS, ("job-id", self.cvm))

    def say(self, **message):
        self.peer.data(self.stream, h2.message(cvms.ClientStreamMessage(**message).SerializeToString()))


class Browser:
    """Follows one computation, by HTTP/2 as browsers do."""

    def __init__(self, port, number, context, computation):
        self.peer = h2.Peer(port, source=source(2, number), context=context)
        self.stream = self.peer.next_stream()
        block = b"".join(h2.literal(name, value) for name, value in (
            (":method", "GET"), (":scheme", "https"), (":path", f"/api/computations/{computation}/events"),
            (":authority", f"localhost:{port}")))
        self.peer.send(h2.frame(h2.HEADERS, h2.END_HEADERS | h2.END_STREAM, self.stream, block))
        self.until(b"retry: ")

    def until(self, word):
        while True:
            got = self.peer.frame()
            assert got and not (got[2] == self.stream and got[0] == h2.RST_STREAM), got
            if got[0] == h2.HEADERS and got[2] == self.stream:
                status = dict(self.peer.decoder.decode(got[3]))[":status"]
                assert status == "200" and not got[1] & h2.END_STREAM, (status, self.peer.frame())
            if got[0] == h2.DATA and word in got[3]:
                return


def event(computation, word):
    message = cvms.AgentEvent(event_type="Running", status="InProgress", computation_id=computation, details=word.encode(),
                              originator="agent")
    message.timestamp.GetCurrentTime()
    return {"agent_event": message}


def connected(service):
    count, after = 0, ""
    while True:
        page = service.admin.ListCvms(computations.ListRequest(after=after), timeout=PATIENCE).cvms
        count += sum(c.connected for c in page)
        if not page:
            return count
        after = page[-1].id


def measure(is_tls):
    name = "TLS" if is_tls else "plaintext"
    with contextlib.ExitStack() as stack:
        folder, tls = stack.enter_context(Folder()), authority(stack.enter_context(Folder()))
        service = stack.enter_context(Computations(
            folder, tls if is_tls else None, MAX_CVMS=str(AGENTS), WEB="0.0.0.0:0", ADMIN_SERVER_CERT=tls("server.pem"),
            ADMIN_SERVER_KEY=tls("server-key.pem"), ADMIN_CLIENT_CA_CERTS=tls("ca.pem")))
        port = int(service.process.wait_line(r"page: listening on .*, port (\d+), with mutual TLS")[1])
        there = ssl.create_default_context(cafile=tls("ca.pem"))
        there.set_alpn_protocols(["h2"])
        empty, began = own_memory(service.process.pid), time.monotonic()
        agents = [Agent(service.port, number, there if is_tls else None) for number in range(AGENTS)]
        stack.callback(lambda: [agent.peer.close() for agent in agents])
        until(lambda: connected(service) == AGENTS, f"{AGENTS} agents")
        seconds = time.monotonic() - began
        time.sleep(SETTLE)
        full = own_memory(service.process.pid)
        yield {"row": f"scale: {AGENTS} agents connected, memory of one, {name}", "figure": (full - empty) / AGENTS / 1024,
               "unit": "KiB", "aim": "<= 30", "note": f"in {seconds:.1f} s"}

        there.load_cert_chain(tls("client.pem"), tls("client-key.pem"))
        for agent in agents[:BROWSERS]:
            create(service, id="of-" + agent.cvm, name="of " + agent.cvm)
            service.admin.Run(computations.RunRequest(id="of-" + agent.cvm, cvm_id=agent.cvm), timeout=PATIENCE)
        before = own_memory(service.process.pid)
        browsers = [Browser(port, number, there, "of-" + agent.cvm) for number, agent in enumerate(agents[:BROWSERS])]
        stack.callback(lambda: [browser.peer.close() for browser in browsers])
        time.sleep(SETTLE)
        after = own_memory(service.process.pid)
        yield {"row": f"scale: {BROWSERS} browsers that follow, memory of one, {name}",
               "figure": (after - before) / BROWSERS / 1024, "unit": "KiB"}
        took, answered = [], []
        for number in range(EVENTS):
            at = number * 7919 % BROWSERS
            began = time.monotonic()
            agents[at].say(**event("of-" + agents[at].cvm, f"the-{number}-th-one"))
            browsers[at].until(f"the-{number}-th-one".encode())
            took.append(time.monotonic() - began)
            began = time.monotonic()
            service.admin.Show(computations.ComputationRequest(id="of-" + agents[at].cvm), timeout=PATIENCE)
            answered.append(time.monotonic() - began)
        yield {"row": f"scale: event from an agent to its browser, {name}", "figure": median(took) * MS, "unit": "ms",
               "limit": median(answered) * MS, "of": "Show and its answer", "ratio": median(took) / median(answered),
               "note": f"p99 {p99(took) * MS:.3g}", "aim": "p99 <= 100"}


def rows(_, only):
    for is_tls in (False, True):
        name = f"scale: {AGENTS} agents connected, {BROWSERS} browsers that follow, memory of one, event from an agent to its browser"
        if only and not any(word in f"{name}, {'TLS' if is_tls else 'plaintext'}" for word in only):
            continue
        descriptors()
        yield from measure(is_tls)
