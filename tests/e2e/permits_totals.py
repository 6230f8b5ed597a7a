#!/usr/bin/env python3
"""Recounts what is known of the permit applications' deadlines from our log, and compares with the file.

  tests/e2e/permits_totals.py --docket DOCKET --source receipt.csv.gz

Reads the file with Python's own CSV, dates and time zones. Exits 1 when a figure, a due or a list differs.
"""
import argparse
import csv
import datetime
import gzip
import json
import subprocess
import sys
import zoneinfo

MAX_INSTANTS = 40  # deadlines at which the list of what is late is asked for, evenly spread
AMSTERDAM = zoneinfo.ZoneInfo("Europe/Amsterdam")
SECOND = datetime.timedelta(seconds=1)
EXPECTED = {"cases": 1434, "tasks": 8577, "finished": 1329, "late by the instant": 377, "late by the day": 309,
            "deadlines on the 56th day": 1080}


def utc(text):
    return datetime.datetime.fromisoformat(text).astimezone(datetime.timezone.utc)


def end_of_day(day):
    midnight = datetime.datetime.combine(day + datetime.timedelta(days=1), datetime.time(), AMSTERDAM)
    return midnight.astimezone(datetime.timezone.utc) - datetime.timedelta(microseconds=1)


class Application:
    """What the file says of one case."""

    def __init__(self, row):
        self.tasks = 0
        self.start, self.deadline = utc(row["case:startdate"]), utc(row["case:deadline"])
        self.end = utc(row["case:enddate"]) if row["case:enddate"] else None
        self.deadline_day = self.deadline.astimezone(AMSTERDAM).date()
        self.day_56 = self.start.astimezone(AMSTERDAM).date() + datetime.timedelta(days=56)

    def dues(self):
        return {"DEADLINE": self.deadline, "DEADLINE_DAY": end_of_day(self.deadline_day),
                "STATUTORY": end_of_day(self.day_56)}

    def closed(self):
        """Two closings tell the day of the receipt only, an instant before it."""
        return self.end and max(self.end, self.start)


def read_file(path):
    cases = {}
    with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            cases.setdefault(row["case:concept:name"], Application(row)).tasks += 1
    return cases


class Case:
    """What our log says of one case."""

    def __init__(self, received):
        self.key, self.number = received["externalRef"]["key"], received["caseNo"]
        self.tasks = 0
        self.metrics = {}  # by clock number
        self.dues, self.stops, self.on_time = {}, {}, {}


def read_log(lines):
    cases = {}
    for line in lines:
        entry = json.loads(line)
        if entry.get("streamKind") != "STREAM_KIND_CASE":
            continue
        event = entry["event"]
        if "caseReceived" in event:
            cases[entry["streamId"]] = Case(event["caseReceived"])
        case = cases[entry["streamId"]]
        if "sourceRowRecorded" in event:
            case.tasks += "sourceStatus" in event["sourceRowRecorded"]
        elif "clockAttached" in event:
            attached = event["clockAttached"]
            case.metrics[entry["revision"]] = attached["metric"]
            case.dues[attached["metric"]] = utc(attached["dueAt"])
        elif "clockRetargeted" in event:
            raise RuntimeError(f"{case.key}: retargeted, though its deadline is the same on every row")
        elif "clockFulfilled" in event:
            fulfilled = event["clockFulfilled"]
            metric = case.metrics[fulfilled["clockNo"]]
            case.stops[metric], case.on_time[metric] = utc(fulfilled["stoppedAt"]), fulfilled.get("onTime", False)
    return {case.key: case for case in cases.values()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--docket", required=True)
    parser.add_argument("--source", required=True)
    options = parser.parse_args()

    def run(*arguments):
        return subprocess.run([options.docket, "-o", "jsonl", *arguments], check=True, stdout=subprocess.PIPE,
                              text=True).stdout.splitlines()

    failures = 0

    def equal(what, found, wanted):
        nonlocal failures
        failures += found != wanted
        print(f"{'ok  ' if found == wanted else 'FAIL'}  {what:<44} {found:>7,}" +
              ("" if found == wanted else f"   want {wanted:,}"))

    wanted = read_file(options.source)
    found = read_log(run("log", "read"))
    equal("cases", len(found.keys() & wanted.keys()), EXPECTED["cases"])
    pairs = [(found[key], one) for key, one in wanted.items() if key in found]
    equal("tasks", sum(case.tasks for case in found.values()), EXPECTED["tasks"])
    equal("cases with as many tasks as the file has", sum(case.tasks == one.tasks for case, one in pairs), len(wanted))
    equal("finished", sum("DEADLINE" in case.stops for case in found.values()), EXPECTED["finished"])
    equal("finished when the file says", sum(case.stops.get("DEADLINE") == one.closed() for case, one in pairs),
          len(wanted))
    for what, metric in (("late by the instant", "DEADLINE"), ("late by the day", "DEADLINE_DAY")):
        equal(what, sum(case.on_time.get(metric) is False for case in found.values()), EXPECTED[what])
    equal("late by the instant in the file", sum(bool(one.end) and one.end > one.deadline for one in wanted.values()),
          EXPECTED["late by the instant"])
    equal("deadlines on the 56th day",
          sum(case.dues["STATUTORY"].astimezone(AMSTERDAM).date() == one.deadline_day for case, one in pairs),
          EXPECTED["deadlines on the 56th day"])
    for metric in ("DEADLINE", "DEADLINE_DAY", "STATUTORY"):
        equal(f"dues of {metric} as the file makes them",
              sum(case.dues[metric] == one.dues()[metric] for case, one in pairs), len(wanted))

    keys = {case.number: case.key for case in found.values()}
    deadlines = sorted({one.deadline for one in wanted.values()})
    chosen = [deadlines[i * len(deadlines) // MAX_INSTANTS] for i in range(MAX_INSTANTS)]
    wrong = 0
    for at in (instant + step for instant in chosen for step in (-SECOND, SECOND)):
        text = at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        items = map(json.loads, run("overdue", "--metric", "DEADLINE", "--limit", "0", "--as-of", text))
        late = {key for key, one in wanted.items() if one.deadline < at and not (one.end and one.closed() <= at)}
        wrong += {keys[item["case"]["caseNo"]] for item in items} != late
    print(f"      {len(chosen)} of {len(deadlines)} deadlines, one second before and after")
    equal("lists of what is late that differ", wrong, 0)
    print(f"{failures} figures differ" if failures else "all figures agree")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
