"""The child's side of `kept`: limits first, then call after call until the parent is gone."""

import importlib
import json
import os
import signal
import sys
import threading
import time

from tallyman.platform.sandbox_child import leave_the_network, shut_in, tell

_LOOK_EVERY_S = 1.0


def main() -> None:
    """Requests are lines on stdin, answers lines on the pipe whose number is the first argument.

    The second argument: limits. The third: the parent's number.
    """
    leave_the_network()
    shut_in(json.loads(sys.argv[2]))  # before there is another thread: the walls hold for those that start behind them
    threading.Thread(target=_end_with, args=(int(sys.argv[3]),), daemon=True).start()
    with os.fdopen(int(sys.argv[1]), "wb") as out:
        for line in sys.stdin.buffer:
            try:
                asked = json.loads(line)
                module, name = asked["target"].split(":")
                told = json.dumps({"result": getattr(importlib.import_module(module), name)(**asked["arguments"])})
            except Exception as error:  # noqa: BLE001 - it must reach the parent as data
                told = json.dumps({"error": tell(error)})
            out.write(told.encode() + b"\n")
            out.flush()
    os._exit(0)


def _end_with(parent: int) -> None:
    """End in the midst of a page too, with all that was started, when the parent is gone.

    The kernel's own signal for that comes when the parent's thread ends, and threads of a pool do so any time.
    """
    while os.getppid() == parent:
        time.sleep(_LOOK_EVERY_S)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
