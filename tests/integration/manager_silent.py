# SPDX-License-Identifier: Apache-2.0
"""This machine's own libvirt, without MANAGER_HOSTS, when it hangs: it accepts and says nothing. It is given up and dialled again,
who calls meanwhile is told, and a manager that waits for it stops."""
import os
import signal
import subprocess

import grpc

import libvirt_room as room
import tap
from harness import PATIENCE, PROTOCOL, Folder, program, until
from manager_libvirt import Manager, libvirt

manager, _ = PROTOCOL["manager"]
LIMIT = "no answer within 60 s"
CREATE = manager.CreateReq(agent_cvm_server_url="10.0.2.2:7001")


class Hanging:
    """In a `with`: libvirtd does nothing, and the manager has lost its connection to it."""

    def __init__(self, of):
        self.of = of

    def __enter__(self):
        os.kill(libvirt.pid(), signal.SIGSTOP)
        until(lambda: states(self.of) == ["lost"], "that it is lost")

    def __exit__(self, *_):
        os.kill(libvirt.pid(), signal.SIGCONT)


def states(m):
    return [vm.state for vm in m.stub.ListVms(manager.ListVmsReq(), timeout=PATIENCE).vms]


def it_is_given_up_and_dialled_again():
    with Folder() as folder, Manager(folder) as m:
        cvm = m.create().cvm_id
        with Hanging(m):
            check = subprocess.Popen([program("cocos-manager"), "--check", "--config", folder("manager.conf")], text=True,
                                     stdout=subprocess.PIPE)
            calls = [m.stub.CreateVm.future(CREATE, timeout=PATIENCE) for _ in range(3)]
            for call in calls:  # one after the other, each would wait for as long once more
                error = call.exception()
                assert error and error.code() == grpc.StatusCode.UNAVAILABLE and LIMIT in error.details(), error
            m.process.wait_line(f"libvirt: qemu:///system: {LIMIT}; trying again until it is there")
            said, _ = check.communicate(timeout=PATIENCE)
            assert check.returncode == 1 and LIMIT in said, (check.returncode, said)
        until(lambda: states(m) == ["running"], "that it is seen again")
        assert list(m.records()) == [cvm] and room.domains().keys() == {cvm}
        m.remove(cvm)
        m.stop()


def a_manager_that_waits_for_it_stops():
    with Folder() as folder, Manager(folder) as m:
        cvm = m.create().cvm_id
        with Hanging(m):
            calls = [m.stub.CreateVm.future(CREATE, timeout=PATIENCE) for _ in range(3)]
            m.stop()
            assert all(call.exception() for call in calls)
        with m:
            until(lambda: states(m) == ["running"], "that the next one sees it")
            m.remove(cvm)
            m.stop()


if __name__ == "__main__":
    room.enter(alone=True)
    libvirt.up()
    try:
        tap.run([it_is_given_up_and_dialled_again, a_manager_that_waits_for_it_stops])
    finally:
        libvirt.down()
