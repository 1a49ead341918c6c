# SPDX-License-Identifier: Apache-2.0
"""Files and links that are not the run's."""
# flake8: noqa: F821
from rows import hostile


@hostile(outside=True)
def the_machines_passwords():
    """/etc/shadow directly, through .. and through /proc/self/root."""
    for path in ("/etc/shadow", "../../../../../etc/shadow", "/proc/self/root/etc/shadow"):
        refused(open, path)


@hostile(outside=True)
def passwords_by_a_link():
    """A chain of symbolic links to /etc/shadow."""
    os.makedirs("chain")
    last = "/etc/shadow"
    for i in range(39):
        path = os.path.abspath(f"chain/{i}")
        os.symlink(last, path)
        last = path
    refused(open, last)


@hostile(outside=True)
def the_machines_folders():
    """Lists /root, /var, /sys, /boot and /run."""
    for path in ("/root", "/var", "/sys", "/boot", "/run"):
        refused(os.listdir, path)


@hostile(outside=True)
def what_process_1_has_open():
    """Environment, memory map, descriptors and root of pid 1 by /proc."""
    for name in ("environ", "maps", "fd", "root", "cwd"):
        refused(os.listdir if name in ("fd", "root", "cwd") else open, "/proc/1/" + name)


@hostile()
def a_descriptor_left_open():
    """Looks for descriptors of the agent's that were not closed."""
    left = [fd for fd in range(3, 1024) if os.path.lexists(f"/proc/self/fd/{fd}")]
    for fd in left:
        path = os.readlink(f"/proc/self/fd/{fd}")
        print(fd, path)
        if not path.startswith(("/task/algorithm", "/usr/", "/venv/")):
            sys.exit(ESCAPED)


@hostile()
def other_peoples_uploads():
    """Searches the whole tree for what the agent keeps: proofs, requirements, other runs."""
    for folder, folders, names in os.walk("/"):
        folders[:] = [f for f in folders if os.path.join(folder, f) not in ("/usr", "/proc", "/venv", "/lib")]
        if {"uploads", "scratch", "results.zip", "environment", "agent"} & set(folders + names):
            print(folder, folders, names)
            sys.exit(ESCAPED)


@hostile()
def a_handle_instead_of_a_path():
    """open_by_handle_at, which goes past every folder's permissions."""
    handle = ctypes.create_string_buffer((128).to_bytes(4, "little"), 136)
    folder = os.open("/usr", os.O_RDONLY)
    mount = ctypes.c_int()

    def by_handle():
        call(303, -100, b"/usr/bin", handle, ctypes.byref(mount), 0)
        call(304, folder, handle, 0)
    refused(by_handle)


@hostile()
def a_hard_link_to_a_program():
    """A second name for the interpreter, among the programs."""
    refused(os.link, os.path.realpath("/usr/bin/python3"), "/usr/bin/owned")


@hostile()
def its_own_environment_for_the_next_run():
    """Changes what Python starts with: /venv, and its settings."""
    for path in ("/venv/pyvenv.cfg", "/venv/bin/python3"):
        refused(open, path, "w")
    refused(os.symlink, "/tmp", "/venv/lib/owned")
