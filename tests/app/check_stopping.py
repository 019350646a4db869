"""Checks that the app's container ends well whenever it is told to. `tests/app/run` starts it."""

from __future__ import annotations

import http.client
import json
import threading
import time
import unittest
from collections import Counter

from check_container import PSQL, Web, docker, migrate, run

# Process 1 gets a SIGTERM only once it has a handler, gunicorn's workers once they are told of theirs: from the first
# moment of the start to one at which everything is up.
MOMENTS_SECONDS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.2)
EARLY_LIMIT_SECONDS = 2.0
# Twice what two processes with four threads work on at once, so half of them wait for a thread when SIGTERM comes.
SLOW_REQUESTS = 16
SLOW_SECONDS = 1.5
# Every row of the table is so slow to look at, for the app's login only: nothing in the app is made for this check.
SLOW = (
    f"CREATE POLICY slow ON agreements_agreement USING (pg_sleep({SLOW_SECONDS})::text = '');"
    " ALTER TABLE agreements_agreement ENABLE ROW LEVEL SECURITY"
)
AS_BEFORE = "ALTER TABLE agreements_agreement DISABLE ROW LEVEL SECURITY; DROP POLICY slow ON agreements_agreement"
ONE_AGREEMENT = (
    "INSERT INTO agreements_agreement (title, terms, status, created_at) VALUES ('Slow', 't', 'draft', now())"
    " RETURNING id"
)


def sql(statement: str) -> str:
    """Run a statement as the database's superuser; return the first line of its answer."""
    return docker("exec", *PSQL, "-qtAc", statement).stdout.partition("\n")[0]


class Stopping(unittest.TestCase):
    """A rollout stops every task, and nobody may notice."""

    def test_a_stop_during_the_start_is_heeded_at_every_moment(self) -> None:
        slowest = 0.0
        for moment in MOMENTS_SECONDS:
            container = run(options=("--detach",)).stdout.strip()
            self.addCleanup(docker, "rm", "--force", "--volumes", container)
            time.sleep(moment)
            started = time.monotonic()
            docker("stop", "--time=9", container)
            took = time.monotonic() - started
            self.assertLess(took, EARLY_LIMIT_SECONDS, f"stopped {moment} s after its start")
            slowest = max(slowest, took)
        print(f"\nthe slowest stop during a start took {slowest:.1f} s", end="")

    def test_requests_that_work_and_requests_that_wait_are_all_answered(self) -> None:
        migrate()
        page = f"/agreements/{sql(ONE_AGREEMENT)}/"
        web = Web(WEB_CONCURRENCY="2", WEB_THREADS="4", DATABASE_POOL_MAX="4")
        self.addCleanup(web.remove)
        self.assertEqual(web.request("GET", page)[0], http.client.OK)
        self.addCleanup(sql, AS_BEFORE)
        sql(SLOW)
        answers: list[int] = []

        def ask() -> None:
            try:
                answers.append(web.request("GET", page)[0])
            except (OSError, http.client.HTTPException):
                answers.append(0)

        users = [threading.Thread(target=ask) for _ in range(SLOW_REQUESTS)]
        for user in users:
            user.start()
        time.sleep(SLOW_SECONDS / 3)
        self.assertEqual(answers, [], "all should be under way")
        docker("stop", "--time=10", web.name)
        for user in users:
            user.join(20)
        self.assertEqual(Counter(answers), {http.client.OK: SLOW_REQUESTS}, "a deployment must not cost a request")
        state = json.loads(docker("inspect", web.name).stdout)[0]["State"]
        self.assertEqual(state["ExitCode"], 0, "ECS would report a failed task")


if __name__ == "__main__":
    unittest.main(verbosity=2)
