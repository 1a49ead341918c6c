# SPDX-License-Identifier: Apache-2.0
"""scripts/demo does what README promises, in a virtual machine and on the host, and leaves nothing; with simulated TDX and
a TPM in the long run. With COCOS_TEST_KERNEL=own, its machines alone, and those of each kind of evidence, with the kernel
of our own."""
import contextlib
import glob
import os
import re
import signal
import subprocess
import tempfile

import sample
import tap
from harness import PATIENCE, ROOT, Folder, read, until

DEMO = os.path.join(ROOT, "scripts", "demo")
KERNEL = os.environ.get("COCOS_TEST_KERNEL", "stock")
WHOSE = {"stock": "# Its kernel is Debian's, which runs ACPI code of the host's",
         "own": "# Its kernel is our own, which runs no ACPI code of the host's"}


def processes_of(folder):
    """Process ids whose command line names the folder."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if folder.encode() in read(f"/proc/{pid}/cmdline"):
                found.append(int(pid))
        except OSError:
            pass
    return found


def domains():
    done = subprocess.run(["virsh", "-c", "qemu:///system", "list", "--all", "--uuid"],
                          capture_output=True, text=True, check=False)
    return set(done.stdout.split()) if done.returncode == 0 else set()


def check_run(shown):
    for party, words in (("algorithm", "cocos-cli algo iris.py private.pem"),
                         ("data", "cocos-cli data iris.csv private.pem"),
                         ("consumer", "cocos-cli result private.pem")):
        assert f"{party}$ {words}" in shown, words
    assert "Iris classifier, trained on iris.csv (150 flowers)" in shown
    digests = re.findall(r"^manifest {4}([0-9a-f]{64})$", shown, re.M)
    checksum = re.search(r"checksum --manifest \S+\n([0-9a-f]{64})\n", shown)[1]
    assert digests and set(digests) == {checksum}, "the agent measured another manifest"


class Room:
    """A folder in which demos make theirs, for a `with`. At its end nothing of them is left; secrets and
    machines lie where those of others do, who may be at it just now and are waited for."""

    def __enter__(self):
        self.folder = Folder().__enter__()  # pylint: disable=unnecessary-dunder-call
        os.chmod(self.folder.path, 0o711)  # for QEMU's user
        self.had = self.elsewhere()
        return self

    def __exit__(self, kind, *_):
        try:
            if not kind:
                self.nothing_is_left()
        finally:
            self.folder.__exit__()

    def run(self, *arguments, **environment):
        return subprocess.run([DEMO, *arguments], capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL,
                              env={**os.environ, "TMPDIR": self.folder.path, **environment})

    def demo(self, *arguments, ends="demo: ok"):
        done = self.run(*arguments)
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
        assert done.stdout.rstrip().endswith("\n" + ends), done.stdout[-1000:]
        return done.stdout

    def machine(self, *arguments, ends="demo: ok"):
        """A demo in a virtual machine; what it says of the kernel is so, and verdicts say the same."""
        shown = self.demo(*arguments, *(["--kernel", "own"] if KERNEL == "own" else []), ends=ends)
        check_run(shown)
        assert [kernel for kernel, words in WHOSE.items() if words in shown] == [KERNEL], shown
        if "--tee" in arguments:
            assert ("host's code runs" in shown) == (KERNEL == "stock"), shown
        return shown

    @staticmethod
    def elsewhere():
        return set(glob.glob("/dev/shm/cocos-demo.*")) | domains()

    def nothing_is_left(self):
        assert not os.listdir(self.folder.path), "a folder is left"
        assert not processes_of(self.folder.path), "a process is left"
        until(lambda: self.elsewhere() <= self.had, "the end of secrets and machines",
              seconds=4 * PATIENCE)


def the_demo_runs_on_the_host():
    with Room() as room:
        shown = room.demo("--vm", "none")
        check_run(shown)
        assert "runs outside an image, for development" in shown


def the_demo_runs_in_a_virtual_machine():
    with Room() as room:
        shown = room.machine()
        assert "for development" not in shown and " measured, listening" in shown


def the_demo_runs_over_attested_tls_from_simulated_hardware():
    """Every call of an owner's is judged by a policy that was computed from the image."""
    with Room() as room:
        for tee in sample.of(("snp",), ("snp", "tdx")):
            shown = room.machine("--tee", tee, ends=f"demo: ok (SIMULATED {tee})")
            assert f"$ cocos-cli policy create --image image --tee {tee}" in shown


def the_demo_runs_over_attested_tls_from_the_machines_tpm():
    """A program of this host, and the operator's word: the verdict says both."""
    with Room() as room:
        shown = room.machine("--tee", "vtpm", ends="demo: ok (SIMULATED vtpm)")
        assert "$ cocos-cli policy create --image image --tee vtpm" in shown
        for words in ("algo iris.py", "data iris.csv", "result private.pem", "status"):
            assert re.search(rf"\$ cocos-cli {words}.* --ek_root ", shown), words
        assert "SIMULATED verified: vtpm evidence over this connection" in shown, shown
        assert "note: operator trusted" in shown, shown


def what_is_kept_can_be_used_and_stopped():
    with Room() as room:
        shown = room.demo("--vm", "none", "--keep")
        folder = re.search(r"scripts/demo --stop (\S+)", shown)[1]
        exports = "\n".join(line for line in shown.splitlines() if line.startswith("export "))
        used = subprocess.run(["bash", "-c", exports + "\ncocos-cli status && cocos-cli cvm list"],
                              capture_output=True, text=True, check=False)
        assert used.returncode == 0 and "has the results" in used.stdout, used.stdout + used.stderr
        assert processes_of(folder)
        assert room.run("--stop", folder).stdout.rstrip().endswith("demo: stopped")


@contextlib.contextmanager
def in_front(room, *arguments):
    """A demo that has a session of its own and can be interrupted, also where this test can't be: a shell traps
    nothing that was ignored when it began, as SIGINT is in what other shells start in the background. What it says
    goes to a file, since nobody reads it meanwhile. It is over at the end of the `with`, and has stopped all of its own."""
    with tempfile.TemporaryFile("a+", encoding="utf-8") as said:
        usual = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:  # what has a handler is at its default in a child
            demo = subprocess.Popen([DEMO, *arguments], stdout=subprocess.PIPE, stderr=said, text=True,
                                    stdin=subprocess.DEVNULL, env={**os.environ, "TMPDIR": room.folder.path},
                                    start_new_session=True)
        finally:
            signal.signal(signal.SIGINT, usual)

        def words():
            said.seek(0)
            return said.read()[-3000:]
        with demo:
            try:
                yield demo, words
            finally:
                demo.terminate()
                demo.communicate(timeout=PATIENCE)


def the_page_stays_until_it_is_interrupted():
    with Room() as room, in_front(room, "--vm", "none", "--web") as (demo, said):
        shown = []
        for line in demo.stdout:
            shown.append(line)
            if "".join(shown[-2:]).startswith("# The page shows it."):
                break
        link = re.fullmatch(r"(http://[0-9a-f]{32}\.localhost:(\d+))(/in/[0-9a-f]{64})\n", shown[-1])
        assert link, "".join(shown)[-3000:] + said()
        check_run("".join(shown))
        assert sum(line.startswith("http://") for line in shown) == 2 and shown[-1] not in shown[:-1]
        jar = room.folder("cookies")
        page = subprocess.run(["curl", "-sSL", "--resolve", f"*:{link[2]}:127.0.0.1", "-c", jar, "-b", "", link[0].strip()],
                              capture_output=True, text=True, check=False)
        assert page.returncode == 0 and "iris" in page.stdout and "Completed" in page.stdout, page
        audit = subprocess.run(["curl", "-sS", "--resolve", f"*:{link[2]}:127.0.0.1", "-b", jar, link[1] + "/audit"],
                               capture_output=True, text=True, check=False)
        assert "Create" in audit.stdout, audit
        os.remove(jar)
        os.killpg(demo.pid, signal.SIGINT)  # as Ctrl-C is for all that is in front of a terminal
        rest, _ = demo.communicate(timeout=PATIENCE)
        assert demo.returncode == 0 and rest.rstrip().endswith("demo: ok"), rest + said()


def a_demo_that_fails_says_where_and_leaves_nothing():
    with Room() as room:
        # No folder can be made here, so the service does not start.
        done = room.run("--vm", "none", COMPUTATIONS_STATE_DIR="/proc/nowhere")
        assert done.returncode == 1 and "demo: ok" not in done.stdout
        assert "failed at: starting the computation service" in done.stderr, done.stderr
        assert "/proc/nowhere" in done.stderr, done.stderr


def wrong_calls_are_told_so():
    for arguments in (["--vm"], ["--vm", "cloud"], ["--tee", "sgx"], ["--tee", "snp", "--vm", "none"], ["--bogus"], ["--stop", "/tmp"],
                      ["--web", "--keep"], ["--kernel"], ["--kernel", "debian"], ["--kernel=own", "--vm", "none"]):
        done = subprocess.run([DEMO, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 2 and done.stderr, arguments
        if arguments[0] in ("--vm", "--tee", "--kernel") and len(arguments) > 1:
            assert f"{arguments[0]} " in done.stderr and arguments[1] in done.stderr.split("see --help")[0], done.stderr
    assert "--keep" in subprocess.run([DEMO, "--help"], capture_output=True, text=True,
                                      check=True).stdout


if __name__ == "__main__":
    tap.run([*([] if KERNEL == "own" else [wrong_calls_are_told_so, the_demo_runs_on_the_host,
                                           the_page_stays_until_it_is_interrupted,
                                           a_demo_that_fails_says_where_and_leaves_nothing,
                                           what_is_kept_can_be_used_and_stopped]),
             the_demo_runs_in_a_virtual_machine,
             *sample.of([], [the_demo_runs_over_attested_tls_from_the_machines_tpm]),
             the_demo_runs_over_attested_tls_from_simulated_hardware])
