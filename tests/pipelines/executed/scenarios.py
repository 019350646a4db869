"""The matrix: each event executed once, in an order in which the stacks go on from what the one before has left.

Every scenario asks ECS what runs before and after: what a log says is not what is judged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rehearsal.drills.drill import expect
from tests.pipelines.executed import hostile, locked
from tests.pipelines.executed.jobs import PROMOTE, PULL_REQUEST, ROLLBACK, SCHEDULE, Trigger
from tests.pipelines.executed.matrix import RED, expect_codes
from tests.pipelines.executed.runner import TOKEN

if TYPE_CHECKING:
    from tests.pipelines.executed.matrix import Matrix


def push_to_main(matrix: Matrix) -> None:
    """A push to main, approved: one digest in staging, then in prod."""
    trigger = matrix.push("main")
    ran = matrix.host.run(trigger)
    expect_codes(ran, check=0, candidate=0, deploy_staging=0, deploy_prod=0)
    digest = matrix.host.ground.tested(trigger.commit)
    expect(matrix.serves() == (digest, digest), f"{digest} was tested, and what runs is {matrix.serves()}")
    matrix.note("push, approved", trigger, ran)


def push_to_develop(matrix: Matrix) -> None:
    """A push to develop: staging only."""
    prod, trigger = matrix.serves()[1], matrix.push("develop", _merged(matrix))
    ran = matrix.host.run(trigger)
    expect_codes(ran, check=0, candidate=0, deploy_staging=0)
    expect(matrix.serves() == (matrix.host.ground.tested(trigger.commit), prod), "staging gets it, and prod does not")
    matrix.note("push", trigger, ran)


def _merged(matrix: Matrix) -> dict[str, str]:
    # develop goes on from main, as a team's own would: what is older than what staging runs is refused.
    matrix.host.scratch.merge("main", "develop")
    return {}


def approval_refused(matrix: Matrix) -> None:
    """A push to main that nobody approves: prod is untouched."""
    matrix.host.scratch.merge("develop", "main")
    prod, trigger = matrix.serves()[1], matrix.push("main")
    ran = matrix.host.run(trigger, approve=lambda _: False)
    expect_codes(ran, check=0, candidate=0, deploy_staging=0, deploy_prod=None)
    expect(matrix.serves() == (matrix.host.ground.tested(trigger.commit), prod), "prod was touched without a yes")
    matrix.note("push, approval refused", trigger, ran)


def promote(matrix: Matrix) -> None:
    """By hand: prod gets what staging serves."""
    staging, trigger = matrix.serves()[0], matrix.by_hand(PROMOTE, "prod")
    ran = matrix.host.run(trigger)
    expect_codes(ran, promote=0)
    expect(matrix.serves() == (staging, staging), f"prod runs {matrix.serves()[1]}, and staging {staging}")
    matrix.note("promote", trigger, ran)


def pull_request(matrix: Matrix) -> None:
    """A pull request of the repository's own: one comment, written anew by the next run; nothing changes."""
    before, people = matrix.serves(), matrix.host.people
    commit = matrix.host.scratch.commit("feature", {"README.md": "a feature\n"})
    trigger = Trigger(kind=PULL_REQUEST, branch="feature", title="A feature", commit=commit, head=commit)
    ran = matrix.host.run(trigger)
    expect_codes(ran, check=0, build=0, preview=0)
    again = matrix.host.execute(matrix.host.job("preview", trigger), trigger, matrix.host.files())
    expect(again.code == 0, again.output)
    expect(len(people.comments) == 1, f"there are {len(people.comments)} comments, and not one")
    body = people.comments[0]["body"]
    for word in ("staging", "prod", commit[:12]):
        expect(word in body, f"the comment does not tell `{word}`:\n{body}")
    expect(TOKEN not in body, "a secret is in the comment")
    expect(matrix.host.ground.tested(commit) == "", "an image of a pull request was pushed")
    expect(matrix.serves() == before, "a pull request changed what runs")
    matrix.note("pull request", trigger, ran)


def drift(matrix: Matrix) -> None:
    """At night: nothing, then something that a person changed, in one issue, which is closed when it is as it was."""
    people, trigger = matrix.host.people, Trigger(kind=SCHEDULE, branch="main", commit=matrix.host.scratch.tip("main"))
    ran = matrix.host.run(trigger)
    expect_codes(ran, drift=0)
    expect(people.issues == [], f"an issue tells of nothing: {people.issues}")
    matrix.note("nightly", trigger, ran)
    now = matrix.host.ground.task_definition("staging")
    older = f"{now.rpartition(':')[0]}:1"
    expect(older != now, "staging runs its first task definition: no other could be put in its place")
    matrix.host.ground.use("staging", older)
    ran = matrix.host.run(trigger)
    expect_codes(ran, drift=RED)
    expect([issue["state"] for issue in people.issues] == ["open"], f"one open issue, and not {people.issues}")
    expect("aws:ecs" in people.issues[0]["body"], people.issues[0]["body"])
    matrix.note("nightly, staging was changed by hand", trigger, ran)
    matrix.host.ground.use("staging", now)
    ran = matrix.host.run(trigger)
    expect_codes(ran, drift=0)
    expect([issue["state"] for issue in people.issues] == ["closed"], f"one closed issue, and not {people.issues}")


def rollback(matrix: Matrix) -> None:
    """By hand: staging returns to its last good release, and prod stays as it is."""
    before, trigger = matrix.serves(), matrix.by_hand(ROLLBACK, "staging")
    ran = matrix.host.run(trigger)
    expect_codes(ran, rollback_staging=0)
    after = matrix.serves()
    expect(after[0] not in {"", before[0]}, f"staging runs what it ran: {after[0]}")
    expect(after[1] == before[1], "prod was rolled back, too")
    matrix.note("rollback", trigger, ran)


SCENARIOS = (
    push_to_main,
    push_to_develop,
    approval_refused,
    promote,
    drift,
    pull_request,
    hostile.fork,
    hostile.red_check,
    hostile.untried_in_staging,
    hostile.verify_red,
    hostile.cancelled,
    locked.killed,
    rollback,
    hostile.tampered_approval,
    hostile.failed_deployment,
    # At the end: which of the two was served in between is by chance, and a rollback could return to it.
    locked.two_at_once,
)
