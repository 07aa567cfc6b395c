import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from harness import processes
from harness.errors import CannotRunError
from tests.support import eventually

SLEEP = "import time; time.sleep(3600)"


def python(code: str, log: Path) -> tuple[processes.Program, processes.OutputLog]:
    return processes.spawn([sys.executable, "-c", code], environment=dict(os.environ), log=log)


def test_output_is_kept_whole_where_it_is_short(tmp_path: Path):
    process, output = python("print('one'); print('two')", tmp_path / "log")
    process.wait(20)
    processes.stop(process)
    output.end()
    assert (tmp_path / "log").read_text() == "one\ntwo\n"
    assert output.tail() == "one\ntwo\n"


def test_output_without_end_fills_neither_disk_nor_memory(tmp_path: Path):
    code = "import os\nfor _ in range(400): os.write(1, b'x' * 65536)\nos.write(1, b'the end')"
    process, output = python(code, tmp_path / "log")
    process.wait(20)
    processes.stop(process)
    output.end()
    assert (tmp_path / "log").stat().st_size < 1_300_000
    assert output.tail().endswith("the end")
    assert (tmp_path / "log").read_text().endswith("the end")


def test_stop_ends_also_what_ignores_sigterm_and_what_left_the_session(tmp_path: Path):
    code = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"child = subprocess.Popen([sys.executable, '-c', {SLEEP!r}], start_new_session=True)\n"
        "print(child.pid, flush=True); time.sleep(3600)"
    )
    process, output = python(code, tmp_path / "log")
    assert eventually(lambda: output.tail().strip().isdigit())
    child = psutil.Process(int(output.tail()))
    processes.stop(process, grace=0.1)
    assert process.returncode == -9
    assert eventually(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def test_a_program_that_is_not_there_is_one_clear_line(tmp_path: Path):
    with pytest.raises(CannotRunError, match="cannot start /no/such/program: No such file or directory"):
        processes.spawn(["/no/such/program"], environment={}, log=tmp_path / "log")


def test_the_sweep_ends_what_a_killed_owner_left_and_nothing_else(tmp_path: Path):
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom harness import processes\n"
        f"p, _ = processes.spawn([sys.executable, '-c', {SLEEP!r}], environment=dict(os.environ),"
        f" log=Path({str(tmp_path / 'a')!r}))\nprint(p.pid, flush=True)\ninput()"
    )
    owner = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert owner.stdout is not None
    orphan = psutil.Process(int(owner.stdout.readline()))
    mine, _ = python(SLEEP, tmp_path / "b")
    processes.sweep()
    assert orphan.is_running(), "its owner still lives"
    owner.kill()
    owner.communicate()
    assert processes.sweep() >= 1
    assert eventually(lambda: not orphan.is_running() or orphan.status() == psutil.STATUS_ZOMBIE)
    assert mine.poll() is None, "this process is its owner, and lives"
    processes.stop(mine)


def test_a_signal_that_does_not_end_a_wait_is_heard_all_the_same():
    # caught in another thread, it leaves the main thread waiting, as one does that comes just before the wait begins
    before = signal.getsignal(signal.SIGINT)
    held = threading.Lock()
    catches = threading.Timer(0.1, lambda: signal.pthread_kill(threading.get_ident(), signal.SIGINT))
    lets_go = threading.Timer(30, held.release)
    with processes.interrupt_once([signal.SIGINT]):
        held.acquire()
        catches.start()
        lets_go.start()
        with pytest.raises(KeyboardInterrupt), held:
            pass
    lets_go.cancel()
    assert held.locked(), "it was heard when the wait was over"
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize(
    ("code", "words"), [(3, "exit status 3"), (-11, "killed by SIGSEGV"), (-99, "killed by signal 99")]
)
def test_an_exit_is_described(code: int, words: str):
    assert processes.describe_exit(code) == words


@pytest.mark.parametrize("owner", ["", "x", "1:2:3", "999999999:1.0", "1:1.0"])
def test_a_mark_that_names_no_living_owner_is_nobodys(owner: str):
    where = processes.owner_mark().partition("@")[2]
    assert not processes.owner_lives(f"{owner}@{where}")


def test_an_owner_on_another_machine_or_in_another_container_is_not_ours_to_judge():
    assert processes.owner_lives("999999999:1.0@elsewhere/1")


def test_our_own_mark_is_a_living_owners():
    assert processes.owner_lives(processes.owner_mark())
