"""A filter of system calls: what tests have no use for, and what has a history of leading out of sandboxes.

Classic BPF as seccomp(2) defines it, for x86-64 and 64-bit ARM. Numbers: arch/x86/entry/syscalls/syscall_64.tbl and
include/uapi/asm-generic/unistd.h of Linux. Programs of another architecture, 32-bit ones included, are ended.
"""

import errno
import json
import struct
from collections.abc import Iterator

_LOAD, _JUMP_IF_EQUAL, _JUMP_IF_NOT_LESS, _JUMP_IF_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _FIRST, _SECOND = 0, 4, 16, 24
"""Offsets in ``struct seccomp_data``; of an argument, its lower half."""
_ALLOW, _KILL, _ERROR = 0x7FFF0000, 0x80000000, 0x00050000
_X32 = 0x40000000

_AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

_REFUSED: dict[str, tuple[int, int | None]] = {
    # looking into other processes, and changing them
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    # keys belong to the user, not to a namespace
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    # large, young parts of the kernel
    "bpf": (321, 280),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "fanotify_init": (300, 262),
    "memfd_secret": (447, 447),
    # namespaces and mounts
    "setns": (308, 268),
    "unshare": (272, 97),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "open_tree_attr": (467, 467),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    # the machine itself
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "syslog": (103, 116),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "adjtimex": (159, 171),
    "vhangup": (153, 58),
    "move_pages": (279, 239),
    "migrate_pages": (256, 238),
    "iopl": (172, None),
    "ioperm": (173, None),
    "modify_ldt": (154, None),
}
_UNCOUNTED = {"memfd_create": (319, 279), "shmget": (29, 194)}
"""What can hold memory that no process has mapped: to be refused where no control group counts it."""
_CLONE, _CLONE3, _IOCTL, _SOCKET = (56, 220), (435, 435), (16, 29), (41, 198)
_NEW_NAMESPACES = 0x7E020000
_TYPING = (0x5412, 0x541C)
"""TIOCSTI and TIOCLINUX put characters into somebody's terminal."""
_FAMILIES = (1, 2, 10, 16)
"""AF_UNIX, AF_INET, AF_INET6, AF_NETLINK. AF_VSOCK, for one, knows no network namespaces and reaches the hypervisor."""


def profile(*, memory_is_counted: bool) -> bytes:
    """The same rules as a profile that podman and docker read, in the format of the OCI runtime specification."""
    names = [*_REFUSED, *(() if memory_is_counted else _UNCOUNTED)]
    rules: list[dict[str, object]] = [{"names": names, **_with(errno.EPERM)}]
    rules.append({"names": ["clone3"], **_with(errno.ENOSYS)})
    for bit in (1 << place for place in range(32) if _NEW_NAMESPACES & (1 << place)):
        asked = {"index": 0, "value": bit, "valueTwo": bit, "op": "SCMP_CMP_MASKED_EQ"}
        rules.append({"names": ["clone"], "args": [asked], **_with(errno.EPERM)})
    for request in _TYPING:
        asked = {"index": 1, "value": request, "op": "SCMP_CMP_EQ"}
        rules.append({"names": ["ioctl"], "args": [asked], **_with(errno.EPERM)})
    others = [family for family in range(1, max(_FAMILIES)) if family not in _FAMILIES]
    for operator, family in (*(("SCMP_CMP_EQ", other) for other in others), ("SCMP_CMP_GT", max(_FAMILIES))):
        asked = {"index": 0, "value": family, "op": operator}
        rules.append({"names": ["socket"], "args": [asked], **_with(errno.EAFNOSUPPORT)})
    return json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": rules}).encode()


def _with(number: int) -> dict[str, object]:
    return {"action": "SCMP_ACT_ERRNO", "errnoRet": number}


def supported(machine: str) -> bool:
    """Whether there is a filter for this architecture, as ``platform.machine`` names it."""
    return machine in _AUDIT


def program(machine: str, *, memory_is_counted: bool) -> bytes:
    """The filter, as ``bwrap --seccomp`` reads it."""
    column = list(_AUDIT).index(machine)
    refused = dict(_REFUSED) if memory_is_counted else {**_REFUSED, **_UNCOUNTED}
    numbers = [numbers[column] for numbers in refused.values()]
    code = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_JUMP_IF_EQUAL, 1, 0, _AUDIT[machine]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_JUMP_IF_NOT_LESS, 0, 1, _X32),
        (_RETURN, 0, 0, _KILL),
    ]
    for number in numbers:
        if number is not None:
            code += [(_JUMP_IF_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ERROR | errno.EPERM)]
    code += [
        (_JUMP_IF_EQUAL, 0, 1, _CLONE3[column]),
        (_RETURN, 0, 0, _ERROR | errno.ENOSYS),
    ]  # libraries then use clone
    code += _for(
        _CLONE[column], _FIRST, [(_JUMP_IF_ANY_BIT, 0, 1, _NEW_NAMESPACES), (_RETURN, 0, 0, _ERROR | errno.EPERM)]
    )
    code += _for(_IOCTL[column], _SECOND, list(_each(_TYPING)))
    code += _for(_SOCKET[column], _FIRST, [*_none_of(_FAMILIES), (_RETURN, 0, 0, _ERROR | errno.EAFNOSUPPORT)])
    code.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("=HBBI", *one) for one in code)


_Instruction = tuple[int, int, int, int]


def _for(number: int, argument: int, body: list[_Instruction]) -> list[_Instruction]:
    """``body`` with an argument loaded, for one system call; whoever is not caught there is allowed."""
    block = [(_LOAD, 0, 0, argument), *body, (_RETURN, 0, 0, _ALLOW)]
    return [(_JUMP_IF_EQUAL, 0, len(block), number), *block]


def _each(values: tuple[int, ...]) -> Iterator[_Instruction]:
    for value in values:
        yield from ((_JUMP_IF_EQUAL, 0, 1, value), (_RETURN, 0, 0, _ERROR | errno.EPERM))


def _none_of(values: tuple[int, ...]) -> Iterator[_Instruction]:
    """Past the instruction that follows if the value is one of these."""
    for left, value in enumerate(values):
        yield (_JUMP_IF_EQUAL, len(values) - left, 0, value)
