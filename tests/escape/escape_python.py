# SPDX-License-Identifier: Apache-2.0
"""Python's own ways, from code in data to code in memory."""
# flake8: noqa: F821
import pickle

from agent_peer import zip_of
from rows import hostile, program


class Bomb:
    def __reduce__(self):
        return exec, ("import os; os.mkdir('/etc/owned')",)


BAD = b"import os\nos._exit(42)\n"


@hostile(data=(("sitecustomize.py", BAD), ("usercustomize.py", BAD)))
def a_dataset_that_python_starts_with():
    """A dataset called sitecustomize.py, which Python imports at its start if it finds it."""
    print(sys.modules.get("sitecustomize"), sys.path)


@hostile(data=(("json.py", BAD), ("random.py", BAD)))
def a_dataset_in_a_modules_place():
    """Datasets called json.py and random.py, for the algorithm to import."""
    import json
    import random
    print(json.__file__, random.__file__)


@hostile(data=(("model.pkl", pickle.dumps(Bomb())),))
def a_pickle_that_runs():
    """A dataset that runs a program when it is read."""
    import glob
    import pickle
    path = [p for p in glob.glob("/task/datasets/**/model.pkl", recursive=True)][0]
    refused(lambda: pickle.load(open(path, "rb")))


@hostile()
def code_written_into_memory():
    """Machine code in a page of its own that calls mount without any library."""
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(bytes.fromhex("b8a5000000" "31ff" "31f6" "31d2" "4d31d2" "4d31c0" "0f05" "c3"))
    run = ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
    result = run()
    print("mount said", result)
    sys.exit(0 if result == -errno.EPERM else ESCAPED)


@hostile()
def a_file_that_every_start_reads():
    """A .pth file among the packages, whose lines Python runs at each start."""
    import site
    for folder in site.getsitepackages() + ["/usr/lib/python3/dist-packages"]:
        refused(open, folder + "/owned.pth", "w")


@hostile(times=2)
def something_for_the_next_run():
    """Run twice: leaves files wherever it may, and looks for those of the last time."""
    for folder in (os.path.expanduser("~"), "/tmp", "/dev/shm", "/task", "/task/results"):
        with open(os.path.join(folder, "owned"), "x") as file:
            file.write("x")


@hostile(outside=True)
def a_shell_as_somebody_else():
    """su, which is set-uid and not in the image, asked for root's name."""
    try:
        done = subprocess.run(["/usr/bin/su", "-c", "id"], check=False, stdin=subprocess.DEVNULL, capture_output=True)
    except FileNotFoundError as error:
        print("refused:", error)
        return
    print(done)
    sys.exit(ESCAPED if b"uid=0" in done.stdout else 0)


program("python", "an algorithm that unpacks elsewhere", "A zip with ../../owned.py in it.", "python",
        zip_of([("main.py", b""), ("../../owned.py", b"")]), "algorithm")
