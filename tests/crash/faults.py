"""Errors of the system at each call of the store on its files, once each."""
import random

from store_process import Expected, Tally, acknowledged, for_each

FAULTS = ("EIO", "ENOSPC", "short", "EINTR", "EMFILE")
# Where the system can give which error.
CALLS = {"EIO": ("read", "write", "sync", "ftruncate", "open", "mkdir", "unlink", "mmap"),
         "ENOSPC": ("write", "sync", "ftruncate", "open", "mkdir"),
         "short": ("read", "write"),
         "EINTR": ("open", "read", "write", "ftruncate", "sync"),
         "EMFILE": ("open",)}
# What a caller may be told. An interrupted or shortened call is to be gone on with unseen, but for
# a sync, of which nobody knows how far it came.
CODES = {"EIO": {"INTERNAL", "DATA_LOSS"},
         "ENOSPC": {"RESOURCE_EXHAUSTED"},
         "short": set(),
         "EINTR": {"INTERNAL"},
         "EMFILE": {"RESOURCE_EXHAUSTED"}}


def fault_points(sizes, limit=0, seed=1, faults=FAULTS):
    tally = Tally("points", "crashes", "false_ok", "wrong_code", "stuck")
    setup = {}

    def prepare(store, _):
        setup["expected"] = Expected(store, sizes)
        store.clear()
        setup["calls"] = store.trace("run", sizes)

    for_each([0], prepare, workers=1)
    calls, expected = setup["calls"], setup["expected"]
    points = [(number, fault) for number, (call, _) in enumerate(calls, 1)
              for fault in faults if call in CALLS[fault]]
    if limit and len(points) > limit:
        points = random.Random(seed).sample(points, limit)

    def fail(store, point):
        number, fault = point
        call = calls[number - 1]
        where = f"{fault} at call {number} {' '.join(call)}"
        store.clear()
        # SQLite tries to open a file for reading alone at once where it cannot for writing.
        done = store.run("run", sizes, at=number, fault=fault,
                         **{"for": 2 if call[0] == "open" and fault != "EINTR" else 1})
        tally.add("points")
        failures = [line.split() for line in done.stdout.splitlines() if line.startswith("fail ")]
        if done.returncode not in (0, 3):
            tally.wrong(["crashes"], f"{where}: status {done.returncode} {done.stderr[-200:]}")
            return
        found = store.check()
        acks = acknowledged(done.stdout)
        problems = ["false_ok"] if expected.problems(found, acks) else []
        allowed = CODES[fault] if fault != "EINTR" or call[0] == "sync" else set()
        if call == ("sync", "mlpd.db-journal"):
            # A new database is given a log under a journal, which SQLite closes with its errno.
            allowed = {*allowed, "INTERNAL"}
        # After a failed sync the store refuses to write on: the second failure is that refusal.
        if any(code not in allowed for _, _, code in failures[:1]):
            problems.append("wrong_code")
        # What failed once succeeds when it is tried again: but after a sync, as nobody can know.
        if done.returncode == 3 and call[0] != "sync":
            problems.append("stuck")
        tally.wrong(problems, f"{where}: {failures} {found.get('error', '')} "
                              f"{expected.problems(found, acks)}")

    for_each(points, fail)
    wrong = ("crashes", "false_ok", "wrong_code", "stuck")
    return {"part": f"faults_{sizes}", "calls": len(calls), **tally.counts,
            "ok": not any(tally.counts[name] for name in wrong), "examples": tally.examples}
