# SPDX-License-Identifier: Apache-2.0
"""kill -9 of agent, keeper, jail, service or command line at random moments of whole jobs on this host.

COCOS_SEED names other moments than those of every run, COCOS_KILLS how many, COCOS_VICTIMS whom, in turn."""
import contextlib
import json
import os
import random
import signal
import subprocess
import threading
import time
import zipfile

import journal_book
import sample
import tap
from agent_confined import children, command
from harness import PATIENCE, Folder, cli, program, read, until
from job_host import IRIS, Job, command_lines, journal_is_whole, processes
from receipt_reader import Receipt
from teesim import MEASUREMENT, Teesim, unavailable

SEED = int(os.environ.get("COCOS_SEED", "20261121"))
VICTIMS = os.environ.get("COCOS_VICTIMS", "agent keeper jail service cli").split()
KILLS = int(os.environ.get("COCOS_KILLS", sample.of(4, 200) * len(VICTIMS)))
LONGEST = 3.0  # seconds; a job that is not disturbed takes about as long on an idle machine
RUN_LONGEST = 0.8  # of those, the run with its preparation


def running(marker):
    """Whether an algorithm with that argument does; the command that sends it has it, too."""
    return any(marker in line and not line.startswith(program("cocos-cli")) for line in command_lines())


class Commands:
    """cocos-cli again and again, of which the one that runs at the moment can be killed."""

    def __init__(self, job):
        self.job, self.lock, self.process, self.over = job, threading.Lock(), None, False
        self.ended_well, self.said = set(), {}

    def __call__(self, *arguments, cwd=None):
        """The exit status; None once a command was killed."""
        env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **self.job.where}
        env.update({k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")})
        with self.lock:
            if self.over:
                return None
            self.process = subprocess.Popen(  # pylint: disable=consider-using-with
                [program("cocos-cli"), *arguments], env=env, cwd=cwd, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said = self.process.communicate(timeout=PATIENCE)[0].decode(errors="replace")
        status = self.process.returncode
        self.said[arguments[0]] = f"{status}: {said}"  # the last of each
        if status == 0:  # told so to whoever typed it, even if it was the last moment
            self.ended_well.add(arguments[0])
        return None if self.over else status

    def kill(self):
        """And nothing follows."""
        with self.lock:
            self.over = True
            if self.process and self.process.poll() is None:
                self.process.kill()


def as_far_as_it_comes(job, computation, script, marker):
    """A thread that types one job's commands until one of them is refused; with it what can be killed."""
    typed = Commands(job)

    def steps():
        if typed("computation", "run", computation) != 0:
            return
        while (status := typed("status")) != 0:
            if status is None or typed.over:
                return
            time.sleep(0.02)
        if typed("algo", script, job.key("algorithm"), "-a", "python", "--args", marker) != 0 or \
                typed("data", IRIS, job.key("data")) != 0:
            return
        while typed("result", job.key("consumer"), cwd=job.folder("consumer")) not in (0, None):
            time.sleep(0.02)
    thread = threading.Thread(target=steps)
    thread.start()
    return typed, thread


def journals_are_whole(job, computation):
    """Of each run, as far as the service has it, and with one delivery at most; their entries."""
    path, journals = job.folder("journal"), []
    for run in range(1, 100):
        got = job("journal", "get", computation, "--run", str(run), "-o", path, "--force")
        if got.status:
            assert "no journal" in got.err, got.err
            return journals
        entries, closed = journal_book.verify(read(path))
        assert entries[0][4]["computation"] == computation
        assert [e[3] for e in entries].count("delivery") <= 1, "delivered twice"
        assert ("closed: " if closed else "open: ") in job("journal", "verify", path, "--chain-only").ok()
        os.remove(path)
        journals.append(entries)
    raise AssertionError("a hundred runs")


class Receipts:
    """Of a machine with simulated hardware; where there can be none, results come without."""

    def __init__(self, stack):
        self.why, self.tee = unavailable(), None
        if self.why:
            print(f"# without receipts: {self.why}")
            return
        self.folder = stack.enter_context(Folder())
        self.tee = stack.enter_context(Teesim(self.folder))
        self.policy = self.folder.write("policy.json", json.dumps(
            {"cocos": 1, "snp": {"measurements": [MEASUREMENT]}, "run": {"weak_words": ["development"]}}))

    def agent_options(self):
        return ("--tsm", self.tee.mount) if self.tee else ()

    def trust(self, job, computation):
        """Options of the command line that judge this machine's evidence."""
        if not self.tee:
            return ()
        manifest = self.folder.write("manifest.json", job("computation", "manifest", computation).ok())
        return ("--policy", self.policy, "--offline", "--trusted_root", self.tee.root, "--manifest", manifest)

    def of(self, job, computation, results, path):
        """The receipt in that file, which is these results', as both implementations say."""
        receipt = Receipt(read(path)).check().is_of(results)
        assert receipt.computation == computation and receipt.exit == 0, vars(receipt)
        said = cli("receipt", "verify", results, "--receipt", path, *self.trust(job, computation))
        assert said.status == 0 and said.out.startswith("SIMULATED verified: "), (said.out, said.err)
        return receipt

    def beside(self, job, computation, typed=None):
        """Whatever is called results has its receipt, and a receipt without is of what has no name yet."""
        consumer, found = job.folder("consumer"), []
        names = os.listdir(consumer)
        if not self.tee:
            assert not [name for name in names if ".receipt." in name], names
            return found
        for name in (name for name in names if name.endswith(".zip")):
            path = os.path.join(consumer, name.removesuffix(".zip") + ".receipt.cbor")
            assert os.path.exists(path), (names, typed.said, job.agent.process.text())
            found.append(self.of(job, computation, os.path.join(consumer, name), path))
        for name in (name for name in names if name.endswith(".receipt.cbor")):
            results = name.removesuffix(".receipt.cbor") + ".zip"
            if results not in names:
                [part] = [one for one in names if one.startswith(results + ".part-")]
                found.append(self.of(job, computation, os.path.join(consumer, part), os.path.join(consumer, name)))
        return found


def receipts_stand_in(journals, receipts, lost):
    """Each receipt's place in its run's journal; `lost`: the journal went no further than it had come when agent or
    keeper was killed."""
    for receipt in receipts:
        count, digest = receipt.journal
        of_run = [entries for entries in journals if entries[0][4]["statement"] == receipt.statement]
        assert len(of_run) == 1 or (lost and not of_run), (len(journals), len(of_run))
        for entries in of_run:
            assert len(entries) > count or lost, (len(entries), count)
            assert len(entries) <= count or entries[count][1] == digest, "a receipt of another journal"


def results_are_whole(job):
    """What has their name is all of them; how many there are."""
    found = [name for name in os.listdir(job.folder("consumer")) if name.endswith(".zip")]
    for name in found:
        with zipfile.ZipFile(job.folder("consumer", name)) as archive:
            assert archive.read("done") == b"yes", name
    return len(found)


def results_come_once(job, computation, typed, same_run, receipts):
    """After a kill: what a command said it had fetched is there; `same_run`: agent and service were left alone, so what
    was not handed out is there for the next who asks, and what was is in a file, if not under its name yet. Once. How
    many there are, and their receipts."""
    there = results_are_whole(job)
    assert there == 1 if "result" in typed.ended_well else there <= 1, (there, typed.ended_well)
    if same_run and job("status", "--json").json()["state"] in ("ConsumingResults", "Complete"):
        again = job("result", job.key("consumer"), cwd=job.folder("consumer"))
        parts = [name for name in os.listdir(job.folder("consumer")) if ".zip.part-" in name]
        assert (again.status == 0) <= (there == 0), "handed out twice"
        assert again.status == 0 or there or parts, ("handed out, and nowhere", again.err)
        there = results_are_whole(job)
        job("result", job.key("consumer"), cwd=job.folder("consumer")).refused(1)
    found = receipts.beside(job, computation, typed)
    for name in os.listdir(job.folder("consumer")):
        if not name.endswith(".pem"):
            os.remove(job.folder("consumer", name))
    return there, found


def kill_part(job, name):
    """Of the agent's own processes the one with that name; whether there was one."""
    for pid in children(job.agent.process.pid):
        try:
            held = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            if command(pid)[1:2] == [name.encode()]:
                signal.pidfd_send_signal(held, signal.SIGKILL)
                return True
        except (FileNotFoundError, ProcessLookupError):
            continue
        finally:
            os.close(held)
    return False


def kill_keeper(job):
    """Keys, devices and the journal's signatures are gone with it, so the agent ends, too, and says why."""
    assert kill_part(job, "keeper")
    assert job.agent.process.end() != 0 and "the keeper ended by itself" in job.agent.process.text()


def kill_jail(job, thread, chance):
    """At any moment of a run, once one has begun. The agent goes on; whether it was in time."""
    while thread.is_alive():
        if any(command_of(pid)[1:2] == [b"jail"] for pid in children(job.agent.process.pid)):
            time.sleep(chance.uniform(0, RUN_LONGEST))
            killed = kill_part(job, "jail")
            until(lambda: job("status", "--json").json()["state"] != "Running", "the end of the run")
            return killed
        time.sleep(0.01)
    return False


def command_of(pid):
    try:
        return command(pid)
    except FileNotFoundError:
        return []


def jail_was_killed(job, killed):
    """The run that lost its jail says so; one that had ended by then is as it was."""
    said = job("status", job.key("consumer"), "--json").json()
    if said["state"] == "Failed":
        assert killed and "its process was killed" in said["failure"], said
    assert job.agent.process.process.poll() is None, job.agent.process.text()


def kill_one(job, victim, typed, thread, chance, marker):
    if victim == "jail":
        jail_was_killed(job, kill_jail(job, thread, chance))
        return
    time.sleep(chance.uniform(0, LONGEST))
    if victim == "agent":
        job.agent.process.kill()
    elif victim == "keeper":
        kill_keeper(job)
    elif victim == "service":
        job.service.process.kill()
        job.service.channel.close()
        job.service.start()
    else:
        typed.kill()
    if victim in ("agent", "keeper"):
        until(lambda: not running(marker), f"the end of the processes of {victim}")
        job.agent.start()


def job_with_a_kill(job, computation, victim, chance, receipts, script, marker):  # pylint: disable=too-many-arguments
    """One job as far as it comes, and what is left of it: its journals, results and receipts, counted."""
    typed, thread = as_far_as_it_comes(job, computation, script, marker)
    kill_one(job, victim, typed, thread, chance, marker)
    typed.kill()
    thread.join(PATIENCE)
    assert not thread.is_alive(), "a command hangs"
    job.connected()
    assert job("computation", "show", computation, "--json").json()["id"] == computation
    there, found = results_come_once(job, computation, typed,
                                     victim in ("cli", "jail") and "status" in typed.ended_well, receipts)
    job("computation", "stop", computation).ok()
    until(lambda: not job("computation", "show", computation, "--json").json()["stopping"], "the stop")
    until(lambda: not running(marker), "the end of the run")
    journals = journals_are_whole(job, computation)
    receipts_stand_in(journals, found, victim in ("agent", "keeper"))
    return len(journals), there, len(found)


def kills_during_runs_leave_nothing_behind():
    """kill -9 of agent, keeper, jail, service or command line at seeded moments of a job: nothing hangs, what the service
    keeps of each journal is right, what is called results is whole, is handed out once, is not lost and has its
    receipt, which stands in the journal; a fresh start works, and the whole job goes through."""
    chance = random.Random(SEED)
    print(f"# seed {SEED}, {KILLS} kills of {' '.join(VICTIMS)}", flush=True)
    with contextlib.ExitStack() as stack:
        receipts = Receipts(stack)
        job = Job(stack, agent_options=receipts.agent_options())
        marker = f"cocos-test-kill-{random.randrange(1 << 40)}"
        script = job.folder.write("work.py", f"# {marker}\nimport time\nfor n in range(20):\n"
                                             "    print(n, flush=True)\n    time.sleep(0.02)\n"
                                             "open('results/done', 'w').write('yes')\n")
        counts = [0, 0, 0]
        for number in range(KILLS):
            computation = job.create(script, kind="python", args=(marker,))
            victim = VICTIMS[number % len(VICTIMS)]
            try:
                left = job_with_a_kill(job, computation, victim, chance, receipts, script, marker)
            except BaseException:
                print(f"# at kill {number}, of {victim}")
                raise
            counts = [a + b for a, b in zip(counts, left)]
        print("# {} journals, {} results, {} receipts".format(*counts))
        computation = job.create(script, kind="python", args=(marker,))
        job.run(computation)
        job("algo", script, job.key("algorithm"), "-a", "python", "--args", marker).ok()
        job("data", IRIS, job.key("data")).ok()
        job.until_state(computation, "Completed")
        job("result", job.key("consumer"), "-o", "out", cwd=job.folder("consumer")).ok()
        assert read(job.folder("consumer/out/done")) == b"yes"
        assert len(receipts.beside(job, computation)) == (1 if receipts.tee else 0)
        journal_is_whole(job, computation, receipts.trust(job, computation))
        assert job.agent.process.stop() == 0
        assert job.agent.left_behind() == [] and marker not in processes()


if __name__ == "__main__":
    tap.run([kills_during_runs_leave_nothing_behind])
