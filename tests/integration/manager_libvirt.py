# SPDX-License-Identifier: Apache-2.0
"""cocos-manager over a real libvirt and QEMU, called by python3-grpcio.

Usage: manager_libvirt.py [SEED [ROUNDS]]    seed and number of rounds of the kill -9 test
       manager_libvirt.py --few              a CVM's life, its ends, and what is refused
"""
import os
import random
import re
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree as ET

import grpc

import libvirt_room as room
import sample
import tap
import units
from guest_vm import boot_disk
from ports import FIRST
from harness import (BUILD, PATIENCE, PROTOCOL, ROOT, Folder, Process, authority, cli, credentials,
                     is_for_administrators, program, until)

manager, manager_grpc = PROTOCOL["manager"]
health, health_grpc = PROTOCOL["health"]
SEED = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 20261120
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 and sys.argv[2].isdigit() else sample.of(4, 12)

with open(os.path.join(ROOT, "packaging/systemd/cocos-manager.service"), encoding="utf-8") as unit_file:
    UNIT = units.parse(unit_file.read())

libvirt = room.Libvirt()


class Manager:
    """A manager with its own folders in a `with`; leaves must be clean at the end."""
    unit = UNIT

    def __init__(self, folder, tls=None, client=None, **settings):
        self.folder, self.client_tls = folder, (tls, client) if client else None
        self.secrets = f"/run/secrets-{os.path.basename(folder.path)}"
        os.chmod(folder.path, 0o711)
        if not os.path.exists(folder("image")):
            room.idle_image(folder)
        first = free_range(24)
        self.settings = {
            "GRPC_PORT": "0", "IMAGE_DIR": folder("image"), "STATE_DIR": folder("state"),
            "SECRETS_DIR": self.secrets, "MEMORY": "128M", "MAX_VMS": "8",
            "PORTS": f"{first}-{first + 23}", "LOG_LEVEL": "debug", "TEE": "none",
            "FIRMWARE": "SeaBIOS"}  # the idle kernel is none that OVMF starts
        if tls:
            self.settings.update(GRPC_SERVER_CERT=tls("server.pem"),
                                 GRPC_SERVER_KEY=tls("server-key.pem"),
                                 GRPC_CLIENT_CA_CERTS=tls("ca.pem"))
        self.settings.update(settings)
        self.process = self.channel = None

    def start(self):
        config = self.folder.write(
            "manager.conf", "".join(f"MANAGER_{k}={v}\n" for k, v in self.settings.items()))
        self.process = Process([*units.wrapper(self.unit), program("cocos-manager"), "--config", config])
        self.port = int(self.process.wait_line(r"listening on \S+ port (\d+)")[1])
        address = f"localhost:{self.port}" if self.client_tls else f"127.0.0.1:{self.port}"
        self.channel = (grpc.secure_channel(address, credentials(*self.client_tls))
                        if self.client_tls else grpc.insecure_channel(address))
        self.stub = manager_grpc.ManagerServiceStub(self.channel)
        return self

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        self.channel.close()
        self.process.finish()
        if kind:
            print("# manager:\n# " + self.process.text().replace("\n", "\n# "), file=sys.stderr)

    def stop(self):
        assert self.process.stop() == 0, self.process.text()
        self.channel.close()

    def kill(self):
        self.process.kill()
        self.channel.close()

    def create(self, **fields):
        fields.setdefault("agent_cvm_server_url", "10.0.2.2:7001")
        return self.stub.CreateVm(manager.CreateReq(**fields), timeout=PATIENCE)

    def remove(self, cvm_id):
        return self.stub.RemoveVm(manager.RemoveReq(cvm_id=cvm_id), timeout=PATIENCE)

    def info(self, cvm_id):
        return self.stub.CVMInfo(manager.CVMInfoReq(id=cvm_id), timeout=PATIENCE)

    def strays(self):
        return self.stub.ListStrays(manager.ListStraysReq(), timeout=PATIENCE).strays

    def adopt(self, cvm_id):
        return self.stub.AdoptStray(manager.AdoptStrayReq(id=cvm_id), timeout=PATIENCE)

    def knows(self, cvm_id):
        try:
            return bool(self.info(cvm_id))
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.NOT_FOUND, error
            return False

    # What there is, as the manager, the host and libvirt say.

    def records(self):
        """{id: (step, port)} as on disk."""
        database = sqlite3.connect(self.folder("state/registry.db"), timeout=PATIENCE)
        try:
            return {row[0]: (row[1], row[2])
                    for row in database.execute("SELECT id, step, port FROM cvm")}
        finally:
            database.close()

    def leftovers(self):
        """Everything of CVMs that exists, by kind."""
        state, secrets = self.folder("state/cvms"), self.secrets
        return {
            "records": set(self.records()),
            "domains": set(room.domains()),
            "consoles": set(os.listdir(state)) if os.path.isdir(state) else set(),
            "secrets": set(os.listdir(secrets)) if os.path.isdir(secrets) else set(),
        }

    def ports(self):
        """Ports of the range that somebody listens on."""
        first, last = map(int, self.settings["PORTS"].split("-"))
        return {port for port in range(first, last + 1) if not is_free(port)}

    def settled(self):
        """Everything that exists belongs to a finished record, and the other way round."""
        left = self.leftovers()
        records = self.records()
        return (all(ids == left["records"] for ids in left.values()) and
                all(step == 4 for step, _ in records.values()) and
                self.ports() == {port for _, port in records.values()})

    def answered(self):
        """Ids of CVMs that the manager has told somebody of, as far as it had come when it was asked."""
        self.knows("nobody")  # both lines are said in one turn of its loop
        self.process.wait_line("CVMInfo from .* no CVM 'nobody'")
        said = self.process.text()
        return (set(re.findall(r"CVM (\S+): running, port", said)) -
                set(re.findall(r"CVM (\S+): nobody waits for it any more", said)))

    def until_settled(self):
        try:
            until(self.settled)
        except AssertionError:
            raise AssertionError(f"not settled: {self.records()} {self.leftovers()} "
                                 f"{self.ports()}\n{self.process.text()}") from None

    def assert_nothing_left(self):
        left = self.leftovers()
        assert not any(left.values()), left
        until(lambda: not room.processes("qemu-system-x86_64"), "the end of QEMU")
        until(lambda: not room.processes("swtpm"), "the end of swtpm")
        assert not self.ports(), self.ports()
        swtpm = "/var/lib/libvirt/swtpm"
        assert not os.path.isdir(swtpm) or not os.listdir(swtpm), os.listdir(swtpm)


def is_free(port):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
            s.listen(1)
            return True
        except OSError:
            return False


def free_range(count):
    """The first of so many neighbouring ports, below those that the kernel gives out, and those that
    other tests take (ports.py)."""
    while True:
        first = random.SystemRandom().randrange(10000, FIRST - count)
        if all(is_free(port) for port in range(first, first + count)):
            return first


def refused(code, call, *arguments, words="", **fields):
    try:
        call(*arguments, **fields)
    except grpc.RpcError as error:
        assert error.code() == code, f"{error.code()} {error.details()}, not {code}"
        assert words in error.details(), f"{words!r} is not in {error.details()!r}"
        return error.details()
    raise AssertionError(f"not refused with {code}")


def libvirt_user(path):
    import pwd
    return pwd.getpwuid(os.stat(path).st_uid).pw_name


def entries_of(disk):
    """{name: bytes} of a boot disk (common/manifest/bootdisk.h)."""
    left, found = disk[60:60 + int.from_bytes(disk[20:24], "big")], {}
    while left:
        name, left = left[1:1 + left[0]], left[1 + left[0]:]
        size = int.from_bytes(left[:4], "big")
        found[name.decode()], left = left[4:4 + size], left[4 + size:]
    return found


def an_image_of_an_older_release_gets_its_shares():
    with Folder() as folder, Manager(folder) as m:
        m.stop()
        room.idle_image(folder, given=room.SHARES)
        m.start()
        made = m.create(agent_certs_token="s3cret")
        domain = ET.fromstring(virsh_xml(made.cvm_id))
        shares = {share.find("target").get("dir"): share for share in
                  domain.findall("devices/filesystem")}
        assert set(shares) == {"env_share", "certs_share"} and not domain.findall("devices/disk")
        assert all(share.find("readonly") is not None for share in shares.values())
        folder_of = os.path.join(m.secrets, made.cvm_id)
        for path in (folder_of, folder_of + "/env", folder_of + "/certs"):
            assert stat.S_IMODE(os.stat(path).st_mode) == 0o700
            assert libvirt_user(path) == "libvirt-qemu"
        environment = folder_of + "/env/environment"
        assert stat.S_IMODE(os.stat(environment).st_mode) == 0o600
        with open(environment, encoding="ascii") as file:
            assert "AGENT_CERTS_TOKEN=s3cret\n" in file.read()
        # Those that run have what they were launched with; the next one has what the new image takes.
        room.idle_image(folder)
        later = m.create()
        assert os.listdir(os.path.join(m.secrets, later.cvm_id)) == ["boot.img"]
        m.kill()
        m.start()
        m.until_settled()
        assert sorted(os.listdir(folder_of)) == ["certs", "env"]
        assert os.listdir(os.path.join(m.secrets, later.cvm_id)) == ["boot.img"]
        m.remove(made.cvm_id)
        m.remove(later.cvm_id)
        m.assert_nothing_left()


def a_cvm_is_what_it_should_be_and_goes_without_a_trace():
    with Folder() as folder, Manager(folder) as m:
        made = m.create(ttl="1h", agent_certs_token="s3cret", agent_log_level="info")
        assert m.settled(), m.leftovers()
        domain = ET.fromstring(virsh_xml(made.cvm_id))
        assert domain.get("type") == {"tcg": "qemu", "kvm": "kvm"}[acceleration()]
        tpm = domain.find("devices/tpm")
        assert tpm.get("model") == "tpm-crb"
        assert [bank.tag for bank in tpm.find("backend/active_pcr_banks")] == ["sha256", "sha384"]
        folder_of = os.path.join(m.secrets, made.cvm_id)
        (disk,) = domain.findall("devices/disk")
        assert not domain.findall("devices/filesystem")
        assert disk.find("source").get("file") == folder_of + "/boot.img", virsh_xml(made.cvm_id)
        assert disk.findtext("serial") == "cocos-boot" and disk.find("readonly") is not None
        assert os.listdir(folder_of) == ["boot.img"]
        for path, mode in ((folder_of, 0o700), (folder_of + "/boot.img", 0o600)):
            assert stat.S_IMODE(os.stat(path).st_mode) == mode
            assert libvirt_user(path) == "libvirt-qemu"
        with open(folder_of + "/boot.img", "rb") as file:
            content = file.read()
        environment = entries_of(content)["environment"]
        assert content == boot_disk({"environment": environment})
        assert sorted(environment.decode("ascii").splitlines()) == sorted([
            f"AGENT_CVM_ID={made.cvm_id}", "AGENT_LOG_LEVEL=info",
            "AGENT_CVM_GRPC_URL=10.0.2.2:7001", "AGENT_CERTS_TOKEN=s3cret"])
        with socket.create_connection(("127.0.0.1", int(made.forwarded_port)), PATIENCE):
            pass
        info = m.info(made.cvm_id)
        assert (info.id, info.cpu_num, info.tee, info.acceleration, info.forwarded_port) == (
            made.cvm_id, 1, "none", acceleration(), made.forwarded_port), info
        assert info.kernel_cmd == "console=ttyS0" and info.ovmf_version == "SeaBIOS", info
        with open(m.folder("state/registry.db-wal"), "rb") as wal:
            assert b"s3cret" not in wal.read()
        m.remove(made.cvm_id)
        m.assert_nothing_left()
        refused(grpc.StatusCode.NOT_FOUND, m.remove, made.cvm_id)
        refused(grpc.StatusCode.NOT_FOUND, m.info, made.cvm_id)


def what_qemus_user_shut_goes_all_the_same():
    """The manager is root with one right, and modes bind it like anybody."""
    with Folder() as folder, Manager(folder) as m:
        made = m.create()
        env = os.path.join(m.secrets, made.cvm_id)
        owner = os.stat(env)
        assert owner.st_uid != 0
        subprocess.run(["setpriv", "--reuid", str(owner.st_uid), "--regid", str(owner.st_gid), "--clear-groups", "sh",
                        "-ec", f"cd {env}; mkdir -p a/b; : > a/b/c; : > a/d; chmod 0 a/b; chmod 0 a; chmod 0500 ."],
                       check=True)
        m.remove(made.cvm_id)
        m.assert_nothing_left()


def acceleration():
    """What this machine has: a CPU with virtualization, and a libvirt that may use it."""
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        flags = re.search(r"^flags.*\b(svm|vmx)\b", file.read(), re.M)
    return "kvm" if flags and "type='kvm'" in room.virsh("capabilities") else "tcg"


def virsh_xml(uuid):
    return room.virsh("dumpxml", uuid)


def every_form_of_a_domain_is_understood_as_far_as_this_host_goes():
    """libvirt defines what it can; what it refuses, it refuses for this host's sake, or because it is
    older than the TEE. (That all of it is well-formed, the schema says: test_domain_xml.c.)"""
    lacks = ("is not supported with this QEMU binary", "Cannot check QEMU binary",
             "in element 'launchSecurity'", "does not support virt type 'kvm'",
             "could not find capabilities for")
    with Folder() as folder:
        subprocess.run([program("tests/unit/manager/test_manager_domain_xml")], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       env=dict(os.environ, COCOS_DOMAINS=folder.path))
        forms = sorted(os.listdir(folder.path))
        assert len(forms) >= 9, forms
        defined = 0
        for name in forms:
            done = subprocess.run(["virsh", "-q", "-c", room.URI, "define", folder(name)],
                                  check=False, capture_output=True, text=True)
            xml = ET.parse(folder(name))
            plain = xml.getroot().get("type") == "qemu" and xml.find("devices/emulator") is None
            if done.returncode == 0:
                defined += 1
                room.virsh("undefine", xml.findtext("name"))
            else:
                assert not plain and any(word in done.stderr for word in lacks), done.stderr
        assert defined, "none was taken"
        assert not room.domains()


def what_is_refused_leaves_nothing():
    rows = [
        (dict(agent_cvm_server_url=""), grpc.StatusCode.INVALID_ARGUMENT, "agent_cvm_server_url"),
        (dict(agent_certs_token="a\nAGENT_VMPL=0"), grpc.StatusCode.INVALID_ARGUMENT, "token"),
        (dict(agent_log_level="loud"), grpc.StatusCode.INVALID_ARGUMENT, "agent_log_level"),
        (dict(ttl="soon"), grpc.StatusCode.INVALID_ARGUMENT, "ttl"),
        (dict(ttl="0s"), grpc.StatusCode.INVALID_ARGUMENT, "ttl"),
        (dict(agent_cvm_client_cert=b"x"), grpc.StatusCode.INVALID_ARGUMENT, "go together"),
        (dict(aws_region="x" * 4097), grpc.StatusCode.INVALID_ARGUMENT, "longer than"),
        (dict(aa_kbs_params="cc_kbc"), grpc.StatusCode.UNIMPLEMENTED, "aa_kbs_params"),
    ]
    with Folder() as folder, Manager(folder) as m:
        for fields, code, words in rows:
            refused(code, m.create, words=words, **fields)
        refused(grpc.StatusCode.NOT_FOUND, m.remove, "../../etc")
        m.assert_nothing_left()


def a_file_of_the_image_that_was_changed_stops_launches():
    with Folder() as folder, Manager(folder) as m:
        folder.write("image/initrd.img", "Nothing\n")
        refused(grpc.StatusCode.FAILED_PRECONDITION, m.create, words="image.json")
        m.assert_nothing_left()
        folder.write("image/initrd.img", "nothing\n")
        m.remove(m.create().cvm_id)
        m.assert_nothing_left()


def twenty_at_once_never_pass_the_limit_nor_leak():
    rng = random.Random(SEED)
    # What is seen is held against the limit below: a thread's failure fails no test.
    results, most, lock = [], [], threading.Lock()
    with Folder() as folder, Manager(folder) as m:
        def client(number):
            time.sleep(rng.random())
            try:
                made = m.create()
                with lock:
                    most.append(len(m.records()))
                    results.append("made")
                if number % 2:
                    m.remove(made.cvm_id)
            except grpc.RpcError as error:
                assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED, error
                with lock:
                    results.append("exhausted")

        threads = [threading.Thread(target=client, args=(n,)) for n in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(results) == 20, results
        assert max(most) <= 8, most
        assert results.count("made") >= 8 and results.count("exhausted") >= 1, results
        m.until_settled()
        left = m.records()
        assert len(left) <= 8, left
        while len(m.records()) < 8:
            m.create()
        refused(grpc.StatusCode.RESOURCE_EXHAUSTED, m.create, words="MANAGER_MAX_VMS")
        removers = [threading.Thread(target=m.remove, args=(cvm,)) for cvm in m.records()]
        for thread in removers:
            thread.start()
        for thread in removers:
            thread.join()
        m.assert_nothing_left()


def a_machine_that_dies_is_noticed_and_cleaned_up():
    with Folder() as folder, Manager(folder) as m:
        one, two = m.create(), m.create()
        os.kill(room.machine(one.cvm_id), signal.SIGKILL)
        until(lambda: not m.knows(one.cvm_id), "the end of a CVM")
        m.until_settled()
        assert m.knows(two.cvm_id)
        m.remove(two.cvm_id)
        m.assert_nothing_left()


def a_libvirt_that_goes_is_unavailable_and_comes_back_by_itself():
    with Folder() as folder, Manager(folder) as m:
        one, two, three = m.create(), m.create(), m.create()
        libvirt.kill()
        refused(grpc.StatusCode.UNAVAILABLE, m.create)
        refused(grpc.StatusCode.UNAVAILABLE, m.remove, one.cvm_id)
        assert m.knows(one.cvm_id) and room.machine(one.cvm_id)
        os.kill(room.machine(two.cvm_id), signal.SIGKILL)  # nobody tells the manager
        libvirt.up()
        until(lambda: not m.knows(two.cvm_id), "the end of a CVM")
        m.until_settled()
        m.remove(one.cvm_id)
        four = m.create()
        m.remove(three.cvm_id)
        m.remove(four.cvm_id)
        m.assert_nothing_left()


def health_says_whether_a_cvm_could_be_launched():
    with Folder() as folder, Manager(folder) as m:
        watch = health_grpc.HealthStub(m.channel).Watch(health.HealthCheckRequest(),
                                                        timeout=2 * PATIENCE)

        def told(status):
            assert any(answer.status == status for answer in watch), f"never {status}"

        serving, not_serving = (health.HealthCheckResponse.SERVING,
                                health.HealthCheckResponse.NOT_SERVING)
        told(serving)
        libvirt.kill()
        told(not_serving)
        libvirt.up()
        told(serving)
        image = folder("image", "initrd.img")
        os.rename(image, image + ".away")
        told(not_serving)
        os.rename(image + ".away", image)
        told(serving)
        watch.cancel()


def a_libvirt_that_is_not_there_at_first_is_waited_for():
    libvirt.down()
    try:
        with Folder() as folder, Manager(folder) as m:
            refused(grpc.StatusCode.UNAVAILABLE, m.create)
            libvirt.up()
            until(lambda: not fails(m.create), "a CVM")
            m.until_settled()
            for cvm in m.records():
                m.remove(cvm)
            m.assert_nothing_left()
    finally:
        libvirt.up()


def fails(call):
    try:
        call()
        return False
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.UNAVAILABLE, error
        return True


def cvms_outlive_the_manager_and_their_time_is_kept():
    with Folder() as folder, Manager(folder) as m:
        # Long enough for a loaded machine to launch them and stop the manager in it.
        stays, goes = m.create(), m.create(ttl="20s")
        m.stop()
        assert room.machine(stays.cvm_id) and room.machine(goes.cvm_id)
        m.start()
        assert m.knows(stays.cvm_id)
        until(lambda: not m.knows(goes.cvm_id), "the end of its time")
        m.until_settled()
        brief = m.create(ttl="15s")
        end = m.info(brief.cvm_id).expires_ms / 1000
        m.kill()
        until(lambda: time.time() > end + 0.5, "that moment")
        assert room.machine(brief.cvm_id)  # nobody was there to end it
        m.start()
        until(lambda: brief.cvm_id not in m.records(), "the end of its time")
        m.remove(stays.cvm_id)
        m.assert_nothing_left()


def a_client_that_goes_away_leaves_no_cvm():
    rng = random.Random(SEED)
    with Folder() as folder, Manager(folder) as m:
        for number in range(6):
            call = m.stub.CreateVm.future(manager.CreateReq(agent_cvm_server_url="h:1"))
            if number == 0:
                until(m.records, "a record")  # the first one is gone in the middle of it, for sure
            else:
                time.sleep(rng.random() * 1.5)
            if call.cancel():
                # Unless the answer was on its way already.
                until(lambda: m.settled() and m.records().keys() <= m.answered(), "undoing")
            for cvm in list(m.records()):  # it was quicker than we were
                m.remove(cvm)
            if number == 0:
                m.process.wait_line("nobody waits for it any more")
                assert m.process.text().count("nobody waits for it any more") == 1
        m.assert_nothing_left()


def a_stop_in_the_middle_of_creating_finishes_first():
    with Folder() as folder, Manager(folder) as m:
        calls = [m.stub.CreateVm.future(manager.CreateReq(agent_cvm_server_url="h:1"))
                 for _ in range(3)]
        until(m.records, "a record")
        m.stop()
        made = {call.result().cvm_id for call in calls if not call.exception()}
        assert made == set(m.records()), (made, m.records())
        m.start()
        m.until_settled()
        for cvm in made:
            m.remove(cvm)
        m.assert_nothing_left()


def killed_at_random_it_never_leaks():
    print(f"# seed {SEED}, {ROUNDS} rounds")
    rng = random.Random(SEED)
    with Folder() as folder, Manager(folder) as m:
        for _ in range(ROUNDS):
            known = list(m.records())
            calls = [m.stub.CreateVm.future(manager.CreateReq(agent_cvm_server_url="h:1"))
                     for _ in range(rng.randrange(1, 4))]
            calls += [m.stub.RemoveVm.future(manager.RemoveReq(cvm_id=cvm))
                      for cvm in known if rng.random() < 0.6]
            time.sleep(rng.random() * 2.5)
            m.kill()
            made = {call.result().cvm_id for call in calls
                    if call.done() and not call.exception() and hasattr(call.result(), "cvm_id")}
            m.start()
            m.until_settled()
            assert made <= set(m.records()), (made, m.records())  # what was told stays true
        for cvm in m.records():
            m.remove(cvm)
        m.assert_nothing_left()


def a_port_that_somebody_else_has_is_not_given_out():
    with Folder() as folder, Manager(folder) as m:
        first = int(m.settings["PORTS"].split("-")[0])
        with socket.socket() as other:
            other.bind(("127.0.0.1", first))
            other.listen(1)
            made = m.create()
            assert int(made.forwarded_port) != first
        m.remove(made.cvm_id)
        m.assert_nothing_left()


def change_registry(m, sql):
    database = sqlite3.connect(m.folder("state/registry.db"), timeout=PATIENCE)
    try:
        with database:
            database.execute(sql)
    finally:
        database.close()


def lose_registry(m):
    for name in ("registry.db", "registry.db-wal", "registry.db-shm"):
        if os.path.exists(m.folder("state/" + name)):
            os.unlink(m.folder("state/" + name))


def start_refused(m, words):
    try:
        m.start()
    except AssertionError as error:
        assert words in str(error) and "move registry.db away" in str(error), error
    else:
        raise AssertionError(f"not refused: {words}")


def foreign_domain(m):
    """One of another manager, and one that only looks like it."""
    for name in ("cocos-0123abcd-0", "cocos-other"):
        room.virsh("create", m.folder.write(
            "foreign.xml", f"<domain type='qemu'><name>{name}</name><memory unit='MiB'>32</memory>"
            "<os><type arch='x86_64' machine='q35'>hvm</type></os></domain>", 0o600))
    return {"cocos-0123abcd-0", "cocos-other"}


def a_cvm_without_a_record_is_left_alone_until_somebody_says_what_to_do():
    with Folder() as folder, Manager(folder) as m:
        stays, goes, known = m.create(), m.create(), m.create()
        names = room.domains()
        foreign = foreign_domain(m)
        m.kill()
        change_registry(m, f"DELETE FROM cvm WHERE id IN ('{stays.cvm_id}', '{goes.cvm_id}')")
        os.mkdir(m.folder("state/cvms/other"))
        m.start()
        until(lambda: len(m.strays()) == 3, "the strays")
        strays = {stray.id: stray for stray in m.strays()}
        assert set(strays) == {stays.cvm_id, goes.cvm_id, "'other'"}, strays
        for cvm in (stays.cvm_id, goes.cvm_id):
            stray = strays[cvm]
            assert (stray.domain, stray.folder, stray.secrets, stray.adoptable) == (
                names[cvm], True, True, True), stray
            m.process.wait_line(f"CVM {cvm} has no record, but a domain {names[cvm]} and folders: "
                                "it is left alone")
        m.process.wait_line("'other' in MANAGER_STATE_DIR/cvms is no CVM's folder")
        # Nothing new gets what they have.
        fresh = m.create()
        assert room.domains()[fresh.cvm_id] not in names.values()
        assert fresh.forwarded_port not in (stays.forwarded_port, goes.forwarded_port)
        m.remove(fresh.cvm_id)
        where = {"MANAGER_GRPC_URL": f"127.0.0.1:{m.port}"}
        rows = cli("vm", "strays", **where).ok().splitlines()
        assert {cvm for cvm in names if any(row.startswith(f"{cvm}  {names[cvm]} ") for row in rows)} == {
            stays.cvm_id, goes.cvm_id}, rows
        assert all(row.split()[2:] == ["folder", "secrets", "adoptable", "-"] for row in rows if "cocos-" in row), rows
        assert {row["id"] for row in cli("vm", "strays", "--json", **where).json()} == {cvm.strip("'") for cvm in strays}
        assert rows[0].split() == ["CVM", "DOMAIN", "FOLDER", "SECRETS", "ADOPT", "HOST"], rows
        ran = cli("vm", "adopt", stays.cvm_id, **where).ok()
        assert ran == f"CVM {stays.cvm_id} adopted, its agent on port {stays.forwarded_port}\n"
        assert m.info(stays.cvm_id).kernel_cmd == "console=ttyS0"
        refused(grpc.StatusCode.ALREADY_EXISTS, m.adopt, stays.cvm_id)
        m.remove(goes.cvm_id)
        assert not room.machine(goes.cvm_id) and room.machine(stays.cvm_id)
        assert [stray.id for stray in m.strays()] == ["'other'"]
        for cvm in foreign:
            refused(grpc.StatusCode.NOT_FOUND, m.remove, room.virsh("domuuid", cvm).strip())
            room.virsh("destroy", cvm)  # it was left alone
        os.rmdir(m.folder("state/cvms/other"))
        m.stop()
        m.start()
        assert m.settled() and not m.strays()
        m.remove(stays.cvm_id)
        m.remove(known.cvm_id)
        m.assert_nothing_left()


def a_registry_that_is_lost_or_damaged_forgets_no_machine():
    def lost(m):
        lose_registry(m)
        m.start()

    def log_lost(m):
        """Only what set-up has written to the file itself is left."""
        for name in ("registry.db-wal", "registry.db-shm"):
            os.unlink(m.folder("state/" + name))
        m.start()

    def emptied(m):
        lose_registry(m)
        m.folder.write("state/registry.db", "")
        m.start()

    def overwritten(m):
        m.folder.write("state/registry.db", "nothing that is a database, but long enough for one" * 99)
        lost_wal = m.folder("state/registry.db-wal")
        if os.path.exists(lost_wal):
            os.unlink(lost_wal)
        start_refused(m, "not a database")
        lost(m)

    def a_row_that_leads_out(m):
        with open(m.folder("state/precious"), "w", encoding="ascii") as file:
            file.write("kept")
        change_registry(m, "UPDATE cvm SET id = '../..', step = 6")
        start_refused(m, "id is no UUID")
        assert os.path.exists(m.folder("state/precious"))
        os.unlink(m.folder("state/precious"))
        lost(m)

    def a_port_that_is_none(m):
        change_registry(m, "UPDATE cvm SET port = 65536")
        start_refused(m, "port is out of range")
        lost(m)

    for damage in (lost, log_lost, emptied, overwritten, a_row_that_leads_out, a_port_that_is_none):
        with Folder() as folder, Manager(folder) as m:
            made = m.create()
            name = room.domains()[made.cvm_id]
            m.kill()
            damage(m)
            assert not m.knows(made.cvm_id), damage.__name__
            until(lambda: [stray.domain for stray in m.strays()] == [name], damage.__name__)
            assert m.adopt(made.cvm_id) == made, damage.__name__
            m.kill()
            m.start()
            assert m.knows(made.cvm_id)
            m.remove(made.cvm_id)
            m.assert_nothing_left()


def a_tee_that_the_host_lacks_is_never_replaced_by_nothing():
    with Folder() as folder:
        for settings in ({"TEE": "auto"}, {"TEE": "snp"}, {"TEE": "tdx"},
                         {"TEE": "snp", "ALLOW_PLAIN": "true"}):
            with Manager(folder, **settings) as m:
                refused(grpc.StatusCode.FAILED_PRECONDITION, m.create)
                m.assert_nothing_left()
                m.stop()
        with Manager(folder, TEE="auto", ALLOW_PLAIN="true") as m:
            made = m.create()
            assert m.info(made.cvm_id).tee == "none"
            m.remove(made.cvm_id)
            m.assert_nothing_left()


def without_mutual_tls_only_this_host_is_served():
    with Folder() as folder:
        tls = authority(folder)
        bad = Manager(folder, GRPC_HOST="0.0.0.0")
        try:
            bad.start()
        except AssertionError as error:
            assert "can be reached by other hosts" in str(error), error
        else:
            raise AssertionError("it serves everybody")
        with Manager(folder, tls=tls, client="client", GRPC_HOST="0.0.0.0") as m:
            m.remove(m.create().cvm_id)
            m.assert_nothing_left()
            check = m.channel.unary_unary("/grpc.health.v1.Health/Check")
            assert check(b"\x0a\x07manager", timeout=30) == b"\x08\x01"  # as the stock CLI asks
            stranger = grpc.secure_channel(f"localhost:{m.port}", credentials(tls))
            stub = manager_grpc.ManagerServiceStub(stranger)
            refused(grpc.StatusCode.UNAVAILABLE, stub.CVMInfo, manager.CVMInfoReq(id="x"))
            stranger.close()


def by_default_it_is_called_through_a_socket_and_no_port():
    with Folder() as folder, Manager(folder) as m:
        m.stop()
        del m.settings["GRPC_PORT"]
        config = folder.write("plain.conf", "".join(f"MANAGER_{k}={v}\n" for k, v in m.settings.items()))
        m.process = Process([program("cocos-manager"), "--config", config])
        m.process.wait_line("listening on unix:/run/cocos/manager.sock")
        path = "/run/cocos/manager.sock"
        is_for_administrators(path)
        with open("/proc/net/tcp", encoding="ascii") as file:  # of this room's processes, whose
            inodes = {row.split()[9] for row in file.readlines()[1:] if row.split()[3] == "0A"}
        held = room.open_files(m.process.process.pid)
        assert not held & {f"socket:[{inode}]" for inode in inodes}, held
        # Everybody's tools: another gRPC's, and ours without any setting.
        m.channel = grpc.insecure_channel("unix:" + path)
        m.stub = manager_grpc.ManagerServiceStub(m.channel)
        made = m.create()
        ran = cli("remove-vm", "00000000-0000-4000-8000-000000000000")
        assert ran.status == 1 and "no CVM" in ran.err, ran
        m.process.wait_line("from unix:uid=0: NOT_FOUND")
        # A second one leaves it alone; who may not connect, can't.
        second = folder.write("second.conf", f"MANAGER_STATE_DIR={folder('two')}\nMANAGER_TEE=none\n"
                              f"MANAGER_SECRETS_DIR={m.secrets}\nMANAGER_IMAGE_DIR={folder('image')}\n"
                              "MANAGER_MEMORY=128M\n")
        done = subprocess.run([program("cocos-manager"), "--config", second], check=False, text=True,
                              capture_output=True, timeout=PATIENCE)
        assert done.returncode == 1 and "another program listens" in done.stderr, done
        assert cli("remove-vm", made.cvm_id).ok() == f"CVM {made.cvm_id} removed\n"
        asked = subprocess.run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
                                sys.executable, "-c", "import socket, sys\n"
                                "socket.socket(socket.AF_UNIX).connect(sys.argv[1])", path],
                               check=False, capture_output=True, text=True)
        assert "PermissionError" in asked.stderr, asked
        # What a killed one leaves is in nobody's way; what ends cleans up.
        m.process.kill()
        assert os.path.exists(path)
        m.process = Process([program("cocos-manager"), "--config", config])
        m.process.wait_line("listening on unix:/run/cocos/manager.sock")
        assert cli("vm", "strays").ok().startswith("none: ")
        m.stop()
        assert not os.path.exists(path)
        m.assert_nothing_left()


def on_disk():
    """A folder whose content reaches a disk; /tmp may be on tmpfs."""
    for path in ("/var/tmp", BUILD):
        kind = subprocess.run(["stat", "-f", "-c", "%T", path], check=True, text=True,
                              capture_output=True).stdout.strip()
        if kind not in ("tmpfs", "ramfs"):
            return path
    raise AssertionError("nothing here is on a disk")


def unsuitable_folders_are_refused():
    with Folder() as folder, Manager(folder), tempfile.TemporaryDirectory(dir=on_disk()) as disk:
        rows = [
            (dict(), "another cocos-manager uses"),
            (dict(STATE_DIR=folder("other"), SECRETS_DIR=disk + "/secrets"), "not on tmpfs"),
            (dict(STATE_DIR=folder("other"), IMAGE_DIR="/proc/nowhere"), "image.json"),
            (dict(STATE_DIR=folder("other"), MEMORY="32M"), "MANAGER_MEMORY"),
        ]
        for settings, words in rows:
            try:
                Manager(folder, **settings).start()
            except AssertionError as error:
                assert words in str(error), error
            else:
                raise AssertionError(f"not refused: {words}")


if __name__ == "__main__":
    room.enter(alone=True)
    libvirt.up()
    few = [
        a_cvm_is_what_it_should_be_and_goes_without_a_trace,
        an_image_of_an_older_release_gets_its_shares,
        what_is_refused_leaves_nothing,
        a_machine_that_dies_is_noticed_and_cleaned_up,
        a_libvirt_that_goes_is_unavailable_and_comes_back_by_itself,
        a_stop_in_the_middle_of_creating_finishes_first,
        a_cvm_without_a_record_is_left_alone_until_somebody_says_what_to_do,
    ]
    tap.run(few if "--few" in sys.argv else [
        a_cvm_is_what_it_should_be_and_goes_without_a_trace,
        an_image_of_an_older_release_gets_its_shares,
        what_qemus_user_shut_goes_all_the_same,
        every_form_of_a_domain_is_understood_as_far_as_this_host_goes,
        what_is_refused_leaves_nothing,
        a_file_of_the_image_that_was_changed_stops_launches,
        twenty_at_once_never_pass_the_limit_nor_leak,
        a_machine_that_dies_is_noticed_and_cleaned_up,
        a_libvirt_that_goes_is_unavailable_and_comes_back_by_itself,
        health_says_whether_a_cvm_could_be_launched,
        a_libvirt_that_is_not_there_at_first_is_waited_for,
        cvms_outlive_the_manager_and_their_time_is_kept,
        a_client_that_goes_away_leaves_no_cvm,
        a_stop_in_the_middle_of_creating_finishes_first,
        killed_at_random_it_never_leaks,
        a_port_that_somebody_else_has_is_not_given_out,
        a_cvm_without_a_record_is_left_alone_until_somebody_says_what_to_do,
        a_registry_that_is_lost_or_damaged_forgets_no_machine,
        a_tee_that_the_host_lacks_is_never_replaced_by_nothing,
        without_mutual_tls_only_this_host_is_served,
        by_default_it_is_called_through_a_socket_and_no_port,
        unsuitable_folders_are_refused,
    ])
