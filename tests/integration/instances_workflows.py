# SPDX-License-Identifier: Apache-2.0
"""A workflow while the instance that hands its nodes out is killed, and another one takes its place: outputs go on from node to
node all the same, by way of whichever instance an executor or a submitter knows.

An instance that this machine keeps from renewing its lease loses it, as it should: nothing here takes it for a failure."""
import os
import types

import tap
from cli_workflows_served import Person
from harness import until
from instance_room import LONG_LEASE, TAKES, Room
from people import Caller
from user_keys import Holder
from workflow_room import node

# It has begun when the one file is there, and ends when the other is.
WAITS = ("#!/usr/bin/python3\nimport os, sys, time\nopen({begun!r}, 'w').close()\n"
         "while not os.path.exists({go!r}): time.sleep(0.05)\nprint('from first')\n")
ADDS = "#!/usr/bin/python3\nprint(open('inputs/first').read().strip() + ' to last')\n"


class Place:
    """Where people are: one instance's socket, or each his own."""

    def __init__(self, room, at):
        self.room, self.folder, self.at = room, at.folder, {}
        self.running = types.SimpleNamespace(folder=at.folder, channel=at.channel, root=Caller(at.channel))

    def person(self, name, knows, submits=False):
        def environment(holder):
            return {"COMPUTATIONS_GRPC_URL": "unix:" + knows.socket, "XDG_STATE_HOME": self.folder("home-" + name),
                    "COMPUTATIONS_GRPC_TOKEN_FILE": holder.token(self.folder)}
        return Person(self.running, environment, name, submits)


def goes_on(knows):
    """`knows`: of who serves and who stands by, what submitter, the first executor and the last one know."""
    with Room(2, passes=True, LEASE=LONG_LEASE) as room:
        serving = room.until_serving()
        other = next(one for one in room.instances if one is not serving)
        until(lambda: other.passes_to(serving), "it to pass on", TAKES)
        place, folder = Place(room, serving), serving.folder
        user, first, last = (place.person(name, (serving, other)[which], submits=name == "user")
                             for name, which in zip(("user", "first", "last"), knows))
        begun, go = folder("begun"), folder("go")
        programs = {"first": folder.write("first.py", WAITS.format(begun=begun, go=go), 0o755),
                    "last": folder.write("last.py", ADDS, 0o755)}
        keys = {who.name: who.executor_key() for who in (first, last)}
        at = [who.executor(who.name, "work", programs[who.name], user) for who in (first, last)]
        name = user.submit([node("first", "first", retries=5), node("last", "last", after=["first"], retries=5)],
                           keys).ok().strip()
        until(lambda: os.path.exists(begun), "the first node's program")
        # It runs while who handed it out is killed, and another instance takes the place of that one.
        serving.process.kill()
        assert room.until_serving(serving) is other
        serving.again()
        until(lambda: serving.passes_to(other), "it to pass on", TAKES)
        folder.write("go", "")
        until(lambda: user.states(name) == ("Completed", ["Done"] * 2), "the workflow's end", TAKES)
        user("workflow", "decrypt", name, "--key", user.key, "-o", folder("result")).ok()
        with open(folder("result"), encoding="ascii") as file:
            assert file.read() == "from first to last\n"
        for each in at:
            assert each.stop() == 143, each.text()


def an_output_goes_on_where_all_know_who_was_killed():
    goes_on((0, 0, 0))


def an_output_goes_on_where_executors_know_different_instances():
    goes_on((1, 1, 0))


TESTS = [
    an_output_goes_on_where_all_know_who_was_killed,
    an_output_goes_on_where_executors_know_different_instances,
]

if __name__ == "__main__":
    tap.run(TESTS)
