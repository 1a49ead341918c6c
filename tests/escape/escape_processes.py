# SPDX-License-Identifier: Apache-2.0
"""Processes, signals and the run's place among others."""
# flake8: noqa: F821
from rows import hostile


@hostile()
def a_signal_to_everybody():
    """kill(-1, SIGKILL): all that it may signal, which must be nobody else's."""
    try:
        os.kill(-1, signal.SIGKILL)
    except ProcessLookupError as error:
        print("refused:", error)


@hostile()
def a_signal_to_the_group():
    """kill(0, SIGKILL) from a child, whose group must be the run's own."""
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        os.kill(0, signal.SIGKILL)
    os.waitpid(child, 0)


@hostile(outside=True)
def before_the_others():
    """A better priority than the agent's."""
    refused(os.setpriority, os.PRIO_PROCESS, 0, -20)


@hostile(outside=True)
def in_real_time():
    """SCHED_FIFO, so that nobody else gets the processor."""
    refused(os.sched_setscheduler, 0, os.SCHED_FIFO, os.sched_param(1))


@hostile(outside=True)
def limits_raised():
    """Its limits of processes, descriptors and memory taken away again."""
    for what in (resource.RLIMIT_NPROC, resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE):
        soft, hard = resource.getrlimit(what)
        refused(resource.setrlimit, what, (hard, hard + 1 if hard > 0 else hard)) if hard > 0 else \
            sys.exit(ESCAPED)


@hostile()
def a_child_that_stays():
    """A grandchild without a parent, a terminal or a death signal, which should outlive the run."""
    if os.fork() == 0:
        libc.prctl(1, 0)
        os.setsid()
        if os.fork() == 0:
            for number in range(1, 32):
                if number not in (signal.SIGKILL, signal.SIGSTOP):
                    signal.signal(number, signal.SIG_IGN)
            time.sleep(100000)
        os._exit(0)
    os.wait()


@hostile()
def threads_without_end():
    """Threads until there are no more."""
    stop = threading.Event()

    def one():
        thread = threading.Thread(target=stop.wait, daemon=True)
        thread.start()
        return thread
    until_refused(one)
    os._exit(0)


@hostile(ends="signal 6")
def a_core_dump():
    """abort(), whose core the machine would pipe to a program of its own, as root."""
    if resource.getrlimit(resource.RLIMIT_CORE)[1] not in (0, 1):  # 1: not even a pipe (core(5))
        sys.exit(ESCAPED)
    os.abort()


@hostile(ends="signal 11")
def a_fault_in_native_code():
    """A fault in a native function, behind the interpreter's back."""
    ctypes.string_at(1)


@hostile()
def a_memory_that_is_another_processs():
    """/proc/1/mem and process_vm_readv."""
    refused(open, "/proc/1/mem", "rb")
    refused(call, 310, 1, None, 0, None, 0, 0)
