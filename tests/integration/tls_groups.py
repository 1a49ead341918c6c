# SPDX-License-Identifier: Apache-2.0
"""Key exchanges of TLS: hybrid ones where OpenSSL has them, with peers of openssl's own command, old and new."""
import contextlib
import os
import re
import socket
import struct
import subprocess
import threading

import tap
from cli_contact import Listener, OpenSsl
from harness import PATIENCE, Computations, Folder, authority, cli

HYBRID = "X25519MLKEM768"
HYBRID_ID, X25519_ID = 0x11ec, 0x1d


def openssl_version():
    found = re.match(r"OpenSSL (\d+)\.(\d+)", subprocess.run(
        ["openssl", "version"], capture_output=True, text=True, check=True).stdout)
    return int(found[1]), int(found[2])


# Not asked of our own programs: they have to find the same.
IS_HYBRID = openssl_version() >= (3, 5)
BEST = HYBRID if IS_HYBRID else "x25519"


def s_client(port, *options):
    """The key exchange that openssl s_client reports; None: no connection."""
    run = subprocess.run(["openssl", "s_client", "-connect", f"localhost:{port}", "-alpn", "h2", *options],
                         stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=PATIENCE, check=False)
    for line in (r"Negotiated TLS1\.3 group: (\S+)", r"(?:Server|Peer) Temp Key: (?:ECDH, )?([\w-]+)"):
        found = re.search(line, run.stdout)
        if found and found[1] != "<NULL>":
            return found[1].replace("prime256v1", "P-256").replace("secp256r1", "P-256").replace(
                "secp384r1", "P-384").replace("secp521r1", "P-521").replace("x25519", "X25519")
    return None


def status(target, folder, *options, **environment):
    return cli("status", "-v", "--grpc-url", target, "--grpc-server-ca-certs", folder("ca.pem"), *options, **environment)


@contextlib.contextmanager
def service():
    with Folder() as folder, Folder() as pems:
        authority(pems)
        with Computations(folder, tls=pems) as there:
            yield there, pems


# ---- our servers ----

def our_server_prefers_the_hybrid_one_and_takes_old_clients():
    with service() as (there, _):
        assert s_client(there.port) == (HYBRID if IS_HYBRID else "X25519")
        for group in ("X25519", "P-256", "P-384", "P-521"):
            assert s_client(there.port, "-groups", group) == group, group
        assert s_client(there.port, "-groups", "X25519:P-256", "-tls1_2") == "X25519"
        assert s_client(there.port, "-groups", "X448") is None
        if IS_HYBRID:
            assert s_client(there.port, "-groups", HYBRID) == HYBRID
            # Known, but no share sent: one more round trip is what it is worth.
            assert s_client(there.port, "-groups", f"*X25519:{HYBRID}") == HYBRID
            assert s_client(there.port, "-groups", "X25519MLKEM1024") is None
            assert s_client(there.port, "-groups", "SecP256r1MLKEM768") is None


def in_pieces(peer, port):
    """What a client sends in pieces of 100 bytes, the answers as they come."""
    with socket.create_connection(("localhost", port)) as there:
        def back():
            with contextlib.suppress(OSError):
                while data := there.recv(65536):
                    peer.sendall(data)
                peer.shutdown(socket.SHUT_RDWR)
        thread = threading.Thread(target=back)
        thread.start()
        there.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError):
            while data := peer.recv(100):
                there.sendall(data)
        with contextlib.suppress(OSError):
            there.shutdown(socket.SHUT_RDWR)
        thread.join(PATIENCE)


def a_hello_of_several_packets_is_read():
    with service() as (there, pems), Listener(lambda peer: in_pieces(peer, there.port)) as relay:
        status(relay.target, pems).refused(1, f"TLSv1.3, key exchange {BEST}", "where it listens for agents")


# ---- our client ----

def take(data, at, width):
    size = int.from_bytes(data[at:at + width], "big")
    return data[at + width:at + width + size], at + width + size


def hello_of(peer):
    """(size, supported groups, those with a share) of a client's first message."""
    head = peer.recv(5, socket.MSG_WAITALL)
    assert head[0] == 22, head
    data = peer.recv(struct.unpack(">H", head[3:])[0], socket.MSG_WAITALL)
    assert data[0] == 1 and int.from_bytes(data[1:4], "big") == len(data) - 4
    at = 4 + 2 + 32
    for width in (1, 2, 1):  # session id, suites, compression
        _, at = take(data, at, width)
    body, _ = take(data, at, 2)
    found, at = {}, 0
    while at < len(body):
        kind = int.from_bytes(body[at:at + 2], "big")
        found[kind], at = take(body, at + 2, 2)
    groups, _ = take(found[10], 0, 2)
    shares, left = [], take(found[51], 0, 2)[0]
    while left:
        shares.append(int.from_bytes(left[:2], "big"))
        _, end = take(left, 2, 2)
        left = left[end:]
    return len(data), [int.from_bytes(groups[i:i + 2], "big") for i in range(0, len(groups), 2)], shares


def our_client_sends_a_share_for_new_servers_and_one_for_old():
    heard = []
    with Folder() as pems, Listener(lambda peer: heard.append(hello_of(peer))) as there:
        authority(pems)
        assert status(there.target, pems).status == 1
        assert status(there.target, pems, "--grpc-tls-groups", "secp384r1").status == 1
        if IS_HYBRID:
            assert status(there.target, pems, "--grpc-tls-groups", HYBRID).status == 1
    size, groups, shares = heard[0]
    assert groups == [HYBRID_ID] * IS_HYBRID + [X25519_ID, 23, 24, 25], groups
    assert shares == [HYBRID_ID] * IS_HYBRID + [X25519_ID], shares
    assert (size > 1400) == IS_HYBRID and size < 2048, size
    assert heard[1][1:] == ([24], [24]), heard
    assert heard[2:] == [] or heard[2][1:] == ([HYBRID_ID], [HYBRID_ID]), heard


def both_programs_of_ours_agree_on_the_best_and_say_so():
    with service() as (there, pems):
        target = f"localhost:{there.port}"
        status(target, pems).refused(1, f"{target}: TLSv1.3, key exchange {BEST}")
        status(target, pems, "--grpc-tls-groups", f"secp521r1,{HYBRID}").refused(
            1, f"key exchange {HYBRID if IS_HYBRID else 'secp521r1'}")
        status(target, pems, AGENT_GRPC_TLS_GROUPS="secp256r1").refused(1, "key exchange secp256r1")


def what_is_demanded_is_had_or_refused_by_name():
    for group in ("P-256", "X25519"):
        with Folder() as pems:
            authority(pems)
            with OpenSsl(pems, "-alpn", "h2", "-groups", group) as there:
                run = status(there.target, pems, "--grpc-tls-groups", "secp384r1")
                run.refused(1, "key exchange secp384r1 is demanded: the server does not take it",
                            "hint: nothing was sent")
                if IS_HYBRID:
                    status(there.target, pems, "--grpc-tls-groups", HYBRID).refused(
                        1, f"key exchange {HYBRID} is demanded: the server does not take it", "OpenSSL 3.5 (Debian 13)")
            with OpenSsl(pems, "-alpn", "h2", "-tls1_2") as there:
                status(there.target, pems, "--grpc-tls-groups", "x25519").refused(
                    1, "key exchange x25519 is demanded: the server has no TLS 1.3")


def answers_with(group):
    """A ServerHello of that key exchange, whatever was asked for."""
    def serve(peer):
        head = peer.recv(5, socket.MSG_WAITALL)
        hello = peer.recv(struct.unpack(">H", head[3:])[0], socket.MSG_WAITALL)
        session, _ = take(hello, 4 + 2 + 32, 1)
        share = struct.pack(">HH", group, 32) + bytes(31) + b"\x09"
        extensions = b"\x00\x2b\x00\x02\x03\x04" + struct.pack(">HH", 51, len(share)) + share
        body = (b"\x03\x03" + os.urandom(32) + bytes([len(session)]) + session + b"\x13\x01\x00" +
                struct.pack(">H", len(extensions)) + extensions)
        message = b"\x02" + len(body).to_bytes(3, "big") + body
        peer.sendall(b"\x16\x03\x03" + struct.pack(">H", len(message)) + message)
        while peer.recv(4096):
            pass
    return serve


def what_was_not_offered_is_not_taken():
    with Folder() as pems, Listener(answers_with(X25519_ID)) as there:
        authority(pems)
        status(there.target, pems, "--grpc-tls-groups", "secp384r1").refused(
            1, "key exchange secp384r1 is demanded: the server chose another, which was not offered")


def hybrid_on_demand():
    """Where this machine has none, nobody is asked, and the line says what to do."""
    with service() as (there, pems):
        target = f"localhost:{there.port}"
        demand = status(target, pems, "--grpc-tls-groups", HYBRID)
        if IS_HYBRID:
            demand.refused(1, f"TLSv1.3, key exchange {HYBRID}")
        else:
            assert demand.status == 2 and "comes with 3.5 (Debian 13)" in demand.err, demand.err
            assert "TLSv1.3" not in demand.err, demand.err


def a_release_that_has_it_negotiates_it():
    """Debian 13 has OpenSSL 3.5, Debian 12 has not: neither is left to chance."""
    with open("/etc/os-release", encoding="utf-8") as file:
        release = dict(line.rstrip().split("=", 1) for line in file if "=" in line)
    if release.get("ID") == "debian":
        assert IS_HYBRID == (int(release["VERSION_ID"].strip('"')) >= 13), release


# ---- settings ----

def settings_that_mean_nothing_are_refused():
    with Folder() as folder:
        authority(folder)
        for value, words in (("X25519", "unknown key exchange; there are X25519MLKEM768 or x25519"),
                             ("x25519,x25519", "x25519 stands there twice"), ("x25519,", "unknown key exchange")):
            run = status("localhost:1", folder, "--grpc-tls-groups", value)
            assert run.status == 2 and words in run.err and "--grpc-tls-groups" in run.err, run.err
            run = cli("profile", "add", "p", "--set", "AGENT_GRPC_TLS_GROUPS=" + value, XDG_CONFIG_HOME=folder.path)
            assert run.status == 2 and words in run.err and "AGENT_GRPC_TLS_GROUPS" in run.err, run.err
        run = cli("status", "--grpc-url", "localhost:1", "--grpc-tls-groups", "x25519")
        assert run.status == 2 and "demanded of a connection without TLS" in run.err, run.err


def a_profile_demands_it():
    with service() as (there, pems):
        home = {"XDG_CONFIG_HOME": pems.path}
        os.chmod(pems.path, 0o700)
        cli("profile", "add", "strict", "--agent", f"localhost:{there.port}", "--set", "AGENT_GRPC_TLS_GROUPS=secp384r1",
            "--set", "AGENT_GRPC_SERVER_CA_CERTS=" + pems("ca.pem"), **home).ok()
        cli("status", "-v", "--profile", "strict", **home).refused(1, "key exchange secp384r1")


if __name__ == "__main__":
    tap.run([our_server_prefers_the_hybrid_one_and_takes_old_clients, a_hello_of_several_packets_is_read,
             our_client_sends_a_share_for_new_servers_and_one_for_old, both_programs_of_ours_agree_on_the_best_and_say_so,
             what_is_demanded_is_had_or_refused_by_name,
             what_was_not_offered_is_not_taken, hybrid_on_demand, a_release_that_has_it_negotiates_it,
             settings_that_mean_nothing_are_refused, a_profile_demands_it])
