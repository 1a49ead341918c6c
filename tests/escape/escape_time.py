# SPDX-License-Identifier: Apache-2.0
"""Programs that do not end by themselves."""
# flake8: noqa: F821
from rows import hostile

LATE = "ran longer than AGENT_RUN_TIME"


@hostile(ends=LATE)
def asleep():
    """Sleeps for ever."""
    time.sleep(1 << 20)


@hostile(ends=LATE)
def stopped_by_itself():
    """SIGSTOP to itself, after which no signal but SIGKILL does anything."""
    os.kill(os.getpid(), signal.SIGSTOP)


@hostile(ends=LATE)
def deaf_and_busy():
    """Ignores every signal, in several processes that compute."""
    for number in range(1, 32):
        if number not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(number, signal.SIG_IGN)
    os.fork(), os.fork()
    while True:
        pass


@hostile(ends=LATE)
def always_called_away():
    """A timer every microsecond, so that the program never gets on."""
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 0.000001, 0.000001)
    while True:
        time.sleep(1)


@hostile(ends=LATE)
def always_talking():
    """Output without end, which must neither fill anything nor hold anybody up."""
    while True:
        os.write(1, b"noise " * 600 + b"\n")


@hostile(ends=LATE)
def always_somebody_else():
    """Children that fork and end at once: whoever is to be killed is gone, and its child goes on."""
    for _ in range(8):
        if os.fork() == 0:
            while True:
                try:
                    if os.fork():
                        os._exit(0)
                except OSError:
                    pass
    while True:
        time.sleep(1)
