#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The house as its #include lines tell it: floors, rooms, modules, and the arrows between them.

    house.py check [ROOT]     prints every breach of the rules below; exit status 1 if there is one
                              (the list of rooms in docs/architecture.md is one of them)
    house.py answers [ROOT]   the rule alone that who has evidence judged asks verdict_ok()
    house.py graph [ROOT]     prints rooms with their level, arrows, arrows back up and circles

A floor is a top folder, a room a folder in it (or the floor itself where it has none), a module a
header and source file of one stem. FLOORS and ROOMS are the only lists of what may include what.
"""
import os
import re
import sys

# Floor: the floors that it may include.
FLOORS = {
    "common": [],
    "attestation": ["common"],
    "guest": ["common"],
    "agent": ["common", "attestation"],
    "manager": ["common", "attestation"],
    "computations": ["common", "attestation"],
    "cli": ["common", "attestation"],
}

# Rooms of a floor in the order in which they stand on each other: a room may include those that its
# line names, and itself. A floor that is missing here is one room.
ROOMS = {
    "common": {
        "base": [],
        "crypto": ["base"],
        "protobuf": ["base"],
        "bundle": ["base", "crypto"],
        "python": ["base", "crypto"],
        "rpc": ["base", "crypto"],
        "db": ["base"],
        "http": ["base", "crypto", "rpc"],
        "preflight": ["base", "crypto", "db", "rpc"],
        "access": ["base", "crypto", "rpc"],
        "audit": ["base", "crypto", "rpc"],
        "relay": ["access", "base", "crypto", "rpc"],
        "metrics": ["base", "http", "rpc"],
        "manifest": ["base", "crypto", "protobuf"],
        "transfer": ["base"],
        "usage": ["base", "http", "transfer"],
        "workflow": ["base", "crypto"],
    },
    "attestation": {
        "formats": [],
        "verdict": ["formats"],
        "logs": ["formats"],
        "snp": ["formats", "verdict"],
        "tdx": ["formats", "verdict", "logs"],
        "tpm": ["formats", "verdict", "logs", "snp"],
        "envelope": ["formats", "snp", "tpm"],
        "measure": ["formats", "snp"],
        "policy": ["snp", "tdx", "tpm", "verdict"],
        "corim": ["formats", "policy", "snp", "tdx"],
        "token": ["formats", "envelope", "logs", "snp", "tdx"],
        "journal": ["formats", "token"],
        "verify": ["corim", "envelope", "policy", "snp", "tdx", "token", "tpm"],
        "claims": ["snp", "tdx", "tpm", "token", "verdict", "verify"],
        "receipt": ["envelope", "formats", "journal", "snp", "tdx", "token", "tpm", "verdict", "verify"],
        "library": ["claims", "envelope", "policy", "tpm", "verdict", "verify"],
        "endorse": ["formats", "snp", "tdx", "tpm", "verify"],
        "provider": ["envelope", "formats", "snp", "tdx", "tpm"],
        "channel": ["formats", "token"],
    },
    "agent": {
        "process": [],
        "python": [],
        "wasm": [],
        "container": [],
        "jail": ["container", "process", "python", "wasm"],
        "keeper": ["process"],
        "evidence": ["keeper"],
        "certificate": ["evidence", "keeper"],
        "journal": ["keeper"],
        "computation": ["jail", "python"],
        "upload": ["computation", "jail", "python"],
        "core": ["certificate", "computation", "evidence", "jail", "journal", "keeper", "process", "python",
                 "upload"],
    },
    "manager": {
        "settings": [],
        "virt": [],
        "registry": ["virt"],
        "launch": ["registry", "settings", "virt"],
        "fleet": ["launch", "registry", "settings", "virt"],
        "service": ["fleet", "launch", "registry", "settings"],
    },
    "computations": {
        "list": [],
        "seal": [],
        "people": ["list", "seal"],
        "tpm": [],
        "ca": ["people", "tpm"],
        "hook": ["seal"],
        "mail": ["seal"],
        "oidc": ["people"],
        "transfer": ["people"],
        "workflow": ["people"],
        "store": ["ca", "hook", "list", "mail", "people", "seal", "tpm", "transfer", "workflow"],
        "core": ["ca", "hook", "mail", "people", "store"],
        "machines": ["core", "people", "store"],
        "web": ["ca", "core", "hook", "list", "machines", "mail", "oidc", "people", "store", "transfer", "workflow"],
        "admin": ["ca", "core", "hook", "list", "machines", "mail", "people", "store", "transfer", "web", "workflow"],
    },
    "cli": {
        "base": [],
        "evidence": ["base"],
        "client": ["base", "evidence"],
        "executor": ["base", "client"],
        "python": ["base", "client"],
        "show": ["base"],
        "check": ["base"],
        "doctor": ["base", "client", "evidence"],
        "cmd": ["base", "check", "client", "doctor", "evidence", "executor", "python", "show"],
    },
}

# What a floor's modules may not reach, through whatever they include: what judges stays out of the
# program that is judged, and what opens devices out of those that judge.
FORBIDDEN = {
    "agent": ["attestation/policy", "attestation/corim", "attestation/verify", "attestation/endorse"],
    "manager": ["attestation/provider"],
    "computations": ["attestation/provider"],
    "cli": ["attestation/provider"],
}

CIRCLE_MAX = 2  # modules that may include each other

# What judges evidence. Its return value is never the answer: verdict_ok() is.
JUDGES = ["verify", "verify_parts", "endorsements_verify", "snp_appraise", "tdx_appraise", "tpm_appraise",
          "receipt_judge"]


def includes(path):
    with open(path, encoding="utf-8") as file:
        return re.findall(r'^#include "([a-z_]+/[a-z_0-9/]+)\.h"', file.read(), re.M)


def room_of(module):
    parts = module.split("/")
    return "/".join(parts[:2]) if len(parts) > 2 else parts[0]


def read(root):
    """Every module with the modules that it includes, those of the floors alone."""
    modules = {}
    for floor in FLOORS:
        for folder, _, names in os.walk(os.path.join(root, floor)):
            for name in names:
                if name.endswith((".c", ".h")):
                    path = os.path.join(folder, name)
                    module = os.path.relpath(path, root)[:-2]
                    found = {i for i in includes(path) if i.split("/")[0] in FLOORS and i != module}
                    modules.setdefault(module, set()).update(found)
    return modules


def circles(graph):
    """Strongly connected sets of more than one node (Tarjan), the largest first."""
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        work = [(node, iter(sorted(graph.get(node, ()))))]
        index[node] = low[node] = len(index)
        stack.append(node)
        while work:
            node, rest = work[-1]
            for other in rest:
                if other not in index:
                    index[other] = low[other] = len(index)
                    stack.append(other)
                    work.append((other, iter(sorted(graph.get(other, ())))))
                    break
                if other in stack:
                    low[node] = min(low[node], index[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    circle = stack[stack.index(node):]
                    del stack[stack.index(node):]
                    if len(circle) > 1:
                        found.append(sorted(circle))

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return sorted(found, key=lambda c: (-len(c), c))


def room_graph(modules):
    rooms = {}
    for module, others in modules.items():
        here = rooms.setdefault(room_of(module), {})
        for other in others:
            there = room_of(other)
            if there != room_of(module):
                here[there] = here.get(there, 0) + 1
    return rooms


def levels(rooms):
    """A room's level: one above the highest that it includes; rooms of a circle share one."""
    level = {}

    def of(room, path=()):
        if room not in level and room not in path:
            level[room] = 1 + max((of(o, path + (room,)) for o in rooms.get(room, ())), default=0)
        return level.get(room, 0)

    for room in sorted(rooms):
        of(room)
    return level


def allowed(room, other):
    floor, above = room.split("/")[0], other.split("/")[0]
    if floor != above:
        return above in FLOORS[floor]
    if room == floor:  # main.c
        return True
    below = ROOMS.get(floor, {}).get(room[len(floor) + 1:], [])
    return other in [f"{floor}/{name}" for name in below]


def reached(modules, floor):
    """Every module that the floor's include, themselves or through others, with the one that led there."""
    found, left = {}, [(module, None) for module in sorted(modules) if module.split("/")[0] == floor]
    while left:
        module, by = left.pop(0)
        if module not in found:
            found[module] = by
            left += [(other, module) for other in sorted(modules.get(module, ()))]
    return found


def trespasses(modules):
    for floor, rooms in FORBIDDEN.items():
        found = reached(modules, floor)
        for room in rooms:
            for module in [m for m in found if room_of(m) == room and room_of(found[m]) != room]:
                way = [module]
                while found[way[-1]]:
                    way.append(found[way[-1]])
                yield f"forbidden: {floor} reaches {room}: " + " includes ".join(reversed(way))


def breaches(modules):
    yield from trespasses(modules)
    for module, others in sorted(modules.items()):
        room = room_of(module)
        for other in sorted(others):
            if room_of(other) != room and not allowed(room, room_of(other)):
                yield f"arrow: {module} includes {other}.h: {room} may not stand on {room_of(other)}"
            if other not in modules:
                yield f"arrow: {module} includes {other}.h, which is not there"
    for floor, rooms in ROOMS.items():
        seen = []
        for name, below in rooms.items():
            for other in below:
                if other not in seen:
                    yield f"table: {floor}/{name} stands on {other}, which comes later or not at all"
            seen.append(name)
    for circle in circles(modules):
        if len(circle) > CIRCLE_MAX:
            yield f"circle of {len(circle)} modules: " + ", ".join(circle)
    stems = {}
    for module in modules:
        if module.split("/")[-1] not in ("main", "config", "service", "daemon"):
            stems.setdefault((module.split("/")[0], module.split("/")[-1]), []).append(module)
    for (_, stem), same in sorted(stems.items()):
        if len(same) > 1:
            yield f"name: {stem} is the name of " + " and ".join(sorted(same))


def drawn(root):
    """The rooms in the first list of architecture.md's chapter on the house."""
    with open(os.path.join(root, "docs/architecture.md"), encoding="utf-8") as file:
        text = file.read().split("## The house", 1)[1].split("```")[1]
    floor, found = None, set()
    for line in text.splitlines():
        names = re.match(r"( *)((?:[a-z]+/ ?)+)", line)
        if names and not names[1]:
            floor = names[2].split("/")[0]
            found.add(floor)
        elif names:
            found.update(f"{floor}/{name.strip('/')}" for name in names[2].split())
    return found


def undrawn(root, modules):
    """Rooms that architecture.md lacks, and those that it has and the tree does not."""
    there = {room_of(module) for module in modules} | set(FLOORS)
    here = drawn(root)
    for room in sorted(there - here):
        yield f"docs/architecture.md: {room} is missing"
    for room in sorted(here - there):
        if not os.path.isdir(os.path.join(root, room)):
            yield f"docs/architecture.md: there is no {room}"


def functions(text):
    """Name and body of each function, as clang-format lays them out."""
    for found in re.finditer(r"^[a-z][^\n;={}]*?\b(\w+)\([^;{}]*\)\n\{\n(.*?)^\}$", text, re.M | re.S):
        yield found.group(1), found.group(2)


def sources(root):
    for floor in list(FLOORS) + ["examples"]:
        for folder, _, names in os.walk(os.path.join(root, floor)):
            yield from (os.path.join(folder, name) for name in sorted(names) if name.endswith(".c"))


def unasked(root):
    """Functions that have evidence judged and do not ask verdict_ok() about it. The functions that
    judge are named in JUDGES; a static one of that name is another's. Where the caller is to ask, a
    comment says so by that name."""
    for path in sources(root):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        own = re.findall(r"^static [^\n;={}]*?\b(\w+)\(", text, re.M)
        calls = re.compile(r"\b(" + "|".join(j for j in JUDGES if j not in own) + r")\(")
        for function, body in functions(text):
            called = calls.search(re.sub(r"/\*.*?\*/", "", body, flags=re.S))
            if called and function not in JUDGES and not re.search(r"\bverdict_ok\(", body):
                yield (f"answer: {function}() in {os.path.relpath(path, root)} calls "
                       f"{called.group(1)}() and does not ask verdict_ok()")


def print_graph(modules):
    rooms = room_graph(modules)
    level = levels(rooms)
    for room in sorted(rooms, key=lambda r: (level[r], r)):
        arrows = ", ".join(f"{o} {n}" for o, n in sorted(rooms[room].items()))
        count = sum(room_of(m) == room for m in modules)
        print(f"{level[room]:2}  {room} ({count}): {arrows}")
    loops = circles({room: set(others) for room, others in rooms.items()})
    inner = circles(modules)
    up = sum(not allowed(room, other) for room, others in rooms.items() for other in others)
    print(f"{len(rooms)} rooms, {sum(map(len, rooms.values()))} arrows between them, "
          f"{max(level.values())} levels, {up} arrows that the table does not have")
    print(f"{len(loops)} circles of rooms" + "".join(f"\n    {', '.join(c)}" for c in loops))
    print(f"{len(inner)} circles of modules, {sum(len(c) > CIRCLE_MAX for c in inner)} "
          f"of more than {CIRCLE_MAX}" + "".join(f"\n    {', '.join(c)}" for c in inner))


def main(args):
    if len(args) not in (1, 2) or args[0] not in ("check", "answers", "graph"):
        print(__doc__.strip(), file=sys.stderr)
        return 2
    root = args[1] if len(args) == 2 else os.path.join(os.path.dirname(__file__), "../..")
    modules = read(root)
    if args[0] == "graph":
        print_graph(modules)
        return 0
    found = list(unasked(root))
    if args[0] == "check":
        found = list(breaches(modules)) + list(undrawn(root, modules)) + found
    print("".join(line + "\n" for line in found), end="")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
