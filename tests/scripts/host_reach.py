# SPDX-License-Identifier: Apache-2.0
"""scripts/coverage host: that it tells instructions by file and line, counts what ran and nothing else, and what of
QEMU's words it takes for instructions."""
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "integration"), os.path.join(HERE, "..", "..", "scripts", "lib")]

import guest_reach  # noqa: E402
import host_reach  # noqa: E402
import tap  # noqa: E402

# Lines 4 and 8 are one function's each, and 8 is in a file that is nobody's theme when it is named otherwise.
SOURCE = """int ran(int c);
int never(int c);

int ran(int c) { return c + 1; }



int never(int c) { return c * 3; }
"""
TRACE = b"""----------------
IN: 
0xffffffff81000010:  f3 0f 1e fa              endbr64
0xffffffff81000014:  48 c7 c7 00 00 00 00     movq     $0, %rdi
0xffffffff81000014:  e9                       jmp      0xffffffff81000099

IN: 
0xffffffff81000010:  f3 0f 1e fa              endbr64
0x000000000040101f:  c3                       retq
OBJD-T: 0xffffffff81000030:
"""


def linked(folder, path):
    """({function: its instructions}, the code) of SOURCE, as the kernel's file `path`."""
    source, binary = os.path.join(folder, "one.c"), os.path.join(folder, "one")
    with open(source, "w", encoding="utf-8") as file:
        file.write(SOURCE)
    subprocess.run(["gcc", "-g", "-gdwarf-5", "-O1", "-mcmodel=kernel", "-fno-pic", "-c", source, "-o", binary + ".o",
                    f"-ffile-prefix-map={folder}/one.c=/src/{path}"], check=True, cwd=folder)
    subprocess.run(["ld", "-Ttext=0xffffffff81000000", "-e", "ran", binary + ".o", "-o", binary], check=True)
    functions, name = {}, None
    for line in subprocess.run(["objdump", "-d", binary], check=True, capture_output=True, text=True).stdout.splitlines():
        if line.endswith(">:"):
            name = line.split("<")[1][:-2]
            functions[name] = set()
        elif line.startswith("ffffffff"):
            functions[name].add(int(line.split(":")[0], 16))
    told = subprocess.run(["llvm-dwarfdump", "--debug-line", binary], check=True, capture_output=True, text=True).stdout
    return functions, host_reach.Code(host_reach.line_ranges(told.splitlines(keepends=True)))


def lines_are_told_of_the_instructions_that_ran():
    path = "drivers/virtio/one.c"
    with tempfile.TemporaryDirectory() as folder:
        functions, code = linked(folder, path)
    assert set(code.lines) == {path} and code.lines[path] == {4, 8}, code.lines
    assert code.reached(functions["ran"]) == {path: {4}}, code.reached(functions["ran"])
    assert code.reached(functions["ran"] | functions["never"])[path] == {4, 8}
    assert not any(code.reached({0xffffffff80fffff0, max(functions["never"]) + 64, 4}).values())
    # The last instruction alone is enough, and the first address behind it is not its.
    assert code.reached({max(functions["ran"])})[path] == {4}
    text = host_reach.table(code, {"honest": code.reached(functions["ran"]), "host_tpm": code.reached(functions["never"])},
                            {"honest": 1, "host_tpm": 2})
    assert f"| `{path}` | 2 | 1 | +1 | 2 | 100 |" in text and "| 1 | 2 | 3 |" in text, text


def a_file_of_no_theme_is_not_counted():
    with tempfile.TemporaryDirectory() as folder:
        functions, code = linked(folder, "kernel/fork.c")
    assert not code.lines and not code.reached(functions["ran"])


def instructions_of_the_kernel_are_taken_from_the_trace():
    assert list(guest_reach.addresses(TRACE)) == [0xffffffff81000010, 0xffffffff81000014]
    assert not guest_reach.addresses(b"")


def what_ran_is_kept_for_each_machine():
    with tempfile.TemporaryDirectory() as folder:
        machine, kept = os.path.join(folder, "vm"), os.path.join(folder, "kept")
        for name in (machine, kept):
            os.mkdir(name)
        before, guest_reach.FOLDER = guest_reach.FOLDER, kept
        try:
            assert guest_reach.arguments({"own_kernel": {}}, machine) == []
            assert guest_reach.image("stock", "x") == ("stock", "x") and guest_reach.image("own", "x") == ("reach", "x-reach")
            guest_reach.keep(machine)  # nothing is there: a kernel that can't be told
            assert guest_reach.kept(kept) == (set(), 0)
            for _ in range(2):
                with open(guest_reach.arguments({"reach": True}, machine)[-1], "wb") as file:
                    file.write(TRACE)
                guest_reach.keep(machine)
            assert guest_reach.kept(kept) == ({0xffffffff81000010, 0xffffffff81000014}, 2), guest_reach.kept(kept)
            assert not os.listdir(machine)
        finally:
            guest_reach.FOLDER = before
        assert guest_reach.image("own", "x") == ("own", "x") or before


def tables_that_are_not_understood_are_refused():
    for lines in (["0x12 no row\n"], ["0x" + "0" * 16 + "\n"]):
        try:
            list(host_reach.line_ranges(lines))
        except host_reach.Wrong as e:
            assert "not understood" in str(e), e
        else:
            raise AssertionError(f"taken: {lines}")
    try:
        host_reach.main("/nowhere", "/nowhere", "host_nothing")
    except host_reach.Wrong as e:
        assert "host_nothing" in str(e), e
    else:
        raise AssertionError("a test that is none was run")


tap.run([lines_are_told_of_the_instructions_that_ran,
         a_file_of_no_theme_is_not_counted,
         instructions_of_the_kernel_are_taken_from_the_trace,
         what_ran_is_kept_for_each_machine,
         tables_that_are_not_understood_are_refused])
