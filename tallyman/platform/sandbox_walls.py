"""The kernel's own walls around the sandbox's child. They hold for it and for all that it starts, and never open again.

Two walls, each on its own where the kernel has it, neither of which needs rights (Linux; elsewhere only the limits
of `sandbox_child` hold):

- a seccomp filter (x86-64 and ARM 64): no socket of any kind, so neither network nor a local service; no io_uring,
  which would be a way past it; no look into other processes; no session or group of its own, so that killing the
  child's group leaves nothing behind; no new namespaces and mounts;
- Landlock (kernel 5.13 and later): files are made, written and removed below the scratch folder and nowhere else
  (before 6.2 a file elsewhere may still be cut by its name).

What they do not hold: the child may read whatever our user may read, the environment of our other processes included,
and send signals to them. Only what it answers leaves it, and that is data.
"""

import ctypes
import os
import platform
import socket
import struct
import sys
import tempfile

_PR_SET_NO_NEW_PRIVS = 38
_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2

# Audit architecture; the number of clone; then those of: socket, socketpair, connect, io_uring_setup, ptrace,
# process_vm_readv, process_vm_writev, pidfd_getfd, setsid, setpgid, unshare, setns, mount, umount2, chroot, pivot_root,
# bpf, perf_event_open, userfaultfd, keyctl, add_key, request_key, open_by_handle_at; and of what mounts in another way
# (open_tree, move_mount, fsopen, fsconfig, fsmount, fspick, mount_setattr), which are the same everywhere.
_MOUNTS = (428, 429, 430, 431, 432, 433, 442)
_CALLS = {
    "x86_64": (
        0xC000003E,
        56,
        (
            41,
            53,
            42,
            425,
            101,
            310,
            311,
            438,
            112,
            109,
            272,
            308,
            165,
            166,
            161,
            155,
            321,
            298,
            323,
            250,
            248,
            249,
            304,
        ),
    ),
    "aarch64": (
        0xC00000B7,
        220,
        (198, 199, 203, 425, 117, 270, 271, 438, 157, 154, 97, 268, 40, 39, 51, 41, 280, 241, 282, 219, 217, 218, 265),
    ),
}
_OTHER_ABI = 0x40000000
"""Numbers from here on are x32's names for the same calls."""
_CLONE3 = 435
"""Its flags lie in memory, where a filter can't look: as if the kernel had none, then libraries take clone."""
_SPACES = 0x7E020080
"""Clone's flags for new namespaces."""
_LOAD, _EQUAL, _AT_LEAST, _HAS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _REFUSE, _NOT_THERE, _KILL = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000
_NUMBER, _ARCHITECTURE, _FIRST = 0, 4, 16
"""Where a filter finds the call, the architecture and the lower half of the first argument."""

_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_WRITES = 0x1FF2
"""Every right of Landlock's first version but to execute, read a file and list a folder."""
_WRITE_FILE = 0x2
_TRUNCATE = 0x4000
"""To cut a file by its name: a right of its own since the third version."""
_TELL_VERSION = 1


def build(scratch: str) -> None:
    """Put up what this kernel has. `scratch`: the one folder to write to."""
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    _write_only_below(libc, scratch)
    _refuse_calls(libc)


def missing() -> list[str]:
    """The walls that do not stand around this process, in words. Asked in a child: it tries them."""
    told = []
    try:
        socket.socket().close()
        told.append("it can open sockets (no seccomp)")
    except OSError:
        pass
    try:
        descriptor, outside = tempfile.mkstemp(dir="/var/tmp")
        os.close(descriptor)
        os.remove(outside)
        told.append("it can write files anywhere (no Landlock)")
    except OSError:
        pass
    return told


def _write_only_below(libc: ctypes.CDLL, scratch: str) -> None:
    version = libc.syscall(_LANDLOCK_CREATE, None, ctypes.c_size_t(0), _TELL_VERSION)
    if version < 1:
        return
    writes = _WRITES | (_TRUNCATE if version >= 3 else 0)
    handled = ctypes.c_uint64(writes)
    ruleset = libc.syscall(_LANDLOCK_CREATE, ctypes.byref(handled), ctypes.c_size_t(8), 0)
    for path, rights in ((scratch, writes), (os.devnull, _WRITE_FILE)):
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        rule = ctypes.create_string_buffer(struct.pack("=Qi", rights, place))
        libc.syscall(_LANDLOCK_ADD, ruleset, 1, rule, 0)
        os.close(place)
    libc.syscall(_LANDLOCK_RESTRICT, ruleset, 0)
    os.close(ruleset)


def _refuse_calls(libc: ctypes.CDLL) -> None:
    known = _CALLS.get(platform.machine())
    if known is None:
        return
    architecture, clone, calls = known
    numbers = (*calls, *_MOUNTS)
    program = [
        _step(_LOAD, _ARCHITECTURE),
        _step(_EQUAL, architecture, 1, 0),
        _step(_RETURN, _KILL),
        _step(_LOAD, _NUMBER),
        _step(_EQUAL, _CLONE3, 0, 1),
        _step(_RETURN, _NOT_THERE),
        _step(_EQUAL, clone, 0, 4),
        _step(_LOAD, _FIRST),
        _step(_HAS, _SPACES, 1, 0),
        _step(_RETURN, _ALLOW),
        _step(_RETURN, _REFUSE),
        _step(_AT_LEAST, _OTHER_ABI, len(numbers) + 1, 0),
        *(_step(_EQUAL, number, len(numbers) - place, 0) for place, number in enumerate(numbers)),
        _step(_RETURN, _ALLOW),
        _step(_RETURN, _REFUSE),
    ]
    code = ctypes.create_string_buffer(b"".join(program))
    filters = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program), ctypes.addressof(code)))
    libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, filters, 0, 0)


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)
