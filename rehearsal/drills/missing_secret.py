"""A secret that is gone when new tasks want to read it."""

from rehearsal.drills.bad_releases import VERDICT_SECONDS, only_served
from rehearsal.drills.drill import expect
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
            late = stage.seconds_since(watch.failed_at)
        finally:
            client.restore_secret(SecretId=secret)
    expect(code != 0, "a release whose tasks cannot read a secret was called live")
    name = secret.rpartition(":")[2]
    expect(name in update.output, f"the message does not name the secret {name}:\n{update.output}")
    expect("Traceback" not in update.output, f"the message has a traceback:\n{update.output}")
    only_served(load, before)
    expect(late is not None, "ECS never called the deployment FAILED")
    expect((late or 0) <= VERDICT_SECONDS, f"the update ended {late:.0f} s after ECS called the deployment FAILED")
    with stage.load() as after:
        again = stage.update(digest)
    expect(not again.error, f"with the secret back, {again.error}")
    expect(after.failed == 0, after.verdict())
    return f"refused {late:.1f} s after ECS's FAILED; with the secret back live after {again.seconds:.0f} s"
