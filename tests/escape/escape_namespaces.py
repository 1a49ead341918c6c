# SPDX-License-Identifier: Apache-2.0
"""Namespaces and identity. What these functions use is in front of each script (rows.PRELUDE)."""
# flake8: noqa: F821
from rows import hostile


@hostile()
def a_mount_namespace_by_unshare():
    """unshare(CLONE_NEWNS | CLONE_NEWUSER), to become root of a new one."""
    refused(call, 272, 0x10020000)


@hostile()
def pid_1s_namespaces():
    """Opens /proc/1/ns/mnt, to enter it with setns."""
    refused(os.open, "/proc/1/ns/mnt", os.O_RDONLY)


@hostile()
def another_map_of_users():
    """Writes /proc/self/uid_map, which would make it root outside."""
    refused(lambda: open("/proc/self/uid_map", "w").write("0 0 4294967295"))


@hostile()
def a_set_uid_copy():
    """A copy of the interpreter with the set-uid bit, which another user's program would then start."""
    path = "/tmp/owned"
    with open(os.path.realpath("/usr/bin/python3"), "rb") as source, open(path, "wb") as copy:
        copy.write(source.read(1 << 20))
    os.chmod(path, 0o6755)
    refused(os.chown, path, 0, 0)
    flags = os.statvfs("/tmp").f_flag
    sys.exit(0 if flags & os.ST_NOSUID else ESCAPED)


@hostile()
def capabilities_of_a_file():
    """Gives a file cap_sys_admin by the attribute security.capability."""
    open("/tmp/owned", "w").close()
    refused(os.setxattr, "/tmp/owned", "security.capability", bytes.fromhex("0100000200002000") + bytes(12))


@hostile()
def another_name_for_the_machine():
    """sethostname, which others would see if the namespace were theirs."""
    refused(socket.sethostname, "owned")
