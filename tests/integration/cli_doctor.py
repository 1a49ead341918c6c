# SPDX-License-Identifier: Apache-2.0
"""cocos-cli doctor: each thing that can be wrong on an owner's machine is named with what to do, where all is well
that is said, and looking changes nothing."""
import concurrent.futures
import contextlib
import datetime
import json
import os
import shutil
import subprocess

import grpc

import tap
from cli_agent import FakeManager, Owner
from cli_contact import Health, Listener, ssh
from harness import PROTOCOL, Computations, Folder, authority, cli, program
from host_check import certificate, snapshot

manager_grpc = PROTOCOL["manager"][1]


def crl(issued, ends):
    """A list of nobody's, DER; days from now."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    return (x509.CertificateRevocationListBuilder()
            .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "SEV-Milan")]))
            .last_update(now + datetime.timedelta(days=issued)).next_update(now + datetime.timedelta(days=ends))
            .add_extension(x509.CRLNumber(1), critical=False)
            .sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
            .public_bytes(serialization.Encoding.DER))


@contextlib.contextmanager
def manager():
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
    manager_grpc.add_ManagerServiceServicer_to_server(FakeManager(), server)
    # pylint: disable-next=no-member
    PROTOCOL["health"][1].add_HealthServicer_to_server(Health("", "manager.ManagerService"), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None)


class Clinic:
    """An owner with keys, a cache and a profile folder, and all three servers."""

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self.owner = stack.enter_context(Owner())
            service = stack.enter_context(Computations(stack.enter_context(Folder())))
            authority(self.owner)
            self.owner.write("cache/snp/Milan-0/vcek_crl.der", crl(-1, 20))
            for folder in ("cache", "cache/snp", "cache/snp/Milan-0"):
                os.chmod(self.owner(folder), 0o700)
            self.good = {
                "XDG_CONFIG_HOME": self.owner("config"), "COCOS_CACHE": self.owner("cache"),
                "AGENT_GRPC_URL": self.owner.agent.url, "MANAGER_GRPC_URL": stack.enter_context(manager()),
                "COMPUTATIONS_GRPC_URL": "unix:" + service.socket,
            }
            self.service = service
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self.stack.close()

    def doctor(self, *options, **environment):
        """{check: row}, with exit status and form checked."""
        run = cli("doctor", "--json", *options, cwd=self.owner.path, **{**self.good, **environment})
        answer = json.loads(run.out)
        rows = {row["check"]: row for row in answer["checks"]}
        assert len(rows) == len(answer["checks"]) == 12 and answer["program"] == "cocos-cli doctor", answer
        assert run.status == (0 if answer["ok"] else 1) and not run.err, (run.status, run.err)
        assert answer["ok"] == all(row["outcome"] != "failed" for row in rows.values())
        for row in rows.values():
            assert row["outcome"] in ("ok", "failed", "not asked") and row["found"], row
            assert bool(row.get("remedy")) == (row["outcome"] == "failed"), row
        return rows


def failed(rows):
    return sorted(name for name, row in rows.items() if row["outcome"] == "failed")


def where_all_is_well_that_is_said_and_nothing_is_changed():
    with Clinic() as clinic:
        before = snapshot(clinic.owner.path)
        rows = clinic.doctor()
        assert not failed(rows), rows
        assert snapshot(clinic.owner.path) == before
        assert "agent answers" in rows["agent"]["found"] or "something answers" in rows["agent"]["found"], rows
        assert rows["manager"]["found"].startswith("the manager answers"), rows
        assert rows["service"]["found"].startswith("the computation service"), rows
        assert "the agent fake" in rows["versions"]["found"], rows
        assert "are a pair" in rows["own keys"]["found"] and "1 lists, all current" in rows["cache"]["found"], rows
        run = cli("doctor", cwd=clinic.owner.path, **clinic.good)
        assert run.ok().splitlines()[-1] == "cocos-cli doctor: 0 of 12 checks failed", run.out
        # With nothing set and nothing there, there is nothing wrong.
        bare = cli("doctor", "--offline", cwd=clinic.owner.path, XDG_CACHE_HOME=clinic.owner("none")).ok()
        assert bare.count("not asked") == 7 and "can be made" in bare, bare


def each_thing_that_is_wrong_is_named_with_what_to_do():
    with Clinic() as clinic, Listener(ssh) as stranger:
        owner, good = clinic.owner, clinic.good
        old, old_key = certificate(owner, "old", (-20, -10))
        late, _ = certificate(owner, "late", (10, 20))
        os.chmod(old_key, 0o600)
        owner.write("open-key.pem", open(owner("client-key.pem"), encoding="utf-8").read(), 0o644)
        owner.write("text.pem", "no certificate")
        owner.write("broken.json", "{")
        owner.write("policy.json", '{"cocos":1,"snp":{"measurements":["%s"]}}' % ("5a" * 48))
        for name in ("open", "stale", "future", "damaged"):
            shutil.copytree(owner("cache"), owner(name))
        os.chmod(owner("open"), 0o777)
        owner.write("stale/snp/Milan-0/vcek_crl.der", crl(-20, -10))
        owner.write("future/snp/Milan-0/vcek_crl.der", crl(10, 20))
        owner.write("damaged/snp/Milan-0/vcek_crl.der", b"0")
        no_agent, tls = {"AGENT_GRPC_URL": ""}, {"MANAGER_GRPC_SERVER_CA_CERTS": owner("ca.pem")}
        shown = {**tls, "MANAGER_GRPC_CLIENT_CERT": owner("client.pem")}
        proof = {**no_agent, "AGENT_GRPC_ATTESTED_TLS": "true", "AGENT_GRPC_PRODUCT_NAME": "Milan"}
        policy = {"AGENT_GRPC_ATTESTATION_POLICY": owner("policy.json")}
        offline = ("--offline",)
        rows = [
            # what is set, options, what fails, and what is said of it
            ({"AGENT_GRPC_ULR": "x"}, (), {"settings": "AGENT_GRPC_URL"}),
            ({"COCOS_CACH": "x"}, (), {"settings": "COCOS_CACHE"}),
            ({"MANAGER_GRPC_TIMOUT": "1s"}, (), {"settings": "MANAGER_GRPC_TIMEOUT"}),
            ({"MANAGER_PORTS": "6100-6200"}, (), {}),  # the daemon's
            ({}, ("--profile", "none"), {"profile": "profile"}),
            ({"AGENT_GRPC_TIMEOUT": "soon"}, offline, {"agent files": "soon"}),
            ({"AGENT_GRPC_ATTESTED_TLS": "maybe"}, offline, {"agent files": "true or false"}),
            ({**policy, **no_agent}, offline, {"agent files": "nobody asks the agent for a proof"}),
            (proof, offline, {"agent files": "polic"}),
            ({**proof, "AGENT_GRPC_ATTESTATION_POLICY": owner("broken.json")}, offline, {"agent files": "broken.json"}),
            ({**proof, "AGENT_GRPC_ATTESTATION_POLICY": owner("nowhere.json")}, offline, {"agent files": "nowhere"}),
            ({**proof, **policy}, offline, {}),
            ({**proof, **policy, "COCOS_ENDORSEMENTS_CA": old}, offline, {"agent files": "expired at"}),
            ({**proof, **policy, "COCOS_ENDORSEMENTS_CA": owner("text.pem")}, offline,
             {"agent files": "holds no certificate"}),
            (tls, offline, {}),
            ({"MANAGER_GRPC_SERVER_CA_CERTS": old}, offline, {"manager files": "expired at"}),
            ({"MANAGER_GRPC_SERVER_CA_CERTS": late}, offline, {"manager files": "not valid before"}),
            ({"COMPUTATIONS_GRPC_SERVER_CA_CERTS": owner("text.pem")}, offline, {"service files": "text.pem"}),
            (shown, offline, {"manager files": "--grpc-client-key"}),
            ({**shown, "MANAGER_GRPC_CLIENT_KEY": owner("client-key.pem")}, offline, {}),
            ({**shown, "MANAGER_GRPC_CLIENT_KEY": owner("server-key.pem")}, offline, {"manager files": ""}),
            ({**shown, "MANAGER_GRPC_CLIENT_KEY": owner("open-key.pem")}, offline, {"manager files": "chmod 600"}),
            ({**tls, "MANAGER_GRPC_CLIENT_CERT": old, "MANAGER_GRPC_CLIENT_KEY": old_key}, offline,
             {"manager files": "expired at"}),
            ({"COCOS_CACHE": owner("open")}, (), {"cache": "mode 0777"}),
            ({"COCOS_CACHE": owner("policy.json")}, (), {"cache": "no folder"}),
            ({"COCOS_CACHE": owner("stale")}, (), {}),
            ({"COCOS_CACHE": owner("stale")}, offline, {"cache": "is over since"}),
            ({"COCOS_CACHE": owner("damaged")}, offline, {"cache": "can't be read"}),
            ({"COCOS_CACHE": owner("future")}, (), {"clock": "was issued at"}),
            ({"AGENT_GRPC_URL": "localhost:1"}, (), {"agent": "is the agent there?"}),
            ({"AGENT_GRPC_URL": stranger.target}, (), {"agent": "an SSH server answers there"}),
            ({"AGENT_GRPC_URL": good["MANAGER_GRPC_URL"]}, (), {"agent": "what answers is the manager"}),
            ({"MANAGER_GRPC_URL": good["COMPUTATIONS_GRPC_URL"]}, (), {"manager": "the computation service"}),
            ({"MANAGER_GRPC_URL": "unix:" + owner("none.sock")}, (), {"manager": "MANAGER_GRPC_URL"}),
            ({"COMPUTATIONS_GRPC_URL": f"127.0.0.1:{clinic.service.port}"}, (),
             {"service": "where it listens for agents"}),
            (tls, (), {"manager": "it speaks gRPC without TLS"}),
            ({**proof, **policy, "AGENT_GRPC_URL": good["AGENT_GRPC_URL"].replace("http://", "")}, (),
             {"agent": "so it can prove nothing"}),
        ]
        before = snapshot(owner.path)
        for settings, options, wanted in rows:
            answer = clinic.doctor(*options, **settings)
            assert failed(answer) == sorted(wanted), (settings, failed(answer), answer)
            for check, text in wanted.items():
                assert text in answer[check]["found"] + answer[check]["remedy"], (settings, answer[check])
        assert snapshot(owner.path) == before


def a_cache_without_room_is_told():
    with Clinic() as clinic:
        small = clinic.owner("small")
        os.mkdir(small)
        script = 'mount -t tmpfs -o size=1m,mode=700 none "$0" && exec "$1" doctor --offline --json'
        done = subprocess.run(["unshare", "-m", "sh", "-c", script, small, program("cocos-cli")], cwd=clinic.owner.path,
                              env={**os.environ, **clinic.good, "COCOS_CACHE": small}, capture_output=True, text=True,
                              check=False)
        rows = {row["check"]: row for row in json.loads(done.stdout)["checks"]}
        assert failed(rows) == ["cache"] and "of the 16 MiB" in rows["cache"]["found"], rows
        assert "make room" in rows["cache"]["remedy"], rows
        assert failed(clinic.doctor("--offline", COCOS_CACHE="/proc/cache")) == ["cache"]


def keys_of_the_folder_are_looked_at():
    with Clinic() as clinic:
        os.chmod(clinic.owner.key, 0o640)
        row = clinic.doctor("--offline")["own keys"]
        assert row["outcome"] == "failed" and row["remedy"] == "chmod 600 'private.pem'", row
        os.chmod(clinic.owner.key, 0o600)
        with Owner() as other:
            shutil.copy(other.key, clinic.owner.key)
        row = clinic.doctor("--offline")["own keys"]
        assert row["outcome"] == "failed" and "no pair" in row["found"], row
        secret = open(clinic.owner.key, encoding="ascii").read().splitlines()[1]
        assert secret not in json.dumps(clinic.doctor("--offline"))


def a_profile_is_used_and_one_that_is_broken_ends_nothing():
    with Clinic() as clinic:
        home = {"XDG_CONFIG_HOME": clinic.good["XDG_CONFIG_HOME"]}
        root, key = certificate(clinic.owner, "root", (-20, -10))
        cli("profile", "add", "ward", "--manager", clinic.good["MANAGER_GRPC_URL"], "--ek-root", root,
            "--attested-tls", "--policy", clinic.owner.write("p.json", '{"cocos":1,"snp":{"measurements":["%s"]}}'
                                                             % ("5a" * 48)), **home).ok()
        cli("profile", "use", "ward", **home).ok()
        rows = clinic.doctor("--offline", MANAGER_GRPC_URL="", AGENT_GRPC_URL="")
        assert rows["profile"]["found"] == "'ward', which is in use" and failed(rows) == ["agent files"], rows
        assert "expired at" in rows["agent files"]["found"], rows
        os.unlink(root)
        rows = clinic.doctor(AGENT_GRPC_URL="")
        assert failed(rows) == ["profile"] and "EK_ROOT" in rows["profile"]["found"], rows
        assert os.path.exists(key)


if __name__ == "__main__":
    tap.run([where_all_is_well_that_is_said_and_nothing_is_changed,
             each_thing_that_is_wrong_is_named_with_what_to_do, a_cache_without_room_is_told, keys_of_the_folder_are_looked_at,
             a_profile_is_used_and_one_that_is_broken_ends_nothing])
