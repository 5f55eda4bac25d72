"""The crash and fault suite: runs its parts, prints one JSON object a part and a verdict.

    crash_suite.py [--short] [PART...]

Programs by environment: CRASH_BIN, the folder of store_driver and its kin; MLPD and MLPCTL. What each
part shows, and what it found: docs/durability.md.
"""
import argparse
import json
import os
import sys
import tempfile
import time

from faults import fault_points
from kill_points import kill_points, recovery_points
from power_loss import failed_syncs, power_loss
from random_kills import random_kills
from store_process import Store, memory_folder


def flips(driver="store_driver"):
    with tempfile.TemporaryDirectory(prefix="mlpd-crash-", dir=memory_folder()) as root:
        store = Store(root, driver)
        done = store.run("flip")
        store.close()
    if done.returncode != 0:
        return {"part": "flips", "ok": False, "examples": [done.stderr]}
    counts = json.loads(done.stdout)
    return {"part": "flips", **counts, "ok": counts["served"] == 0 and counts["states"] > 0}


def caught(name, result):
    """A part that ran on a broken store: it must have failed, for the right reason."""
    wrong = {key: result[key] for key in ("lost", "half_visible", "served") if result.get(key)}
    return {"part": name, "found": wrong, "ok": not result["ok"] and bool(wrong),
            "examples": result.get("examples", [])[:1]}


def server_part(name, *arguments):
    # Imported where it is needed: it asks for mlpd and mlpctl.
    import server_parts  # pylint: disable=import-outside-toplevel
    return getattr(server_parts, name)(*arguments)


PARTS = {
    "kill_points": lambda: kill_points("small"),
    "kill_points_large": lambda: kill_points("large", limit=100),
    "kill_points_recovery": lambda: recovery_points(limit=80),
    "random_kills": lambda: random_kills(300),
    "faults": lambda: fault_points("small"),
    "faults_large": lambda: fault_points("large", limit=100),
    "power_loss": lambda: power_loss("small", 5000),
    "power_loss_large": lambda: power_loss("large", 120),
    "failed_syncs": lambda: failed_syncs("small"),
    "failed_syncs_large": lambda: failed_syncs("large", states_each=2, limit=10),
    "flips": flips,
    "full_disk": lambda: server_part("full_disk_apart"),
    "job_kills": lambda: server_part("job_kills", 50),
    "sigterm": lambda: server_part("sigterm", 20),
    "break_without_fsync": lambda: caught(
        "break_without_fsync", power_loss("small", 100, driver="store_driver_without_fsync")),
    "break_without_checksums": lambda: caught(
        "break_without_checksums", flips("store_driver_without_checksums")),
    "break_with_split_transaction": lambda: caught(
        "break_with_split_transaction",
        kill_points("small", 200, driver="store_driver_with_split_transaction")),
}

# Some seconds in all, for ctest.
SHORT = {
    "kill_points": lambda: kill_points("small", limit=60),
    "random_kills": lambda: random_kills(5),
    "faults": lambda: fault_points("small", limit=60),
    "power_loss": lambda: power_loss("small", 200),
    "flips": flips,
    "break_without_fsync": lambda: caught(
        "break_without_fsync", power_loss("small", 30, driver="store_driver_without_fsync")),
    "break_without_checksums": PARTS["break_without_checksums"],
}


def run(name, body):
    start = time.monotonic()
    try:
        result = body()
    except Exception as error:  # pylint: disable=broad-except
        result = {"part": name, "ok": False, "examples": [repr(error)]}
    result["seconds"] = round(time.monotonic() - start, 1)
    print(json.dumps(result), flush=True)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--short", action="store_true", help="a sample, of the store alone")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    options = parser.parse_args()
    parts = SHORT if options.short else PARTS
    if unknown := set(options.parts) - parts.keys():
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    start = time.monotonic()
    results = [run(name, parts[name]) for name in options.parts or parts]
    failed = [result["part"] for result in results if not result["ok"]]
    print(json.dumps({"suite": "crash", "parts": len(results), "failed": failed, "ok": not failed,
                      "seconds": round(time.monotonic() - start, 1)}))
    return 1 if failed else 0


if __name__ == "__main__":
    os.environ.pop("LD_PRELOAD", None)
    sys.exit(main())
