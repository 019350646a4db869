"""A secret that is gone when new tasks want to read it."""

import time

from rehearsal.drills.drill import expect
from rehearsal.drills.judgement import all_on, names_its_cause, only_served, soon_after_ecs, unnoticed
from rehearsal.drills.rollout_watch import RolloutWatch
from rehearsal.drills.stage import Stage

SERVICE = "aws:ecs/service:Service"
# The shortest time for which Secrets Manager keeps a deleted secret.
RECOVERY_DAYS = 7


def missing_secret(stage: Stage) -> str:
    """Tasks that cannot read a secret are rolled back unseen, and the verdict names the secret."""
    before, digest = stage.live.release, stage.build("good")
    client = stage.updater.tools.client("secretsmanager")
    secret = next(
        item["ARN"]
        for page in client.get_paginator("list_secrets").paginate()
        for item in page["SecretList"]
        if f"/{stage.live.stack}/secret-key" in item["Name"]
    )
    with stage.load() as load, RolloutWatch(updater=stage.updater) as watch:
        # The migration reads the same secrets: they go when it is done, and before the service is rolled.
        update = stage.attached_update(digest, hold_before=SERVICE)
        stage.wait(lambda: update.is_held or update.ended, "the update did not come to the service", seconds=180)
        expect(update.is_held, f"the update ended early:\n{update.output}")
        client.delete_secret(SecretId=secret, RecoveryWindowInDays=RECOVERY_DAYS)
        try:
            update.go_on()
            code = update.wait()
            ended = time.monotonic()
        finally:
            client.restore_secret(SecretId=secret)
    expect(code != 0, "a release whose tasks cannot read a secret was called live")
    names_its_cause(update.output, "a secret or key is missing", secret.rpartition(":")[2])
    only_served(load, before)
    late = soon_after_ecs(watch, ended)
    with stage.load() as after:
        again = stage.update(digest)
    expect(not again.error, f"with the secret back, {again.error}")
    unnoticed(after)
    all_on(after, digest, since=again.ended)
    return f"refused {late:.1f} s after ECS gave it up; with the secret back live after {again.seconds:.0f} s"
