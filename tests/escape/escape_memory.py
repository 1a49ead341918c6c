# SPDX-License-Identifier: Apache-2.0
"""Memory, and room in memory file systems."""
# flake8: noqa: F821
from rows import hostile


@hostile(ends="out of memory")
def a_family_that_is_too_large():
    """Children, of which each has less than the run's memory, and all together more."""
    family()


@hostile()
def shared_memory_filled():
    """/dev/shm until there is no room."""
    with open("/dev/shm/owned", "wb", buffering=0) as file:
        until_refused(lambda: file.write(bytes(1 << 20)))


@hostile()
def names_without_content():
    """Empty folders in /tmp until there are no more: they take the kernel's memory, not room."""
    counter = iter(range(1 << 20))
    until_refused(lambda: os.mkdir(f"/tmp/{next(counter)}"))


@hostile()
def pipes_without_end():
    """Pipes, each with the kernel's buffers."""
    until_refused(os.pipe)


@hostile()
def memory_that_stays():
    """mlock of 64 MiB, which could not be taken back."""
    block = mmap.mmap(-1, 64 << 20)
    start = ctypes.addressof(ctypes.c_char.from_buffer(block))
    refused(call, 149, ctypes.c_void_p(start), ctypes.c_size_t(64 << 20))


@hostile()
def a_file_of_a_terabyte():
    """A sparse file that is larger than all there is."""
    with open("/tmp/owned", "wb") as file:
        refused(file.truncate, 1 << 40)


@hostile()
def a_memory_file():
    """memfd_create: a file in no file system, which no limit of those counts."""
    refused(os.memfd_create, "hidden")


@hostile(ends="out of memory")
def the_last_to_be_killed():
    """oom_score_adj of -1000, and then more memory than there is."""
    refused(lambda: open("/proc/self/oom_score_adj", "w").write("-1000"))
    family()
