# SPDX-License-Identifier: Apache-2.0
"""What is installed of the verifier's library: both forms, header, names, symbols file; and the program of
examples/verify.c over it. library_verdicts.py has what it answers."""
import json
import os
import re
import shutil
import subprocess

from harness import ROOT, Folder, read
from library_calls import Library
from library_installed import CASE, chain_of, installed, main, policy_of, run

STRANGERS = ("nghttp2", "libuv", "protobuf", "curl", "ssl.so", "zip")
# Calls by which a process reaches files, the network, the clock, its environment or its end.
OUTSIDE = re.compile(r"^(open|fopen|creat|socket|connect|send|recv|read|write|getenv|secure_getenv|time|clock_"
                     r"gettime|gettimeofday|exit|_exit|fork|exec|system|printf|puts|pthread_create)")


# ---- what is installed ----

def compilers():
    return [name for name in ("gcc", "clang") if shutil.which(name)]


def the_example_builds_shared_and_static_with_pkg_config_alone():
    here = installed()
    for compiler in compilers():
        here.build("verify.c", "verify-shared", compiler=compiler)
        here.build("verify.c", "verify-static", compiler=compiler, static=True)
    needs = run("readelf", "-d", here.folder("verify-shared"))
    assert "[libcocos-attestation.so.0]" in needs, needs
    needs = run("readelf", "-d", here.folder("verify-static"))
    assert "libcocos" not in needs and "libcrypto" in needs, needs


def the_header_stands_by_itself_in_c_and_in_cxx():
    here = installed()
    text = read(here.header).decode()
    assert set(re.findall(r"#include (\S+)", text)) == {"<stdbool.h>", "<stddef.h>", "<stdint.h>"}
    use = "#include <cocos/attestation.h>\n#include <cocos/attestation.h>\n"
    use += "int main(void)\n{\n\treturn cocos_version()[0] == '0' ? 0 : 1;\n}\n"
    for name, standards in (("use.c", ("c99", "gnu11", "c17", "gnu2x")), ("use.cc", ("c++11", "c++17", "c++20"))):
        here.folder.write(name, use)
        for compiler in (("gcc", "clang") if name == "use.c" else ("g++", "clang++")):
            for standard in standards if shutil.which(compiler) else ():
                here.build(name, "use", "-std=" + standard, compiler=compiler)
                run(here.folder("use"))
    others = [os.path.relpath(os.path.join(top, name), here.prefix)
              for top, _, names in os.walk(here.prefix) for name in names if name.endswith(".h")]
    assert others == [os.path.relpath(here.header, here.prefix)], others


def every_name_begins_with_cocos():
    here = installed()
    words = re.sub(r"/\*.*?\*/", " ", read(here.header).decode(), flags=re.S)
    for pattern in (r"\b(?:struct|enum)\s+(\w+)", r"#define\s+(\w+)", r"\n\s*([A-Z]\w+)\s*=", r"(\w+)\("):
        names = set(re.findall(pattern, words)) - {"defined", "__attribute__", "visibility"}
        assert names and not [n for n in names if not n.lower().startswith("cocos_")], (pattern, names)
    for words in (["-D", here.shared], [here.archive]):
        lines = [line.split() for line in run("nm", "-g", "--defined-only", *words).splitlines()]
        names = [line[2].split("@")[0] for line in lines if len(line) == 3 and line[1] != "A"]
        assert sorted(names) == Library(here.shared).names(), (words, names)


def the_symbols_file_is_what_is_there():
    here = installed()
    wanted = read(os.path.join(ROOT, "packaging", "debian",
                                    "libcocos-attestation0.symbols")).decode().splitlines()
    dynamic = run("readelf", "-d", here.shared)
    assert "soname: [libcocos-attestation.so.0]" in dynamic and "SYMBOLIC" in dynamic, dynamic
    assert wanted[0].split()[:2] == ["libcocos-attestation.so.0", "libcocos-attestation0"], wanted[0]
    lines = [line.split() for line in run("nm", "-D", "--defined-only", "--with-symbol-versions",
                                          here.shared).splitlines()]
    names = sorted(line[2].replace("@@", "@") if line[1] != "A" else "COCOS_0@COCOS_0" for line in lines)
    assert sorted(line.split()[0] for line in wanted[1:]) == names, (wanted, names)
    if not shutil.which("dpkg-gensymbols"):
        return
    with Folder() as package:
        package.write("debian/control", "Source: cocos\n\nPackage: libcocos-attestation0\nArchitecture: any\n")
        package.write("debian/libcocos-attestation0.symbols", "\n".join(wanted) + "\n")
        package.write("root/DEBIAN/control", "")
        os.makedirs(package("root/usr/lib"))
        shutil.copy(here.shared, package("root/usr/lib"))
        version = Library(here.shared).version().decode()
        run("dpkg-gensymbols", "-c4", "-plibcocos-attestation0", "-v" + version, "-Proot", cwd=package.path)


def it_links_and_calls_nothing_that_reaches_outside():
    here = installed()
    needs = re.findall(r"NEEDED.*\[(.*)\]", run("readelf", "-d", here.shared))
    assert sorted(n.split(".")[0] for n in needs) == ["libc", "libcbor", "libcrypto", "libyajl"], needs
    for words in (["-D", here.shared], [here.archive]):
        wanted = [line.split()[-1].split("@")[0] for line in run("nm", "-u", *words).splitlines() if line.strip()]
        assert "malloc" in wanted and not [n for n in wanted if OUTSIDE.match(n)], wanted
    static = " ".join(here.pkg_config("--libs", "--static"))
    assert "-lcrypto" in static and "-lcbor" in static and "-lyajl" in static, static
    assert "-lcrypto" not in here.pkg_config("--libs"), here.pkg_config("--libs")
    assert not [s for s in STRANGERS if s in static], static


def it_keeps_no_state_between_calls():
    """What a thread could change under another's hands: there is nothing that can be written to."""
    here = installed()
    sections = re.findall(r"\] (\S+)\s+(?:PROGBITS|NOBITS)\s+\S+ \S+ (\S+) \S+\s+(\S+)",
                          run("readelf", "-SW", here.archive))
    assert any(name.startswith(".text") for name, _, _ in sections), sections
    kept = [name for name, size, flags in sections
            if "W" in flags and int(size, 16) and not name.startswith(".data.rel.ro")]
    assert not kept, kept


def the_manual_names_every_function():
    manual = read(os.path.join(ROOT, "docs", "library.md")).decode()
    table = manual[manual.index("## Functions"):manual.index("## What is refused")]
    assert sorted(set(re.findall(r"`(cocos_[a-z_]+)`", table))) == Library(installed().shared).names()


# ---- the example ----

def prepare_example():
    here = installed()
    case = json.loads(read(os.path.join(CASE, "expected.json")))
    report = read(os.path.join(CASE, "report.bin"))
    here.folder.write("chain.pem", chain_of())
    here.folder.write("policy.json", policy_of(report))
    return report, case["at"]


def example(report, at, report_data=None, policy="policy.json", chain="chain.pem"):
    """Exit status and output, which both forms of the library have to have in common, and Python's program."""
    here = installed()
    here.folder.write("report.bin", report)
    words = [here.folder("report.bin"), os.path.join(CASE, "vcek.der"), here.folder(chain), here.folder(policy),
             report_data or report[0x50:0x90].hex(), at]
    answers = [subprocess.run([here.folder(name), *words], capture_output=True, text=True, check=False)
               for name in ("verify-shared", "verify-static")]
    answers.append(subprocess.run(["/usr/bin/python3", os.path.join(ROOT, "examples", "verify.py"), *words],
                                  env={**os.environ, "LD_LIBRARY_PATH": here.libdir}, capture_output=True, text=True,
                                  check=False))
    for other in answers[1:]:
        assert (answers[0].stdout, answers[0].returncode) == (other.stdout, other.returncode), answers
        assert ("no verdict: " in other.stderr) == (other.returncode == 2), answers
    return answers[0].returncode, answers[0].stdout + answers[0].stderr


def a_genuine_report_is_verified():
    report, at = prepare_example()
    status, text = example(report, at)
    assert status == 0 and text.startswith("verified\n") and "passed    signature.report" in text, text


def a_changed_one_is_refused():
    report, at = prepare_example()
    for place in (0x90, 0x50, 0x188, 0x2a0, 0x1f0):
        changed = bytearray(report)
        changed[place] ^= 1
        status, text = example(bytes(changed), at, report_data=report[0x50:0x90].hex())
        assert status == 1 and text.startswith("refused: "), (hex(place), text)
    for report_data, when, check in (("00" * 64, at, "policy.report_data"), (None, "2049-01-01T00:00:00Z", "time.")):
        status, text = example(report, when, report_data=report_data)
        assert status == 1 and "refused: " + check in text, text
    installed().folder.write("other.json", json.dumps(
        {"cocos": 1, "snp": {"measurements": ["00" * 48], "allow": ["smt"]}}))
    status, text = example(report, at, policy="other.json")
    assert status == 1 and "refused: policy.measurement" in text, text


def malformed_evidence_is_refused_and_malformed_inputs_are_no_verdict():
    report, at = prepare_example()
    data = report[0x50:0x90].hex()
    for malformed in (b"", report[:-1], report + b"\0", b"{", b"\x0a\xff"):
        status, text = example(malformed, at, report_data=data)
        assert status == 1 and text.startswith("refused: "), (malformed[:8], text)
    installed().folder.write("bad.json", "{}x")
    installed().folder.write("one.pem", read(os.path.join(CASE, "ark.pem")))
    for wrong in ({"policy": "bad.json"}, {"report_data": "00"}, {"report_data": "zz" * 64}, {"chain": "one.pem"}):
        status, text = example(report, at, **wrong)
        assert status == 2 and text.startswith("no verdict: "), (wrong, text)
    assert example(report, "yesterday")[0] == 2
    assert subprocess.run([installed().folder("verify-static")], capture_output=True, check=False).returncode == 2


if __name__ == "__main__":
    main([the_example_builds_shared_and_static_with_pkg_config_alone,
          the_header_stands_by_itself_in_c_and_in_cxx, every_name_begins_with_cocos,
          the_symbols_file_is_what_is_there, it_links_and_calls_nothing_that_reaches_outside,
          it_keeps_no_state_between_calls, the_manual_names_every_function, a_genuine_report_is_verified,
          a_changed_one_is_refused, malformed_evidence_is_refused_and_malformed_inputs_are_no_verdict])
