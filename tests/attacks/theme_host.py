# SPDX-License-Identifier: Apache-2.0
"""What a host does to a real agent from outside: its boot configuration, its life, its clock, and a TPM
that the host has in its hands. (Command line, initrd, shares, disks and network cards are the business
of a whole virtual machine.)"""
import json
import os
import secrets
import subprocess
import time
from hashlib import sha256, sha3_384

import evidence
from agent_job import OTHER_KEY
from agent_peer import Agent, Service, dataset, free_port, sha3
from agent_tpm import boot_configuration, canonical
from attested_peer import AUTHENTICATOR, AttestedClient, frame
from harness import until
from honest_agent import DATA_KEY, Site, attempt_with, manifest, provider, with_algorithm
from meter import Meter
from rows import Outcome, row
from tpm_share import SharedTpm
from world import Machine, uploaded


# ---- the boot configuration ----

def boots(change, fixed=False):
    """Whether the agent comes up with its configuration changed, and what it says. `fixed`: the launch
    had HOST_DATA for the configuration as it was before the change."""
    here = Site()
    try:
        here.agent.stop()
        if fixed:
            here.tee.facts["host_data"] = sha3(boot_configuration(here.agent)).hex()
            here.tee.reboot()
        connections, logged = here.service.connections, len(here.agent.output())
        change(here.agent.dir)
        here.agent.restart()
        until(lambda: here.service.connections > connections or
              here.agent.process.poll() is not None, "the agent's start, or its end")
        up = here.service.connections > connections
        return Outcome(up, here.agent.output()[logged:], here.service.connections - connections)
    finally:
        here.close()


def setting(line):
    def change(folder):
        with open(os.path.join(folder, "config", "environment"), "a", encoding="ascii") as file:
            file.write(line)
    return change


def booting(name, check, change, about, **how):
    def attempt(evil):
        return boots(change if evil else lambda _: None, **how)
    attempt.__doc__, attempt.__module__ = about, __name__
    row(name, check)(attempt)


def less_talkative(folder):
    path = os.path.join(folder, "config", "environment")
    with open(path, encoding="ascii") as file:
        text = file.read()
    with open(path, "w", encoding="ascii") as file:
        file.write(text.replace("AGENT_LOG_LEVEL=debug", "AGENT_LOG_LEVEL=info"))


booting("boot-configuration-changed-after-the-launch", "HOST_DATA", less_talkative,
        "The launch had HOST_DATA for a configuration; the host gives another one.", fixed=True)
booting("boot-configuration-switches-attestation-off", "AGENT_SKIP_ATTESTATION",
        setting("AGENT_SKIP_ATTESTATION=true\n"), "A key that would switch something off, if one did.")
booting("boot-configuration-becomes-an-environment", "LD_PRELOAD",
        setting("LD_PRELOAD=/etc/certs/cert.pem\n"), "A variable for the loader, in a file that older "
        "guests made their environment.")
booting("boot-configuration-reads-a-file", "/etc/shadow",
        setting("AGENT_CVM_GRPC_SERVER_CA_CERTS=/etc/shadow\n"), "A path that is none of the three "
        "certificates, to be read and shown.")
booting("boot-configuration-says-a-key-twice", "AGENT_CVM_ID",
        setting("AGENT_CVM_ID=other\n"), "A key twice, one for the digest and one for use.")


@row("boot-configuration-vouched-for-by-the-hosts-quote", "MRCONFIGID")
def vouched_by_a_quote(evil):
    """A TD was launched for one boot configuration; the host gives another one, and when the agent asks
    what was fixed, a quote of its own making, which nobody in the guest can check, that fits it."""
    here = Site("tdx")
    try:
        here.agent.stop()
        given = sha3_384(boot_configuration(here.agent)).digest()
        launched = bytes([given[0] ^ 1]) + given[1:] if evil else given
        here.tee.facts["mrconfigid"] = launched.hex()
        here.tee.reboot()
        if evil:  # the quote's MRCONFIGID, its first byte changed, is that of what is given
            here.tee.fault("other-host-data", "wrong-signature")
        connections, logged = here.service.connections, len(here.agent.output())
        here.agent.restart()
        until(lambda: here.service.connections > connections or
              here.agent.process.poll() is not None, "the agent's start, or its end")
        up = here.service.connections > connections
        return Outcome(up, here.agent.output()[logged:], here.service.connections - connections)
    finally:
        here.close()


@row("agent-in-development", "run.weak_words")
def development(evil):
    """The host starts the agent outside of any image, in development; the owner's policy does not say
    that this will do."""
    policy = provider().policy(weak_words=[]) if evil else None
    return attempt_with(policy=policy)


# ---- its life ----

@row("cvm-restarted-in-mid-upload", "same.")
def restarted(evil):
    """The host kills the CVM in the middle of an upload, and starts it anew with the same manifest: the
    upload goes on against an agent that was verified, too, but is not the one that it began with."""
    content = secrets.token_bytes(8 << 20)
    here = Site()

    def sent():
        m = manifest(here.port)
        m.datasets[0].CopyFrom(dataset(content, DATA_KEY, "iris.csv"))
        return m

    def strike():
        if not evil:
            return
        connections = here.service.connections
        here.agent.process.kill()
        here.agent.process.wait()
        here.tee.reboot()
        here.agent.restart()
        here.running = None
        here.service.wait(lambda s: s.connections > connections and s.outgoing)
        assert here.run(sent()).error == ""
        with_algorithm(here.port)
        planted.append(set(here.planted()))

    planted = []
    path = provider().write("big/iris.csv", content)
    try:
        assert here.run(sent()).error == ""
        with_algorithm(here.port)
        before = set(here.planted())
        with Meter(here.port, strike, after=3 << 20) as meter:
            ran = provider().upload(meter.target, sent(), here.tee.root, path=path)
        assert meter.struck, ran.err
        after = set(here.planted()) - (planted[0] if planted else before)
        return Outcome(ran.status == 0, ran.out + ran.err, len(after))
    finally:
        here.close()


@row("clock-rewound-by-a-year", "token.time")
def clock(evil):
    """The host rewinds the guest's clock: the agent's tokens are a year old, as certificates that were
    revoked meanwhile would like it."""
    machine = Machine()
    back = 365 * 86400 if evil else 0

    def script(gate, connection):
        now = int(time.time()) - back
        parts = machine.parts(connection, gate.asked(connection))
        token = machine.token(parts, issued=now, expires=now + 3600)
        connection.send(frame(AUTHENTICATOR, type(parts)(
            parts.session, parts.request, machine.identity, token).bytes()))
        gate.serve(connection, machine)
    return uploaded(script, machine.identity)


# ---- a TPM in the host's hands ----

def pcr16(m):
    """What PCR16 of the SHA-256 bank holds after that manifest was measured into it."""
    return sha256(bytes(32) + sha3(canonical(m))).hexdigest()


def ak_of(token):
    """TPMT_PUBLIC, field 1 of attest.Attestation."""
    raw = evidence.opened(token)["raw_report"]
    assert raw[0] == 0x0a and raw[1] < 0x80, "not an attest.Attestation"
    return raw[2:2 + raw[1]]


def measured(change, reset, name_manifest):
    """The owner expects one manifest of an agent on a TPM that he knows; the agent has measured
    change(manifest), and PCR16 is then reset and extended again with what the owner expects."""
    tpm, service = SharedTpm(), Service()
    agent = Agent(service, development=False, options=["--tcti", tpm.tcti])
    try:
        service.wait_connected()
        port = free_port()
        agreed, m = manifest(port), manifest(port)
        change(m)
        service.send(runReq=m)
        assert service.answer_to_run().error == ""
        if reset:
            for words in (["tpm2_pcrreset", "16"],
                          ["tpm2_pcrextend", "16:sha256=" + sha3(canonical(agreed)).hex()]):
                subprocess.run(words + ["-T", tpm.tcti], check=True, capture_output=True)
        with_algorithm(port)
        link = AttestedClient.connect("127.0.0.1", port)
        ak = provider().write("ak.pub", ak_of(link.evidence))
        link.close()
        policy = provider().write("tpm-policy.json", json.dumps({
            "cocos": 1, "tpm": {"pcrs": {"sha256": {"16": [pcr16(agreed)]}}}}))
        before = set(agent.work())
        ran = provider().upload(f"127.0.0.1:{port}", agreed if name_manifest else None, None, policy,
                                ["--ak", ak])
        return Outcome(ran.status == 0, ran.out + ran.err, len(set(agent.work()) - before))
    finally:
        agent.remove()
        service.stop()
        tpm.close()


def one_consumer_more(m):
    m.result_consumers.add(userKey=OTHER_KEY.spki)


@row("pcr16-reset-by-the-workload", "x-cocos-event-log")
def pcr16_reset(evil):
    """Whoever reaches the TPM resets PCR16, which any may, and extends it with the manifest that the
    owner expects, while the agent runs another. What the agent logged comes to another value."""
    return measured(one_consumer_more if evil else lambda m: None, evil, True)


@row("pcr16-reset-and-no-manifest-named", "x-cocos-event-log")
def pcr16_reset_unnamed(evil):
    """The same where the owner has nothing but PCR16's value, as policies for older agents have it."""
    return measured(one_consumer_more if evil else lambda m: None, evil, False)


@row("pcr16-of-another-manifest", "policy.pcr16")
def pcr16_other(evil):
    """An agent on the owner's TPM that runs another manifest, PCR16 untouched."""
    return measured(one_consumer_more if evil else lambda m: None, False, False)
