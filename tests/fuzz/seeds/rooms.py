# SPDX-License-Identifier: Apache-2.0
"""Command lines that wait to be let in, as fuzz_device_room.c has them."""
ASK, SEE, LET_IN, REFUSE, LOOK, TAKE, FORGET, SUSPEND, WAIT, FAIL, DAMAGE = range(11)
V4, V6, USER, NONSENSE = range(4)
HOST, NARROW, WIDE = 1, 2, 4  # what is another one of the next that asks


def ask(kind=V4, wide=0, narrow=0, host=0, times=1, step=0, fails=None):
    what = bytes([ASK]) if fails is None else bytes([FAIL, fails])
    return what + bytes([kind + 4 * wide, narrow, host, times - 1, step])


def by(what, at, user=0):
    return bytes([what, user, at])


def wait(minutes):
    return bytes([WAIT, minutes * 12])


def device_room():
    def run(*commands):
        return b"".join(commands)

    crowd = [ask(V4, wide, step=HOST, times=64) for wide in range(4)]
    mixed = [ask(V4, 1, step=HOST, times=60), ask(V6, 1, step=HOST, times=60), ask(V6, 2, step=NARROW, times=60),
             ask(V6, 3, step=WIDE, times=60), ask(USER, step=HOST, times=12), ask(NONSENSE, step=HOST, times=4)]
    # Each user looks at as many as stay, and at more.
    seen = [by(SEE, at, user) for user in range(3) for at in range(user * 12, user * 12 + 12)]
    return {
        "let-in": run(ask(), by(LOOK, 0), by(SEE, 0), by(LET_IN, 0), by(LOOK, 0), by(SEE, 0), by(LET_IN, 0, 1), by(TAKE, 0), by(TAKE, 0)),
        "refused": run(ask(), by(SEE, 0, 1), by(REFUSE, 0), by(LOOK, 0), by(LET_IN, 0), by(REFUSE, 0), by(TAKE, 0), by(SEE, 0)),
        "early": run(ask(), by(TAKE, 0), by(SEE, 0), by(TAKE, 0)),
        "ends": run(ask(times=3), by(SEE, 0), by(LET_IN, 1), wait(9), by(LOOK, 0), wait(1), by(LOOK, 0), by(SEE, 0), by(LET_IN, 2),
                    by(TAKE, 1), ask()),
        "forget": run(ask(times=4), *(by(LET_IN, at, at % 2) for at in range(4)), bytes([FORGET, 0]), by(LOOK, 0), by(TAKE, 0)),
        "suspend": run(ask(times=2), by(LET_IN, 0), by(LET_IN, 1, 1), bytes([SUSPEND, 0x81 + 2]), by(LOOK, 0), by(LOOK, 1), by(TAKE, 0),
                       by(TAKE, 1), bytes([SUSPEND, 0]), bytes([SUSPEND, 3]), by(LOOK, 0)),
        "peer": run(ask(times=17), ask(host=1), ask(V6, times=17), ask(V6, host=1), ask(V6, narrow=1)),
        "peer-others": run(ask(USER, times=17), ask(USER, host=1, times=17), *(ask(NONSENSE, host=host, times=17) for host in range(5))),
        "peer-ended": run(ask(times=16), wait(10), ask(times=17)),
        "peer-taken": run(ask(times=16), by(LET_IN, 3), by(TAKE, 3), ask(times=2)),
        "crowd": run(*crowd, ask(V4, 9), ask(V4, 9, host=1), ask(V6), ask(USER)),
        "crowd-wide": run(*crowd, ask(V4, 0, host=200, times=20, step=HOST)),
        "crowd-narrow": run(*(ask(V6, 1, narrow, step=HOST, times=30) for narrow in range(9)), ask(V6, 2, times=9)),
        "crowd-one": run(*(ask(V6, wide, times=16) for wide in range(16)), ask(V4, times=16), ask(USER, times=16)),
        "crowd-seen": run(*crowd, *seen, ask(V4, 9, times=12, step=HOST), ask(V6, 9, times=12, step=HOST)),
        "crowd-in": run(*crowd, *(by(LET_IN, at, at % 3) for at in range(30)), ask(V4, 9, times=16), *(by(TAKE, at) for at in range(8))),
        "crowd-refused": run(*crowd, *(by(REFUSE, at) for at in range(8)), ask(V4, 9, times=8)),
        "crowd-mixed": run(*mixed, *seen[:30], ask(V6, 7, step=WIDE, times=40)),
        "crowd-ended": run(*crowd, by(SEE, 0), wait(10), ask(), *crowd),
        "crowd-turns": run(*mixed, *(command for at in range(12) for command in (
            by(SEE, at * 9, at % 3), ask(V4, at, step=HOST, times=3), by(LET_IN, at * 5, at % 3), wait(0)))),
        "one-user": run(*crowd, *(by(SEE, at) for at in range(40)), ask(V6, step=HOST, times=30)),
        **{f"fails-{number}": run(ask(fails=number), ask()) for number in range(1, 6)},
        **{f"crowd-fails-{number}": run(*crowd, ask(V4, 9, fails=number), ask(V4, 9)) for number in range(1, 6)},
        "damage": run(ask(times=2), by(DAMAGE, 1)), "damage-in": run(ask(), by(LET_IN, 0), by(DAMAGE, 0)),
        "damage-ended": run(ask(), wait(10), by(DAMAGE, 0)),
    }


TARGETS = [device_room]
