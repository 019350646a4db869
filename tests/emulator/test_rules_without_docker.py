"""Settings, signatures, container options, database rules and header translation, without Docker."""

import io
import tarfile
import types
from pathlib import Path

import pytest
from rehearsal.emulator import (
    balancer,
    container_settings,
    container_watch,
    database,
    front_door,
    images,
    labels,
    patching,
    task_stop,
)
from rehearsal.emulator.settings import CannotStartError, Settings

NAME = "web-1.us-east-1.elb.amazonaws.com"
SETTINGS = Settings.from_environment({"REHEARSAL_PORT": "4700", "REHEARSAL_DIRECTORY": "/scratch"})


def test_settings_have_defaults_for_everything() -> None:
    settings = Settings.from_environment({})
    assert (settings.port, settings.front_port, settings.database_base_port) == (4666, 8000, 24666), "as documented"
    assert settings.rds_ca_file == Path.cwd() / ".rehearsal" / "rds-ca.pem", "in the scratch directory"


@pytest.mark.parametrize(
    "name",
    [
        "REHEARSAL_PORT",
        "REHEARSAL_FRONT_PORT",
        "REHEARSAL_PARENT_PID",
        "REHEARSAL_ACCOUNT_ID",
        "REHEARSAL_LONGEST_GRACE_SECONDS",
        "REHEARSAL_BAKE_SECONDS",
        "REHEARSAL_METRIC_DELAY_SECONDS",
    ],
)
def test_a_bad_setting_is_refused_by_its_name(name: str) -> None:
    with pytest.raises(CannotStartError, match=name):
        Settings.from_environment({name: "many"})


def test_the_bake_time_is_short_unless_asked_for() -> None:
    assert SETTINGS.bake_seconds == 3, "everybody waits for it at every update"
    assert Settings.from_environment({"REHEARSAL_BAKE_SECONDS": "0"}).bake_seconds == 0, "none is a choice too"


def test_metrics_come_at_once_unless_a_delay_is_asked_for() -> None:
    assert SETTINGS.metric_delay_seconds == 0, "a rehearsal is not made slow for nothing"
    late = Settings.from_environment({"REHEARSAL_METRIC_DELAY_SECONDS": "90"})
    assert late.metric_delay_seconds == 90, "a drill plays CloudWatch at its slowest"


def test_ministack_is_told_to_stay_on_loopback() -> None:
    told = SETTINGS.ministack_environment("172.20.0.1")
    assert told["BIND_HOST"] == "127.0.0.1", "its own default is every interface"
    assert told["IOT_MTLS_ENABLED"] == told["SFTP_ENABLED"] == "0", "these listeners would be on every interface"


def test_another_version_of_ministack_is_refused() -> None:
    with pytest.raises(CannotStartError, match=r"1\.5\.34"):
        patching.check_version("1.5.34")


def test_the_installed_version_is_the_pinned_one() -> None:
    patching.check_version()
    pins = (Path(patching.__file__).parent / "requirements.txt").read_text()
    assert f"ministack=={patching.MINISTACK_VERSION} " in pins, "the pin and the check must not drift apart"


def test_a_function_that_is_gone_or_takes_other_parameters_stops_the_start() -> None:
    module = types.ModuleType("module")
    module.function = lambda a, b: (a, b)  # type: ignore[attr-defined]
    with pytest.raises(CannotStartError, match=r"has no module\.missing"):
        patching.require(module, "missing", "(a)")
    with pytest.raises(CannotStartError, match=r"takes \(a, b\)"):
        patching.require(module, "function", "(a)")


def test_a_replacement_reaches_dispatch_tables_too() -> None:
    module = types.ModuleType("module")
    module.function = original = lambda a: a  # type: ignore[attr-defined]
    module.table = {"Do": original}  # type: ignore[attr-defined]

    def new(a: object) -> object:
        return a

    assert patching.replace(module, "function", "(a)", new) is original, "the original stays callable"
    assert module.table["Do"] is new, "MiniStack dispatches by tables that hold the functions themselves"


def test_memory_has_no_swap_and_cpu_never_exceeds_the_machine() -> None:
    options = container_settings.limits({}, {"cpu": "4096", "memory": "512"}, host_cpus=2)
    assert options["mem_limit"] == options["memswap_limit"] == "512m", "Fargate has no swap"
    assert options["nano_cpus"] == 2 * 10**9, "Docker refuses more CPUs than there are"
    assert container_settings.limits({}, {"cpu": "256"}, host_cpus=2)["nano_cpus"] == 250_000_000, "a quarter of a CPU"


def test_a_containers_own_memory_limit_wins_over_the_tasks() -> None:
    options = container_settings.limits({"memory": 128, "memoryReservation": 64}, {"memory": "512"}, host_cpus=2)
    assert (options["mem_limit"], options["mem_reservation"]) == ("128m", "64m"), "the smaller limit is the hard one"


def test_hardening_options_reach_docker_under_its_names() -> None:
    options = container_settings.hardening(
        {
            "user": "10001",
            "readonlyRootFilesystem": True,
            "workingDirectory": "/srv",
            "entryPoint": ["sh"],
            "linuxParameters": {
                "initProcessEnabled": True,
                "capabilities": {"drop": ["ALL"]},
                "tmpfs": [{"containerPath": "/run", "size": 8, "mountOptions": ["noexec"]}],
            },
        }
    )
    assert options == {
        "user": "10001",
        "read_only": True,
        "working_dir": "/srv",
        "entrypoint": ["sh"],
        "init": True,
        "cap_drop": ["ALL"],
        "tmpfs": {"/run": "size=8m,noexec"},
    }, "each of them is something that plain MiniStack ignores"


def test_a_health_check_without_numbers_gets_those_of_ecs() -> None:
    check = container_settings.health_check({"healthCheck": {"command": ["CMD", "true"]}})["healthcheck"]
    assert (check["interval"], check["timeout"], check["retries"]) == (30 * 10**9, 5 * 10**9, 3), "ECS's defaults"


def test_only_declared_paths_keep_the_owner_that_the_image_gave_them() -> None:
    assert container_settings.bind("v", "/tmp/", read_only=False, declared={"/tmp"}) == "v:/tmp/:rw", "copied up"  # noqa: S108
    assert container_settings.bind("v", "/var", read_only=True, declared={"/tmp"}).endswith(":ro,nocopy"), "root, 0755"  # noqa: S108


def test_the_database_ca_is_mounted_where_the_container_looks_for_it() -> None:
    environment = {"DATABASE_SSLROOTCERT": "/etc/rds.pem"}
    mounts = container_settings.trusted_certificate({}, environment, SETTINGS)
    assert mounts == ["/scratch/rds-ca.pem:/etc/rds.pem:ro"], "AWS's own certificates would be there in reality"
    assert container_settings.trusted_certificate({}, {}, SETTINGS) == [], "a container without a database needs none"


def test_ecr_names_lead_to_the_local_registry_and_others_stay() -> None:
    uri = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/app@sha256:ab"
    assert images.local_reference(uri, 4700) == "localhost:4700/team/app@sha256:ab", "by digest"
    assert images.local_reference("redis:7", 4700) == "redis:7", "not from ECR"


def test_only_names_of_the_emulators_own_registry_are_forgotten() -> None:
    removed: list[str] = []
    summaries = [{"RepoDigests": ["localhost:4700/app@sha256:1", "localhost:9/app@sha256:2"]}, {"RepoDigests": None}]
    engine = types.SimpleNamespace(
        api=types.SimpleNamespace(images=lambda: summaries), images=types.SimpleNamespace(remove=removed.append)
    )
    labels.forget_pulled_images(engine, SETTINGS)
    assert removed == ["localhost:4700/app@sha256:1"], "a rehearsal must not fill the disk, nor touch other images"


def test_log_lines_survive_chunks_that_end_anywhere() -> None:
    chunks = [b"one\ntw", b"o\r\n", b"", b"thr\xc3", b"\xa9e"]
    assert list(container_watch.lines(iter(chunks))) == ["one", "two", "thrée"], "a line is never cut in two"


def test_forced_tls_is_the_default_and_can_be_turned_off() -> None:
    assert database.forces_tls({}), "RDS forces it since PostgreSQL 15"
    assert not database.forces_tls({"rds.force_ssl": "0"}), "unless the parameter group says otherwise"


def test_only_parameters_that_postgresql_knows_become_flags() -> None:
    parameters = {
        "work_mem": "8192",
        "rds.force_ssl": "1",
        "shared_buffers": "{DBInstanceClassMemory/32768}",
        "x;y": "1",
    }
    assert database.server_flags(parameters) == ["-c", "work_mem=8192"], "RDS's own settings and formulas stay out"


def test_generated_passwords_avoid_the_signs_that_rds_avoids() -> None:
    passwords = {database.generated_password() for _ in range(50)}
    assert len(passwords) == 50, "each database has its own"
    assert not set("".join(passwords)) & set("/@\"' "), "RDS refuses these in a master password"


def test_the_access_rules_join_the_certificate_in_its_archive() -> None:
    empty = io.BytesIO()
    tarfile.open(fileobj=empty, mode="w").close()
    archive = database.with_file(empty.getvalue(), "tls/pg_hba.conf", "hostssl all")
    with tarfile.open(fileobj=io.BytesIO(archive)) as bundle:
        entry = bundle.getmember("tls/pg_hba.conf")
        assert (entry.mode, entry.size) == (0o600, 11), "PostgreSQL refuses files that others may read"


def test_the_front_door_speaks_of_the_balancer_to_the_application() -> None:
    asked = [(b"Host", b"127.0.0.1:8000"), (b"Origin", b"http://127.0.0.1:8000"), (b"Cookie", b"a=1")]
    asked.append((b"Referer", b"http://127.0.0.1:8000/new?x=1"))
    translated = dict(front_door.inbound(asked, NAME, "https"))
    assert translated[b"host"] == NAME.encode(), "ALLOWED_HOSTS holds this name"
    assert translated[b"origin"] == f"https://{NAME}".encode(), "Django compares it with the host"
    assert translated[b"referer"] == f"https://{NAME}/new?x=1".encode(), "the same, for forms over HTTPS"
    assert translated[b"cookie"] == b"a=1", "everything else passes as it is"


def test_the_front_door_keeps_the_browser() -> None:
    answered = [
        (b"location", f"https://{NAME}:443/next?x=1".encode()),
        (b"set-cookie", b"s=1; Secure; HttpOnly"),
        (b"strict-transport-security", b"max-age=1"),
        (b"content-type", b"text/html"),
    ]
    translated = dict(front_door.outbound(answered, NAME))
    assert translated[b"location"] == b"/next?x=1", "the browser cannot resolve the balancer's name"
    assert translated[b"set-cookie"] == b"s=1; HttpOnly", "a browser keeps no secure cookie of an HTTP page"
    assert b"strict-transport-security" not in translated, "it would lock the browser out of 127.0.0.1"
    elsewhere = [(b"location", b"https://example.org/")]
    assert front_door.outbound(elsewhere, NAME) == elsewhere, "links to others stay"


def test_the_front_door_prefers_the_https_listener() -> None:
    assert front_door.listener({80, 443}) == 443, "port 80 then only redirects there"
    assert front_door.listener({80}) == 80, "the only one"


def test_only_a_name_that_is_neither_awss_nor_this_machines_is_the_users_domain() -> None:
    assert balancer.is_users_domain("pactum.example.com"), "what users type"
    for name in ("127.0.0.1", "localhost", "ecs.us-east-1.amazonaws.com", "bucket.localhost", "172.20.0.1"):
        assert not balancer.is_users_domain(name), f"{name} is how AWS clients ask"


def test_reasons_of_our_own_lose_ministacks_preface() -> None:
    preface = "ResourceInitializationError: unable to pull image or start container: "
    assert task_stop.own_words(f"{preface}CannotStartContainerError: x") == "CannotStartContainerError: x", (
        "ECS's words"
    )
    assert task_stop.own_words(f"{preface}{images.NO_LOG_GROUP} y") == f"{images.NO_LOG_GROUP} y", "the same"
    assert task_stop.own_words("CannotPullContainerError: z") == "CannotPullContainerError: z", "nothing to take away"
