#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the corpora of the fuzz targets reach: of each target's own files the lines that its corpus runs.

    fuzz_reach.py BUILD FLOOR [TARGET...]

BUILD is a folder that scripts/coverage has set up with gcov; its targets are built here. Which files are a
target's own stands in tests/fuzz/files.txt. A table goes to the output, the lines that nothing reached to
BUILD/fuzz/TARGET.txt. Exit status: 0; 1 if a target reaches less than FLOOR % or fails; 2 if the table is
wrong, or it could not be measured.
"""
import concurrent.futures
import json
import os
import shutil
import subprocess
import sys
import tempfile

TABLE = "tests/fuzz/files.txt"


class Wrong(Exception):
    """The table is wrong, or something could not be measured."""


def table(path):
    """{target: (files, {function: reason})}; a row goes on in lines that begin with a blank."""
    rows, name = {}, None
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            at, words = f"{path}:{number}", line.split()
            if not words or words[0].startswith("#"):
                continue
            if not line[0].isspace():
                name = words.pop(0)
                if name in rows:
                    raise Wrong(f"{at}: a second row for {name}")
                rows[name] = ([], {})
            if name is None:
                raise Wrong(f"{at}: no target before it")
            if words[:1] == ["without"]:
                functions, reason = line.split("without", 1)[1].partition(":")[::2]
                if not functions.split() or not reason.strip():
                    raise Wrong(f"{at}: write 'without FUNCTION...: REASON'")
                rows[name][1].update((function, reason.strip()) for function in functions.split())
            else:
                rows[name][0].extend(words)
    return rows


def check(rows, targets):
    """Each target has a row, each row a target, and files that are there."""
    for name in sorted(targets - rows.keys()):
        raise Wrong(f"{TABLE}: no row for fuzz target {name}: say which files it is for")
    for name, (files, _) in rows.items():
        if name not in targets:
            raise Wrong(f"{TABLE}: {name} is no fuzz target; take its row away")
        if not files:
            raise Wrong(f"{TABLE}: {name} has no files")
        for file in files:
            if not os.path.isfile(file) or files.count(file) > 1:
                raise Wrong(f"{TABLE}: {name}: {file} is not there, or there twice")


def run(command, **options):
    done = subprocess.run(command, capture_output=True, check=False, **options)
    if done.returncode:
        raise Wrong(f"{command[0]}: {(done.stderr or done.stdout).decode(errors='replace')[-1500:]}")
    return done.stdout


def objects(build):
    """{source: [object files below the build folder]}"""
    found = {}
    with open(f"{build}/compile_commands.json", encoding="utf-8") as file:
        for entry in json.load(file):
            source = os.path.relpath(os.path.join(entry["directory"], entry["file"]))
            found.setdefault(source, []).append(os.path.normpath(entry["output"]))
    return found


def counted(build, room, source, outputs):
    """({line: how often}, {function: its lines}) of one file, over all objects made of it."""
    lines, functions = {}, {}
    for output in outputs:
        # gcov reads both from one folder; without counts every line counts 0.
        stem = os.path.splitext(os.path.join(room, output))[0]
        os.makedirs(os.path.dirname(stem), exist_ok=True)
        if not os.path.exists(stem + ".gcno"):
            shutil.copy(os.path.splitext(os.path.join(build, output))[0] + ".gcno", stem + ".gcno")
        report = json.loads(run(["gcov", "--json-format", "--stdout", stem + ".gcno"], cwd=build))
        for entry in report["files"]:
            if os.path.relpath(os.path.join(build, entry["file"])) != source:
                continue
            for line in entry["lines"]:
                number = line["line_number"]
                lines[number] = lines.get(number, 0) + line["count"]
            for function in entry["functions"]:
                functions[function["name"]] = range(function["start_line"], function["end_line"] + 1)
    return lines, functions


def reach(build, name, row, made):
    """(lines reached, lines, what is wrong with it or None), with the rest written to a file."""
    build = os.path.abspath(build)
    files, without = row
    reached = total = 0
    wrong, unused = None, set(without)
    missed = []
    with tempfile.TemporaryDirectory(prefix=f"{name}.", dir=f"{build}/fuzz") as room:
        environment = {**os.environ, "GCOV_PREFIX": room, "GCOV_PREFIX_STRIP": str(build.count("/"))}
        command = [f"{build}/tests/fuzz/fuzz_{name}", f"tests/fuzz/corpus/{name}"]
        done = subprocess.run(command, capture_output=True, env=environment, timeout=600, check=False)
        if done.returncode:
            wrong = f"fails: {done.stderr.decode(errors='replace').strip()[-200:]}"
        for source in files:
            if source not in made:
                raise Wrong(f"{TABLE}: {name}: {source} is not built")
            # Of a file that is built more than once, those that the target links.
            outputs = [o for o in made[source] if
                       os.path.exists(os.path.splitext(os.path.join(room, o))[0] + ".gcda")]
            lines, functions = counted(build, room, source, outputs or made[source][:1])
            for function in unused.intersection(functions):
                unused.remove(function)
                if any(lines.get(n) for n in functions[function]):
                    wrong = f"reaches {function}, which {TABLE} leaves out"
                lines = {n: count for n, count in lines.items() if n not in functions[function]}
            with open(source, encoding="utf-8") as file:
                text = file.readlines()
            missed += [f"{source}:{n}:{text[n - 1]}" for n in sorted(lines) if not lines[n]]
            total += len(lines)
            reached += sum(1 for count in lines.values() if count)
    if unused:
        raise Wrong(f"{TABLE}: {name}: no function {sorted(unused)[0]} in its files")
    with open(f"{build}/fuzz/{name}.txt", "w", encoding="utf-8") as out:
        out.writelines(missed)
    return reached, total, wrong


def arguments(words):
    """(BUILD, FLOOR, targets)"""
    try:
        return words[0], float(words[1]), words[2:]
    except (IndexError, ValueError) as e:
        raise Wrong("usage: fuzz_reach.py BUILD FLOOR [TARGET...]") from e


def main():
    build, floor, wanted = arguments(sys.argv[1:])
    targets = {f.removeprefix("fuzz_").removesuffix(".c") for f in os.listdir("tests/fuzz")
               if f.startswith("fuzz_") and f.endswith(".c")}
    rows = table(TABLE)
    check(rows, targets)
    for name in wanted:
        if name not in rows:
            raise Wrong(f"no fuzz target {name}")
    wanted = sorted(set(wanted or rows))
    os.makedirs(f"{build}/fuzz", exist_ok=True)
    run(["ninja", "-C", build, *os.environ.get("NINJAFLAGS", "").split(),
         *(f"tests/fuzz/fuzz_{name}" for name in wanted)])
    made = objects(build)
    low = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, (reached, total, wrong) in zip(wanted, pool.map(
                lambda name: reach(build, name, rows[name], made), wanted)):
            share = 100 * reached / total if total else 0
            bad = wrong or (f"less than {floor:g} %: see {build}/fuzz/{name}.txt" if share < floor else "")
            low += bool(bad)
            print(f"{name:<16} {reached:5} of {total:5} lines {share:6.1f} %  {bad}".rstrip(), flush=True)
    print(f"fuzz: {len(wanted) - low} of {len(wanted)} corpora reach {floor:g} % of the lines of their files")
    return low > 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Wrong, OSError, subprocess.TimeoutExpired) as e:
        print(e, file=sys.stderr)
        sys.exit(2)
