# SPDX-License-Identifier: Apache-2.0
"""The hardware under a real agent changes while an owner's transfer is under way, behind the kernel's own
interface: the agent, its key and the connection stay, and the owner looks again before an upload's last
word, at intervals, and before results."""
import json
import os
import secrets

from agent_peer import dataset
from agent_tpm import boot_configuration, canonical, extended
from harness import cli
from honest_agent import DATA_KEY, Site, manifest, provider, site, with_algorithm
from meter import Meter
from rows import Outcome, row, shared
from teesim import MEASUREMENT

SIZE = 4 << 20
LONG, SLOWLY = 40 << 20, 4 << 20  # bytes, of which sockets may hold ten million; bytes a second
AUTHENTICATOR = 4096  # bytes that the agent has not sent before its first evidence has gone out

tdx_site = shared(lambda: Site("tdx"))  # apart from the other themes': RTMR3 remembers every manifest
EXTENDED = []


def agreed(here, content):
    """A manifest of one dataset, whose owner gets the results."""
    m = manifest(here.port)
    del m.datasets[:]
    m.datasets.append(dataset(content, DATA_KEY, "iris.csv"))
    m.result_consumers[0].userKey = DATA_KEY.spki
    return m


def running(here, m):
    """An agent that waits for the dataset."""
    assert here.run(m).error == ""
    with_algorithm(here.port)
    return here


def taken(here):
    here.service.catch_up()
    return here.service.log_text().count("dataset 'iris.csv' is in")


def uploaded(here, m, content, words, policy=None, options=(), rate=None):
    """The owner's upload; from a third of it on, the hardware behaves as `words` say."""
    path = provider().write("transfer/iris.csv", content)
    before = taken(here)
    try:
        with Meter(here.port, lambda: here.tee.fault(*words), after=len(content) // 3,
                   rate=rate) as meter:
            ran = provider().upload(meter.target, m, here.tee.root, path=path, policy=policy,
                                    options=options)
        assert meter.struck, ran.err
        here.carried = meter.carried
    finally:
        here.tee.fault()
        here.halt()  # whose answer comes behind all that the agent had to say
    return Outcome(ran.status == 0, ran.out + ran.err, taken(here) - before)


def in_mid_upload(name, fault, check, about):
    def attempt(evil):
        content = secrets.token_bytes(SIZE)
        m = agreed(site(), content)
        return uploaded(running(site(), m), m, content, [fault] if evil else [])
    attempt.__doc__, attempt.__module__ = about, __name__
    row("upload-while-" + name, check)(attempt)


in_mid_upload("the-tcb-is-lowered", "tcb-change", "same.tcb",
              "The platform goes back to older firmware, whose key is certified as well.")
in_mid_upload("the-chip-is-swapped", "other-chip", "run.same_chip",
              "The reports are another chip's, certified as well.")
in_mid_upload("the-launch-is-swapped", "other-report-id", "run.same_report_id",
              "The reports are of another launch of the same image on the same chip.")
in_mid_upload("the-guest-is-opened", "debug", "policy.debug",
              "The reports are of a guest whose memory the host can read.")


@row("upload-stopped-in-its-middle", "same.tcb")
def stopped(evil):
    """The same on a long way: the owner looks every second, and does not send all of it first."""
    content = secrets.token_bytes(LONG)
    m = agreed(site(), content)
    outcome = uploaded(running(site(), m), m, content, ["tcb-change"] if evil else [],
                       options=["--reattest", "1s"], rate=SLOWLY)
    assert not evil or site().carried < LONG, "all of it was sent before anybody looked"
    return outcome


def tdx_in_mid_upload(name, fault, check, about):
    """The policy takes a TCB that is out of date, so that what counts is that it was better before."""
    def attempt(evil):
        content = secrets.token_bytes(SIZE)
        here = tdx_site()
        m = agreed(here, content)
        running(here, m)
        EXTENDED.extend([f'{{"port":"{here.port}","attested_tls":true}}'.encode(), canonical(m)])
        registers = {f"rtmr{i}": [bytes(48).hex()] for i in range(3)}
        registers["rtmr3"] = [extended("sha384", boot_configuration(here.agent), *EXTENDED).hex()]
        policy = provider().write("transfer-policy.json", json.dumps({
            "cocos": 1, "run": {"weak_words": ["development"]},
            "tdx": dict(registers, mrtd=[MEASUREMENT], statuses=["UpToDate", "OutOfDate"])}))
        return uploaded(here, m, content, [fault] if evil else [], policy,
                        here.tee.endorsement_options)
    attempt.__doc__, attempt.__module__ = about, __name__
    row("tdx-upload-while-" + name, check)(attempt)


tdx_in_mid_upload("the-tcb-is-lowered", "tcb-change", "same.tcb",
                  "The TDX module goes back to an older one, which the policy would take by itself.")
tdx_in_mid_upload("the-platform-is-swapped", "other-chip", "run.same_platform",
                  "The quotes are another platform's, certified as well.")


def before_the_results(name, fault, check, about):
    def attempt(evil):
        here = site()
        content = secrets.token_bytes(100)
        m = agreed(here, content)
        ready = here.service.events().count("ConsumingResults/Ready")
        path = provider().write("transfer/iris.csv", content)
        running(here, m)
        provider().upload(f"127.0.0.1:{here.port}", m, here.tee.root, path=path).ok()
        here.service.wait(lambda s: s.events().count("ConsumingResults/Ready") > ready)
        return fetched(here, [fault] if evil else [])
    attempt.__doc__, attempt.__module__ = about, __name__
    row("results-once-" + name, check)(attempt)


def fetched(here, words):
    """The owner fetches them; from the moment when the agent has attested once, `words` hold."""
    path = provider()("transfer/results.zip")
    for old in (path, provider()("transfer/results.receipt.cbor")):
        if os.path.exists(old):
            os.unlink(old)
    try:
        with Meter(here.port, lambda: here.tee.fault(*words), answered=AUTHENTICATOR) as meter:
            ran = cli("result", provider()("private.pem"), "--filename", path, "--offline",
                      "--trusted_root", here.tee.root, AGENT_GRPC_URL=meter.target,
                      AGENT_GRPC_ATTESTED_TLS="true",
                      AGENT_GRPC_ATTESTATION_POLICY=provider().policy())
        assert meter.struck, ran.err
        return Outcome(ran.status == 0, ran.out + ran.err,
                       os.path.getsize(path) if os.path.exists(path) else 0)
    finally:
        here.tee.fault()
        here.halt()


before_the_results("the-tcb-is-lowered", "tcb-change", "same.tcb",
                   "The platform goes back to older firmware once the consumer has connected.")
before_the_results("the-chip-is-swapped", "other-chip", "run.same_chip",
                   "The reports are another chip's once the consumer has connected.")
