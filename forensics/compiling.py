"""Compiling in processes of their own: the compiler's memory goes with them, and a second one shortens the wait."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Lock, Thread

PROCESSES = 2
"""One kernel takes longer than all others together: more would only wait for it."""
PROGRAM = "from forensics.kernels import serve; serve()"


def apart(names: Sequence[str], environment: Mapping[str, str], told: Callable[[int], None]) -> None:
    """Have `kernels.serve` compile the entries of these names into the cache; `told` hears how many are done.

    What no process could do is not in the cache afterwards; that is no error here.
    """
    if not sys.executable:
        return
    waiting, lock = deque(names), Lock()
    done = 0

    def keep_busy(process: subprocess.Popen[str]) -> None:
        nonlocal done
        assert process.stdin and process.stdout
        try:
            while True:
                with lock:
                    if not waiting:
                        break
                    name = waiting.popleft()
                process.stdin.write(name + "\n")
                process.stdin.flush()
                if process.stdout.readline().strip() != name:
                    break
                with lock:
                    done += 1
                    told(done)
            process.stdin.close()
        except OSError:  # it ended early
            pass

    path = os.pathsep.join([str(Path(__file__).parent.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    processes = []
    try:
        for _ in range(min(PROCESSES, os.cpu_count() or 1, len(names))):
            processes.append(
                subprocess.Popen(
                    [sys.executable, "-c", PROGRAM],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    text=True,
                    env={**os.environ, **environment, "PYTHONPATH": path},
                )
            )
        threads = [Thread(target=keep_busy, args=[process]) for process in processes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    except OSError:  # no process to be had
        return
    finally:
        for process in processes:
            process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()
