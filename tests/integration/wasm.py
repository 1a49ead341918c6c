# SPDX-License-Identifier: Apache-2.0
"""Algorithms in WebAssembly on this host, where its runtime is; elsewhere that they are refused by name."""
import os
import subprocess
import tempfile

import agent_job
import tap
import wasm_bytes as wb
from agent_peer import AGENT, free_port
from harness import ROOT
from runs import runs

THERE = os.path.exists(os.path.join(os.path.dirname(AGENT), "cocos-wasm"))
IRIS = os.path.join(ROOT, "examples", "iris", "iris.csv")
BADF, REFUSED = {8}, {63, 76}  # of WASI: badf; perm, notcapable


def compiled(*sources):
    """From C by clang and wasi-libc."""
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out.wasm")
        subprocess.run(["clang", "--target=wasm32-wasi", "-O2", "-o", out, *sources], check=True)
        with open(out, "rb") as file:
            return file.read()


def a_host_without_the_runtime_says_so_before_anybody_sends_anything():
    with agent_job.running() as (service, _):
        m = agent_job.manifest(free_port(), algo=wb.says("x"))
        m.algorithm.algo_type = "wasm"
        service.send(runReq=m)
        error = service.answer_to_run().error
        assert error.startswith("UNIMPLEMENTED: ") and "flavour wasm" in error, error


def a_program_in_c_does_the_same_as_outside():
    with open(IRIS, "rb") as file:
        iris = file.read()
    with runs() as run:
        end = run(compiled(os.path.join(ROOT, "examples", "count", "count.c")), "wasm",
                  data=[("iris.csv", iris), ("b.txt", b"one two\n")])
        assert not end.failure, end
        assert sorted(end.results["counts.txt"].split(b"\n")) == [
            b"", b"b.txt: 8 bytes, 1 lines, 2 words", b"iris.csv: 5107 bytes, 151 lines, 151 words"], end
        assert sorted(end.lines) == ["counted b.txt", "counted iris.csv"], end


def arguments_arrive_and_nothing_of_the_environment():
    source = os.path.join(os.path.dirname(os.path.realpath(__file__)), "wasm_look.c")
    with runs() as run:
        end = run(compiled(source), "wasm", args=("--seed", "7", ""), data=[("a", b"1")])
        assert not end.failure, end
        assert end.lines == ["[--seed] [7] []", "environment: 0", "3: datasets", "4: results",
                             "to stderr"], end


def exit_codes_are_the_modules_own():
    with runs() as run:
        assert not run(wb.exits(0), "wasm").failure
        assert not run(wb.module(b""), "wasm").failure
        for code in (1, 3, 125):
            assert run(wb.exits(code), "wasm").failure.endswith(f"exit code {code}"), code
        for code in (126, 200, 210, 256, 4294967295 - (1 << 32)):
            assert "exit code over 125" in run(wb.exits(code), "wasm").failure, code


def what_is_no_program_for_wasi_is_refused_by_its_reason():
    """Most when it arrives; what only the runtime can tell, when it runs."""
    look = [("env", "getpid", (), (wb.I32,))]
    cases = [
        (b"(module)", "assemble it first"),
        (b"#!/bin/sh\nexit 0\n", "no WebAssembly module"),
        (b"\0asm\2\0\0\0", "no WebAssembly module"),
        (b"\0asm\x0d\0\1\0", "a WebAssembly component"),
        (wb.HEADER, "is no program"),
        (wb.says("x")[:-1], "malformed or invalid"),
        (wb.module(b"", imports=look), "import 0, 'getpid' of 'env', is not WASI preview 1"),
        (wb.module(b"", imports=[wb.SOCK_OPEN]), "not WASI preview 1"),
        (wb.module(b"", exports=("_start",)), "is no program"),
        (wb.module(b"", exports=("memory",)), "is no program"),
        (wb.module(b"", exports=("memory", "_initialize")), "is no program"),
    ]
    later = [
        (wb.module(wb.i32(1)), "malformed or invalid"),
        (wb.module(b"", imports=[(wb.WASI, "fd_write", (), ())]), "cannot be linked"),
        (wb.module(wb.i32(0), result=(wb.I32,)), "is no program"),
    ]
    with runs() as run:
        for content, words in cases:
            end = run(content, "wasm")
            assert end.state == "refused" and end.failure.startswith("Algo: wasm: ") and words in end.failure, (words, end)
        for content, words in later:
            end = run(content, "wasm")
            assert end.state == "Failed" and end.failure.startswith("wasm: ") and words in end.failure, (words, end)
        assert run(wb.says("after all"), "wasm").lines == ["after all"]


def traps_are_told_apart():
    cases = [
        (wb.UNREACHABLE, {}, "trap: unreachable"),
        (wb.i32(65536) + wb.LOAD + wb.DROP, {}, "trap: memory or table accessed out of bounds"),
        (wb.i32(-4) + wb.LOAD + wb.DROP, {}, "trap: memory or table accessed out of bounds"),
        (wb.i32(1) + wb.i32(0) + b"\x6d" + wb.DROP, {}, "trap: division by zero"),
        (wb.i32(0) + b"\x11\x00\x00", {"table": 1}, "trap: an indirect call"),
        (b"", {"functions": [wb.UNREACHABLE], "start": 1}, "trap: unreachable"),
        (b"", {"data": [(65535, b"too long")]}, "trap: memory or table accessed out of bounds"),
    ]
    with runs() as run:
        for body, more, words in cases:
            end = run(wb.module(body, **more), "wasm")
            assert end.failure.startswith("wasm: " + words), (words, end)
        assert not run(wb.says("x"), "wasm").failure


def only_what_was_opened_is_reached():
    cases = [
        (wb.opens("../results/x", 3), REFUSED),
        (wb.opens("../../etc/passwd", 3), REFUSED),
        (wb.opens("/etc/passwd", 3), REFUSED),
        (wb.opens("etc/passwd", 5), BADF),
        (wb.ends_with([wb.FD_PRESTAT_GET], wb.i32(5) + wb.i32(0) + wb.call(0)), BADF),
    ]
    with runs() as run:
        for content, numbers in cases:
            end = run(content, "wasm", data=[("a", b"1")])
            assert end.failure.split()[-1] in {str(n) for n in numbers}, (numbers, end)
        assert not run(wb.opens("a", 3), "wasm", data=[("a", b"1")]).failure


def memory_ends_at_the_runs_limit():
    grow = wb.i32(8192) + wb.GROW  # of half a GiB
    with runs(settings={"AGENT_RUN_MEMORY": "256M"}) as run:
        end = run(wb.module(b"", pages=4097), "wasm")
        assert "memory begins larger than the run's" in end.failure, end
        end = run(wb.ends_with([], grow + wb.i32(-1) + b"\x47"), "wasm")
        assert not end.failure, end  # growing failed, as the module was told
        # Each page touched: more than the run has, with what the runtime itself needs.
        end = run(wb.module(wb.i32(0) + wb.i32(1) + wb.i32(1 << 28) + wb.FILL + wb.forever(), pages=4096),
                  "wasm")
        assert "out of memory" in end.failure, end
        assert not run(wb.says("x"), "wasm").failure


if __name__ == "__main__":
    tap.run([
        a_program_in_c_does_the_same_as_outside,
        arguments_arrive_and_nothing_of_the_environment,
        exit_codes_are_the_modules_own,
        what_is_no_program_for_wasi_is_refused_by_its_reason,
        traps_are_told_apart,
        only_what_was_opened_is_reached,
        memory_ends_at_the_runs_limit,
    ] if THERE else [a_host_without_the_runtime_says_so_before_anybody_sends_anything])
