# SPDX-License-Identifier: Apache-2.0
"""What packages.py has done in a fresh system: packages installed, used, renewed, removed, purged.

  packages_inside.py FOLDER     with the packages, and a cocos-agent of the same build

systemd is not running here. The daemons are started as their units say: program, user, groups, rights and
umask. That the sandboxes of the units hold is not seen."""
import glob
import grp
import json
import os
import pwd
import re
import shutil
import socket
import stat
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tap  # noqa: E402
import units  # noqa: E402

PROJECT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SCRATCH = "/tmp/packages"
OLDER = "0.0.9"
NAMES = ("cocos-cli", "cocos-computations", "cocos-doc", "cocos-image-base", "cocos-manager",
         "libcocos-attestation-dev", "libcocos-attestation0")
CONFIG = "/etc/cocos/computations.conf"
# Of whoever installs anything: what apt and dpkg note, what is made of all packages' files, and the
# users, which stay as those of all packages of Debian do.
THEIRS = re.compile(r"/(var/(lib/(dpkg|apt|systemd/deb-systemd-(helper|user-helper)-\w+$)|cache|log)|etc/(passwd|group|"
                    r"shadow|gshadow)-?$|etc/\.pwd\.lock|etc/ld\.so\.cache|etc/subu?gid-?|usr/share/info/dir)")
PATIENCE = 180  # seconds until something that must come counts as missing
NOT_LOOKED_AT = ("/proc", "/sys", "/dev", "/tmp", "/root", "/old")


def until(condition, what):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"{what} never happens"
        time.sleep(0.1)


class Beside:
    """A program that runs beside the test, to the end of a `with`; what it says is in a file."""

    def __init__(self, words, environment):
        self.log = os.path.join(SCRATCH, f"log-{time.monotonic_ns()}")
        with open(self.log, "wb") as file:
            self.process = subprocess.Popen(words, env={**os.environ, **environment}, stdin=subprocess.DEVNULL,
                                            stdout=file, stderr=file)

    def wait_line(self, pattern):
        def found():
            assert self.process.poll() is None, f"it ended:\n{text_of(self.log)}"
            return re.search(pattern, text_of(self.log), re.M)
        until(found, pattern)
        return found()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        status = self.process.wait(PATIENCE)
        assert status == 0, f"{status}:\n{text_of(self.log)}"


def run(*words, **more):
    done = subprocess.run(words, capture_output=True, text=True, check=False, **more)
    assert done.returncode == 0, f"{words}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


def apt(*words):
    """Whatever the packages need is in this system: nothing is fetched."""
    run("apt-get", "-y", "-q", "--no-install-recommends",
        "-o", "Dpkg::Options::=--force-confold", *words,
        env=dict(os.environ, DEBIAN_FRONTEND="noninteractive"))


def files():
    found = set()
    for top, folders, names in os.walk("/"):
        folders[:] = [name for name in folders if os.path.join(top, name) not in NOT_LOOKED_AT]
        found.update(path for path in (os.path.join(top, name) for name in folders + names)
                     if not THEIRS.match(path))
    return found


def text_of(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def older(deb):
    """The package as it might have been before: another number, and other words in what is configured."""
    tree = os.path.join(SCRATCH, "tree")
    run("dpkg-deb", "-R", deb, tree)
    control = os.path.join(tree, "DEBIAN/control")
    changed = re.sub(rf"(?m)^(Version: |Depends:.*\(= ){VERSION}\b", rf"\g<1>{OLDER}", text_of(control))
    assert f"Version: {OLDER}" in changed
    with open(control, "w", encoding="utf-8") as file:
        file.write(changed)
    for config in glob.glob(os.path.join(tree, "etc/cocos/*")):
        with open(config, "a", encoding="utf-8") as file:
            file.write("# of before\n")
    run("dpkg-deb", "-b", "-Znone", tree, os.path.join(SCRATCH, "older"))
    shutil.rmtree(tree)


def as_its_unit(name, environment=()):
    """The daemon, with the user, groups and rights of its unit."""
    path, = [line for line in run("dpkg", "-L", name).splitlines() if line.endswith(f"/{name}.service")]
    unit = units.parse(text_of(path))
    return Beside([*units.wrapper(unit), *unit["ExecStart"][0].split()], dict(environment))


def mode_and_owner(path):
    at = os.stat(path)
    return oct(stat.S_IMODE(at.st_mode)), pwd.getpwuid(at.st_uid).pw_name


def packages_of_before_are_installed():
    os.mkdir(os.path.join(SCRATCH, "older"))
    for name in NAMES:
        older(DEBS[name])
    before.update(files())
    apt("install", *glob.glob(os.path.join(SCRATCH, "older/*.deb")))
    for name in NAMES:
        assert run("dpkg-query", "-W", "-f", "${Version} ${db:Status-Status}", name) == f"{OLDER} installed"


def users_folders_and_units_are_there():
    user = pwd.getpwnam("cocos-computations")
    assert user.pw_uid < 1000 and user.pw_shell.endswith("nologin"), user
    assert grp.getgrnam("cocos").gr_gid < 1000
    for path, wanted in (("/var/lib/cocos", ("0o711", "root")), ("/run/cocos", ("0o711", "root")),
                         ("/var/lib/cocos/computations", ("0o700", "cocos-computations")),
                         ("/run/cocos-computations", ("0o711", "cocos-computations"))):
        assert mode_and_owner(path) == wanted, (path, mode_and_owner(path))
    for name in ("cocos-computations", "cocos-manager"):
        assert os.path.islink(f"/etc/systemd/system/multi-user.target.wants/{name}.service")
    for name in ("computations.conf", "guests.nft", "manager.conf"):
        assert text_of("/etc/cocos/" + name).endswith("# of before\n")


def start_computations():
    service = as_its_unit("cocos-computations")
    port = service.wait_line(r"agents: listening on \S+ port (\d+)")[1]
    service.wait_line(" ready$")
    return service, port


def the_main_job_by_what_is_installed():
    with open(CONFIG, "a", encoding="utf-8") as file:
        file.write("COMPUTATIONS_GRPC_PORT=0\n")
    folder = os.path.join(SCRATCH, "job")
    for name in ("config", "certs", "work", "alice", "bob"):
        os.makedirs(os.path.join(folder, name))
    run("gcc", "-O2", "-static", "-o", os.path.join(folder, "alice/count"),
        "/usr/share/doc/cocos/examples/count/count.c")
    with open(os.path.join(folder, "bob/words.txt"), "w", encoding="ascii") as file:
        file.write("one two\nthree\n")
    service, port = start_computations()
    with open(os.path.join(folder, "config/environment"), "w", encoding="ascii") as file:
        file.write(f"AGENT_CVM_ID=here\nAGENT_CVM_GRPC_URL=127.0.0.1:{port}\nAGENT_GRPC_HOST=127.0.0.1\n")
    agent = Beside([os.path.join(FOLDER, "cocos-agent"), "--development", "--config", folder + "/config",
                    "--certs", folder + "/certs", "--work", folder + "/work"], {})

    def cli(party, *words):
        return run("cocos-cli", *words, cwd=os.path.join(folder, party),
                   env=dict(os.environ, AGENT_GRPC_URL=f"127.0.0.1:{agent_port}"))

    with socket.socket() as probe:  # below the range of outgoing connections
        agent_port = next(each for each in range(21000, 32000)
                          if probe.connect_ex(("127.0.0.1", each)) != 0)
    with service, agent:
        for party in ("alice", "bob"):
            cli(party, "keys", "-k", "ecdsa")
        until(lambda: '"connected":true' in cli("", "cvm", "list", "--json"), "the agent's connection")
        job = cli("", "computation", "create", "--name", "count", "--algorithm", "alice/count",
                  "--algorithm-type", "bin", "--algorithm-key", "alice/public.pem", "--dataset", "bob/words.txt",
                  "--dataset-key", "bob/public.pem", "--consumer-key", "bob/public.pem",
                  "--agent-port", str(agent_port)).strip()
        cli("", "computation", "run", job, "--cvm", "here")

        def state():
            return json.loads(cli("", "computation", "show", job, "--json"))["state"]
        until(lambda: state() == "Waiting for Algorithm", "the manifest's arrival")
        until(lambda: subprocess.run(
            ["cocos-cli", "status"], check=False, capture_output=True,
            env=dict(os.environ, AGENT_GRPC_URL=f"127.0.0.1:{agent_port}")).returncode == 0, "the agent's listener")
        cli("alice", "algo", "count", "private.pem", "-a", "bin")
        cli("bob", "data", "words.txt", "private.pem")
        until(lambda: state() == "Completed", "the end of the run")
        cli("bob", "result", "private.pem", "-o", "results")
        assert "words.txt" in text_of(os.path.join(folder, "bob/results/counts.txt"))
        done.append(job)


def start_manager():
    """Over libvirt's driver of tests: no machine is launched here."""
    manager = as_its_unit("cocos-manager", {"MANAGER_LIBVIRT_URI": "test:///default"}.items())
    manager.wait_line("listening on unix:/run/cocos/manager.sock")
    return manager


def the_manager_serves_members_of_its_group():
    with open("/etc/cocos/manager.conf", "a", encoding="utf-8") as file:
        file.write("MANAGER_TEE=none\nMANAGER_FIRMWARE=SeaBIOS\n")
    with start_manager():
        ask = ["cocos-cli", "vm", "strays"]
        run(*ask)
        nobody = ["env", "HOME=/nonexistent", "setpriv", "--reuid", "65534", "--regid", "65534"]
        run(*nobody, "--groups", str(grp.getgrnam("cocos").gr_gid), *ask)
        refused = subprocess.run([*nobody, "--clear-groups", *ask], capture_output=True, text=True, check=False)
        assert refused.returncode != 0 and re.search(r"manager\.sock.*ermission denied", refused.stderr), refused
    kept["tag"] = text_of("/var/lib/cocos/tag")
    assert kept["tag"]


def the_library_is_found_by_pkg_config():
    flags = run("pkg-config", "--cflags", "--libs", "cocos-attestation").split()
    program = os.path.join(SCRATCH, "verify")
    run("gcc", "-o", program, "/usr/share/doc/cocos/examples/verify.c", *flags)
    assert "libcocos-attestation.so.0 => /" in run("ldd", program)


def newer_ones_keep_registry_database_and_settings():
    apt("install", *DEBS.values())
    for name in NAMES:
        assert run("dpkg-query", "-W", "-f", "${Version} ${db:Status-Status}", name) == f"{VERSION} installed"
    assert text_of(CONFIG).endswith("# of before\nCOMPUTATIONS_GRPC_PORT=0\n")
    assert text_of("/etc/cocos/manager.conf").endswith("# of before\nMANAGER_TEE=none\nMANAGER_FIRMWARE=SeaBIOS\n")
    assert "# of before" not in text_of("/etc/cocos/guests.nft"), "what nobody changed is renewed"
    service, _ = start_computations()
    with service:
        shown = json.loads(run("cocos-cli", "computation", "show", done[0], "--json"))
        assert shown["state"] == "Completed", shown
    with start_manager():
        run("cocos-cli", "vm", "strays")
    assert text_of("/var/lib/cocos/tag") == kept["tag"]


def what_is_removed_leaves_state_and_settings():
    apt("remove", *NAMES)
    for path in ("/usr/bin/cocos-manager", "/usr/lib/cocos/image/image.json", "/usr/share/doc/cocos"):
        assert not os.path.exists(path), path
    for path in ("/var/lib/cocos/registry.db", "/var/lib/cocos/computations", CONFIG, "/etc/cocos/guests.nft"):
        assert os.path.exists(path), path


def what_one_purges_is_not_the_others():
    apt("purge", "cocos-manager")
    assert os.listdir("/var/lib/cocos") == ["computations"]
    assert {name.split(".")[0] for name in os.listdir("/etc/cocos")} == {"computations"}, os.listdir("/etc/cocos")
    assert not os.path.exists("/run/cocos")


def what_is_purged_leaves_nothing():
    apt("purge", "cocos-computations")  # what has no configuration went when it was removed
    left = sorted(path for path in files() - before if not THEIRS.match(path))
    assert not left, left
    assert not before - files()


if __name__ == "__main__":
    FOLDER = os.path.abspath(sys.argv[1])
    DEBS = {os.path.basename(path).split("_")[0]: path for path in glob.glob(os.path.join(FOLDER, "*.deb"))}
    DEBS = {name: DEBS[name] for name in NAMES}
    VERSION = os.path.basename(DEBS["cocos-cli"]).split("_")[1]
    before, done, kept = set(), [], {}
    os.makedirs(SCRATCH)
    tap.run([packages_of_before_are_installed, users_folders_and_units_are_there,
             the_main_job_by_what_is_installed, the_manager_serves_members_of_its_group,
             the_library_is_found_by_pkg_config, newer_ones_keep_registry_database_and_settings,
             what_is_removed_leaves_state_and_settings, what_one_purges_is_not_the_others,
             what_is_purged_leaves_nothing])
