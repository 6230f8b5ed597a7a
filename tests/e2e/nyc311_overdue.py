#!/usr/bin/env python3
"""Compares what the server calls overdue with what the files of New York's service requests say themselves.

  tests/e2e/nyc311_overdue.py --docket DOCKET --data FOLDER --rejected BAD_ROWS [--all]

Reads the files with Python's own CSV, JSON and time zones. A request is late at T when its due lies before T and it was
not closed by T. The server is asked for the whole list one second before, at, and one second after each due and each
closing of a request that has a due; without --all, for MAX_INSTANTS of these instants, evenly spread. BAD_ROWS are the
rejected rows as `docket import --report` wrote them. Exits 1 when a figure or a list differs.
"""
import argparse
import collections
import concurrent.futures
import csv
import datetime
import glob
import gzip
import json
import os
import subprocess
import sys
import zoneinfo

MAX_INSTANTS = 100  # an answer about the past takes a replay of all cases; all of them are asked with --all
SECOND = datetime.timedelta(seconds=1)
NEW_YORK = zoneinfo.ZoneInfo("America/New_York")
FORMATS = ("%m/%d/%Y %I:%M:%S %p", "%Y-%m-%dT%H:%M:%S.%f")
SPELLINGS = {"key": ("Unique Key", "unique_key"), "created": ("Created Date", "created_date"),
             "closed": ("Closed Date", "closed_date"), "due": ("Due Date", "due_date")}
EXPECTED = {"requests": 5079, "rejected": 33, "loaded": 5046, "with a due": 927, "closed late": 111}


def instant(text):
    if not text:
        return None
    for form in FORMATS:
        try:
            return datetime.datetime.strptime(text, form).replace(tzinfo=NEW_YORK).astimezone(datetime.timezone.utc)
        except ValueError:
            pass
    raise ValueError(text)


def requests(folder):
    for path in sorted(glob.glob(os.path.join(folder, "nyc311_*.gz"))):
        with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as file:
            rows = json.load(file) if ".json" in path else list(csv.DictReader(file))
        for row in rows:
            found = {name: next((row[s] for s in spellings if row.get(s)), "") for name, spellings in SPELLINGS.items()}
            yield {"file": os.path.basename(path), "key": found["key"], "created": instant(found["created"]),
                   "closed": instant(found["closed"]), "due": instant(found["due"])}


class Server:
    def __init__(self, docket):
        self.docket = docket
        self.keys = {}  # case number to the key of the request
        self.breaches = collections.Counter()  # by cause
        for line in self.run("log", "read"):
            event = json.loads(line)["event"]
            if "caseReceived" in event:
                self.keys[event["caseReceived"]["caseNo"]] = event["caseReceived"]["externalRef"]["key"]
            elif "clockBreached" in event:
                self.breaches[event["clockBreached"]["cause"]] += 1

    def run(self, *arguments):
        return subprocess.run([self.docket, "-o", "jsonl", *arguments], check=True, stdout=subprocess.PIPE,
                              text=True).stdout.splitlines()

    def overdue(self, at):
        lines = self.run("overdue", "--limit", "0", "--as-of", at.strftime("%Y-%m-%dT%H:%M:%SZ"))
        keys = [self.keys[json.loads(line)["case"]["caseNo"]] for line in lines]
        if len(keys) != len(set(keys)):
            raise RuntimeError(f"a request twice in the list of {at}")
        return set(keys)


def spread(instants, most):
    if len(instants) <= most:
        return instants
    return [instants[i * len(instants) // most] for i in range(most)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--docket", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--rejected", required=True)
    parser.add_argument("--all", action="store_true", help="every instant; takes minutes")
    options = parser.parse_args()
    failures = 0

    def equal(what, found, wanted):
        nonlocal failures
        failures += found != wanted
        print(f"{'ok  ' if found == wanted else 'FAIL'}  {what:<44} {found:>7,}" +
              ("" if found == wanted else f"   want {wanted:,}"))

    everything = list(requests(options.data))
    rejected = [one for one in everything if one["closed"] and one["closed"] < one["created"]]
    loaded = [one for one in everything if one not in rejected]
    promised = [one for one in loaded if one["due"]]
    equal("requests", len(everything), EXPECTED["requests"])
    equal("rejected", len(rejected), EXPECTED["rejected"])
    equal("loaded", len(loaded), EXPECTED["loaded"])
    equal("with a due", len(promised), EXPECTED["with a due"])
    late = [one for one in promised if one["closed"] and one["closed"] > one["due"]]
    equal("closed late", len(late), EXPECTED["closed late"])
    with open(options.rejected, encoding="utf-8") as lines:
        told = {(row["file"], row["key"]) for row in map(json.loads, lines)}
    equal("rejected that the import told of", len(told & {(one["file"], one["key"]) for one in rejected}), len(rejected))

    server = Server(options.docket)
    equal("requests of the log that are of the files",
          len(set(server.keys.values()) & {one["key"] for one in loaded}), len(loaded))
    # Whatever passed before the import is its business: nobody is told of it.
    still_open = [one for one in promised if not one["closed"]]
    equal("breaches, all with the cause IMPORT", server.breaches["IMPORT"], len(late) + len(still_open))
    equal("breaches with another cause", server.breaches.total() - server.breaches["IMPORT"], 0)
    instants = sorted({one["due"] for one in promised} | {one["closed"] for one in promised if one["closed"]})
    chosen = instants if options.all else spread(instants, MAX_INSTANTS)
    moments = sorted({at + step for at in chosen for step in (-SECOND, 0 * SECOND, SECOND)})
    wrong = listed = 0
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        for at, found in zip(moments, pool.map(server.overdue, moments)):
            wanted = {one["key"] for one in promised if one["due"] < at and not (one["closed"] and one["closed"] <= at)}
            listed += len(wanted)
            if found != wanted:
                wrong += 1
                print(f"      at {at}: {len(found - wanted)} too many {sorted(found - wanted)[:3]}, "
                      f"{len(wanted - found)} too few {sorted(wanted - found)[:3]}")
    print(f"      {len(chosen):,} of {len(instants):,} instants, {len(moments):,} questions, "
          f"{listed:,} late duties in the answers")
    equal("answers that differ", wrong, 0)
    print(f"{failures} figures differ" if failures else "all figures agree")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
