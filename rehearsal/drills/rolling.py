"""Updates that must be without consequence for users: rolling ones, slow ones, and those that change nothing."""

from rehearsal.drills.drill import expect
from rehearsal.drills.judgement import all_on, only_served, unnoticed
from rehearsal.drills.stage import Stage, Update
from rehearsal.load import Load

ROLLING_REQUESTS = 20_000
# However few requests each has seen: a defect that strikes now and then needs several.
LEAST_UPDATES = 8
MOST_UPDATES = 16
BOOT_SECONDS = 20


def rolling_update(stage: Stage) -> str:
    """Eight releases or more are rolled out under load, and not one of 20,000 requests or more fails."""
    return _roll(stage, requests=ROLLING_REQUESTS, least=LEAST_UPDATES)


def rolling_update_once(stage: Stage) -> str:
    """One release is rolled out under load, and not one request fails."""
    return _roll(stage, requests=0, least=1)


def _roll(stage: Stage, *, requests: int, least: int) -> str:
    before = stage.live.release
    updates: list[tuple[str, Update]] = []
    with stage.load() as load:
        while len(updates) < least or (load.requests < requests and len(updates) < MOST_UPDATES):
            update = stage.deploy_good()
            updates.append((stage.live.release, update))
            expect(stage.serves(stage.live.release, within_seconds=5), "the new release does not answer")
            expect(load.failed == 0, load.verdict())
    unnoticed(load)
    expect(load.requests >= requests, f"only {load.requests} requests in {len(updates)} updates")
    _one_after_another(load, before, updates)
    longest = max(update.seconds for _, update in updates)
    return (
        f"{len(updates)} updates, the longest {longest:.0f} s; slowest answer {load.slowest_seconds:.1f} s; "
        f"{load.connections}"
    )


def _one_after_another(load: Load, before: str, updates: list[tuple[str, Update]]) -> None:
    """Users saw each release, and from an update's end to the next one's beginning no other."""
    expected = [before, *(release for release, _ in updates)]
    expect(load.releases == expected, f"users saw {', '.join(load.releases)} instead of {', '.join(expected)}")
    until = [update.began for _, update in updates[1:]]
    for (release, update), next_began in zip(updates, [*until, float("inf")], strict=True):
        all_on(load, release, since=update.ended, until=next_began)


def slow_start(stage: Stage) -> str:
    """A release that takes 20 s to boot: the one before serves until it is there, and not one request fails."""
    before, digest = stage.live.release, stage.build("slow_start")
    with stage.load() as load:
        # Longer than the boot: failed health checks within it do not count.
        update = stage.update(digest, {"pactum:healthGraceSeconds": "60"})
    expect(not update.error, update.error)
    unnoticed(load)
    expect(load.releases == [before, digest], "both releases answer, in their order")
    all_on(load, digest, since=update.ended)
    expect(update.seconds > BOOT_SECONDS, f"live after {update.seconds:.0f} s: did the release boot slowly?")
    # Later releases are built on the live one: it must not be this.
    back = stage.update(before)
    expect(not back.error, f"the release before could not be deployed again: {back.error}")
    return f"live after {update.seconds:.0f} s; slowest answer {load.slowest_seconds:.1f} s"


def same_digest_twice(stage: Stage) -> str:
    """An update to the digest that is live changes nothing, yet guard and verdict run."""
    digest = stage.live.release
    # What was built by the update itself is deployed by its digest first: that drops the build from the stack.
    first = stage.update(digest)
    expect(not first.error, first.error)
    tasks = stage.tasks()
    length = stage.operations_length()
    with stage.load() as load:
        update = stage.update(digest)
    expect(not update.error, update.error)
    expect(update.tally.changed == 0, f"{update.tally.changed} resources changed: {'; '.join(update.tally.reasons)}")
    expect(stage.tasks() == tasks, "tasks were replaced")
    wrote = stage.operations(since=length)
    ran = [verb for verb in ("seed", "guard", "migrate", "verify") if f"{verb}: " in wrote]
    expect({"guard", "verify"} <= set(ran), f"guard and verdict must run at every update; these ran: {', '.join(ran)}")
    expect("migrate" not in ran, "a migration that was applied must not run again")
    only_served(load, digest)
    return f"0 resources changed, {' and '.join(ran)} ran, {update.seconds:.0f} s"
