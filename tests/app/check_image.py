"""Checks what is, and is not, in the app's image. `tests/app/run` starts it; only the image is needed, no database."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tarfile
import tempfile
import unittest

from check_container import HARDENED, IMAGE, LABEL, docker

# Any of these would let an intruder, or a careless operator, change or fetch things.
TOOLS = re.compile(
    r"(^|/)(sh|bash|dash|busybox|apt|apt-get|dpkg|pip|pip3|pip3\.13|ensurepip|curl|wget|perl|env|ls|cat|tar|ldconfig|ldd|su)$(?<!var/lib/dpkg)"
)
NOT_IN_AN_IMAGE = re.compile(
    r"(^|/)(\.git|\.gitignore|\.env|\.dockerignore|\.cache|id_rsa|Dockerfile|requirements\.(in|txt)|pip\.conf|Makefile)(/|$)"
    r"|^(app/(tests|layers|certs)|run/secrets|root|home|context)(/|$)|\.(po|pyx|h|a)$"
)
ARCHITECTURES = "linux/amd64 linux/arm64"


def exported() -> tarfile.TarFile:
    """Return the image's files, as a container sees them."""
    container = docker("create", f"--label={LABEL}", IMAGE).stdout.strip()
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the archive is read from it until the tests end
    subprocess.run(["docker", "export", container], stdout=file, timeout=120, check=True)
    docker("rm", "--force", "--volumes", container)
    file.seek(0)
    return tarfile.open(fileobj=file)


def python(script: str, *options: str) -> str:
    """Run a script in the image as its task does; answer what it printed."""
    result = docker("run", "--rm", f"--label={LABEL}", *HARDENED, *options, IMAGE, "python", "-c", script, check=False)
    if result.returncode:
        raise AssertionError(f"{script!r} failed: {result.stdout}{result.stderr}")
    return result.stdout


class Files(unittest.TestCase):
    """The files of the image, all layers together."""

    archive: tarfile.TarFile

    @classmethod
    def setUpClass(cls) -> None:
        cls.archive = exported()
        cls.addClassCleanup(cls.archive.close)
        cls.members = {member.name: member for member in cls.archive.getmembers()}

    def named(self, pattern: re.Pattern[str]) -> list[str]:
        return sorted(name for name in self.members if pattern.search(name))

    def test_no_shell_and_no_package_manager_is_inside(self) -> None:
        self.assertEqual(self.named(TOOLS), [])

    def test_nothing_of_the_repository_of_tests_and_of_the_builder_is_inside(self) -> None:
        self.assertEqual(self.named(NOT_IN_AN_IMAGE), [])

    def test_nothing_but_tmp_is_writable_by_others_and_nothing_changes_the_user(self) -> None:
        writable = [
            name
            for name, member in self.members.items()
            if member.mode & 0o022 and not (member.issym() or member.isdev())
        ]
        self.assertEqual(writable, ["tmp"])
        self.assertEqual(self.members["tmp"].mode & 0o7777, 0o1777)
        self.assertEqual([name for name, member in self.members.items() if member.mode & 0o6000], [])
        self.assertEqual({member.uid for member in self.members.values()}, {0}, "the app cannot change its own files")

    def test_every_module_has_byte_code_that_is_never_compared_with_its_source(self) -> None:
        sources = [name for name in self.members if name.startswith(("app/", "usr/", "opt/")) and name.endswith(".py")]
        self.assertGreater(len(sources), 1000)
        for source in sources:
            if self.members[source].issym():
                continue
            directory, _, name = source.rpartition("/")
            code = f"{directory}/__pycache__/{name.removesuffix('.py')}.cpython-313.pyc"
            self.assertIn(code, self.members, "every start would compile it again")
            file = self.archive.extractfile(code)
            assert file
            self.assertEqual(file.read(8)[4:], b"\1\0\0\0", f"{code} is checked against its source at every start")

    def test_a_package_owns_each_library_and_its_record_is_kept(self) -> None:
        records = {name.rpartition("/")[2] for name in self.members if name.startswith("var/lib/dpkg/status.d/")}
        self.assertTrue({"libc6", "ca-certificates", "tzdata"} <= records, records)
        self.assertNotIn("var/lib/dpkg/status", self.members, "nobody can install anything here")


class Layers(unittest.TestCase):
    """What the image says about itself."""

    def test_its_labels_say_what_it_was_made_of(self) -> None:
        config = json.loads(docker("image", "inspect", IMAGE).stdout)[0]["Config"]
        labels = config["Labels"]
        self.assertEqual(labels["org.opencontainers.image.title"], "pactum")
        self.assertIn("python:3.13", labels["org.opencontainers.image.base.name"])
        self.assertEqual(labels["deployment.platforms"], ARCHITECTURES)
        if labels["org.opencontainers.image.revision"]:
            self.assertRegex(labels["org.opencontainers.image.revision"], r"^[0-9a-f]{40}(-changed)?$")
            self.assertRegex(labels["org.opencontainers.image.created"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")

    def test_its_health_check_is_the_task_definitions(self) -> None:
        check = json.loads(docker("image", "inspect", IMAGE).stdout)[0]["Config"]["Healthcheck"]
        self.assertEqual(check["Test"], ["CMD", "python", "-SE", "/app/deployment/probe.py"])
        seconds = {name: check[name] / 1e9 for name in ("Interval", "Timeout", "StartPeriod")}
        self.assertEqual((seconds, check["Retries"]), ({"Interval": 5, "Timeout": 4, "StartPeriod": 60}, 3))


class Running(unittest.TestCase):
    """Python in the image."""

    def test_the_standard_library_is_whole_but_for_what_no_server_imports(self) -> None:
        script = """
import importlib, sys, warnings
warnings.simplefilter("ignore")
absent = {"idlelib", "tkinter", "turtledemo", "turtle", "ensurepip", "pydoc_data", "lib2to3", "_tkinter"}
# These do something when they are imported: print a poem, open a browser.
active = {"this", "antigravity"}
failed = []
for name in sorted(sys.stdlib_module_names - absent - active):
    try:
        importlib.import_module(name)
    except ImportError as error:
        failed.append(f"{name}: {error}")
print(*failed, sep="\\n")
"""
        lacking = [line.partition(":")[0] for line in python(script).splitlines() if line]
        # Modules of other systems, which no Linux has; gdbm and nis are not in Debian's python3 either.
        foreign = {
            "_gdbm",
            "_ios_support",
            "_overlapped",
            "_scproxy",
            "_winapi",
            "_wmi",
            "msvcrt",
            "nt",
            "winreg",
            "winsound",
        }
        self.assertLessEqual(set(lacking), foreign)

    def test_any_user_finds_certificates_time_zones_accounts_and_locale(self) -> None:
        script = (
            "import locale, pwd, ssl, tempfile, zoneinfo;"
            "locale.setlocale(locale.LC_ALL, ''); tempfile.TemporaryFile(); zoneinfo.ZoneInfo('Europe/Berlin');"
            "print(len(ssl.create_default_context().get_ca_certs()) > 100, pwd.getpwuid(10001).pw_name)"
        )
        for user in ("10001:10001", "54321:54321"):
            self.assertEqual(python(script, f"--user={user}"), "True app\n")

    def test_the_probe_says_why_not(self) -> None:
        result = docker(
            *("run", "--rm", f"--label={LABEL}", "--env=PORT=8001", *HARDENED, IMAGE),
            *("python", "-SE", "/app/deployment/probe.py"),
            check=False,
        )
        self.assertEqual(result.returncode, 1)
        self.assertIn("port 8001 does not answer on /healthz", result.stderr)

    def test_a_start_compiles_nothing(self) -> None:
        """With -v, Python says where each module's code is from: byte-code, or a source that it had to compile."""
        result = docker(
            *("run", "--rm", f"--label={LABEL}", *HARDENED, "--env=IMAGE_BUILD=true", IMAGE),
            *("python", "-v", "-c", "import django; django.setup(); import gunicorn.app.wsgiapp, psycopg, pactum.urls"),
        )
        self.assertIn("matches /app/pactum/urls.py", result.stderr)
        compiled = [
            line for line in result.stderr.splitlines() if line.startswith("# code object from") and ".pyc" not in line
        ]
        self.assertEqual(compiled, [])


if __name__ == "__main__":
    os.chdir("/")
    unittest.main(verbosity=2)
