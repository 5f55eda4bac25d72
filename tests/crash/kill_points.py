"""kill -9 before, after and half-way through each call of the store on its files."""
import random
import shutil

from store_process import Expected, Tally, acknowledged, for_each

WRONG = ("lost", "half_visible", "orphans", "not_intact", "slow_recovery")


def points(calls, limit, seed):
    """(number, fault), as many as `limit` at most: chosen evenly by the seed where there are more."""
    chosen = []
    for number, (call, _) in enumerate(calls, 1):
        if call == "read":
            continue  # it changes nothing: a kill at it is one at the next call
        chosen += [(number, "kill-before"), (number, "kill-after")]
        if call == "write":
            chosen.append((number, "kill-half"))
    if limit and len(chosen) > limit:
        chosen = random.Random(seed).sample(chosen, limit)
    return chosen


def kill_points(sizes, limit=0, seed=1, driver="store_driver"):
    """Of the driver's operations, opening to closing."""
    tally = Tally("points", *WRONG)
    setup = {}

    def prepare(store, _):
        setup["expected"] = Expected(store, sizes)
        store.clear()
        setup["calls"] = store.trace("run", sizes)

    # What is expected comes from the whole store; where the kills are, from the one under test.
    for_each([0], prepare, workers=1, driver=driver)
    expected = setup["expected"]

    def kill(store, point):
        number, fault = point
        store.clear()
        done = store.run("run", sizes, at=number, fault=fault)
        if done.returncode != -9:
            tally.wrong(["not_killed"], f"call {number} {fault}: {done.stdout[-100:]}")
            return
        found = store.check()
        acks = acknowledged(done.stdout)
        tally.add("points")
        tally.maximum("slowest_recovery_ms", round(1e3 * found.get("open_seconds", 0), 1))
        tally.wrong(expected.problems(found, acks),
                    f"{fault} at call {number} {' '.join(setup['calls'][number - 1])} after "
                    f"{acks} acknowledgements: {found.get('error', '')}")

    for_each(points(setup["calls"], limit, seed), kill, driver=driver)
    return {"part": f"kill_points_{sizes}", "calls": len(setup["calls"]), **verdict(tally)}


def recovery_points(limit=0, seed=1):
    """Kills of the recovery itself: the store is killed in the midst of its large operations, then
    killed again at each call while it is opened."""
    tally = Tally("points", *WRONG)
    setup = {}

    def prepare(store, _):
        setup["expected"] = Expected(store, "large")
        store.clear()
        calls = store.trace("run", "large")
        # Half-way through the deletion that follows the last of the checkpoints.
        syncs = [n for n, (call, file) in enumerate(calls, 1)
                 if call == "sync" and file.endswith("-wal")]
        setup["crash"] = syncs[len(syncs) * 2 // 3] + 40
        store.clear()
        store.run("run", "large", at=setup["crash"], fault="kill-after")
        setup["calls"] = store.trace("reopen")

    for_each([0], prepare, workers=1)

    def kill(store, point):
        number, fault = point
        crashed = store.root / "crashed"
        if not crashed.exists():
            store.clear()
            done = store.run("run", "large", at=setup["crash"], fault="kill-after")
            (store.root / "acks").write_text(done.stdout)
            store.folder.rename(crashed)
        store.clear()
        shutil.copytree(crashed, store.folder)
        store.run("reopen", at=number, fault=fault)
        tally.add("points")
        acks = acknowledged((store.root / "acks").read_text())
        tally.wrong(setup["expected"].problems(store.check(), acks),
                    f"{fault} at call {number} of recovery")

    for_each(points(setup["calls"], limit, seed), kill)
    return {"part": "kill_points_recovery", "calls": len(setup["calls"]), **verdict(tally)}


def verdict(tally):
    bad = [name for name in (*WRONG, "not_killed") if tally.counts.get(name)]
    return {**tally.counts, "ok": not bad and tally.counts["points"] > 0,
            "examples": tally.examples}
