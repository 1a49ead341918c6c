# SPDX-License-Identifier: Apache-2.0
"""scripts/coverage fuzz: that it counts a corpus's lines, and refuses tables that hide some; and that
the inputs which make_seeds.py and make_calls (the argument) write are those that are saved."""
import filecmp
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "integration"), os.path.join(HERE, "..", "..", "scripts", "lib"),
                os.path.join(HERE, "..", "fuzz")]

import fuzz_reach  # noqa: E402
import make_seeds  # noqa: E402
import tap  # noqa: E402

SOURCE = """static int never(int c)
{
	return c + 1;
}

int main(int argc, char **argv)
{
	if (argc == 1)
		return never(argc);
	return 0;
}
"""


def refused(text, words, targets=("one",)):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "files.txt")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        try:
            fuzz_reach.check(fuzz_reach.table(path), set(targets))
        except fuzz_reach.Wrong as e:
            assert words in str(e), (text, str(e))
        else:
            raise AssertionError(f"accepted: {text}")


def measured(without):
    """What reach() says of a target made of SOURCE: (lines, what is wrong), numbers of the missed lines.
    Whether a closing brace is a line, compilers differ in."""
    old = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            os.makedirs("build/tests/fuzz/own.p")
            os.makedirs("build/fuzz")
            os.makedirs("tests/fuzz/corpus/one")
            with open("own.c", "w", encoding="utf-8") as file:
                file.write(SOURCE)
            compile_it = ["gcc", "--coverage", "-O0", "-c", "../own.c", "-o", "tests/fuzz/own.p/own.c.o"]
            subprocess.run(compile_it, cwd="build", check=True)
            subprocess.run(["gcc", "--coverage", "tests/fuzz/own.p/own.c.o", "-o", "tests/fuzz/fuzz_one"],
                           cwd="build", check=True)
            with open("build/compile_commands.json", "w", encoding="utf-8") as file:
                json.dump([{"directory": f"{folder}/build", "file": "../own.c",
                            "output": "tests/fuzz/own.p/own.c.o"}], file)
            answer = fuzz_reach.reach("build", "one", (["own.c"], without), fuzz_reach.objects("build"))
            with open("build/fuzz/one.txt", encoding="utf-8") as file:
                missed = [line.split(":", 2) for line in file]
            assert answer[1] - answer[0] == len(missed), (answer, missed)
            return answer, [int(number) for _, number, text in missed if text.strip() != "}"]
        finally:
            os.chdir(old)


def lines_that_ran_are_counted_and_the_others_named():
    (reached, total, wrong), missed = measured({})
    assert 3 <= reached < total and wrong is None and missed == [1, 3, 9], (reached, total, wrong, missed)


def a_function_left_out_is_not_counted_and_must_be_there_and_idle():
    (reached, total, wrong), missed = measured({"never": "why"})
    assert reached == total - 1 and wrong is None and missed == [9], (reached, total, wrong, missed)
    (_, _, wrong), _ = measured({"main": "why"})
    assert "reaches main" in wrong, wrong
    try:
        measured({"nowhere": "why"})
    except fuzz_reach.Wrong as e:
        assert "no function nowhere" in str(e), e
    else:
        raise AssertionError("a function that is nowhere")


def a_table_with_a_gap_is_refused():
    good = f"one {os.path.join(HERE, 'times.py')}\n"
    refused(good, "no row for fuzz target two", ("one", "two"))
    refused(good + "three meson.build\n", "three is no fuzz target")
    refused(good + good, "a second row for one")
    refused("one\n", "one has no files")
    refused("one nowhere.c\n", "nowhere.c is not there")
    refused(good + "  without never\n", "write 'without")
    refused(good + "  without never:\n", "write 'without")
    refused("  nobody.c\n", "no target before it")


def what_is_made_is_what_is_saved():
    for target in make_seeds.TARGETS:
        for name, content in target().items():
            path = os.path.join(make_seeds.CORPUS, target.__name__, name)
            with open(path, "rb") as file:
                assert file.read() == content, f"{path} is another: run tests/fuzz/make_seeds.py"


def what_make_calls_writes_is_what_is_saved():
    calls = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        copy = os.path.join(folder, "corpus")
        shutil.copytree(make_seeds.CORPUS, copy)
        for path in (os.path.join(top, name) for top, _, names in os.walk(copy) for name in names):
            os.utime(path, (1, 1))
        subprocess.run([calls, folder], check=True)
        written = 0
        for top, _, names in os.walk(copy):
            for name in names:
                path = os.path.join(top, name)
                if os.stat(path).st_mtime == 1:
                    continue
                written += 1
                saved = os.path.join(make_seeds.CORPUS, os.path.relpath(path, copy))
                assert os.path.isfile(saved) and filecmp.cmp(path, saved, shallow=False), \
                    f"{saved} is another: run make_calls (docs/developers.md)"
    assert written >= 100, written


def who_writes_answers_help_and_refuses_before_it_writes():
    seeds = os.path.join(HERE, "..", "fuzz", "make_seeds.py")
    reach = os.path.join(HERE, "..", "..", "scripts", "lib", "fuzz_reach.py")
    with tempfile.TemporaryDirectory() as folder:
        def run(*command):
            done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False,
                                  stdin=subprocess.DEVNULL, timeout=60)
            assert os.listdir(folder) == [], command
            return done.returncode, done.stdout, done.stderr

        for program in ([sys.executable, seeds], *([os.path.abspath(made)] for made in sys.argv[1:])):
            status, out, err = run(*program, "--help")
            assert status == 0 and "Exit status" in out and not err, (program, out, err)
            for wrong in (["--no-such-option"], ["no-such-thing"], ["json", "no-such-thing"]):
                status, out, err = run(*program, *wrong)
                assert status == 2 and err and not out, (program, wrong, status, out, err)
        shrink = os.path.join(HERE, "..", "fuzz", "shrink.py")
        assert "Exit status" in run(sys.executable, shrink, "--help")[1]
        for wrong in ([], ["build"], ["no-build", "json"], ["--no-such-option", "json"]):
            status, out, err = run(sys.executable, shrink, *wrong)
            assert status == 2 and err and not out, (wrong, status, out, err)
        for wrong in ([], ["build"], ["build", "many"]):
            status, out, err = run(sys.executable, reach, *wrong)
            assert status == 2 and err.startswith("usage: "), (wrong, status, err)


if __name__ == "__main__":
    tap.run([lines_that_ran_are_counted_and_the_others_named,
             a_function_left_out_is_not_counted_and_must_be_there_and_idle, a_table_with_a_gap_is_refused,
             what_is_made_is_what_is_saved, what_make_calls_writes_is_what_is_saved,
             who_writes_answers_help_and_refuses_before_it_writes])
