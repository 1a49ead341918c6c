# SPDX-License-Identifier: Apache-2.0
"""cocos-manager --check and cocos-computations --check: each thing that can be missing is named, a host that has
all is told so, and nothing is changed by looking.

libvirt's own test driver stands for a host without a TEE, so no QEMU is needed."""
import atexit
import concurrent.futures
import datetime
import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import tempfile
import threading

import grpc

import tap
from harness import PATIENCE, PROTOCOL, ROOT, Folder, Process, program, read, until
from libvirt_room import idle_image
from ports import free_port

manager, manager_grpc = PROTOCOL["manager"]
REGISTRY = read(os.path.join(ROOT, "manager/registry/registry.h")).decode()
FORM = "form " + re.search(r"REGISTRY_VERSION = (\d+)", REGISTRY)[1]
SECRETS = tempfile.mkdtemp(prefix="cocos-check-", dir="/dev/shm")
os.chmod(SECRETS, 0o711)
atexit.register(shutil.rmtree, SECRETS)


def check(name, settings, *options, small=None):
    """Exit status and {check: its row}. `small` becomes a disk without room, with a log in it."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MANAGER_", "COMPUTATIONS_"))}
    mounted = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs -o size=1m,mode=711 none "$0" && : >"$0/there.log" && exec "$@"',
               small] if small else []
    done = subprocess.run([*mounted, program(name), "--config", "/dev/null", "--check", "--json", *options],
                          env={**environment, **settings}, capture_output=True, text=True, check=False)
    if done.returncode == 2:
        assert not done.stdout, done.stdout
        return 2, done.stderr
    answer = json.loads(done.stdout)
    assert answer["program"] == name and answer["ok"] == (done.returncode == 0), answer
    rows = {row["check"]: row for row in answer["checks"]}
    assert len(rows) == len(answer["checks"])
    for row in rows.values():
        assert row["outcome"] in ("ok", "failed", "not asked") and row["found"], row
        assert ("remedy" in row) == (row["outcome"] == "failed"), row
    return done.returncode, rows


def manager_settings(folder):
    return {"MANAGER_LIBVIRT_URI": "test:///default", "MANAGER_TEE": "none", "MANAGER_FIRMWARE": "SeaBIOS",
            "MANAGER_IMAGE_DIR": folder("image"), "MANAGER_STATE_DIR": folder("state"),
            "MANAGER_SECRETS_DIR": SECRETS, "MANAGER_SOCKET": folder("run/manager.sock")}


def service_settings(folder):
    return {"COMPUTATIONS_STATE_DIR": folder("service"), "COMPUTATIONS_GRPC_PORT": "0",
            "COMPUTATIONS_ADMIN_SOCKET": folder("run/admin.sock")}


def failed(rows):
    return sorted(name for name, row in rows.items() if row["outcome"] == "failed")


def snapshot(path):
    seen = {}
    for here, folders, names in os.walk(path):
        for name in folders + names:
            where = os.path.join(here, name)
            seen[where] = (os.lstat(where).st_mtime_ns, os.lstat(where).st_size)
    return seen


def certificate(folder, name, days, key=None):
    """Self-signed, from `days[0]` to `days[1]` days from now."""
    today = datetime.datetime.now(datetime.timezone.utc)
    begin, end = ((today + datetime.timedelta(days=d)).strftime("%Y%m%d%H%M%SZ") for d in days)
    key = key or folder(name + ".key")
    subprocess.run(["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                    f"/CN={name}", "-keyout", key, "-out", folder(name + ".csr")], check=True, capture_output=True)
    folder.write(name + ".cnf", "[ca]\ndefault_ca=c\n[c]\ndatabase=%s\nserial=%s\nnew_certs_dir=%s\n"
                 "default_md=sha256\npolicy=p\nx509_extensions=e\n[p]\ncommonName=supplied\n"
                 "[e]\nbasicConstraints=CA:TRUE\n" %
                 (folder(name + ".index"), folder(name + ".serial"), folder.path))
    folder.write(name + ".index", "")
    folder.write(name + ".serial", "01\n")
    subprocess.run(["openssl", "ca", "-batch", "-selfsign", "-config", folder(name + ".cnf"), "-keyfile", key, "-in",
                    folder(name + ".csr"), "-startdate", begin, "-enddate", end, "-out", folder(name + ".pem"),
                    "-notext"], check=True, capture_output=True)
    return folder(name + ".pem"), key


def a_host_that_has_all_is_told_so_and_nothing_is_changed():
    with Folder() as folder:
        idle_image(folder)
        before = snapshot(folder.path), snapshot(SECRETS)
        status, rows = check("cocos-manager", manager_settings(folder))
        assert status == 0 and not failed(rows), rows
        assert rows["image"]["outcome"] == rows["ports"]["outcome"] == rows["libvirt"]["outcome"] == "ok"
        status, service = check("cocos-computations", service_settings(folder))
        assert "nobody stands by" in service["instance address"]["found"], service
        assert status == 0 and not failed(service), service
        assert (snapshot(folder.path), snapshot(SECRETS)) == before


class Running:
    """A manager or a service with those settings, in a `with`."""

    def __init__(self, settings, name="cocos-manager", said="listening on unix:"):
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("MANAGER_", "COMPUTATIONS_"))}
        self.process, self.said = Process([program(name), "--config", "/dev/null"], {**environment, **settings}), said

    def __enter__(self):
        self.process.wait_line(self.said)
        return self

    def __exit__(self, *_):
        self.process.finish()


def the_registry_of_a_running_manager_is_as_it_says():
    """With nobody calling, and while calls write into it: the row is right, and no call is held up."""
    with Folder() as folder:
        idle_image(folder)
        settings = manager_settings(folder)
        with Running(settings), grpc.insecure_channel("unix:" + settings["MANAGER_SOCKET"]) as channel:
            before = snapshot(folder("state"))
            assert folder("state/registry.db-wal") in before, before
            for _ in range(3):
                _, rows = check("cocos-manager", settings)
                assert not failed(rows) and rows["database"]["found"].endswith(FORM), rows
            assert snapshot(folder("state")) == before
            stub = manager_grpc.ManagerServiceStub(channel)
            ends, over = [], threading.Event()

            def write():
                while not over.is_set():
                    try:  # the test driver forwards no port: each is recorded, and undone
                        stub.CreateVm(manager.CreateReq(agent_cvm_server_url="10.0.2.2:7001"), timeout=PATIENCE)
                    except grpc.RpcError as error:
                        ends.append(error.details())

            writer = threading.Thread(target=write)
            writer.start()
            try:
                for _ in range(10):
                    _, rows = check("cocos-manager", settings)
                    assert not failed(rows) and rows["database"]["outcome"] == "ok", rows
            finally:
                over.set()
                writer.join()
            assert ends and all("forward a port" in text for text in ends), ends
            assert snapshot(folder("state")) != before
        status, rows = check("cocos-manager", settings)
        assert status == 0 and rows["database"]["found"].endswith(FORM), rows


def a_manager_that_runs_is_told():
    """With the same settings; whatever else listens there is in the way."""
    with Folder() as folder:
        idle_image(folder)
        good = manager_settings(folder)
        cert, key = certificate(folder, "fine", (-1, 10))
        other, other_key = certificate(folder, "other", (-1, 10))
        tls = {"MANAGER_GRPC_SERVER_CERT": cert, "MANAGER_GRPC_SERVER_KEY": key}
        own = f"unix:{good['MANAGER_SOCKET']}: CVMs can be launched"
        for more, words in [({}, "CVMs can be launched"), (tls, "it has the key of MANAGER_GRPC_SERVER_CERT"),
                            ({**tls, "MANAGER_GRPC_CLIENT_CA_CERTS": other}, "it has the key of")]:
            port = free_port()
            settings = {**good, "MANAGER_GRPC_PORT": str(port), **more}
            with Running(settings) as running:
                running.process.wait_line(f"port {port}")
                until(lambda s=settings: check("cocos-manager", s)[1]["socket"]["found"].endswith(own), "that it serves")
                status, rows = check("cocos-manager", settings)
                assert status == 0 and not failed(rows), rows
                assert rows["tcp port"]["found"].endswith(f"a manager runs on localhost:{port}: {words}") or (
                    f":{port}: {words}" in rows["tcp port"]["found"]), rows["tcp port"]
                # Another certificate is another's settings; TLS where there is none is no manager of these.
                _, rows = check("cocos-manager", {**settings, "MANAGER_GRPC_SERVER_CERT": other,
                                                  "MANAGER_GRPC_SERVER_KEY": other_key})
                assert failed(rows) == ["tcp port"], rows
        # It says what it says: with no image there are no CVMs.
        with Running(good):
            shutil.move(folder("image"), folder("elsewhere"))
            until(lambda: "none can be launched now" in check("cocos-manager", good)[1]["socket"]["found"], "that it knows")
            status, rows = check("cocos-manager", good)
            assert failed(rows) == ["image"], rows
        # A gRPC server that is no manager.
        server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
        assert server.add_insecure_port("unix:" + good["MANAGER_SOCKET"])
        server.start()
        status, rows = check("cocos-manager", good)
        assert failed(rows) == ["image", "socket"] and "another program" in rows["socket"]["found"], rows
        server.stop(None).wait()


def service(settings):
    return Running(settings, "cocos-computations", "ready")


def recognised(settings):
    """A service has five seconds to answer, which a machine with much else to do may take for this."""
    return until(lambda: (answer := check("cocos-computations", settings))[0] == 0 and answer[1], "that nothing fails")


def fail(settings, rows):
    until(lambda: failed(check("cocos-computations", settings)[1]) == rows, f"that {rows} fail alone")


LISTENERS = ["admin port", "agents' port", "socket"]


def a_service_that_runs_is_told():
    """With the same settings, as a manager is."""
    with Folder() as folder:
        cert, key = certificate(folder, "fine", (-1, 10))
        other, other_key = certificate(folder, "other", (-1, 10))
        agents = {"COMPUTATIONS_GRPC_SERVER_CERT": cert, "COMPUTATIONS_GRPC_SERVER_KEY": key}
        admins = {"COMPUTATIONS_ADMIN_SERVER_CERT": cert, "COMPUTATIONS_ADMIN_SERVER_KEY": key}
        asked = {"COMPUTATIONS_GRPC_CLIENT_CA_CERTS": other, "COMPUTATIONS_ADMIN_CLIENT_CA_CERTS": other}
        health, has_key = "it answers callers", "it has the key of COMPUTATIONS_{}_SERVER_CERT"
        for more, words in [({}, [health] * 2), ({**agents, **admins}, [has_key] * 2), ({**agents, **admins, **asked}, [has_key] * 2),
                            (agents, [has_key, health]), (admins, [health, has_key])]:
            settings = {**service_settings(folder), **more, "COMPUTATIONS_GRPC_PORT": str(free_port()),
                        "COMPUTATIONS_ADMIN_PORT": str(free_port())}
            with service(settings):
                before = set(snapshot(folder.path))  # what is in them the service may write whenever it likes
                rows = recognised(settings)
                assert rows["database"]["outcome"] == "ok", rows
                told = [f"a service runs on 127.0.0.1:{settings[f'COMPUTATIONS_{which}_PORT']}: {text.format(which)}"
                        for which, text in zip(("GRPC", "ADMIN"), words)]
                assert [rows[row]["found"] for row in ("agents' port", "admin port")] == told, rows
                assert rows["socket"]["found"] == f"a service runs on unix:{settings['COMPUTATIONS_ADMIN_SOCKET']}: {health}", rows
                assert set(snapshot(folder.path)) == before
                # Another certificate is another's settings; TLS where there is none is no service of these.
                for which, row in ("GRPC", "agents' port"), ("ADMIN", "admin port"):
                    fail({**settings, f"COMPUTATIONS_{which}_SERVER_CERT": other,
                          f"COMPUTATIONS_{which}_SERVER_KEY": other_key}, [row])
            # They are free again, or whoever has them is a stranger.
            status, rows = check("cocos-computations", settings)
            assert status == 0 and not failed(rows) and "is free" in rows["admin port"]["found"], rows


def a_stranger_in_a_services_place_is_one():
    """The service's other listener, a manager, a gRPC server of whoever's, and one that never says anything."""
    with Folder() as folder, socket.socket() as silent, socket.socket(socket.AF_UNIX) as mute:
        idle_image(folder)
        port, admin = str(free_port()), str(free_port())
        settings = {**service_settings(folder), "COMPUTATIONS_GRPC_PORT": port, "COMPUTATIONS_ADMIN_PORT": admin}
        place = settings["COMPUTATIONS_ADMIN_SOCKET"]
        with service(settings):
            fail({**settings, "COMPUTATIONS_GRPC_PORT": admin, "COMPUTATIONS_ADMIN_PORT": port}, LISTENERS[:2])
        tcp = {"MANAGER_GRPC_PORT": port, "MANAGER_SOCKET": place}
        with Running({**manager_settings(folder), **tcp}) as running:
            running.process.wait_line(f"port {port}")
            _, rows = check("cocos-computations", settings)
            assert failed(rows) == LISTENERS[1:] and "in use" in rows["agents' port"]["found"], rows
        server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
        assert server.add_insecure_port("unix:" + place) and server.add_insecure_port("127.0.0.1:" + admin)
        server.start()
        _, rows = check("cocos-computations", settings)
        assert failed(rows) == [LISTENERS[0], "socket"] and "another program" in rows["socket"]["found"], rows
        server.stop(None).wait()
        silent.bind(("127.0.0.1", 0))
        silent.listen(1)
        mute.bind(folder("mute.sock"))
        mute.listen(1)
        _, rows = check("cocos-computations", {**settings, "COMPUTATIONS_GRPC_PORT": str(silent.getsockname()[1]),
                                               "COMPUTATIONS_ADMIN_SOCKET": folder("mute.sock")})
        assert failed(rows) == LISTENERS[1:], rows


def each_host_of_the_table_is_asked():
    """Those that never answer as well: side by side, and for so long."""
    with Folder() as folder, socket.socket(socket.AF_UNIX) as silent:
        idle_image(folder)
        silent.bind(folder("silent.sock"))
        silent.listen(8)
        gone = "qemu+unix:///system?socket=/nowhere/libvirt-sock"
        rows = [("ward-1", gone, "/nowhere/libvirt-sock")]
        for n in range(2, 8):
            os.symlink(folder("silent.sock"), folder(f"silent-{n}"))
            rows.append((f"ward-{n}", f"qemu+unix:///system?socket={folder(f'silent-{n}')}", "no answer within 20 s"))
        table = folder.write("hosts", "".join(f"host {name} {uri} tees=none address=127.0.0.{n + 2}\n"
                                              for n, (name, uri, _) in enumerate(rows)))
        good = {**manager_settings(folder), "MANAGER_HOSTS": table}
        before = snapshot(folder.path)
        status, answer = check("cocos-manager", good)
        assert status == 1 and failed(answer) == [f"host {name}" for name, _, _ in rows], answer
        for name, _, words in rows:
            assert words in answer["host " + name]["found"] and "libvirtd" in answer["host " + name]["remedy"], answer
        assert "7 hosts" in answer["libvirt"]["found"], answer
        assert {answer[row]["outcome"] for row in ("kvm", "tee", "firmware")} == {"not asked"}, answer
        assert snapshot(folder.path) == before
        folder.write("hosts", "host a nonsense\n")
        _, answer = check("cocos-manager", good)
        assert failed(answer) == ["libvirt"] and "hosts:1" in answer["libvirt"]["found"], answer


def a_killed_manager_s_registry_is_read_and_left():
    with Folder() as folder:
        idle_image(folder)
        settings = manager_settings(folder)
        with Running(settings) as running:
            running.process.kill()
        before = snapshot(folder("state"))
        assert folder("state/registry.db-wal") in before, before
        status, rows = check("cocos-manager", settings)
        assert status == 0 and rows["database"]["found"].endswith(FORM), rows
        assert snapshot(folder("state")) == before


def a_table_that_nobody_can_use_is_told():
    with Folder() as folder:
        idle_image(folder)
        good = {**manager_settings(folder), "MANAGER_ACCESS": folder("access.conf")}
        cert, key = certificate(folder, "fine", (-1, 10))
        tls = {"MANAGER_GRPC_PORT": "0", "MANAGER_GRPC_SERVER_CERT": cert, "MANAGER_GRPC_SERVER_KEY": key,
               "MANAGER_GRPC_CLIENT_CA_CERTS": cert}
        tcp = {**tls, "MANAGER_SOCKET": ""}
        root, ops = "operator uid 0\n", "operator spiffe spiffe://clinic.example/ops\n"
        ward = "tenant ward-7 subject CN=anna,O=Clinic\n"
        rows = [  # the table, settings, the outcome, what is told
            (root, {}, "ok", "1 identities of operators, 0 of tenants"),
            (root + ward, {}, "ok", "nobody can show 1 others (line 2 first)"),
            (root + ops + ward, tls, "ok", "2 identities of operators, 1 of tenants"),
            (ops + root + ward, tcp, "ok", "1 identities of operators, 1 of tenants; nobody can show 1 others (line 2"),
            (ops, {}, "failed", "no operator can show who he is (line 1, for one): a certificate wants"),
            (ward + root, tcp, "failed", "no operator can show who he is (line 2, for one): uid and gid want"),
            (ward, {}, "failed", "nobody is operator"),
            (root + root, {}, "failed", "in line 1 already"),
            ("operator user root\n", {}, "failed", "access.conf:1"),
        ]
        for table, settings, outcome, words in rows:
            folder.write("access.conf", table)
            wanted = {k: v for k, v in {**good, **settings}.items() if v}
            status, answer = check("cocos-manager", wanted)
            row = answer["access"]
            assert row["outcome"] == outcome and words in row["found"], (table, settings, row)
            assert status == (outcome != "ok") and failed(answer) in ([], ["access"]), answer
        os.chmod(folder("access.conf"), 0o666)
        assert "others may write it" in check("cocos-manager", good)[1]["access"]["found"]
        os.remove(folder("access.conf"))
        assert check("cocos-manager", good)[1]["access"]["outcome"] == "failed"
        del good["MANAGER_ACCESS"]
        assert check("cocos-manager", good)[1]["access"]["outcome"] == "not asked"


def each_thing_that_a_manager_lacks_is_named():
    with Folder() as folder, socket.socket() as taken:
        idle_image(folder)
        good = manager_settings(folder)
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        port = str(taken.getsockname()[1])
        folder.write("image2/image.json", "{}")
        os.mkdir(folder("open"))
        os.chmod(folder("open"), 0o777)
        old, key = certificate(folder, "old", (-20, -10))
        late, _ = certificate(folder, "late", (10, 20))
        fine, fine_key = certificate(folder, "fine", (-1, 10))
        folder.write("old-state/registry.db", "no database at all, but long enough for one")
        os.chmod(folder("old-state"), 0o711)
        tcp = {"MANAGER_GRPC_PORT": "0"}
        rows = [
            ({"MANAGER_LIBVIRT_URI": "qemu+unix:///system?socket=/nowhere"}, ["libvirt"]),
            ({"MANAGER_TEE": "snp"}, ["kvm", "tee"]),
            ({"MANAGER_TEE": "auto"}, ["tee"]),
            ({"MANAGER_FIRMWARE": folder("none.fd")}, ["firmware"]),
            ({"MANAGER_EMULATOR": folder("image/image.json")}, ["emulator"]),
            ({"MANAGER_IGVM": folder("none.igvm"), "MANAGER_FIRMWARE": "", "MANAGER_TEE": "none"},
             ["launch files", "tee"]),
            ({"MANAGER_IMAGE_DIR": folder("image2")}, ["image"]),
            ({"MANAGER_IMAGE_DIR": folder("nowhere")}, ["image"]),
            ({"MANAGER_PORTS": port, "MANAGER_MAX_VMS": "1"}, ["ports"]),
            ({"MANAGER_AUDIT_LOG": folder("nowhere/audit.log")}, ["audit log"]),
            ({"MANAGER_AUDIT_LOG": folder("image")}, ["audit log"]),
            ({"MANAGER_AUDIT_LOG": folder("audit.log")}, []),
            ({"MANAGER_SECRETS_DIR": "/sys/fs/none"}, ["secrets folder"]),
            ({"MANAGER_STATE_DIR": folder("open")}, ["state folder"]),
            ({"MANAGER_STATE_DIR": folder("old-state")}, ["database"]),
            ({"MANAGER_SOCKET": folder("image/image.json")}, ["socket"]),
            ({"MANAGER_GRPC_PORT": port}, ["tcp port"]),
            ({**tcp, "MANAGER_GRPC_SERVER_CERT": old, "MANAGER_GRPC_SERVER_KEY": key}, ["tls"]),
            ({**tcp, "MANAGER_GRPC_SERVER_CERT": late, "MANAGER_GRPC_SERVER_KEY": folder("late.key")}, ["tls"]),
            ({**tcp, "MANAGER_GRPC_SERVER_CERT": fine, "MANAGER_GRPC_SERVER_KEY": key}, ["tls"]),
            ({**tcp, "MANAGER_GRPC_SERVER_CERT": fine, "MANAGER_GRPC_SERVER_KEY": fine_key,
              "MANAGER_GRPC_SERVER_CA_CERTS": old}, ["tls"]),
            ({**tcp, "MANAGER_GRPC_SERVER_CERT": fine, "MANAGER_GRPC_SERVER_KEY": fine_key,
              "MANAGER_GRPC_CLIENT_CA_CERTS": old}, ["tls"]),
            ({**tcp, "MANAGER_GRPC_SERVER_CERT": fine, "MANAGER_GRPC_SERVER_KEY": fine_key,
              "MANAGER_GRPC_CLIENT_CA_CERTS": fine}, []),
        ]
        before = snapshot(folder.path)
        for settings, wanted in rows:
            status, answer = check("cocos-manager", {**good, **settings})
            assert status == (1 if wanted else 0) and failed(answer) == sorted(wanted), (settings, answer)
        assert snapshot(folder.path) == before


def each_thing_that_a_service_lacks_is_named():
    with Folder() as folder, socket.socket() as taken:
        good = service_settings(folder)
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        port = str(taken.getsockname()[1])
        old, key = certificate(folder, "old", (-20, -10))
        folder.write("policy.json", "{")
        os.mkdir(folder("newer"))
        newer = sqlite3.connect(folder("newer/computations.db"))
        newer.execute("PRAGMA user_version=1000")
        newer.close()
        files = " ".join(f"{word}={folder('nowhere/' + word)}" for word in ("ca", "cert", "key"))
        managers = [{"COMPUTATIONS_MANAGERS": folder.write(name, f"manager here {words}\n")} for name, words in (
            ("no-agents", "unix:/run/cocos/manager.sock"),
            ("no-authority", f"manager.example:7001 agents=service.example:7001 {files}"),
            ("no-agents-authority", f"unix:/m agents=10.0.2.2:7001 agents-ca={folder('nowhere/ca')}"))]
        rows = [
            *((settings, ["managers"]) for settings in managers),
            ({"COMPUTATIONS_GRPC_PORT": port}, ["agents' port"]),
            ({"COMPUTATIONS_ADMIN_PORT": port}, ["admin port"]),
            ({"COMPUTATIONS_GRPC_SERVER_CERT": old, "COMPUTATIONS_GRPC_SERVER_KEY": key}, ["agents' tls"]),
            ({"COMPUTATIONS_ADMIN_SERVER_CERT": old, "COMPUTATIONS_ADMIN_SERVER_KEY": key}, ["admin tls"]),
            ({"COMPUTATIONS_AUDIT_LOG": folder("nowhere/audit.log")}, ["audit log"]),
            ({"COMPUTATIONS_WEBHOOK_CA": folder("nowhere/ca.pem")}, ["webhooks"]),
            ({"COMPUTATIONS_WEBHOOK_CA": folder("policy.json")}, ["webhooks"]),
            ({"COMPUTATIONS_ADMIN_SOCKET": folder("policy.json")}, ["socket"]),
            ({"COMPUTATIONS_STATE_DIR": folder("policy.json")}, ["database", "secrets", "state folder"]),
            ({"COMPUTATIONS_SECRETS_KEY": folder("no.key")}, ["secrets"]),
            ({"COMPUTATIONS_SECRETS_OLD_KEY": folder("policy.json")}, ["secrets"]),
            ({"COMPUTATIONS_STATE_DIR": folder("newer")}, ["database"]),
            ({"COMPUTATIONS_ATTESTATION_POLICY": folder("policy.json")}, ["attestation"]),
            ({"COMPUTATIONS_ATTESTATION_POLICY": folder("policy.json"),
              "COMPUTATIONS_ATTESTATION_CACHE": folder("policy.json")}, ["attestation", "endorsements"]),
        ]
        before = snapshot(folder.path)
        for settings, wanted in rows:
            status, answer = check("cocos-computations", {**good, **settings})
            assert status == 1 and failed(answer) == sorted(wanted), (settings, answer)
        assert snapshot(folder.path) == before


def what_cannot_be_written_is_told_before_it_is():
    """Neither a folder that is not there, nor a disk without room, nor a file system that takes no files."""
    with Folder() as folder:
        idle_image(folder)
        small = folder("small")
        os.mkdir(small)
        folder.write("policy.json", "{")
        proof = {"COMPUTATIONS_ATTESTATION_POLICY": folder("policy.json")}
        service, manager_good = service_settings(folder), manager_settings(folder)
        rows = [  # program, what it has, settings, what fails besides an appraisal without a policy, and what is told
            ("cocos-computations", service, {"COMPUTATIONS_DATABASE": folder("nowhere/records.db")}, "database", "nowhere"),
            ("cocos-computations", service, {"COMPUTATIONS_DATABASE": small + "/records.db"}, "database", "of the 64 MiB"),
            ("cocos-computations", service, {"COMPUTATIONS_DATABASE": "/proc/records.db"}, "database", "write into '/proc'"),
            ("cocos-computations", service, {"COMPUTATIONS_AUDIT_LOG": small + "/audit.log"}, "audit log", "of the 16 MiB"),
            ("cocos-computations", service, {"COMPUTATIONS_AUDIT_LOG": small + "/there.log"}, "audit log", "of the 16 MiB"),
            ("cocos-computations", service, {**proof, "COMPUTATIONS_ATTESTATION_CACHE": small}, "endorsements", "of the 16 MiB"),
            ("cocos-computations", service, {**proof, "COMPUTATIONS_ATTESTATION_CACHE": "/proc/cache"}, "endorsements",
             "write into '/proc'"),
            ("cocos-manager", manager_good, {"MANAGER_AUDIT_LOG": small + "/audit.log"}, "audit log", "of the 16 MiB"),
            ("cocos-manager", manager_good, {"MANAGER_AUDIT_LOG": small + "/there.log"}, "audit log", "of the 16 MiB"),
            ("cocos-manager", manager_good, {"MANAGER_AUDIT_LOG": "/proc/audit.log"}, "audit log", "write into '/proc'"),
        ]
        before = snapshot(folder.path)
        for name, good, settings, row, words in rows:
            status, answer = check(name, {**good, **settings}, small=small)
            assert status == 1 and [r for r in failed(answer) if r != "attestation"] == [row], (settings, answer)
            assert words in answer[row]["found"], (settings, answer)
        assert snapshot(folder.path) == before


def settings_that_do_nothing_are_told_at_the_start():
    with Folder() as folder:
        idle_image(folder)
        rows = [("cocos-manager", manager_settings(folder), {
                    "MANAGER_LEASE": "1m", "MANAGER_LEASE_NAME": "here", "MANAGER_ALLOW_PLAIN": "true",
                    "MANAGER_SNP_POLICY": "0x30000", "MANAGER_TDX_MR_OWNER": "00" * 48},
                 "MANAGER_LEASE_NAME without MANAGER_DATABASE, MANAGER_LEASE without MANAGER_DATABASE, "
                 "MANAGER_ALLOW_PLAIN without MANAGER_TEE=auto, MANAGER_SNP_POLICY without SNP in MANAGER_TEE, "
                 "MANAGER_TDX_MR_OWNER without TDX in MANAGER_TEE"),
                ("cocos-computations", service_settings(folder), {
                    "COMPUTATIONS_ADMIN_HOST": "::1", "COMPUTATIONS_LEASE": "1m", "COMPUTATIONS_ATTESTATION_OFFLINE": "true"},
                 "COMPUTATIONS_ADMIN_HOST without COMPUTATIONS_ADMIN_PORT, COMPUTATIONS_ATTESTATION_OFFLINE without "
                 "COMPUTATIONS_ATTESTATION_POLICY, COMPUTATIONS_LEASE without COMPUTATIONS_INSTANCE")]
        for name, good, settings, told in rows:
            for given in (settings, {}):
                environment = {k: v for k, v in os.environ.items() if not k.startswith(("MANAGER_", "COMPUTATIONS_"))}
                done = subprocess.run([program(name), "--config", "/dev/null", "--check"], env={**environment, **good, **given},
                                      capture_output=True, text=True, check=False)
                assert done.returncode == 0, done
                if given:
                    assert done.stderr.endswith(f"settings that do nothing: {told}\n") and done.stderr.count("\n") == 1, done
                else:
                    assert not done.stderr, done


def settings_that_cannot_be_used_are_another_answer():
    with Folder() as folder:
        status, text = check("cocos-manager", {**manager_settings(folder), "MANAGER_TEE": "sev"})
        assert status == 2 and "MANAGER_TEE" in text, text
        status, text = check("cocos-computations", {**service_settings(folder), "COMPUTATIONS_MAX_CVMS": "0"})
        assert status == 2 and "COMPUTATIONS_MAX_CVMS" in text, text
        for name in ("cocos-manager", "cocos-computations"):
            done = subprocess.run([program(name), "--json"], capture_output=True, text=True, check=False)
            assert done.returncode == 2 and "--check" in done.stderr, done
        for name, good, setting in (("cocos-manager", manager_settings(folder), "MANAGER_STATE_DIR"),
                                    ("cocos-computations", service_settings(folder), "COMPUTATIONS_STATE_DIR")):
            done = subprocess.run([program(name), "--config", "/dev/null"], env={**os.environ, **good, setting: "/proc/none/state"},
                                  capture_output=True, text=True, check=False)
            assert done.returncode == 1 and setting + " has to be a folder that this user may write" in done.stderr, done


def people_read_lines():
    with Folder() as folder:
        idle_image(folder)
        settings = {**manager_settings(folder), "MANAGER_GRPC_PORT": str(free_port()), "MANAGER_IMAGE_DIR": "/nowhere"}
        done = subprocess.run([program("cocos-manager"), "--config", "/dev/null", "--check"],
                              env={**os.environ, **settings}, capture_output=True, text=True, check=False)
        lines = done.stdout.splitlines()
        assert done.returncode == 1 and lines[-1] == "cocos-manager: 1 of 22 checks failed", done
        at = next(i for i, line in enumerate(lines) if line.startswith("image "))
        assert "failed" in lines[at] and "/nowhere" in lines[at], lines
        assert lines[at + 1].strip().startswith("to do: "), lines


if __name__ == "__main__":
    tap.run([
        a_host_that_has_all_is_told_so_and_nothing_is_changed,
        the_registry_of_a_running_manager_is_as_it_says,
        a_manager_that_runs_is_told,
        a_service_that_runs_is_told,
        a_stranger_in_a_services_place_is_one,
        each_host_of_the_table_is_asked,
        a_killed_manager_s_registry_is_read_and_left,
        a_table_that_nobody_can_use_is_told,
        each_thing_that_a_manager_lacks_is_named,
        each_thing_that_a_service_lacks_is_named,
        what_cannot_be_written_is_told_before_it_is,
        settings_that_do_nothing_are_told_at_the_start,
        settings_that_cannot_be_used_are_another_answer,
        people_read_lines,
    ])
