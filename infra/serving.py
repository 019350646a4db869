"""How many processes, threads and database connections a web task has: from its CPU, its memory and the database.

One place, because the three hang together: a thread without a connection waits, a connection that nobody uses is
taken from other tasks, and during a rollout the old and the new generation of tasks have theirs at once.
"""

from dataclasses import dataclass

from infra.aws_rules import rds_memory_gib

# Measured (docs/decisions/0008-the-server.md): a process for each vCPU, whose eight threads mostly wait for the
# database; two at one vCPU, so that one which is stuck is not all there is. More would take CPU from each other.
THREADS_PER_VCPU = 8
FEWEST_THREADS = 4
# Measured after load (docs/decisions/0008-the-server.md): 74 MiB with one process, and 22 more for each further one,
# which shares what was imported before the fork. Reckoned with more, for what an application of its own keeps in each.
BASE_MIB, PROCESS_MIB = 150, 110
# The check behind the readiness path asks in a thread of its own.
CONNECTIONS_BESIDE_THREADS = 1
# RDS allows LEAST(DBInstanceClassMemory / 9531392, 5000), where that memory is the class's less what RDS itself takes:
# a quarter is left out for that. Ten are for RDS's own sessions, the migration and people.
BYTES_PER_CONNECTION, MOST_CONNECTIONS = 9_531_392, 5000
SHARE_OF_MEMORY = 0.75
CONNECTIONS_FOR_OTHERS = 10
# All the old tasks may be there beside all the new ones (rolloutMaximumPercent is 200 at most).
GENERATIONS = 2


@dataclass(frozen=True, kw_only=True)
class Serving:
    """The size of one web task. `connections` are a process's at most, to the database."""

    processes: int
    threads: int
    connections: int


def serving(*, cpu: int, memory_mib: int, connections: int, tasks: int) -> Serving:
    """Derive the size of a web task where `tasks` of them run at most and share so many database connections.

    `tasks` are those that autoscaling may start, and `connections` what workers and jobs leave. A process has as many
    as it can use, or its share where there are fewer, and then fewer threads; `fewest_connections` tells whether that
    is enough.
    """
    by_memory = (memory_mib - BASE_MIB) // PROCESS_MIB
    by_cpu = max(cpu // 1024, min(2 * cpu // 1024, 2))
    processes = max(1, min(by_cpu, by_memory))
    share = connections // (tasks * GENERATIONS * processes)
    wanted = max(FEWEST_THREADS, THREADS_PER_VCPU * cpu // 1024 // processes)
    threads = max(1, min(wanted, share - CONNECTIONS_BESIDE_THREADS))
    return Serving(
        processes=processes,
        threads=threads,
        connections=max(1, min(threads + CONNECTIONS_BESIDE_THREADS, share)),
    )


def fewest_connections(size: Serving, tasks: int) -> int:
    """Database connections without which that many tasks cannot be replaced: one to work with in each process."""
    return tasks * GENERATIONS * size.processes * (1 + CONNECTIONS_BESIDE_THREADS)


def connection_budget(instance_class: str) -> int:
    """Database connections that all tasks may have together."""
    memory_bytes = rds_memory_gib(instance_class) * 1024**3
    return min(int(memory_bytes * SHARE_OF_MEMORY / BYTES_PER_CONNECTION), MOST_CONNECTIONS) - CONNECTIONS_FOR_OTHERS
