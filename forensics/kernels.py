"""Compiled loops, and the same loops interpreted for small jobs.

Kernels are plain Python functions over arrays. numba compiles them once; what is kept in the cache folder is the
machine code of each, so that a later run needs neither numba nor its half second of start: the code is linked by
llvmlite and called through ctypes, which lets go of the interpreter lock. While nothing is compiled (`compiled`), the
functions run as they are. Results are the same. Kernels declared with `always` work on addresses, or on too much, to
be interpreted: the first call of one of them loads (or compiles, together) all that are declared by then.

A kernel that Python calls (an *entry*) allocates nothing and raises nothing: its callers hand it arrays for its
results. What numba does is in `compiling`; nothing else imports it.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import re
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_NUMBERS = {"event_ids.py", "events.py", "fields.py"}
"""Modules without kernels, the constants of which kernels take."""


@dataclass(frozen=True)
class _Declared:
    stands: Any
    """What stands in the modules while interpreted."""
    function: Callable[..., Any]
    signature: str | None
    """`result(type, …)` of an entry; None when kernels alone call it."""
    always: bool
    """Never interpreted."""

    @property
    def name(self) -> str:
        return _name(self.function)


def _name(function: Callable[..., Any]) -> str:
    return f"{function.__module__}.{function.__qualname__}"


@dataclass(frozen=True)
class _Inline:
    """What machine code has in the place of a call."""

    builder: Callable[..., Any] | str
    signature: str


_declared: list[_Declared] = []
_inlines: list[tuple[_Inline, Callable[..., Any]]] = []
"""With what stands for each while interpreted."""
_compiled = False
_folder: Path | None = None
_engines: list[Any] = []
"""What owns the machine code."""
_lock = threading.RLock()
_loaded: dict[str, Callable[..., int]] = {}
"""Entries that are never interpreted, by name, once they are machine code."""

progress: Callable[[str, int, int], None] | None = None
"""Told (`compile`, entries done, entries) while the compiler works: half a minute, once for a version and machine."""


def cache_folder() -> Path | None:
    """Where compiled code of exactly these sources for this processor is kept: below $NUMBA_CACHE_DIR, else
    $XDG_CACHE_HOME/missent/numba, else ~/.cache/missent/numba; None when none can be written."""
    global _folder
    if _folder is None:
        chosen = os.environ.get("NUMBA_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME")
        base = Path(chosen) if chosen else Path.home() / ".cache"
        folder = (base if os.environ.get("NUMBA_CACHE_DIR") else base / "missent" / "numba") / _digest()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            return None
        if not os.access(folder, os.W_OK):
            return None
        _folder = folder
    return _folder


def _digest() -> str:
    import platform
    from importlib.util import find_spec

    import llvmlite
    import llvmlite.binding as llvm

    here = Path(__file__).parent
    numba = find_spec("numba")  # found, not imported
    version = Path(numba.origin).with_name("_version.py").read_bytes() if numba and numba.origin else b""
    processor = llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()
    about = (version, llvmlite.__version__, platform.python_version(), *processor, here)
    digest = hashlib.sha256(repr(about).encode())
    digest.update(os.environ.get("NUMBA_BOUNDSCHECK", "").encode())
    for place in (here, here / "loaders" / "postfix", here / "loaders" / "exchange", here / "stitch"):
        for path in sorted(place.glob("*.py")):
            source = path.read_bytes()
            if b"kernel" in source or b"KIND" in source or path.name in _NUMBERS:
                digest.update(source)
    return digest.hexdigest()[:16]


def kernel(
    signature: str | None = None, *, plain: Callable[..., Any] | None = None, always: bool = False
) -> Callable[[Any], Any]:
    """Declare a kernel: an entry when it has a `signature` (result `void` or `int64`), else one that kernels call.

    `plain` stands in for the function while interpreted, where wrapping arithmetic or speed asks for another way.
    With `always` there is no such time; these kernels and the others do not call each other.
    """

    def declare(function: Any) -> Any:
        stands = plain or (_loading(function) if always and signature else function)
        declared = _Declared(stands, function, signature, always)
        _declared.append(declared)
        if _compiled and signature and not always:
            return _native([declared])[0]
        return declared.stands

    return declare


def inline(signature: str) -> Callable[[Any], Any]:
    """Declare what compiled kernels may call beside kernels: the decorated function is given an llvmlite IRBuilder and
    the values of the arguments, and returns the value of the call (None for `void`). It is never interpreted."""

    def declare(builder: Any) -> Any:
        return _stand_in(_Inline(builder, signature), builder.__name__, builder.__doc__)

    return declare


def external(name: str, signature: str) -> Any:
    """Declare a function of the C library, which compiled kernels may call."""
    return _stand_in(_Inline(name, signature), name, f"C's {name}.")


def _stand_in(declared: _Inline, name: str, doc: str | None) -> Any:
    def stands(*_arguments: Any) -> Any:
        raise AssertionError(f"{name} is for compiled kernels")

    stands.__name__, stands.__doc__ = name, doc
    _inlines.append((declared, stands))
    return stands


def _loading(function: Any) -> Callable[..., int]:
    """What stands for an entry that is never interpreted until its code is loaded."""
    name = _name(function)

    def first(*arguments: Any) -> int:
        if name not in _loaded:
            load()
        return _loaded[name](*arguments)

    return first


def load() -> None:
    """Put machine code in the place of all entries declared so far that are never interpreted."""
    with _lock:
        entries = [d for d in _declared if d.always and d.signature and d.name not in _loaded]
        if entries:
            made = _native(entries)
            _loaded.update(zip((d.name for d in entries), made, strict=True))
            _replace({id(d.stands): native for d, native in zip(entries, made, strict=True)})


def compiled() -> bool:
    """True when kernels run as machine code."""
    return _compiled


def warm() -> bool:
    """True when compiling would only mean loading."""
    folder = cache_folder()
    return folder is not None and (folder / "complete").exists()


def compile_kernels(*, all_declared: bool = True) -> None:
    """Put machine code in the place of all entries that may be interpreted, now and in modules imported later. On
    big-endian machines they stay interpreted. `all_declared`: no module with kernels is left out, so that what is kept
    makes later runs `warm`."""
    global _compiled
    if _compiled or sys.byteorder != "little":  # the kernels put words together from bytes
        return
    entries = [d for d in _declared if d.signature and not d.always]
    _replace({id(d.stands): native for d, native in zip(entries, _native(entries), strict=True)})
    _compiled = True
    folder = cache_folder()
    if folder is not None and all_declared:
        try:
            (folder / "complete").touch()
        except OSError:
            return


def _replace(replacement: dict[int, Any]) -> None:
    """Give every name in the package's modules that means one of these what replaces it."""
    for name, module in list(sys.modules.items()):
        if _ours(name):
            for key, value in list(vars(module).items()):
                if id(value) in replacement:
                    setattr(module, key, replacement[id(value)])


def _native(entries: list[_Declared]) -> list[Any]:
    codes = [_cached(d) for d in entries]
    with _lock:
        if missing := [n for n, code in enumerate(codes) if code is None]:
            _build_apart([entries[n] for n in missing])
            codes = [code or _cached(d) for d, code in zip(entries, codes, strict=True)]
        if missing := [n for n, code in enumerate(codes) if code is None]:
            for n, made in zip(missing, _build([entries[n] for n in missing]), strict=True):
                codes[n] = made
        addresses = _linked([code for code in codes if code is not None])
    return [_callable(d, address) for d, address in zip(entries, addresses, strict=True)]


def _file(declared: _Declared) -> Path | None:
    folder = cache_folder()
    return folder / f"{declared.name}.o" if folder else None


def _cached(declared: _Declared) -> tuple[str, bytes] | None:
    """(symbol, object code) from the cache; None when it has none, or not what was written there."""
    path = _file(declared)
    try:
        content = path.read_bytes() if path else b""
    except OSError:
        return None
    digest, symbol, code = (*content.split(b"\n", 2), b"", b"", b"")[:3]
    if hashlib.sha256(symbol + b"\n" + code).hexdigest().encode() != digest:
        return None
    return symbol.decode(), code


def _keep(declared: _Declared, symbol: str, code: bytes) -> None:
    path = _file(declared)
    if path is None:
        return
    content = symbol.encode() + b"\n" + code
    part = path.with_suffix(f".{os.getpid()}")
    try:
        part.write_bytes(hashlib.sha256(content).hexdigest().encode() + b"\n" + content)
        part.replace(path)
    except OSError:
        return


def _build_apart(entries: list[_Declared]) -> None:
    """Compile what other processes can find into the cache."""
    folder = cache_folder()
    names = [d.name for d in entries if _ours(d.name)]
    if folder is None or not names:
        return
    from forensics import compiling

    _tell(0, len(entries))
    compiling.apart(names, {"NUMBA_CACHE_DIR": str(folder.parent)}, lambda done: _tell(done, len(entries)))


def _tell(done: int, total: int) -> None:
    if progress is not None:
        progress("compile", done, total)


def _ours(name: str) -> bool:
    return name.partition(".")[0] == __name__.partition(".")[0]


def serve() -> None:
    """Compile the entries that standard input names, one a line, and name on standard output each that is done."""
    from importlib import import_module

    for line in sys.stdin:
        name = line.strip()
        import_module(name.rpartition(".")[0])
        entry = next(d for d in _declared if d.name == name and d.signature)
        if _cached(entry) is None:
            _build([entry])
        print(name, flush=True)


def _build(entries: list[_Declared]) -> list[tuple[str, bytes]]:
    """(symbol, object code) of each entry, compiled in this process; all are `always`, or none."""
    from forensics import compiling

    helpers = [(d.stands, compiling.helper(d.function)) for d in _declared if _called_by(entries, d)]
    helpers += [(stands, compiling.inlined(one.builder, one.signature)) for one, stands in _inlines]
    out = []
    _replace({id(stands): made for stands, made in helpers})
    try:
        for done, declared in enumerate(entries):
            _tell(done, len(entries))
            symbol, code = compiling.object_code(declared.function, str(declared.signature))
            _keep(declared, symbol, code)
            out.append((symbol, code))
    finally:
        _replace({id(made): stands for stands, made in helpers})
    return out


def _called_by(entries: list[_Declared], declared: _Declared) -> bool:
    return not declared.signature and declared.always == entries[0].always


def _linked(codes: list[tuple[str, bytes]]) -> list[int]:
    """Where the machine code of each of these lies once it is linked."""
    import llvmlite.binding as llvm

    if not _engines:
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        machine = llvm.Target.from_triple(llvm.get_process_triple()).create_target_machine(
            cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=3, jit=True
        )
        _engines.append(llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine))
    engine = _engines[0]
    for _, code in codes:
        engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    return [engine.get_function_address(symbol) for symbol, _ in codes]


_ARRAY = re.compile(r"(\w+)\[([:1, ]+)\]")


def _callable(declared: _Declared, address: int) -> Callable[..., int]:
    """numba's calling convention: status = f(result*, exception**, arguments…), an array being (owner, parent, items,
    item size, data, shape…, strides…), all contiguous here."""
    import numpy as np

    wanted: list[tuple[Any, int]] = []
    inside = declared.signature.partition("(")[2].removesuffix(")") if declared.signature else ""
    for part in re.findall(r"\w+(?:\[[^\]]*\])?", inside):
        array = _ARRAY.fullmatch(part)
        kind = array.group(1) if array else part
        wanted.append((np.dtype("bool" if kind == "boolean" else kind), array.group(2).count(",") + 1 if array else 0))
    slots = sum(5 + 2 * dimensions if dimensions else 1 for _, dimensions in wanted)
    call = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, *[ctypes.c_int64] * slots)(address)
    name = declared.name

    def native(*arguments: Any) -> int:
        flat: list[int] = []
        for value, (kind, dimensions) in zip(arguments, wanted, strict=True):
            if not dimensions:
                number = int(value)
                flat.append(number - (1 << 64) if number >> 63 == 1 else number)
            elif value.dtype != kind or value.ndim != dimensions or not value.flags.c_contiguous:
                raise TypeError(
                    f"{name}: an array of {value.dtype} and {value.ndim} dimensions; asked for {kind}, {dimensions}"
                )
            else:
                data = value.__array_interface__["data"][0]
                flat += (0, 0, value.size, value.itemsize, data, *value.shape, *value.strides)
        result, raised = ctypes.c_int64(), ctypes.c_void_p()
        status = call(ctypes.addressof(result), ctypes.addressof(raised), *flat)
        if status:
            raise AssertionError(f"{name} read or wrote outside its arrays (status {status})")
        return result.value

    native.__name__ = native.__qualname__ = declared.function.__qualname__
    native.__doc__ = declared.function.__doc__
    return native
