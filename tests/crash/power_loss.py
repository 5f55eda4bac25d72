"""Loss of power: what the shim logged of a run is replayed up to any point, and of what was not yet
synced some is kept and some lost.

The model. A file's bytes are durable once it was synced, a name in the folder once the folder was.
Until then each page of 4 KiB (of the WAL, whose frames have checksums, each sector of 512 bytes) has
any of the contents it had since: the disk may have written it early, late, or never, whatever
became of other pages. A truncation may have happened or not. After a sync that failed, what was not
durable may never become so, though a later sync succeeds: the system takes its pages for clean.
The WAL-index is never synced and may hold anything: some states get a garbled one.
"""
import random
import struct

from store_process import Expected, Tally, acknowledged, for_each

RECORD = struct.Struct("<cBHQQ")  # LogRecord of store_shim.cc
PAGE = 4096
SECTOR = 512


def read_log(path):
    """(call, ok, name, offset, bytes) in order."""
    data = path.read_bytes()
    position = 0
    while position < len(data):
        call, ok, name_size, offset, size = RECORD.unpack_from(data, position)
        position += RECORD.size
        name = data[position:position + name_size].decode()
        position += name_size
        yield call.decode(), bool(ok), name, offset, data[position:position + size]
        position += size


class File:
    """An inode: what is durable of it, and what was done to it since."""

    def __init__(self, unit):
        self.unit = unit
        self.durable = bytearray()
        self.pending = []  # (offset, bytes), or (size, None) of a truncation

    def synced(self):
        for operation in self.pending:
            apply(self.durable, *operation)
        self.pending = []

    def sync_failed(self):
        # The worst of it: none of these ever reaches the disk.
        self.pending = []

    def state(self, generator, keep):
        """Bytes that a loss of power may leave; keep(generator) in [0, 1] is the share kept."""
        content = bytearray(self.durable)
        last = {}  # the pending operation up to which each unit reached the disk
        share = keep(generator)
        for index, (offset, data) in enumerate(self.pending):
            if data is None:
                if generator.random() < share:
                    apply(content, offset, None)
                continue
            for begin, part in self.units(offset, data):
                unit = begin // self.unit
                if unit not in last:
                    reached = generator.random() < share
                    last[unit] = len(self.pending) if reached else generator.choice((-1, index))
                if index <= last[unit]:
                    apply(content, begin, part)
        return content

    def units(self, offset, data):
        position = 0
        while position < len(data):
            begin = offset + position
            size = min(self.unit - begin % self.unit, len(data) - position)
            yield begin, data[position:position + size]
            position += size


def apply(content, offset, data):
    if data is None:
        if len(content) > offset:
            del content[offset:]
        else:
            content.extend(bytes(offset - len(content)))
        return
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset:offset + len(data)] = data


class Disk:
    """The folder, as far as it was written to."""

    def __init__(self):
        self.names = {}    # the newest file of each name, None where it was removed
        self.durable = {}  # what the folder on the disk says
        self.pending = {}  # name: what it came to mean since, in order
        self.acknowledgements = 0

    def take(self, call, ok, name, offset, data):
        if call == "a":
            self.acknowledgements += acknowledged(data.decode())
        elif name in (".", "..") and call == "s":
            if ok:
                self.folder_synced()
        elif name.endswith(("-shm", "mlpd.lock")) or name in (".", ".."):
            pass
        elif call == "o":
            if self.names.get(name) is None:
                self.names[name] = File(SECTOR if name.endswith("-wal") else PAGE)
                self.pending.setdefault(name, []).append(self.names[name])
        elif call == "u":
            self.names[name] = None
            self.pending.setdefault(name, []).append(None)
        elif call == "w":
            self.names[name].pending.append((offset, data))
        elif call == "t":
            self.names[name].pending.append((offset, None))
        elif call == "s" and ok:
            self.names[name].synced()
        elif call == "s":
            self.names[name].sync_failed()

    def folder_synced(self):
        for name, meanings in self.pending.items():
            self.durable[name] = meanings[-1]
        self.pending = {}

    def write_state(self, folder, generator, keep):
        folder.mkdir()
        for name in {*self.durable, *self.pending}:
            meanings = [self.durable.get(name), *self.pending.get(name, [])]
            kept = keep(generator)
            file = meanings[-1 if generator.random() < kept else
                            generator.randrange(len(meanings))]
            if file is not None:
                (folder / name).write_bytes(file.state(generator, keep))
        if generator.random() < 0.25:
            (folder / "mlpd.db-shm").write_bytes(generator.randbytes(32768))


# Of what was pending: none, all, few, half, most, any share.
KEEPS = (lambda g: 0.0, lambda g: 1.0, lambda g: 0.05, lambda g: 0.5, lambda g: 0.95,
         lambda g: g.random())


def power_loss(sizes, states, seed=1, driver="store_driver"):
    tally = Tally("states", "lost", "half_visible", "orphans", "not_intact")
    setup = {}

    def prepare(store, _):
        setup["expected"] = Expected(store, sizes)
        store.clear()
        log = store.root / "log"
        store.run("run", sizes, log=log)
        setup["log"] = list(read_log(log))

    for_each([0], prepare, workers=1, driver=driver)
    log = setup["log"]
    # A loss between any two records; as many states of each point as make up the number.
    generator = random.Random(seed)
    cuts = sorted(generator.choices(range(1, len(log) + 1), k=states))
    # Two rows of points in order, so that each thread replays the log but once.
    rows = [(cuts[::2], seed + 1), (cuts[1::2], seed + 2)]

    def replay(store, row):
        points, row_seed = row
        row_generator = random.Random(row_seed)
        disk, taken = Disk(), 0
        for number, cut in enumerate(points):
            for record in log[taken:cut]:
                disk.take(*record)
            taken = cut
            examine(store, disk, row_generator, KEEPS[number % len(KEEPS)], setup["expected"],
                    tally, f"{driver} {sizes}, record {cut} of {len(log)}")

    for_each(rows, replay)
    return {"part": f"power_loss_{sizes}", **verdict(tally)}


def examine(store, disk, generator, keep, expected, tally, where):
    store.clear()
    disk.write_state(store.folder, generator, keep)
    found = store.check()
    problems = [name for name in expected.problems(found, disk.acknowledgements)
                if name != "slow_recovery"]
    tally.add("states")
    tally.wrong(problems, f"{where}, {disk.acknowledgements} acknowledgements: "
                          f"{found.get('error', '')}")


def failed_syncs(sizes, states_each=3, limit=0, seed=1):
    """Each sync fails once, or so many of them; then the power is lost, at each acknowledgement that
    comes later."""
    tally = Tally("syncs", "states", "lost", "half_visible", "orphans", "not_intact")
    setup = {}

    def prepare(store, _):
        setup["expected"] = Expected(store, sizes)
        store.clear()
        setup["syncs"] = [n for n, (call, _) in enumerate(store.trace("run", sizes), 1)
                          if call == "sync"]

    for_each([0], prepare, workers=1)

    def fail(store, number):
        store.clear()
        log = store.root / "log"
        log.unlink(missing_ok=True)
        store.run("run", sizes, log=log, at=number, fault="EIO")
        tally.add("syncs")
        generator = random.Random(seed * 1000 + number)
        disk, failed = Disk(), False
        for record in read_log(log):
            failed = failed or (record[0] == "s" and not record[1])
            disk.take(*record)
            if not failed or record[0] != "a":
                continue
            for keep in KEEPS[:states_each]:
                examine(store, disk, generator, keep, setup["expected"], tally,
                        f"sync at call {number} failed")

    syncs = setup["syncs"]
    if limit and len(syncs) > limit:
        syncs = random.Random(seed).sample(syncs, limit)
    for_each(syncs, fail)
    return {"part": f"failed_syncs_{sizes}", **verdict(tally)}


def verdict(tally):
    wrong = ("lost", "half_visible", "orphans", "not_intact")
    return {**tally.counts, "ok": not any(tally.counts[name] for name in wrong),
            "examples": tally.examples}
