# SPDX-License-Identifier: Apache-2.0
"""Many rows in one process, the moments that rows name, and the vectors' runner over both: what is not
understood is said in the row's place, is no yes, and costs no other row."""
import hashlib
import json
import os
import subprocess
import sys

import tap
from harness import ROOT, Folder, program

LINE = b"INIT sha256/" + b"00" * 32
VALUE = hashlib.sha256(bytes(32) + hashlib.sha256(LINE).digest()).hexdigest()


class Room(Folder):
    """A log of one line, and rows that ask about it."""

    def __enter__(self):
        super().__enter__()
        self.log = self.write("log", LINE + b"\n")
        self.good = self.row(pcrs=self.write("good.json", json.dumps({"sha256": {"16": VALUE}})))
        self.bad = self.row(pcrs=self.write("bad.json", json.dumps({"sha256": {"16": "00" * 32}})))
        return self

    def row(self, **options):
        return {"file": ["log", self.log], "aael": True, **options}

    def ask(self, rows, *more):
        """Exit status and verdicts for rows, which may be anything that stands in a line."""
        lines = b"\n".join(row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows)
        done = subprocess.run([program("cocos-cli"), "attestation", "check", "--batch", "-", *more],
                              input=lines, capture_output=True, check=False)
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr

    def refused(self, row, word):
        """The row is an error that says `word`; the ones around it are judged as ever."""
        status, answers, _ = self.ask([self.good, row, self.bad, self.good])
        assert [answer["verdict"] for answer in answers] == ["holds", "error", "refused", "holds"], answers
        assert status == 2 and word in answers[1]["reason"], answers[1]


def rows_are_answered_in_order_and_the_worst_is_the_status():
    with Room() as room:
        for rows, status in (([room.good], 0), ([room.good, room.bad, room.good], 3),
                             ([room.bad, {}], 2), ([{}, room.good], 2), ([b"\r", room.good, b" \t"], 0)):
            found = room.ask(rows)
            wanted = [{id(room.good): "holds", id(room.bad): "refused"}.get(id(row), "error")
                      for row in rows if not isinstance(row, bytes)]
            assert found[0] == status and [answer["verdict"] for answer in found[1]] == wanted, found


def a_row_that_is_not_understood_costs_no_other():
    with Room() as room:
        good = json.dumps(room.good).encode()
        for row, word in ((b"x", "json"), (b"\0", "json"), (good + b"\0", "json"), (good + good, "json"),
                          (b"\xef\xbb\xbf" + good, "json"), (b"\xff", "json"), (b"[]", "object"),
                          (b"[" * 5000, "deep"), (b"x" * (1 << 20), "json"),
                          (good[:-1] + b"," + b" " * (1 << 20) + b"}", "more than 1048576 bytes"),
                          (good[:-1] + b',"aael":true}', "twice"), ({"aael": True}, "'file'")):
            room.refused(row, word)


def an_option_that_is_none_is_that_also_where_it_says_nothing():
    with Room() as room:
        for value in ("x", 1, True, False, []):
            room.refused({**room.good, "stranger": value}, "'stranger'")
        room.refused({**room.good, "pcrs": False}, "'pcrs' is false")
        room.refused({**room.good, "pcrs": None}, "'pcrs' is null")
        room.refused({**room.good, "pcrs": [[]]}, "array in an array")
        room.refused({**room.good, "aael": "yes"}, "takes no value")
        room.refused({**room.good, "batch": "-"}, "'batch'")


def no_file_of_a_row_goes_without_a_verdict():
    with Room() as room:
        room.refused({**room.good, "file": ["log", room.log, "/proc/nowhere"]}, "1 to 1 files")
        room.refused({**room.good, "file": []}, "'file'")
        row = json.dumps({"file": ["/proc/nowhere", "/proc/nowhere"], "mode": "snp"})
        for command in (["validate"], ["show"]):
            done = subprocess.run([program("cocos-cli"), "attestation", *command, "--batch", "-"],
                                  input=row, capture_output=True, check=False, text=True)
            assert done.returncode == 2 and "2 are named" in done.stdout, done


def what_stands_beside_a_batch_is_every_rows():
    with Room() as room:
        assert room.ask([room.good, room.bad], "--json", "--skew", "0")[0] == 3
        good, bad = ({"pcrs": row["pcrs"], "aael": True, "file": room.log} for row in (room.good, room.bad))
        status, answers, _ = room.ask([good, bad, good], "log")
        assert status == 3 and [answer["verdict"] for answer in answers] == ["holds", "refused", "holds"], answers
        status, answers, _ = room.ask([{}, {"pcrs": good["pcrs"]}], "log", room.log, "--aael", "--pcrs", bad["pcrs"])
        assert status == 2 and answers[0]["verdict"] == "refused", answers
        assert answers[1]["verdict"] == "error" and "--pcrs is given twice" in answers[1]["reason"], answers
        status, answers, _ = room.ask([room.good], "log")
        assert status == 2 and "1 to 1 files" in answers[0]["reason"], answers


def a_batch_of_nothing_is_no_yes():
    with Room() as room:
        for rows in ([], [b""], [b" ", b"\r"]):
            status, answers, said = room.ask(rows)
            assert status == 2 and not answers and b"there is no row" in said, (status, answers, said)


def answers_that_could_not_be_written_are_no_yes():
    with Room() as room:
        rows = room.write("rows", (json.dumps(room.good) + "\n") * 200)
        for where in (">/dev/full", ">&-"):
            done = subprocess.run(["sh", "-c", f'exec "$@" {where}', "sh", program("cocos-cli"), "attestation",
                                   "check", "--batch", rows], capture_output=True, check=False)
            assert done.returncode != 0 and b"standard output" in done.stderr, (where, done)


def moments_are_those_that_the_calendar_has():
    with Room() as room:
        day = "2026-06-15T00:00:00"
        for at in (day + "Z", day + "+00:00", day + "-23:59", day + ".125Z", day.lower() + "z",
                   "2028-02-29T23:59:59Z", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59Z"):
            assert room.ask([{**room.good, "at": at}])[0] == 0, at
        for at in ("", day, day + "Z ", " " + day + "Z", day + "+0000", day + "+24:00", day + "+-1:00",
                   day + "+ 1:00", day + "+01:60", day + ".Z", "2026-06-15 00:00:00Z", "2026-6-15T0:0:0Z",
                   "2026-02-29T00:00:00Z", "2026-02-30T00:00:00Z", "2026-06-31T00:00:00Z",
                   "2026-13-01T00:00:00Z", "2026-06-15T24:00:00Z", "2026-06-15T00:00:60Z",
                   "10000-01-01T00:00:00Z", "+2026-06-15T00:00:00Z", "1781481600"):
            room.refused({**room.good, "at": at}, "is not a moment")


def judge(folder):
    done = subprocess.run([sys.executable, os.path.join(ROOT, "scripts", "vectors"), folder, "--cli",
                           program("cocos-cli")], capture_output=True, check=False, text=True)
    return done.returncode, done.stdout


def the_runner_knows_all_words_and_fails_at_others():
    with Folder() as folder:
        for word in ("refused", "refuse", "either", "verified", "parsed", "accept", "perhaps"):
            folder.write(f"policy/{word}/policy.json", "{}")
            folder.write(f"policy/{word}/expected.json", json.dumps({"verdict": word}))
        status, said = judge(folder.path)
        assert status == 1 and said.splitlines()[-1] == "3 passed, 4 failed, 0 skipped", said
        for word in ("verified", "parsed", "accept", "perhaps"):
            assert f"policy/{word}: " in said, said
        assert "not understood" in said, said


if __name__ == "__main__":
    tap.run([rows_are_answered_in_order_and_the_worst_is_the_status, a_row_that_is_not_understood_costs_no_other,
             an_option_that_is_none_is_that_also_where_it_says_nothing, no_file_of_a_row_goes_without_a_verdict,
             what_stands_beside_a_batch_is_every_rows, a_batch_of_nothing_is_no_yes,
             answers_that_could_not_be_written_are_no_yes, moments_are_those_that_the_calendar_has,
             the_runner_knows_all_words_and_fails_at_others])
