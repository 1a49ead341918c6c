# SPDX-License-Identifier: Apache-2.0
"""The verifier beside the public-key operations that it can't do without, and a launch measurement beside
the digests of its pages. Processor time on both sides, as `openssl speed` counts it, in turns, of which the
median counts: others may use the machine."""
import json
import os
import statistics
import subprocess
import tempfile
import time

from harness import program

VECTORS, HERE = os.environ["COCOS_VECTORS"], os.path.dirname(os.path.abspath(__file__))
ROUNDS, TURNS = 300, 5


def in_turns(figure, limit):
    """The medians of both."""
    pairs = [(figure(), limit()) for _ in range(TURNS)]
    return tuple(statistics.median(side) for side in zip(*pairs))


def verify_seconds(algorithm):
    """One verification by OpenSSL, as `openssl speed` measures it."""
    return operation_seconds(algorithm, -1)


def sign_seconds(algorithm):
    return operation_seconds(algorithm, -2)


def operation_seconds(algorithm, column):
    out = subprocess.run(["openssl", "speed", "-mr", "-seconds", "1", algorithm], capture_output=True, text=True,
                         check=True).stdout
    for line in out.splitlines():
        if line.startswith(("+F2", "+F3", "+F4")):
            return 1 / float(line.split(":")[column])
    raise AssertionError(f"no figure for {algorithm}")


def spent(words):
    """Processor seconds of a process, which has to end well; what it notes is of no row."""
    with tempfile.TemporaryFile() as notes:
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=notes)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        notes.seek(0)
        if process.returncode:
            raise AssertionError(f"{words[:3]} ends with {process.returncode}: {notes.read().decode(errors='replace')}")
    return usage.ru_utime + usage.ru_stime


def full_pipe():
    """(read end, write end): whoever writes to it waits until somebody reads."""
    ours, theirs = os.pipe()
    os.set_blocking(theirs, False)
    try:
        while True:
            os.write(theirs, bytes(65536))
    except BlockingIOError:
        os.set_blocking(theirs, True)
        return ours, theirs


def field_of(process, file, name):
    with open(f"/proc/{process.pid}/{file}", encoding="ascii") as lines:
        return next(line.split()[1] for line in lines if line.startswith(name))


def peak_mib(words):
    """The most memory that a process had when it comes to print its answer. Its rusage would count what this
    interpreter had before the program took its place."""
    ours, theirs = full_pipe()
    process = subprocess.Popen(words, stdout=theirs)
    os.close(theirs)
    asleep = 0
    while asleep < 3 and process.poll() is None:  # it sleeps for nothing else
        time.sleep(0.02)
        asleep = asleep + 1 if field_of(process, "status", "State:") == "S" else 0
    peak = int(field_of(process, "status", "VmHWM:"))
    with open(ours, "rb") as drain:
        drain.read()
    if process.wait():
        raise AssertionError(f"{words[:3]} ends with {process.returncode}")
    return peak / 1024


def batch_seconds(options):
    """One verdict, from a batch of many in one process less one of none."""
    def run(count):
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as lines:
            lines.write((json.dumps(options) + "\n") * count)
            lines.flush()
            return spent([program("cocos-cli"), "attestation", "validate", "--batch", lines.name])
    few = run(1)
    return (run(ROUNDS + 1) - few) / ROUNDS


def call_seconds(options, *how):
    """One call of the library alone, by a program that does nothing else."""
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as lines:
        lines.write(json.dumps(options) + "\n")
        lines.flush()
        return float(subprocess.run([program("tests/unit/cli/verify_bench"), lines.name, str(ROUNDS), *how],
                                    capture_output=True, text=True, check=True).stdout) / 1e6


def remembering_seconds(options):
    """The same where signatures of CAs, lists and documents are remembered."""
    return call_seconds(options, "remember")


def meeting_seconds(options):
    """The same for a machine that was never met: its own certificate's signature, and that of its quoting
    enclave, have to be verified as well."""
    return call_seconds(options, "meet")


def snp_options():
    folder = os.path.join(VECTORS, "snp", "milan-v3-oak-release")
    with open(os.path.join(folder, "expected.json"), encoding="utf-8") as file:
        case = json.load(file)
    return {
        "file": os.path.join(folder, "report.bin"), "mode": "snp", "genuine-only": True, "at": case["at"],
        "report_data": case["fields"]["report_data"], "vcek": os.path.join(folder, "vcek.der"),
        "CA_bundles_paths": os.path.join(folder, "ask.pem") + "," + os.path.join(folder, "ark.pem")}


def tdx_options():
    folder = os.path.join(VECTORS, "tdx", "v4-phala-uptodate")
    with open(os.path.join(folder, "expected.json"), encoding="utf-8") as file:
        case = json.load(file)
    return {
        "file": os.path.join(folder, "quote.bin"), "mode": "tdx", "genuine-only": True, "at": case["at"],
        "report_data": case["fields"]["reportdata"], "collateral": os.path.join(folder, "collateral")}


# All signatures that evidence and endorsements come with. Those of vendors' roots, which are known to the last
# byte, are not computed (attestation/formats/vendor_signatures.h).
def snp_limit():
    return verify_seconds("ecdsap384") + 3 * verify_seconds("rsa4096")


def tdx_limit():
    # PCK, its CA and the root; both lists; QE report and quote; TCB signer, TCB info, QE identity.
    return 10 * verify_seconds("ecdsap256")


KINDS = (("SNP", snp_options, snp_limit, "1 ECDSA P-384 + 3 RSA-4096"),
         ("TDX", tdx_options, tdx_limit, "10 ECDSA P-256"))


def dcap_qvl_seconds():
    """One verification of the same quote by the verifier dcap-qvl, in the Python that COCOS_DCAP_QVL names."""
    done = subprocess.run([os.environ["COCOS_DCAP_QVL"], os.path.join(HERE, "dcap_qvl_beside.py"),
                           os.path.join(VECTORS, "tdx", "v4-phala-uptodate"), str(ROUNDS)],
                          capture_output=True, text=True, check=True)
    return float(done.stdout)


def beside_dcap_qvl():
    if os.environ.get("COCOS_DCAP_QVL"):
        seconds, theirs = in_turns(lambda: call_seconds(tdx_options()), dcap_qvl_seconds)
        yield {"row": "TDX verification, beside dcap-qvl", "figure": seconds * 1e6, "unit": "us", "limit": theirs * 1e6,
               "of": "dcap-qvl, by Python", "ratio": seconds / theirs, "aim": "<= 1"}


def verdicts(size, only):
    if only and not any(word in "verification peak memory" for word in only):
        return
    for name, options, bound, of in KINDS:
        for what, figure, aim in (("a fleet's batch", batch_seconds, 0.5),
                                  ("the library's call", call_seconds, 1.15 if name == "SNP" else 1.2),
                                  ("its call with a memory", remembering_seconds, 0.5),
                                  ("and another machine's", meeting_seconds, None)):
            seconds, limit = in_turns(lambda: figure(options()), bound)
            yield {"row": f"{name} verification, {what}", "figure": seconds * 1e6, "unit": "us",
                   "limit": limit * 1e6, "of": of, "ratio": seconds / limit, **({"aim": f"<= {aim}"} if aim else {})}
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as lines:
            lines.write(json.dumps(options()) + "\n")
            lines.flush()
            peak = peak_mib([program("cocos-cli"), "attestation", "validate", "--batch", lines.name])
        yield {"row": f"{name} verification, peak memory", "figure": peak, "unit": "MiB"}
    yield from beside_dcap_qvl()


# ---- launch measurement ----

MIB, PAGE, PAGE_INFO, CPUS, STARTS = 1 << 20, 4096, 112, 64, 10


def digest_seconds(size):
    """One SHA-384 over that many bytes."""
    out = subprocess.run(["openssl", "speed", "-mr", "-seconds", "1", "-bytes", str(size), "-evp", "sha384"],
                         capture_output=True, text=True, check=True).stdout
    rate = next(line for line in out.splitlines() if line.startswith("+F:")).split(":")[-1]
    return size / float(rate)


def big_firmware(file):
    """4 MiB that end as a real OVMF does, with the table that says what is measured."""
    with open(os.path.join(VECTORS, "snp-measure", "fixtures", "ovmf_AmdSev_suffix.bin"), "rb") as suffix:
        end = suffix.read()
    file.write((bytes(range(251)) * (4 * MIB // 251 + 1))[:4 * MIB - len(end)] + end)
    file.flush()


def measure_seconds(words):
    return sum(spent(words) - spent([program("cocos-cli"), "version"]) for _ in range(STARTS)) / STARTS


def pages_seconds():
    """One digest for each page of the file and for each CPU's state, one for each step of the chain."""
    return (4 * MIB // PAGE + CPUS) * (digest_seconds(PAGE) + digest_seconds(PAGE_INFO))


def measurement(size, only):
    if only and not any(word in "sevsnpmeasure peak memory" for word in only):
        return
    with tempfile.NamedTemporaryFile(suffix=".fd") as ovmf:
        big_firmware(ovmf)
        words = [program("cocos-cli"), "sevsnpmeasure", "--mode", "snp", "--vcpus", str(CPUS), "--vcpu-type",
                 "EPYC-v4", "--ovmf", ovmf.name]
        peak = peak_mib(words)
        seconds, limit = in_turns(lambda: measure_seconds(words), pages_seconds)
    yield {"row": "sevsnpmeasure, OVMF of 4 MiB, 64 CPUs", "figure": seconds * 1e3, "unit": "ms",
           "limit": limit * 1e3, "of": "SHA-384 of its pages", "ratio": seconds / limit, "aim": "<= 1.3"}
    yield {"row": "sevsnpmeasure, peak memory", "figure": peak, "unit": "MiB"}
