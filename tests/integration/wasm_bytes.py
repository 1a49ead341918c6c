# SPDX-License-Identifier: Apache-2.0
"""WebAssembly modules put together byte by byte (WebAssembly core specification, section 5): small
programs, and such as no compiler makes."""

I32, I64 = 0x7f, 0x7e
WASI = "wasi_snapshot_preview1"
HEADER = b"\0asm\1\0\0\0"
END = b"\x0b"


def leb(value):
    """Unsigned LEB128."""
    out = bytearray()
    while True:
        byte, value = value & 0x7f, value >> 7
        out.append(byte | (0x80 if value else 0))
        if not value:
            return bytes(out)


def signed(value):
    """Signed LEB128."""
    out = bytearray()
    while True:
        byte, value = value & 0x7f, value >> 7
        done = (value == 0 and not byte & 0x40) or (value == -1 and byte & 0x40)
        out.append(byte if done else byte | 0x80)
        if done:
            return bytes(out)


def name(text):
    raw = text if isinstance(text, bytes) else text.encode()
    return leb(len(raw)) + raw


def vector(items):
    return leb(len(items)) + b"".join(items)


def section(number, content):
    return bytes([number]) + leb(len(content)) + content


def i32(value):
    return b"\x41" + signed(value)


def i64(value):
    return b"\x42" + signed(value)


def call(index):
    return b"\x10" + leb(index)


DROP, UNREACHABLE = b"\x1a", b"\x00"
LOAD, STORE = b"\x28\x02\x00", b"\x36\x02\x00"
GROW, FILL = b"\x40\x00", b"\xfc\x0b\x00"


def store(address, value):
    return i32(address) + i32(value) + STORE


def forever(body=b""):
    return b"\x03\x40" + body + b"\x0c\x00" + END


def module(body, imports=(), pages=1, maximum=None, data=(), exports=("memory", "_start"), start=None,
           result=(), table=None, functions=(), custom=()):
    """A module whose function _start is `body`. `imports` are (module, name, parameters, results),
    numbered from 0; then comes _start, then the bodies `functions` of the same type."""
    types = [b"\x60" + vector([bytes([t]) for t in parameters]) + vector([bytes([t]) for t in results])
             for _, _, parameters, results in imports]
    types.append(b"\x60" + vector([]) + vector([bytes([t]) for t in result]))
    own = len(imports)
    count = 1 + len(functions)
    kinds = {"memory": b"\x02\x00", "_start": b"\x00" + leb(own), "_initialize": b"\x00" + leb(own)}
    parts = [HEADER, *(section(0, name(label) + content) for label, content in custom),
             section(1, vector(types))]
    if imports:
        parts.append(section(2, vector([name(where) + name(what) + b"\x00" + leb(i)
                                        for i, (where, what, _, _) in enumerate(imports)])))
    parts.append(section(3, vector([leb(own)] * count)))
    if table is not None:
        parts.append(section(4, vector([b"\x70\x00" + leb(table)])))
    limits = b"\x00" + leb(pages) if maximum is None else b"\x01" + leb(pages) + leb(maximum)
    parts.append(section(5, vector([limits])))
    parts.append(section(7, vector([name(e) + kinds[e] for e in exports])))
    if start is not None:
        parts.append(section(8, leb(own + start)))
    bodies = [b"\x00" + code + END for code in (body, *functions)]
    parts.append(section(10, vector([leb(len(code)) + code for code in bodies])))
    if data:
        parts.append(section(11, vector([b"\x00" + i32(at) + END + name(content)
                                         for at, content in data])))
    return b"".join(parts)


# The functions of WASI preview 1 that tests call: (module, name, parameters, results).
FD_WRITE = (WASI, "fd_write", (I32,) * 4, (I32,))
FD_PRESTAT_GET = (WASI, "fd_prestat_get", (I32, I32), (I32,))
PROC_EXIT = (WASI, "proc_exit", (I32,), ())
PATH_OPEN = (WASI, "path_open", (I32, I32, I32, I32, I32, I64, I64, I32, I32), (I32,))
PATH_SYMLINK = (WASI, "path_symlink", (I32,) * 5, (I32,))
SOCK_OPEN = (WASI, "sock_open", (I32, I32, I32), (I32,))


def exits(code):
    return module(i32(code) + call(0), imports=[PROC_EXIT])


def says(text):
    """Prints `text` and ends well."""
    raw = text.encode()
    return module(store(0, 16) + store(4, len(raw)) + i32(1) + i32(0) + i32(1) + i32(8) + call(0) + DROP,
                  imports=[FD_WRITE], data=[(16, raw)])


def ends_with(imports, body, data=()):
    """Ends with the code that `body` leaves on the stack, of functions numbered as in `imports`."""
    return module(body + call(len(imports)), imports=[*imports, PROC_EXIT], data=data)


def opens(path, directory=3, flags=0):
    """Ends with path_open's error number; 0 if it could be opened."""
    raw = path.encode()
    return ends_with([PATH_OPEN], i32(directory) + i32(0) + i32(64) + i32(len(raw)) + i32(flags) +
                     i64(2) + i64(2) + i32(0) + i32(0) + call(0), data=[(64, raw)])
