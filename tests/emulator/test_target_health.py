"""Health of targets, with a clock that the tests turn."""

import pytest
from rehearsal.emulator.balancer import eligible, listener_port
from rehearsal.emulator.target_health import HealthCheck, TargetRegistry, health_check, parse_codes

GROUP, ADDRESS, PORT = "group", "10.0.0.5", 8000
KEY = (GROUP, ADDRESS, PORT)
CHECK = HealthCheck(
    path="/healthz",
    port=None,
    codes=frozenset({200}),
    interval=10,
    timeout=2,
    healthy_threshold=3,
    unhealthy_threshold=2,
)


class Clock:
    """A clock that stands still until told otherwise."""

    now = 100.0

    def __call__(self) -> float:
        """Return the time (seconds)."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The clock of the registry."""
    return Clock()


@pytest.fixture
def registry(clock: Clock) -> TargetRegistry:
    """A registry with one fresh target, and 30 seconds of deregistration delay."""
    made = TargetRegistry(lambda _group: 30.0, clock)
    made.registered(GROUP, [(ADDRESS, PORT)])
    return made


def state(registry: TargetRegistry) -> str:
    """What the registry thinks of the target."""
    return registry.state(*KEY)


def test_a_new_target_is_initial_until_its_first_success(registry: TargetRegistry) -> None:
    assert state(registry) == "initial", "nobody has asked it yet"
    registry.outcome(KEY, CHECK, None)
    assert state(registry) == "healthy", "one success is enough for a target that was just registered"


def test_early_probes_of_a_booting_target_do_not_count_as_failures(registry: TargetRegistry, clock: Clock) -> None:
    for _ in range(9):
        registry.outcome(KEY, CHECK, "refused")
        clock.now += 1
    assert state(registry) == "initial", "less than one interval has passed, so AWS has one failure at most"
    clock.now += 1
    registry.outcome(KEY, CHECK, "refused")
    assert state(registry) == "unhealthy", "two failures a full interval apart reach the threshold"


def test_an_unhealthy_target_needs_the_healthy_threshold_in_a_row(registry: TargetRegistry, clock: Clock) -> None:
    for _ in range(2):
        registry.outcome(KEY, CHECK, "refused")
        clock.now += CHECK.interval
    for failure in (None, None, "refused", None, None):
        registry.outcome(KEY, CHECK, failure)
    assert state(registry) == "unhealthy", "a failure in between starts the count anew"
    registry.outcome(KEY, CHECK, None)
    assert state(registry) == "healthy", "three successes in a row"


def test_a_removed_target_drains_and_then_is_gone(registry: TargetRegistry, clock: Clock) -> None:
    registry.registered(GROUP, [])
    assert state(registry) == "draining", "requests in flight may still finish"
    registry.outcome(KEY, CHECK, None)
    assert state(registry) == "draining", "a probe that comes late must not bring it back"
    clock.now += 30
    assert registry.due() == [], "nothing is left to probe"
    assert registry.of(GROUP) == [], "the deregistration delay is over"


def test_an_address_that_comes_back_starts_as_a_new_target(registry: TargetRegistry) -> None:
    registry.outcome(KEY, CHECK, None)
    registry.registered(GROUP, [])
    registry.registered(GROUP, [(ADDRESS, PORT)])
    assert state(registry) == "initial", "Docker gives addresses again; the new task must prove itself"


def test_a_target_is_handed_out_for_one_probe_at_a_time(registry: TargetRegistry) -> None:
    assert registry.due() == [KEY], "a new target is due at once"
    assert registry.due() == [], "its probe is still under way"


def test_requests_go_to_healthy_targets_and_fail_open_only_when_all_are_unhealthy() -> None:
    assert eligible([("a", "healthy"), ("b", "unhealthy"), ("c", "initial")]) == ["a"], "the healthy one alone"
    assert eligible([("a", "unhealthy"), ("b", "unhealthy")]) == ["a", "b"], "AWS fails open"
    assert eligible([("a", "unhealthy"), ("b", "initial")]) == [], "a target that boots is no reason to fail open"


def test_the_matcher_takes_codes_lists_and_ranges() -> None:
    assert parse_codes("200") == {200}, "one code"
    assert parse_codes("200, 301") == {200, 301}, "a list"
    assert parse_codes("200-202,404") == {200, 201, 202, 404}, "a range and a code"


def test_a_check_port_of_its_own_overrides_the_traffic_port() -> None:
    assert health_check({"HealthCheckPort": "traffic-port"}).port is None, "the port that gets the traffic"
    assert health_check({"HealthCheckPort": "9000"}).port == 9000, "the port that was asked for"


def test_the_host_header_chooses_the_listener() -> None:
    assert listener_port("name.elb.amazonaws.com") == 80, "HTTP unless told otherwise"
    assert listener_port("name.elb.amazonaws.com:443") == 443, "the port of the name"
