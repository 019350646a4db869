"""What the benchmark reads: wrk's report, the kernel's accounts, an image's layers, a Dockerfile made cold."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import tarfile
from typing import TYPE_CHECKING

import pytest

from benchmarks import host_view, layers, wrk
from benchmarks.building import without_cache_mounts
from benchmarks.errors import MeasurementError

if TYPE_CHECKING:
    from pathlib import Path

REPORT = """Running 5s test @ http://172.18.0.3:8000/agreements/1/
  1 threads and 16 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency    50.31ms    2.52ms  16.94ms   81.09%
    Req/Sec     1.29k   235.78     1.65k    54.55%
  Latency Distribution
     50%  987.00us
     75%    4.53ms
     90%    6.80ms
     99%   11.66ms
  1407 requests in 1.10s, 257.12KB read
Requests/sec:   1279.13
Transfer/sec:    233.75KB
"""
SHARED = b"the runtime's library"
CODE = b"print('hello')"


def test_wrks_report_gives_requests_rate_and_the_99th_percentile() -> None:
    load = wrk.parse(REPORT)
    assert (load.requests, load.p99_ms) == (1407, 11.66)
    assert load.rate == pytest.approx(1407 / 1.1)


@pytest.mark.parametrize(("written", "expected"), [("950.00us", 0.95), ("1.20s", 1200.0), ("0.50m", 30_000.0)])
def test_every_unit_of_wrk_becomes_milliseconds(written: str, expected: float) -> None:
    assert wrk.parse(REPORT.replace("11.66ms", written)).p99_ms == pytest.approx(expected)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("  Socket errors: connect 0, read 3, write 0, timeout 0", "read 3"),
        ("  Non-2xx or 3xx responses: 12", "no success: 12"),
    ],
)
def test_a_load_with_errors_gives_no_figure(line: str, words: str) -> None:
    with pytest.raises(MeasurementError, match=words):
        wrk.parse(REPORT.replace("Requests/sec", f"{line}\nRequests/sec"))


@pytest.mark.parametrize("missing", ["     99%   11.66ms\n", "  1407 requests in 1.10s, 257.12KB read\n"])
def test_a_report_that_lacks_a_figure_is_refused(missing: str) -> None:
    assert missing in REPORT
    with pytest.raises(MeasurementError, match="lacks the count of requests or the 99th"):
        wrk.parse(REPORT.replace(missing, ""))


def test_wrk_keeps_sixteen_connections_and_asks_for_the_app_by_its_name() -> None:
    command = wrk.command("http://10.0.0.2:8000/", "pactum.example", 5)
    assert {"-c16", "-d5s", "--latency"} <= set(command)
    assert command[-3:] == ["-H", "Host: pactum.example", "http://10.0.0.2:8000/"]


def process(root: Path, cgroup: str) -> tuple[Path, Path]:
    """A /proc with process 7 in that cgroup, and an empty /sys/fs/cgroup."""
    proc, cgroups = root / "proc", root / "cgroup"
    (proc / "7").mkdir(parents=True)
    (proc / "7" / "cgroup").write_text(cgroup)
    cgroups.mkdir()
    return proc, cgroups


def account(directory: Path, **files: str) -> None:
    directory.mkdir(parents=True)
    for name, text in files.items():
        (directory / name.replace("_", ".", 1)).write_text(text)


def test_cpu_time_is_read_from_version_1(tmp_path: Path) -> None:
    proc, cgroups = process(tmp_path, "4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n0::/\n")
    account(cgroups / "cpuacct/docker/abc", cpuacct_usage="1500000000\n")
    assert host_view.cpu_seconds(7, proc=proc, cgroups=cgroups) == 1.5


def test_cpu_time_is_read_from_version_2(tmp_path: Path) -> None:
    proc, cgroups = process(tmp_path, "0::/system.slice/docker-abc.scope\n")
    account(cgroups / "system.slice/docker-abc.scope", cpu_stat="usage_usec 2500000\nuser_usec 1\n")
    assert host_view.cpu_seconds(7, proc=proc, cgroups=cgroups) == 2.5


def test_a_container_without_an_account_is_an_error_and_not_zero(tmp_path: Path) -> None:
    proc, cgroups = process(tmp_path, "3:cpu,cpuacct:/docker/elsewhere\n")
    with pytest.raises(MeasurementError, match="CPU time of process 7"):
        host_view.cpu_seconds(7, proc=proc, cgroups=cgroups)


def test_memory_is_the_sum_of_all_processes_and_one_that_ended_is_none(tmp_path: Path) -> None:
    proc, cgroups = process(tmp_path, "0::/docker/abc\n")
    account(cgroups / "docker/abc", cgroup_procs="7\n8\n9\n")
    for pid, kib in ((7, 2048), (8, 1024)):
        (proc / str(pid)).mkdir(exist_ok=True)
        (proc / str(pid) / "smaps_rollup").write_text(f"Rss: 9999 kB\nPss:  {kib} kB\nPss_Dirty: 5 kB\n")
    assert host_view.pss_mib(7, proc=proc, cgroups=cgroups) == 3


def test_no_memory_at_all_is_an_error(tmp_path: Path) -> None:
    proc, cgroups = process(tmp_path, "0::/docker/abc\n")
    account(cgroups / "docker/abc", cgroup_procs="7\n")
    with pytest.raises(MeasurementError, match="No memory was found"):
        host_view.pss_mib(7, proc=proc, cgroups=cgroups)


def test_the_age_of_a_process_is_counted_from_its_own_start(tmp_path: Path) -> None:
    (tmp_path / "7").mkdir()
    fields = ["S", *("0" for _ in range(18)), "12345", "0"]
    (tmp_path / "7" / "stat").write_text(f"7 (a) name) {' '.join(fields)}\n")
    ticks = os.sysconf("SC_CLK_TCK")
    assert host_view.running_seconds(7, now=12345 / ticks + 2, proc=tmp_path) == pytest.approx(2)


def tar(files: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return data.getvalue()


def digest(layer: bytes) -> str:
    return f"sha256:{hashlib.sha256(layer).hexdigest()}"


def saved(path: Path, *contents: bytes, named: list[str] | None = None) -> Path:
    """A `docker save` file of one image with these layers."""
    manifest = {"Config": "config.json", "Layers": [f"{at}/layer.tar" for at in range(len(contents))]}
    files = {f"{at}/layer.tar": layer for at, layer in enumerate(contents)}
    files["config.json"] = json.dumps({"rootfs": {"diff_ids": named or [digest(layer) for layer in contents]}}).encode()
    files["manifest.json"] = json.dumps([manifest]).encode()
    path.write_bytes(tar(files))
    return path


def test_a_layer_has_its_files_its_tar_file_and_what_a_registry_is_sent(tmp_path: Path) -> None:
    layer = tar({"usr/lib/one": SHARED, "usr/lib/two": CODE})
    (found,) = layers.read(saved(tmp_path / "image.tar", layer))
    assert (found.digest, found.files, found.raw) == (digest(layer), len(SHARED) + len(CODE), len(layer))
    assert found.compressed == pytest.approx(len(gzip.compress(layer, 6)), abs=20), "gzip, as a registry gets it"


def test_layers_that_are_known_are_left_out(tmp_path: Path) -> None:
    old, fresh = tar({"opt/venv/one": SHARED}), tar({"app/two": CODE})
    found = layers.read(saved(tmp_path / "image.tar", old, fresh), but_for=[digest(old)])
    assert [layer.digest for layer in found] == [digest(fresh)]


def test_a_layer_that_is_not_what_its_name_says_is_refused(tmp_path: Path) -> None:
    """An engine that saves layers compressed would make them look small."""
    layer = tar({"app/two": CODE})
    with pytest.raises(MeasurementError, match="not saved as it is"):
        layers.read(saved(tmp_path / "image.tar", layer, named=[digest(b"another")]))


def test_on_top_of_a_base_is_all_that_the_base_does_not_have(tmp_path: Path) -> None:
    base, packages, app = tar({"usr/one": SHARED}), tar({"usr/two": SHARED}), tar({"app/three": CODE})
    found = layers.read(saved(tmp_path / "image.tar", base, packages, app))
    assert [layer.digest for layer in layers.added(found, [digest(base)])] == [digest(packages), digest(app)]


def test_on_top_of_a_runtime_of_its_own_is_what_comes_with_the_environment(tmp_path: Path) -> None:
    runtime, environment, app = tar({"usr/one": SHARED}), tar({"./opt/venv/two": SHARED}), tar({"app/three": CODE})
    found = layers.read(saved(tmp_path / "image.tar", runtime, environment, app))
    assert [layer.digest for layer in layers.added(found, [])] == [digest(environment), digest(app)]


def test_an_image_without_the_app_has_nothing_to_tell(tmp_path: Path) -> None:
    found = layers.read(saved(tmp_path / "image.tar", tar({"usr/one": SHARED})))
    with pytest.raises(MeasurementError, match="no layer holds app/"):
        layers.added(found, [])


def test_a_cold_build_has_memory_instead_of_every_cache() -> None:
    dockerfile = (
        "RUN --mount=type=bind,source=a,target=/a --mount=type=cache,target=/root/.cache/pip \\\n"
        "    --mount=type=secret,id=x \\\n"
        "    --mount=id=apt,sharing=locked,target=/var/cache/apt,type=cache true\n"
    )
    assert without_cache_mounts(dockerfile) == (
        "RUN --mount=type=bind,source=a,target=/a --mount=type=tmpfs,target=/root/.cache/pip \\\n"
        "    --mount=type=secret,id=x \\\n"
        "    --mount=type=tmpfs,target=/var/cache/apt true\n"
    )


def test_a_cache_without_a_target_is_refused() -> None:
    with pytest.raises(MeasurementError, match="has no target"):
        without_cache_mounts("RUN --mount=type=cache,id=x true\n")
