"""Collects what a Python program needs to run, and no more, out of a Debian image with Python: a root of its own.

    python3 runtime.py TREE
    python3 runtime.py TREE VENV [CERTIFICATE ...]

By the first, TREE gets the standard library, compiled: that needs no VENV. By the second, it gets the interpreter, the
shared libraries that Python and the extension modules in VENV load, certificates, time zones and accounts. Each
CERTIFICATE goes to /etc/ssl/certs. Neither a shell nor a package manager comes along; of Debian's packages, the records
of those that own a file in TREE do.
"""

from __future__ import annotations

import os
import re
import shutil
import ssl
import subprocess
import sys
import sysconfig
from pathlib import Path

import seal

# Of the standard library, what no server imports: tests, windows, installers, documentation, what links C programs.
LEFT_OUT = re.compile(
    r"/(test|tests|idlelib|tkinter|turtledemo|turtle\.py|ensurepip|pydoc_data|lib2to3|config-[^/]*|site-packages"
    r"|dist-packages|__pycache__|EXTERNALLY-MANAGED|lib-dynload/_?(xx|tkinter|test|ctypes_test)[^/]*)(/|$)"
)
# Loaded by glibc, and named in no file: what ends threads, and what finds host names and accounts before glibc 2.34.
LOADED_BY_GLIBC = ("libgcc_s.so.1", "libnss_files.so.2", "libnss_dns.so.2")
BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
TIME_ZONES = "/usr/share/zoneinfo"
# Taken where the base has them. The terminals are those that `manage.py shell` meets.
OPTIONAL = (
    *("/etc/debian_version", "/etc/os-release", "/etc/mime.types", "/etc/services", "/etc/protocols"),
    *("/usr/lib/locale/C.utf8", "/usr/lib/ssl/openssl.cnf"),
    *(
        f"/{directory}/terminfo/{name[0]}/{name}"
        for directory in ("usr/share", "usr/lib", "lib", "etc")
        for name in ("dumb", "linux", "screen", "screen-256color", "tmux", "tmux-256color", "vt100", "xterm")
    ),
    *(f"/{directory}/terminfo/x/xterm-256color" for directory in ("usr/share", "usr/lib", "lib", "etc")),
)
WRITTEN = {
    "etc/passwd": "root:x:0:0:root:/root:/usr/sbin/nologin\napp:x:10001:10001::/tmp:/usr/sbin/nologin\n"
    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    "etc/group": "root:x:0:\napp:x:10001:\nnogroup:x:65534:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n",
}
DPKG = Path("/var/lib/dpkg")


class UnfitBaseError(Exception):
    """The base image lacks something; the message says what, and what to do."""


class Root:
    """The tree that is collected; `taken` are the files and links in it, by their paths in the base."""

    def __init__(self, tree: Path) -> None:
        self._tree = tree
        self.taken: set[str] = set()

    def __truediv__(self, path: str) -> Path:
        return self._tree / path.lstrip("/")

    def take(self, path: str) -> None:
        """Copy a file or a directory to its own place, and every symbolic link on the way to it."""
        link = next((place for place in reversed((Path(path), *Path(path).parents)) if place.is_symlink()), None)
        if link:
            self.taken.add(str(link))
            copy = self / str(link)
            copy.parent.mkdir(parents=True, exist_ok=True)
            if not copy.is_symlink():
                copy.symlink_to(link.readlink())
            self.take(os.path.normpath(Path(link.parent, link.readlink(), Path(path).relative_to(link))))
        elif Path(path).is_dir():
            self.take_all(path)
        elif path not in self.taken:
            self.taken.add(path)
            # Copied already, it may be in a layer below: there, writing it again would double it.
            if not (self / path).exists():
                (self / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, self / path)

    def take_all(self, directory: str, left_out: re.Pattern[str] | None = None) -> None:
        """Copy what is in a directory, except for paths in which `left_out` is found."""
        for entry in sorted(Path(directory).iterdir()):
            if left_out and left_out.search(str(entry)):
                continue
            if entry.is_dir() and not entry.is_symlink():
                self.take_all(str(entry), left_out)
            elif entry.exists():
                self.take(str(entry))


def take_standard_library(root: Root) -> None:
    for directory in {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}:
        root.take_all(directory, LEFT_OUT)


def take_interpreter(root: Root, venv: Path) -> None:
    """Take the interpreter, under every name that the virtual environment calls it by."""
    for python in (Path(sys.executable), *(venv / "bin").glob("python*")):
        target = Path(os.path.normpath(python.parent / python.readlink())) if python.is_symlink() else python
        for path in (python, target):
            if not path.is_relative_to(venv):
                root.take(str(path))


def elf_files(directory: Path) -> list[str]:
    """Return the shared libraries and programs below a directory."""
    files = [path for path in sorted(directory.rglob("*")) if path.is_file() and not path.is_symlink()]
    magic = b"\x7fELF"
    found = []
    for path in files:
        with path.open("rb") as file:
            if file.read(len(magic)) == magic:
                found.append(str(path))
    return found


def libraries(files: list[str]) -> set[str]:
    """Return the paths of all that the dynamic linker loads for the files, itself included."""
    # ldd ends with 1 when a file is static; what matters is what it says.
    listed = subprocess.run(["ldd", *files], capture_output=True, text=True, check=False).stdout
    found: set[str] = set()
    file = ""
    for line in listed.splitlines():
        if not line.startswith("\t"):
            file = line.rstrip(":")
        elif "not found" in line:
            raise UnfitBaseError(f"{file} needs {line.split()[0]}, which is not there: install the package that has it")
        elif match := re.search(r"(/\S+) \(0x", line):
            found.add(match[1])
    return found


def take_libraries(root: Root, tree: Path, venv: Path) -> None:
    """Take the shared libraries, and an index for those in unusual places: the official image's Python is one."""
    needed = libraries([os.path.realpath(sys.executable), *elf_files(tree), *elf_files(venv)])
    outside = {Path(library) for library in needed if not Path(library).is_relative_to(venv)}
    by_glibc = {directory / name for directory in {path.parent for path in outside} for name in LOADED_BY_GLIBC}
    for library in sorted(outside | {path for path in by_glibc if path.exists()}):
        root.take(str(library))
    (root / "etc").mkdir(exist_ok=True)
    subprocess.run(["ldconfig", "-r", str(tree), *sorted({str(path.parent) for path in outside})], check=True)
    shutil.rmtree(root / "var/cache/ldconfig", ignore_errors=True)


def take_certificates(root: Root, certificates: list[str]) -> None:
    """Take the certificates that everybody trusts, where OpenSSL looks for them, and the project's own."""
    root.take(str(BUNDLE))
    expected = ssl.get_default_verify_paths().openssl_cafile
    if Path(expected).exists():
        root.take(expected)
    else:
        (root / expected).parent.mkdir(parents=True, exist_ok=True)
        (root / expected).symlink_to(BUNDLE)
    for certificate in certificates:
        shutil.copy(certificate, root / str(BUNDLE.parent))


def take_records(root: Root) -> None:
    """Take the record of each package that owns a file here, as distroless images do for scanners, and its licence.

    NAME.list says which files are the package's: so anybody can see that each file here is somebody's.
    """
    records = re.split(r"\n\n+", (DPKG / "status").read_text(encoding="utf-8").strip())
    # What its scripts have made, dpkg knows no owner of.
    owned: dict[str, set[str]] = {"ca-certificates": {str(BUNDLE)}}
    for path in (DPKG / "info").glob("*.list"):
        # Packages from before /lib was a link to /usr/lib still say /lib.
        known = {name for line in path.read_text(encoding="utf-8").splitlines() for name in (line, f"/usr{line}")}
        owned.setdefault(path.stem.partition(":")[0], set()).update(known & root.taken)
    (root / f"{DPKG}/status.d").mkdir(parents=True)
    for record in records:
        name = record.partition("\n")[0].removeprefix("Package: ")
        if files := owned.get(name):
            (root / f"{DPKG}/status.d/{name}").write_text(f"{record}\n", encoding="utf-8")
            (root / f"{DPKG}/status.d/{name}.list").write_text("\n".join([*sorted(files), ""]), encoding="utf-8")
            if Path(licence := f"/usr/share/doc/{name}/copyright").is_file():
                root.take(licence)


def collect(tree: Path, venv: Path, certificates: list[str]) -> None:
    """Fill the tree. UnfitBaseError when the image that this runs in lacks something."""
    for needed, remedy in (
        (DPKG / "status", "use an image on Debian"),
        (BUNDLE, "install ca-certificates"),
        (Path(TIME_ZONES, "UTC"), "install tzdata"),
    ):
        if not needed.exists():
            raise UnfitBaseError(f"it has no {needed}: {remedy}")
    for command in ("ldd", "ldconfig"):
        if not shutil.which(command):
            raise UnfitBaseError(f"it has no {command}: use an image on Debian, with libc-bin")
    root = Root(tree)
    take_standard_library(root)
    take_interpreter(root, venv)
    take_libraries(root, tree, venv)
    take_certificates(root, certificates)
    root.take_all(TIME_ZONES, re.compile(r"/zoneinfo/(right|posix|posixrules|localtime)$"))
    for path in OPTIONAL:
        if Path(path).exists():
            root.take(path)
    take_records(root)
    for name, text in WRITTEN.items():
        (root / name).write_text(text, encoding="utf-8")
    (root / "tmp").mkdir()
    (root / "tmp").chmod(0o1777)


def main(tree: str, venv: str | None = None, *certificates: str) -> None:
    if venv is None:
        take_standard_library(Root(Path(tree)))
        seal.tidy(Path(tree))
        # By one process: dependencies are installed meanwhile.
        seal.main(Path(tree), sysconfig.get_path("stdlib"))
        return
    try:
        collect(Path(tree), Path(venv), list(certificates))
    except UnfitBaseError as unfit:
        sys.exit(f"PYTHON_IMAGE cannot be used: {unfit}.")
    seal.main(Path(tree))


if __name__ == "__main__":
    main(*sys.argv[1:])
