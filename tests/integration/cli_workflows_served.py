# SPDX-License-Identifier: Apache-2.0
"""Workflows by cocos-cli alone, with the real service."""
import json
import os

import tap
from computations_backup import done
from harness import Process, cli, program, until
from user_keys import Holder, at_a_terminal
from workflow_room import BREEDS, example, is_running, node, number_in, secure_sum, until_let_go


class Person:
    """A user at a terminal; with a registered key where it submits."""

    def __init__(self, running, environment, name, submits=False):
        self.folder, self.name, self.holder = running.folder, name, Holder(running, name)
        self.env = {**environment(self.holder), "TMPDIR": running.folder("tmp-" + name)}
        os.makedirs(self.env["TMPDIR"])
        if submits:
            self.key = self.holder.private(running.folder, name + ".pem")
            os.chmod(self.key, 0o600)
            self("key", "register", self.key).ok()

    def __call__(self, *words):
        return cli(*words, **self.env)

    def executor_key(self):
        return self("executor", "key", self.folder(self.name + ".key")).ok().strip()

    def executor_words(self, kind, function, path, submitter, *more):
        return ["executor", "run", "--type", kind, "--key", self.folder(self.name + ".key"), "--program",
                f"{function}={path}", "--submitter", submitter.holder.fingerprint.hex(), *more]

    def executor(self, *words):
        return Process([program("cocos-cli"), *self.executor_words(*words)], self.env)

    def submit(self, nodes, keys, *more):
        spec = self.folder.write("workflow.json", json.dumps(nodes))
        named = [word for kind, key in keys.items() for word in ("--executor", f"{kind}={key}")]
        return self("workflow", "submit", "--spec", spec, "--key", self.key, *named, *more)

    def states(self, name):
        shown = self("workflow", "get", name, "-o", "json").json()
        return shown["state"], [n["state"] for n in shown["nodes"]]


def two_hospitals_and_a_cloud_give_60_by_the_commands_of_the_guide():
    with at_a_terminal() as (running, environment):
        user = Person(running, environment, "user", submits=True)
        stranger = Person(running, environment, "stranger", submits=True)
        nodes, folder = secure_sum(running.folder), running.folder
        at, keys = [], {}
        for name, kind, function, file in (("r1", "r1-hospital_executor", "get_patient_data", "hospital.py"),
                                           ("r2", "r2-hospital_executor", "get_patient_data", "hospital.py"),
                                           ("cloud", "cloud-hospital-executor", "sum_patient_data", "cloud.py")):
            person = Person(running, environment, name)
            keys[kind] = person.executor_key()
            at.append(person.executor(kind, function, folder(kind, file), user))
        for each in at:
            each.wait_line("waits for nodes")
        name = user.submit(nodes, keys, "--wait", "--name", "sum").ok().strip()
        assert user.states(name) == ("Completed", ["Done"] * 3)
        user("workflow", "decrypt", name, "cloud:sum_patent_data", "--key", user.key, "-o", folder("sum.json")).ok()
        assert example("paillier.py", "decrypt", folder("paillier.json"), folder("sum.json")) == "60\n"
        rows = user("executor", "list", "-o", "json").json()
        assert {(row["type"], row["key"], row["proven"]) for row in rows} == {
            (kind, key, "yes") for kind, key in keys.items()}, rows
        assert [row["name"] for row in user("workflow", "list", "-o", "json").json()] == ["sum"]
        # Nobody else has the result: neither from the service nor with another key.
        stranger("workflow", "decrypt", name, "--key", user.key, "-o", folder("no")).refused(1)
        user("workflow", "decrypt", name, "--key", stranger.key, "-o", folder("no")).refused(2, "not signed with that key")
        assert not os.path.exists(folder("no"))
        for each in at:
            assert each.stop() == 143, each.text()


def a_node_goes_on_when_its_executor_or_the_service_was_away():
    with at_a_terminal() as (running, environment):
        user, home = (Person(running, environment, name, submits=name == "user") for name in ("user", "home"))
        folder, pid_file = running.folder, running.folder("pid")
        path = folder("programs", "work")

        def script(text):
            folder.write("programs/work", "#!/usr/bin/python3\n" + text, 0o755)

        script(BREEDS.format(pid_file, "time.sleep(3600)"))
        words = ("home", "work", path, user)
        key = home.executor_key()
        name = user.submit([node("a", retries=5), node("b", after=["a"], retries=5)], {"home": key}).ok().strip()
        # Killed: all that it ran is gone, and the same executor takes the node again.
        first = home.executor(*words)
        grandchild = number_in(pid_file)
        first.kill()
        until(lambda: not is_running(grandchild), "the end of what it ran")
        until_let_go(os.path.join(home.env["XDG_STATE_HOME"], "cocos", "executor", key))
        os.unlink(pid_file)
        # Told to end: it hands the node back.
        second = home.executor(*words)
        grandchild = number_in(pid_file)
        assert second.stop() == 143 and not is_running(grandchild), second.text()
        assert user.states(name)[1][0] in ("Ready", "Waiting"), user.states(name)
        # The service is away while it runs.
        mark = folder("go on")
        script(f"import os, time\nopen('{pid_file}', 'w').write('1\\n')\n"
               f"while not os.path.exists('{mark}'): time.sleep(0.02)\nprint(os.listdir('inputs'))\n")
        os.unlink(pid_file)
        third = home.executor(*words)
        number_in(pid_file)
        running.channel.close()
        assert running.process.stop() == 0
        folder.write("go on", "")
        third.wait_line("asking again until it answers")
        running.start()
        until(lambda: user.states(name)[0] == "Completed", "its end")
        assert user("workflow", "decrypt", name, "--key", user.key).ok() == "['a']\n"
        assert third.stop() == 143, third.text()


def what_is_cancelled_or_removed_stops():
    with at_a_terminal() as (running, environment):
        user, home = (Person(running, environment, name, submits=name == "user") for name in ("user", "home"))
        folder, pid_file = running.folder, running.folder("pid")
        path = folder.write("programs/work", "#!/usr/bin/python3\n" + BREEDS.format(pid_file, "time.sleep(3600)"), 0o755)
        key = home.executor_key()
        at = home.executor("home", "work", path, user)
        name = user.submit([node("a"), node("b", after=["a"])], {"home": key}).ok().strip()
        grandchild = number_in(pid_file)
        user("workflow", "cancel", name).ok()
        at.wait_line("not this executor's any more")
        until(lambda: not is_running(grandchild), "the end of what it ran")
        assert user.states(name) == ("Cancelled", ["Cancelled"] * 2)
        user.submit([node("a")], {"home": key}, "--wait=1s").refused(1)
        number = home("executor", "list", "-o", "json").json()[0]["number"]
        home("executor", "remove", str(number)).ok()
        assert at.end() == 1 and "it was removed" in at.text(), at.text()


def an_older_backup_has_no_attempt_run_twice():
    with at_a_terminal() as (running, environment):
        user, home = (Person(running, environment, name, submits=name == "user") for name in ("user", "home"))
        folder, begun = running.folder, running.folder("begun")
        path = folder.write("programs/work", "#!/usr/bin/python3\nimport os\n"
                            f"with open('{begun}', 'a') as file:\n"
                            "    file.write(os.environ['WORKFLOW_NODE'] + os.environ['WORKFLOW_ATTEMPT'] + '\\n')\n"
                            "print('given')\n", 0o755)
        key, words = home.executor_key(), ("home", "work", path, user)
        names = [user.submit([node(n, retries=retries)], {"home": key}).ok().strip() for n, retries in (("a", 1), ("b", 0))]
        other = user("executor", "key", folder("other.key")).ok().strip()
        cancelled = user.submit([node("c")], {"home": other}).ok().strip()
        done(running, "--backup", folder("older"))
        for _ in names:
            home(*home.executor_words(*words, "--once")).ok()
        user("workflow", "cancel", cancelled).ok()
        assert [user.states(name)[0] for name in names] == ["Completed"] * 2
        running.channel.close()
        assert running.process.stop() == 0
        os.rename(folder("state"), folder("lost"))
        done(running, "--restore", folder("older"))
        running.start()
        assert user.states(cancelled) == ("Running", ["Ready"])
        at = home.executor(*words)
        until(lambda: "Running" not in [user.states(name)[0] for name in names], "their end")
        assert [user.states(name)[0] for name in names] == ["Completed", "Failed"]
        assert "begun here before" in user("workflow", "get", names[1]).ok()
        assert user("workflow", "decrypt", names[0], "--key", user.key).ok() == "given\n"
        with open(begun, encoding="ascii") as file:
            assert file.read() == "a1\nb1\na2\n"
        user("workflow", "cancel", cancelled).ok()
        assert at.stop() == 143, at.text()


TESTS = [
    two_hospitals_and_a_cloud_give_60_by_the_commands_of_the_guide,
    a_node_goes_on_when_its_executor_or_the_service_was_away,
    what_is_cancelled_or_removed_stops,
    an_older_backup_has_no_attempt_run_twice,
]

if __name__ == "__main__":
    tap.run(TESTS)
