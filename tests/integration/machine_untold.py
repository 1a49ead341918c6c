# SPDX-License-Identifier: Apache-2.0
"""A manager that makes and removes CVMs, and can't be asked what it has (docs/peers.md): what it made with an answer that
was lost, and what it says it can't remove, is ended by force, once somebody could see that nobody knows."""
import grpc

import tap
from harness import until
from machines import FULL, agent, made, ours, service, shown, until_state
from machine_moves import refuse
from people import Caller

UNTOLD = "can't be asked what it has, so nobody knows whether it is gone"
NO_SUCH = "entity not found"
LIMITS = "limit default cvms=1\n"


def only_makes(running):
    running.played.says["GetVm"] = refuse(grpc.StatusCode.UNIMPLEMENTED, "unknown method GetVm")


def loses_its_answer(running):
    """It makes one, and nobody hears of it."""
    running.played.says["CreateVm"] = refuse(grpc.StatusCode.UNAVAILABLE, "the connection broke")


def again(running):
    running.process.kill()
    running.channel.close()
    running.start()
    running.root = Caller(running.channel)


def what_was_made_and_not_answered_is_ended_by_force():
    with service(LIMITS) as running:
        only_makes(running)
        loses_its_answer(running)
        assert not made(running.root, "one").cvm_id
        # Forced before anybody could see that its manager can't be asked: nothing is given up.
        out = running.root("RemoveCvm", name="one", force=True)
        assert out.leaving and out.state == "Provisioning", out
        until(lambda: UNTOLD in shown(running, "one").reason, "what keeps it")
        assert "once more with force (unknown method GetVm)" in shown(running, "one").reason
        # It stays, and counts, for who has not looked.
        out = running.root("RemoveCvm", name="one")
        assert out.leaving and UNTOLD in out.reason, out
        assert running.root.code("CreateCvm", name="two") == FULL
        again(running)
        ours(running, "cvm", "remove", "one", "--force").ok()
        assert shown(running, "one").state == "Removed"
        running.played.says.pop("CreateVm")
        made(running.root, "two")
        assert running.played.asked.count("CreateVm") == 2, "what may have been made was not asked for again"


def what_it_says_it_can_not_remove_is_ended_by_force():
    with service(LIMITS) as running:
        cvm = made(running.root, "one").cvm_id
        only_makes(running)
        running.played.says["RemoveVm"] = refuse(grpc.StatusCode.UNKNOWN, NO_SUCH)
        # Whose agent is connected is there, whoever says what.
        with agent(running, cvm):
            until_state(running, "one", "Ready")
            for _ in range(3):
                assert running.root("RemoveCvm", name="one", force=True).leaving
            until(lambda: "its agent is connected" in shown(running, "one").reason, "what keeps it")
            assert NO_SUCH in running.root("RemoveCvm", name="one", force=True).reason
        until(lambda: UNTOLD in shown(running, "one").reason, "what keeps it")
        assert f"({NO_SUCH})" in shown(running, "one").reason
        assert running.root("RemoveCvm", name="one").leaving
        assert running.root("RemoveCvm", name="one", force=True).state == "Removed"


def what_its_manager_says_it_has_is_not_given_up():
    with service(LIMITS) as running:
        made(running.root, "one")
        running.played.says["RemoveVm"] = refuse(grpc.StatusCode.UNKNOWN, "not now")
        for _ in range(3):
            out = running.root("RemoveCvm", name="one", force=True)
            assert out.leaving and out.reason == "manager here: not now", out
        assert running.played.there
        running.played.says.clear()
        until_state(running, "one", "Removed")
        assert not running.played.there


if __name__ == "__main__":
    tap.run([what_was_made_and_not_answered_is_ended_by_force, what_it_says_it_can_not_remove_is_ended_by_force,
             what_its_manager_says_it_has_is_not_given_up])
