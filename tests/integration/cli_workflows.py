# SPDX-License-Identifier: Apache-2.0
"""Workflows of cocos-cli, submitted and run, with a service that tests play and that may lie."""
import json
import os
import stat
import subprocess

import grpc

import tap
from agent_peer import Key as UserKey
from agent_peer import pem_key
from harness import Folder, cli, until, workflows
from workflow_parties import id_of, order_message
from workflow_played import Key, PlayedService, open_output, seal_output
from workflow_room import BREEDS, World, example, is_running, node, number_in, secure_sum, until_let_go, world

# ---- files ----

def a_workflow_is_checked_before_it_is_submitted():
    with Folder() as folder:
        good = [node("a"), node("b", after=["a"])]
        rows = cli("workflow", "check", folder.write("w.json", json.dumps(good)), "-o", "json").json()
        assert [(row["nodename"], row["dependencies"]) for row in rows] == [("a", []), ("b", ["a"])], rows
        for bad, word in (([node("a", after=["b"]), node("b", after=["a"])], "a"),
                          ([node("a", after=["x"])], "x"), ([node("a"), node("a")], "a"), ([], "node"),
                          ([{**node("a"), "more": 1}], "more"), ([node("../a")], "name")):
            cli("workflow", "check", folder.write("w.json", json.dumps(bad))).refused(2, word)


def an_executors_key_is_made_once_and_for_its_owner_alone():
    with Folder() as folder:
        path = folder("x.key")
        public = cli("executor", "key", path).ok().strip()
        assert len(public) == 64 and cli("executor", "key", path).ok().strip() == public
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        os.chmod(path, 0o640)
        cli("executor", "key", path).refused(1, "others on this machine may use it")
        peer = Key()
        assert cli("executor", "key", folder.write("y.key", peer.pem(), 0o600)).ok().strip() == peer.public.hex()
        # What is no key of an executor is told so, whatever its mode.
        for mode in (0o600, 0o644):
            folder.write("z.key", pem_key(UserKey("ed25519").key), mode)
            assert "chmod" not in cli("executor", "key", folder("z.key")).refused(1, "no X25519 private key").err
        cli("executor", "key", folder.write("notes", "a text\n")).refused(1, "no X25519 private key", "'cocos-cli executor key FILE' makes one")


def who_submits_names_every_executor():
    with world() as w:
        spec = w.folder.write("workflow.json", json.dumps([node("a"), node("b", "cloud")]))
        words = ("workflow", "submit", "--spec", spec, "--key", w.key)
        mine = "home=" + w.key_of().public.hex()
        w(*words).refused(2, "no executor of type home")
        w(*words, "--executor", mine).refused(2, "no executor of type cloud")
        for bad in ("cloud", "cloud=", "cloud=12", mine.replace("home", "cloud") + "00", "moon=" + "00" * 32):
            w(*words, "--executor", mine, "--executor", bad).refused(2, bad[:5])
        w(*words, "--executor", mine, "--executor", mine.replace("home", "cloud"), "--expires",
          "2001-01-01T00:00:00Z").refused(2, "--expires")
        assert not w.service.asked
        name = w(*words, "--executor", mine, "--executor", mine.replace("home", "cloud")).ok().strip()
        order = w.service.orders[name]
        assert id_of(order) == name and order.submitter == w.user.spki
        w.user.key.public_key().verify(order.signature, order_message(order))


# ---- the whole ----

def two_hospitals_and_a_cloud_give_60():
    with world() as w:
        nodes = secure_sum(w.folder)
        running = [w.executor(kind=kind, programs={function: w.folder(kind, file)}) for kind, function, file in (
            ("r1-hospital_executor", "get_patient_data", "hospital.py"),
            ("r2-hospital_executor", "get_patient_data", "hospital.py"),
            ("cloud-hospital-executor", "sum_patient_data", "cloud.py"))]
        name = w.submit(nodes, "--wait").ok().strip()
        for each in running:
            assert each.stop() == 143, each.text()
        assert "Completed" in w("workflow", "get", name).ok()
        w("workflow", "decrypt", name, "--key", w.key, "-o", w.folder("sum.json")).ok()
        assert example("paillier.py", "decrypt", w.folder("paillier.json"), w.folder("sum.json")) == "60\n"
        # Of what the hospitals gave nothing is legible at the service, not even the encrypted numbers.
        for given in w.service.requests("FinishNode"):
            assert given.sealed and b"values" not in given.sealed
        assert not w.left()


def both_ends_agree_with_another_implementation():
    with world() as w:
        w.script("import sys\nsys.stdout.write(open('inputs/first').read() + '!')\n")
        reply, first = Key(), w.key_of("peer")
        order = w.order([node("first", "peer"), node("last", after=["first"])], reply=reply)
        name = w.service.add(order)
        one = w.service.nodes[name][0]
        one.state, one.attempt, one.given, one.executor = "Done", 1, 1, first.public
        one.sealed = seal_output(order, 0, 1, first, "grüße".encode())
        w.service.nodes[name][1].state = "Ready"
        assert w.once().status == 0
        last = w.service.nodes[name][1]
        assert last.executor == w.key_of().public
        assert open_output(order, 1, 1, last.executor, reply, last.sealed) == "grüße!".encode()


def what_was_submitted_is_listed_shown_and_cancelled():
    with world() as w:
        name = w.submit([node("a"), node("b", after=["a"])], "--name", "two").ok().strip()
        assert [(row["id"], row["name"], row["state"]) for row in w("workflow", "list", "-o", "json").json()] == [
            (name, "two", "Running")]
        shown = w("workflow", "get", name, "-o", "json").json()
        assert [(n["nodename"], n["state"], n["dependencies"]) for n in shown["nodes"]] == [
            ("a", "Ready", []), ("b", "Waiting", ["a"])]
        text = w("workflow", "get", name).ok()
        assert w.fingerprint in text and "DEPENDS ON" in text
        w("workflow", "decrypt", name, "a", "--key", w.key).refused(2, "for the nodes that depend on it")
        w("workflow", "decrypt", name, "c", "--key", w.key).refused(2, "no node")
        w("workflow", "result", name, "--key", w.key).refused(2, "no node of the workflow is computed in a CVM: 'workflow decrypt'")
        w("workflow", "cancel", name).ok()
        assert "Cancelled" in w("workflow", "get", name).ok()
        for bad in ("", "x", name.upper(), name + "0"):
            w("workflow", "get", bad).refused(2, "no workflow's id")
        other = w.folder.write("other.pem", pem_key(UserKey("ed25519").key), 0o600)
        w("workflow", "decrypt", name, "b", "--key", other).refused(2, "not signed with that key")


def a_result_is_for_its_owner_alone():
    with world() as w:
        w.script("print('secret')\n")
        name = w.submit([node("a")]).ok().strip()
        assert w.once().status == 0
        before = os.umask(0o022)
        try:
            w("workflow", "decrypt", name, "--key", w.key, "-o", w.folder("out")).ok()
        finally:
            os.umask(before)
        assert stat.S_IMODE(os.stat(w.folder("out")).st_mode) == 0o600


# ---- a program and its end ----

def a_program_has_its_node_and_nothing_of_ours():
    with world() as w:
        w.script("import json, os, sys\n"
                 "print(json.dumps({'env': dict(os.environ), 'argv': sys.argv, 'kwargs': json.load(open('kwargs.json')),\n"
                 "                  'in': os.listdir('.'), 'cwd': os.getcwd(), 'stdin': sys.stdin.read(),\n"
                 "                  'fds': sorted(int(fd) for fd in os.listdir('/proc/self/fd')\n"
                 "                                if os.path.exists('/proc/self/fd/' + fd))}))\n")
        reply = Key()
        kwargs = {"text": "$(touch x); `id` \"quoted\" ü", "deep": [{"a": [1, 2.5, None]}]}
        order = w.order([node("a:1", kwargs=kwargs)], reply=reply)
        name = w.service.add(order)
        assert w.once().status == 0
        given = w.service.nodes[name][0]
        said = json.loads(open_output(order, 0, 1, given.executor, reply, given.sealed))
        assert said["kwargs"] == kwargs and said["stdin"] == "" and said["fds"] == [0, 1, 2], said
        assert said["argv"] == [w.folder("programs", "work"), "work"]
        assert sorted(said["in"]) == ["inputs", "kwargs.json"] and said["cwd"].startswith(w.folder("tmp"))
        assert set(said["env"]) - {"LC_CTYPE"} == {"PATH", "HOME", "TMPDIR", "WORKFLOW_ID", "WORKFLOW_NODE",
                                                   "WORKFLOW_FUNCTION", "WORKFLOW_ATTEMPT"}, said["env"]
        assert said["env"]["WORKFLOW_ID"] == name and said["env"]["WORKFLOW_NODE"] == "a:1"
        assert not w.left()


def its_folder_is_the_same_from_wherever_it_is_named():
    with world() as w:
        w.script("import os\nprint(os.environ['HOME'] == os.environ['TMPDIR'] == os.getcwd())\n")
        reply = Key()
        name = w.service.add(w.order([node("a")], reply=reply))
        w(*w.executor_words("--once", "--folder", os.path.relpath(w.folder("tmp")))).ok()
        given = w.service.nodes[name][0]
        assert open_output(w.service.orders[name], 0, 1, given.executor, reply, given.sealed) == b"True\n"
        w(*w.executor_words("--once", "--folder", w.folder("none"))).refused(2, "folder")


def nothing_outlives_a_node():
    with world() as w:
        # Its program ends by itself, by its time, and with an output that is too large.
        for rest, words, seconds in (("while not os.path.exists('{0}'): time.sleep(0.01)\nsys.exit(3)", "status 3", 600),
                                     ("time.sleep(3600)", "its time was over", 1),
                                     ("while True: sys.stdout.write('x' * 65536)", "larger than 1 MiB", 600)):
            pid_file = w.folder("pid")
            w.script(BREEDS.format(pid_file, rest.format(pid_file)))
            name = w.service.add(w.order([node("a", seconds=seconds, retries=0)]))
            assert w.once().status == 1
            given = w.service.nodes[name][0]
            assert given.state == "Failed" and words in given.failure, given.failure
            if os.path.exists(pid_file):
                assert not is_running(number_in(pid_file))
                os.unlink(pid_file)
            assert not w.left()


def an_executor_that_is_killed_takes_its_programs_along():
    with world() as w:
        pid_file = w.folder("pid")
        w.script(BREEDS.format(pid_file, "time.sleep(3600)"))
        name = w.service.add(w.order([node("a")]))
        running = w.executor()
        grandchild = number_in(pid_file)
        running.kill()
        until(lambda: not is_running(grandchild), "the end of what it ran")
        until_let_go(w.state_of())
        os.unlink(pid_file)
        # The same attempt is not begun twice, whatever the service says; the next one is.
        w.script("print('done')\n")
        w.service.nodes[name][0].state, w.service.nodes[name][0].attempt = "Ready", 0
        w.once().refused(1, "begun here before")
        assert w.service.nodes[name][0].attempt == 1 and not w.service.nodes[name][0].sealed
        assert w.once().status == 0 and w.service.nodes[name][0].given == 2


def sigterm_hands_the_node_back():
    with world() as w:
        pid_file = w.folder("pid")
        w.script(BREEDS.format(pid_file, "time.sleep(3600)"))
        name = w.service.add(w.order([node("a")]))
        running = w.executor()
        grandchild = number_in(pid_file)
        assert running.stop() == 143, running.text()
        assert not is_running(grandchild) and not w.left()
        assert w.service.nodes[name][0].state == "Ready", w.service.nodes[name][0].state
        assert w.service.nodes[name][0].failure == "its executor was stopped"


def a_workflow_that_is_cancelled_is_stopped():
    with world(lease=3) as w:
        pid_file = w.folder("pid")
        w.script(BREEDS.format(pid_file, "time.sleep(3600)"))
        name = w.service.add(w.order([node("a")]))
        running = w.executor()
        grandchild = number_in(pid_file)
        w("workflow", "cancel", name).ok()
        running.wait_line("not this executor's any more")
        until(lambda: not is_running(grandchild), "the end of what it ran")
        assert running.stop() == 143
        assert not w.service.requests("FinishNode") and not w.left()


def a_service_that_is_away_is_waited_for():
    with Folder() as folder:
        with PlayedService(folder("service.sock")) as service:
            w = World(folder, service)
            w.script("print('done')\n")
            running = w.executor()
            running.wait_line("waits for nodes")
        running.wait_line("asking again until it answers")
        again = PlayedService(folder("service.sock"))
        again.executors = service.executors  # before it listens: the executor asks at any moment
        with again:
            name = again.add(w.order([node("a")]))
            until(lambda: again.nodes[name][0].state == "Done", "the node")
            running.wait_line("answers again")
            assert running.stop() == 143


def an_output_for_which_there_is_no_room_at_once_is_not_thrown_away():
    """RESOURCE_EXHAUSTED is said of strangers' calls and of a full log, too: neither is the node's fault."""
    with world() as w:
        w.script("print('done')\n")
        name = w.service.add(w.order([node("a", retries=1)]))

        def full(times):
            def finish(request, context, honest):
                if request.sealed and len(w.service.requests("FinishNode")) <= times:
                    context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "try again later")
                return honest()
            return finish

        w.service.says = {"FinishNode": full(2)}
        assert w.once().status == 0
        given = w.service.nodes[name][0]
        assert given.state == "Done" and given.given == 1, (given.state, given.failure)
        # Where it stays so, that attempt has failed, and no more than that.
        w.service.asked.clear()
        name = w.service.add(w.order([node("a", retries=1)]))
        w.service.says = {"FinishNode": full(1000)}
        w.once().refused(1, "try again later")
        said = w.service.requests("FinishNode")[-1]
        assert said.failure and not said.is_final and w.service.nodes[name][0].state == "Ready"


def an_executor_without_room_says_so_and_goes_on():
    """It held the node until its time was over, and asked the service again and again."""
    with world() as w:
        w.script("print('done')\n")
        order = w.order([node("first", "peer"), node("last", after=["first"], retries=1)])
        name = w.service.add(order)
        one, last = w.service.nodes[name]
        one.state, one.attempt, one.given, one.executor = "Done", 1, 1, w.key_of("peer").public
        one.sealed = seal_output(order, 0, 1, w.key_of("peer"), bytes(1 << 16))
        last.state = "Ready"
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={4 * os.sysconf('SC_PAGE_SIZE')}", "none", w.folder("tmp")],
                       check=True)
        try:
            w.once().refused(1, "No space left", "no room for its inputs")
        finally:
            subprocess.run(["umount", "-l", w.folder("tmp")], check=True)
        assert last.state == "Ready" and last.failure == "its executor has no room for its inputs", (last.state, last.failure)
        assert not w.service.requests("FinishNode")[-1].is_final
        # With room it is the next attempt's.
        assert w.once().status == 0 and last.given == 2


def what_can_not_pass_ends_it_with_a_line():
    with world() as w:
        w.script("print()\n")

        def refuse(code, words):
            return lambda request, context, honest: context.abort(code, words)

        w.service.says["TakeNode"] = refuse(grpc.StatusCode.UNAUTHENTICATED, "another secret")
        w(*w.executor_words()).refused(1, "another secret", "one key is for one executor")
        w.service.says = {"RegisterExecutor": refuse(grpc.StatusCode.PERMISSION_DENIED, "not for you")}
        w(*w.executor_words()).refused(1, "not for you")
        w.service.says = {"RegisterExecutor": lambda *_: workflows.RegisteredExecutor(
            number=1, enc=bytes(32), sealed=bytes(48))}
        w(*w.executor_words()).refused(1, "the secret for this executor")
        w.service.says = {}
        running = w.executor()
        running.wait_line("waits for nodes")
        w(*w.executor_words()).refused(1, "another executor has")
        assert running.stop() == 143
        for without in ("--type", "--key", "--program", "--submitter"):
            words = w.executor_words()
            at = words.index(without)
            w(*words[:at], *words[at + 2:]).refused(2, without)
        for bad in ("work=relative", "work=/nothing/here", "work", "=/bin/true", "a b=/bin/true"):
            w(*w.executor_words(programs={}), "--program", bad).refused(2)
        w(*w.executor_words(), "--submitter", "12").refused(2, "64 hexadecimal digits")


TESTS = [
    a_workflow_is_checked_before_it_is_submitted,
    an_executors_key_is_made_once_and_for_its_owner_alone,
    who_submits_names_every_executor,
    two_hospitals_and_a_cloud_give_60,
    both_ends_agree_with_another_implementation,
    what_was_submitted_is_listed_shown_and_cancelled,
    a_result_is_for_its_owner_alone,
    a_program_has_its_node_and_nothing_of_ours,
    its_folder_is_the_same_from_wherever_it_is_named,
    nothing_outlives_a_node,
    an_executor_that_is_killed_takes_its_programs_along,
    sigterm_hands_the_node_back,
    a_workflow_that_is_cancelled_is_stopped,
    a_service_that_is_away_is_waited_for,
    an_output_for_which_there_is_no_room_at_once_is_not_thrown_away,
    an_executor_without_room_says_so_and_goes_on,
    what_can_not_pass_ends_it_with_a_line,
]

if __name__ == "__main__":
    tap.run(TESTS)
