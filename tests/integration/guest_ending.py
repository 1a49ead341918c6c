# SPDX-License-Identifier: Apache-2.0
"""How a boot ends that a host tries to break, and what a kernel says of its own mistakes."""
import json
import os
import re
import time

from guest_vm import PATIENCE

READY, STOPPED, PANIC = "probe: ready", "boot stopped: ", "Kernel panic - "
WORDLESS, STANDS = "ended before it could say why", "waits for what never comes"
# A mistake of the kernel's, whatever follows.
OOPS = ("BUG:", "Oops", "general protection fault", "unable to handle", "WARNING:", "UBSAN", "stack-protector", "cut here",
        "list_add corruption", "list_del corruption", "Call Trace", "usercopy: ", "Bad page", "refcount_t")
# What a kernel says, too, whose processor gets no time of a busy machine; one that hangs comes to no ending.
SLOW = "soft lockup"
INTERRUPTS = 1 << 9  # RFLAGS.IF
# A guest that measures its clock while a busy host runs others takes it to run many times as fast, and complains of its
# timers: here it goes by what the guest has executed.
STEADY = ("-icount", "shift=1", "-rtc", "clock=vm,base=2026-01-01T00:00:00")
# Of the guest's own seconds: a boot takes three.
GUEST_SECONDS_MAX = 20


def loud(image):
    """The image's command line without `quiet`, which keeps the kernel's warnings from the console."""
    with open(os.path.join(image, "image.json"), encoding="utf-8") as file:
        return " ".join(word for word in json.load(file)["cmdline"].split() if word != "quiet")


def mistakes(lines):
    return [line for line in lines if any(text in line for text in OOPS) and SLOW not in line]


def is_dead(vm):
    """Its one processor has halted and takes no interrupts."""
    said = vm.command("human-monitor-command", **{"command-line": "info registers"})
    flags, halted = (int(re.search(pattern, said)[1], 16) for pattern in (r"[RE]FL=([0-9a-f]+)", r"HLT=([01])"))
    return halted == 1 and not flags & INTERRUPTS


def seconds(vm):
    """Since the launch, by the guest's clock, of a machine that is STEADY."""
    now = vm.command("qom-get", path="/machine", property="rtc-time")
    return now["tm_hour"] * 3600 + now["tm_min"] * 60 + now["tm_sec"]


def wordless_ending(vm):
    """None: it may still say something."""
    if vm.closed:
        return WORDLESS
    try:
        return WORDLESS if is_dead(vm) else STANDS if seconds(vm) >= GUEST_SECONDS_MAX else None
    except (OSError, ValueError):
        return None  # it ends as it is asked


def ending(vm, look=lambda line: None, alive=lambda: None, wordless=False):
    """How the boot ended: READY, STOPPED or PANIC, or what `look` makes of a line. `alive` is called now and then, and
    raises if it makes no sense to wait on. A machine that ends without a word, or whose kernel waits in its own time, is a
    failure, or WORDLESS or STANDS: then its own clock alone ends the wait, however busy this one is."""
    end, how = time.monotonic() + 4 * PATIENCE, None
    with vm.changed:
        while True:
            for line in vm.lines:
                for text in (READY, STOPPED, PANIC):
                    if text in line:
                        return text
                if look(line):
                    return look(line)
            before, how = how, wordless_ending(vm) if wordless else None
            if how and how == before:  # and what it had said has been read by now
                return how
            assert wordless or not vm.closed, "the machine ended without a word:\n" + "\n".join(vm.lines[-40:])
            alive()
            assert wordless or time.monotonic() < end, "it hangs:\n" + "\n".join(vm.lines[-40:])
            vm.changed.wait(1)
