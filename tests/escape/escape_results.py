# SPDX-License-Identifier: Apache-2.0
"""What the consumers would unpack."""
# flake8: noqa: F821
from rows import hostile


@hostile()
def a_pipe_in_the_results():
    """A FIFO, at which whoever reads the results would wait for ever."""
    refused(os.mkfifo, "results/pipe")


@hostile(ends="socket")
def a_socket_in_the_results():
    """A Unix socket in results/."""
    socket.socket(socket.AF_UNIX).bind("results/socket")


@hostile(ends="link")
def a_link_deep_in_the_results():
    """A symbolic link to /etc/shadow, two folders down."""
    os.makedirs("results/a/b")
    os.symlink("/etc/shadow", "results/a/b/c")


@hostile(ends="has a backslash or control character")
def a_name_with_a_line_in_it():
    """A file name with a line feed, which lists show as two."""
    open("results/a\nb", "w").close()


@hostile(ends="has a backslash or control character")
def a_name_that_turns_the_text():
    """A file name with a right-to-left mark: 'gpj.exe' reads as 'exe.jpg'."""
    open("results/\u202egpj.exe", "w").close()


@hostile(ends="has a backslash or control character")
def a_name_for_another_system():
    """A file name with backslashes, a path elsewhere."""
    open("results/..\\..\\owned", "w").close()


@hostile(ends="is not UTF-8")
def a_name_of_any_bytes():
    """A file name that is no UTF-8."""
    open(b"results/\xff\xfe", "w").close()


@hostile()
def results_that_nobody_may_read():
    """A folder and a file without modes."""
    os.mkdir("results/shut")
    open("results/shut/file", "w").write("x")
    os.chmod("results/shut/file", 0)
    os.chmod("results/shut", 0)


@hostile(data=(("a.txt", b"data\n"),))
def a_dataset_as_a_result():
    """A hard link to a dataset: one file in two places."""
    refused(os.link, "/task/datasets/a.txt", "/task/results/a.txt")


@hostile()
def a_program_in_the_results():
    """A program in results/, executed there."""
    open("results/run", "w").write("#!/usr/bin/python3\nprint('ran')\n")
    os.chmod("results/run", 0o755)
    refused(subprocess.run, ["results/run"])
