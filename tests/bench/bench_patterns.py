#!/usr/bin/env python3
"""Frequent patterns through the command, whole processes from the plain file:

    table    counts, seconds and memory of every data set, support, kind, algorithm and number of threads
    peers    us against the best of Borgelt's programs and LCM, in turn: medians of ratios, and their geometric mean
    listing  nanoseconds a set when all are written, mushroom 81
    rules    rules of retail 9 with confidence 0.8 against the best peer
    scaling  baskets from a Quest-style generator: time and memory for more and more of them

usage: bench_patterns.py MAKE_BASKETS [PART...] [--pairs N] [--limit SECONDS] [--largest TRANSACTIONS] [--cpu]

$DM_SHARED/data/baskets has the data (NAME.dat.gz); $DM_MINERS is a folder with apriori, eclat, fpgrowth and lcm.
What is not there is left out, with a word. --cpu compares seconds of the processor, where others use the machine, too;
for two threads they say less. Memory is that of the whole process as the system tells it, which knows no
less than what this script itself takes.
"""
import argparse
import gzip
import json
import math
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

SOURCE = os.environ.get("DM_SOURCE") or os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
MINE = os.path.join(os.environ.get("DM_BUILD", os.path.join(SOURCE, "build")), "tools", "dm-mine")
BASKETS = os.path.join(os.environ.get("DM_SHARED", ""), "data", "baskets")
PEERS = os.environ.get("DM_MINERS", "")
KINDS = ["frequent", "closed", "maximal", "generators"]
ALGORITHMS = {"hybrid": ["frequent"], "lcm": KINDS[1:], "eclat": KINDS, "fpgrowth": KINDS, "apriori": KINDS}


def golden_rows():
    """(data, support, {kind: number}) as tests/golden/sets.h has them"""
    text = open(os.path.join(SOURCE, "tests", "golden", "sets.h")).read()
    for name, support, numbers in re.findall(r'\{"(\w+)", (\d+), \{([\d, ]+)\}', text):
        yield name, int(support), {k: int(n) for k, n in zip(KINDS, numbers.split(",")) if int(n)}


class Run:
    """One run of a command: seconds of the clock and of the processor, peak memory in MB, what it printed."""

    def __init__(self, command, limit=None, keep=True):
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            start = time.monotonic()
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out if keep else subprocess.DEVNULL, stderr=err)
            self.ended = True
            status = None
            while status is None:
                pid, code, usage = os.wait4(child.pid, 0 if limit is None else os.WNOHANG)
                if pid:
                    status = code
                elif time.monotonic() - start > limit:
                    child.kill()
                    self.ended = False
                    pid, status, usage = os.wait4(child.pid, 0)
                else:
                    time.sleep(0.002)
            child.returncode = os.waitstatus_to_exitcode(status)
            self.seconds = time.monotonic() - start
            self.cpu = usage.ru_utime + usage.ru_stime
            self.memory = usage.ru_maxrss / 1024
            self.code = child.returncode
            out.seek(0)
            err.seek(0)
            self.out = out.read().decode(errors="replace")
            self.err = err.read().decode(errors="replace")


def ours(path, support, *options, threads=2):
    return [MINE, "rules", ":memory:", path, "--format", "basket", "--min-support", str(support), "--threads", str(threads), *options]


def counting(path, support, kind="frequent", algorithm="auto", threads=2):
    return ours(path, support, "--kind", kind, "--algorithm", algorithm, "--count-only", "--json", threads=threads)


def peers(path, support, kind):
    """Commands that count, by name. -S200: sets that all transactions have, too."""
    letter = {"frequent": "s", "closed": "c", "maximal": "m"}[kind]
    found = {p: [os.path.join(PEERS, p), "-t" + letter, f"-s-{support}", "-S200", path] for p in ("eclat", "fpgrowth", "apriori")}
    found["lcm"] = [os.path.join(PEERS, "lcm"), {"s": "F", "c": "C", "m": "M"}[letter], path, str(support)]
    return {name: command for name, command in found.items() if os.access(command[0], os.X_OK)}


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values)) if values else float("nan")


def best_peer(commands, limit, keep=True):
    """The quickest of two runs each, slow ones once."""
    seconds = {}
    for name, command in commands.items():
        first = Run(command, limit, keep)
        if first.ended and first.code == 0:
            again = Run(command, limit, keep) if first.seconds < 5 else first
            seconds[name] = min(first.seconds, again.seconds)
    return min(seconds, key=seconds.get) if seconds else None


def in_turn(options, mine, other, keep=True):
    """Runs each of `mine` and the other one after the other. Median seconds of each of mine, of the other, and of the ratios."""
    seconds, theirs, ratios = {k: [] for k in mine}, [], {k: [] for k in mine}
    measure = (lambda run: run.cpu) if options.cpu else (lambda run: run.seconds)
    for _ in range(options.pairs):
        theirs.append(measure(Run(other, keep=keep)))
        for key, command in mine.items():
            seconds[key].append(measure(Run(command, keep=keep)))
            ratios[key].append(theirs[-1] / seconds[key][-1])
    median = statistics.median
    return {k: median(v) for k, v in seconds.items()}, median(theirs), {k: median(v) for k, v in ratios.items()}


def table(data, options):
    print(f"{'data':12} {'support':>7} {'kind':11} {'algorithm':9} {'threads':>7} {'sets':>9} {'seconds':>8} {'cpu':>8} {'MB':>6}")
    wrong = 0
    for name, support, numbers in golden_rows():
        if name not in data:
            continue
        for kind, wanted in numbers.items():
            for algorithm, kinds in ALGORITHMS.items():
                for threads in (1, 2) if kind in kinds else ():
                    run = Run(counting(data[name], support, kind, algorithm, threads), options.limit)
                    start = f"{name:12} {support:7} {kind:11} {algorithm:9} {threads:7} "
                    if not run.ended:
                        print(f"{start} more than {options.limit:g} s")
                        continue
                    count = json.loads(run.out)["itemsets"] if run.code == 0 else None
                    note = "" if count == wanted else f"  WRONG: want {wanted} {run.err.strip()}"
                    wrong += count != wanted
                    print(f"{start}{count!s:>9} {run.seconds:8.3f} {run.cpu:8.3f} {run.memory:6.0f}{note}", flush=True)
    print(f"{wrong} wrong counts")
    return wrong == 0


def against_peers(data, options):
    print(f"{'data':12} {'support':>7} {'kind':9} {'best peer':9} {'seconds':>8} {'ours, 1':>8} {'ours, 2':>8} {'ratio, 1':>8} {'ratio, 2':>8}")
    all_ratios = {1: [], 2: []}
    for name, support, numbers in golden_rows():
        for kind in numbers if name in data else ():
            if kind == "generators":
                continue
            commands = peers(data[name], support, kind)
            best = best_peer(commands, options.limit)
            if best is None:
                print(f"{name:12} {support:7} {kind:9} no peer ended")
                continue
            mine = {threads: counting(data[name], support, kind, threads=threads) for threads in (1, 2)}
            seconds, theirs, ratios = in_turn(options, mine, commands[best])
            for threads in mine:
                all_ratios[threads].append(ratios[threads])
            print(f"{name:12} {support:7} {kind:9} {best:9} {theirs:8.3f} {seconds[1]:8.3f} {seconds[2]:8.3f} {ratios[1]:8.2f} {ratios[2]:8.2f}",
                  flush=True)
    for threads, wanted in ((1, 2.5), (2, 4)):
        r = all_ratios[threads]
        if r:
            print(f"{threads} threads: geometric mean of {len(r)} ratios {geometric_mean(r):.2f} (wanted, of counting: {wanted}), least {min(r):.2f}")
    return True


def writers(names, arguments):
    return {name: [os.path.join(PEERS, name), *arguments] for name in names if os.access(os.path.join(PEERS, name), os.X_OK)}


def listing(data, options):
    """ns a set"""
    if "mushroom" not in data:
        return True
    path, sets = data["mushroom"], 91273269
    mine = {threads: ours(path, 81, "-o", "-", "--limit", "0", "--quiet", threads=threads) for threads in (1, 2)}
    commands = writers(["eclat", "fpgrowth"], ["-ts", "-s-81", "-S200", "-v (%a)", path, "/dev/null"])
    best = best_peer(commands, options.limit)
    return compare_writers("listing mushroom 81 (wanted: at most 10 ns a set)", mine, best, commands, options, sets)


def rules(data, options):
    """-o of the peers: the support is that of body and head together; -m2: no empty bodies"""
    if "retail" not in data:
        return True
    path = data["retail"]
    mine = {threads: ours(path, 9, "--min-confidence", "0.8", "-o", "-", "--limit", "0", "--quiet", threads=threads) for threads in (1, 2)}
    commands = writers(["eclat", "fpgrowth", "apriori"], ["-tr", "-o", "-m2", "-c80", "-s-9", "-S200", "-v (%a,%C)", path, "/dev/null"])
    best = best_peer(commands, options.limit)
    return compare_writers("rules of retail 9, confidence 0.8, ours with all measures (wanted: ratio 2)", mine, best, commands, options, 232633)


def compare_writers(what, mine, best, commands, options, n):
    print(what)
    check = Run(mine[2], keep=False)
    if check.code:
        print(check.err)
        return False
    seconds, theirs, ratios = in_turn(options, mine, commands[best] if best else ["true"], keep=False)
    for threads in mine:
        ratio = f"; {best} {theirs:.3f} s, ratio {ratios[threads]:.2f}" if best else ""
        print(f"  {threads} threads: {seconds[threads]:.3f} s, {seconds[threads] / n * 1e9:.1f} ns each{ratio}", flush=True)
    return True


def scaling(make_baskets, folder, options):
    print(f"{'transactions':>12} {'MB':>7} {'support':>7} {'kind':9} {'sets':>9} {'seconds':>8} {'us each':>8} {'memory':>7} {'/ file':>6}")
    n = 100000
    while n <= options.largest:
        path = os.path.join(folder, "quest.dat")
        with open(path, "wb") as out:
            subprocess.run([make_baskets, str(n)], stdout=out, check=True)
        size = os.path.getsize(path) / 2**20
        for kind in ("frequent", "closed"):
            support = n // 1000
            run = Run(counting(path, support, kind))
            if run.code:
                print(run.err)
                return False
            sets = json.loads(run.out)["itemsets"]
            each = run.seconds / n * 1e6
            print(f"{n:12} {size:7.1f} {support:7} {kind:9} {sets:9} {run.seconds:8.3f} {each:8.2f} {run.memory:7.0f} {run.memory / size:6.2f}",
                  flush=True)
        os.remove(path)
        n *= 10
    return True


def unpack(folder):
    data = {}
    for name in ("mushroom", "connect", "retail", "T10I4D100K"):
        packed = os.path.join(BASKETS, name + ".dat.gz")
        if not os.path.exists(packed):
            print(f"{name} is not there: left out")
            continue
        data[name] = os.path.join(folder, name + ".dat")
        with gzip.open(packed) as f, open(data[name], "wb") as out:
            shutil.copyfileobj(f, out)
    return data


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("make_baskets")
    parser.add_argument("parts", nargs="*", metavar="PART", help="table, peers, listing, rules, scaling (default: all)")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--limit", type=float, default=60, metavar="SECONDS")
    parser.add_argument("--cpu", action="store_true")
    parser.add_argument("--largest", type=int, default=1000000, metavar="TRANSACTIONS")
    options = parser.parse_args()
    parts = options.parts or ["table", "peers", "listing", "rules", "scaling"]
    ok = True
    with tempfile.TemporaryDirectory() as folder:
        data = unpack(folder)
        if not PEERS:
            print("no DM_MINERS: no peers to compare with")
        for part in parts:
            print(f"== {part}", flush=True)
            if part == "table":
                ok &= table(data, options)
            elif part == "peers" and PEERS:
                ok &= against_peers(data, options)
            elif part == "listing":
                ok &= listing(data, options)
            elif part == "rules":
                ok &= rules(data, options)
            elif part == "scaling":
                ok &= scaling(options.make_baskets, folder, options)
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
