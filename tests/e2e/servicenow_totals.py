#!/usr/bin/env python3
"""Recomputes what is known of the ServiceNow incidents from our log alone, and compares.

  docket -o jsonl log read | tests/e2e/servicenow_totals.py [--source incident_event_log.csv.gz]

The totals are those of the data's publisher as recounted from the file; with --source each case is also compared with
its own rows (reopen count, closing time, resolution time). A change is a difference between consecutive rows of a case;
the first row counts none; "none" is a value. Exits 1 when a figure differs.
"""
import argparse
import collections
import csv
import datetime
import gzip
import json
import sys

EXPECTED = {
    "cases": 24918,
    "rows": 141712,
    "state changes": 64033,
    "changes to resolved": 23417,
    "changes to closed": 24930,
    "changes to any awaiting": 6199,
    "reopenings": 331,
    "cases reopened": 275,
    "group changes": 23321,
    "assignee changes": 14006,
    "priority changes": 436,
    "category or subcategory changes": 2212,
}
PRIORITY = {(1, 1): 1, (1, 2): 2, (2, 1): 2, (2, 2): 3, (3, 1): 3, (2, 3): 4, (3, 2): 4, (3, 3): 4}
RESOLVED_ROWS = 23362  # cases that have a row in state Resolved and a resolved_at

# The part of a case that a row tells.
Snapshot = collections.namedtuple("Snapshot", "status queue owner priority category subcategory")


class Case:
    """Folds the events of one case, commit by commit."""

    def __init__(self):
        self.state = Snapshot("", "", "", 0, "", "")
        self.impact = self.urgency = 0
        self.previous = None  # snapshot after the last row
        self.commit = None
        self.row_in_commit = None
        self.rows = 0
        self.reopened = 0
        self.last_row_at = self.last_resolved_row_at = None
        self.ended = False

    def apply(self, kind, body, occurred_at):
        state = self.state
        if kind == "caseReceived":
            state = Snapshot(body["entered"]["status"], "", "", body.get("priority", 0), body.get("category", ""),
                             body.get("subcategory", ""))
            self.impact, self.urgency = body.get("impact", 0), body.get("urgency", 0)
        elif kind == "caseQueued":
            state = state._replace(queue=body["queue"])
        elif kind == "caseDequeued":
            state = state._replace(queue="")
        elif kind == "ownerAssigned":
            state = state._replace(owner=body["owner"])
        elif kind == "ownerReleased":
            state = state._replace(owner="")
        elif kind == "statusChanged":
            state = state._replace(status=body["entered"]["status"])
        elif kind == "prioritySet":
            state = state._replace(priority=body.get("priority", 0))
            self.impact, self.urgency = body.get("impact", 0), body.get("urgency", 0)
        elif kind == "caseClassified":
            state = state._replace(category=body.get("category", ""), subcategory=body.get("subcategory", ""))
        elif kind == "caseReopened":
            self.reopened += 1
        elif kind == "historyEnded":
            self.ended = True
        elif kind == "sourceRowRecorded":
            self.rows += 1
            self.row_in_commit = body
            self.last_row_at = occurred_at
            if body.get("sourceStatus") == "Resolved":
                self.last_resolved_row_at = occurred_at
        self.state = state


class Totals:
    def __init__(self):
        self.found = collections.Counter()
        self.events = collections.Counter()
        self.wrong_priority = collections.Counter()

    def end_of_commit(self, case):
        """Compares the row of the commit that just ended with the row before it."""
        if case.row_in_commit is None:
            return
        case.row_in_commit = None
        self.found["rows"] += 1
        new, old = case.state, case.previous
        case.previous = new
        scale = (case.impact, case.urgency)
        if PRIORITY.get(scale) != new.priority:
            self.wrong_priority[scale + (new.priority,)] += 1
        if old is None:
            return
        if new.status != old.status:
            self.found["state changes"] += 1
            self.found["changes to resolved"] += new.status == "RESOLVED"
            self.found["changes to closed"] += new.status == "CLOSED"
            self.found["changes to any awaiting"] += new.status.startswith("AWAITING_")
        self.found["group changes"] += new.queue != old.queue
        self.found["assignee changes"] += new.owner != old.owner
        self.found["priority changes"] += new.priority != old.priority
        self.found["category or subcategory changes"] += new[4:] != old[4:]


def read_log(lines):
    """Cases by their key in the source, and the totals."""
    totals = Totals()
    by_stream, by_key = {}, {}
    for line in lines:
        entry = json.loads(line)
        if entry.get("streamKind") != "STREAM_KIND_CASE":
            continue
        event = entry["event"]
        kind = next(name for name in event if name not in ("occurredAt", "rule", "visibility"))
        totals.events[kind] += 1
        stream = entry["streamId"]
        case = by_stream.get(stream)
        if case is None:
            case = by_stream[stream] = Case()
            by_key[event["caseReceived"]["externalRef"]["key"]] = case
        # Commit 0 exists and is left out of JSON like every default.
        commit = entry.get("commit", "0")
        if case.commit != commit:
            totals.end_of_commit(case)
            case.commit = commit
        case.apply(kind, event[kind], event.get("occurredAt"))
    for case in by_stream.values():
        totals.end_of_commit(case)
    totals.found["cases"] = len(by_stream)
    totals.found["reopenings"] = sum(case.reopened for case in by_stream.values())
    totals.found["cases reopened"] = sum(case.reopened > 0 for case in by_stream.values())
    return by_key, totals


def utc(text):
    """The source's time as the log writes it."""
    parsed = datetime.datetime.strptime(text, "%d/%m/%Y %H:%M")
    return parsed.strftime("%Y-%m-%dT%H:%M:%SZ")


def final_values(path):
    """The last row of each case in the file."""
    finals, has_resolved = {}, set()
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            finals[row["number"]] = row
            if row["incident_state"] == "Resolved" and row["resolved_at"] != "?":
                has_resolved.add(row["number"])
    return finals, has_resolved


class Judge:
    def __init__(self):
        self.failures = 0

    def equal(self, what, found, wanted):
        good = found == wanted
        self.failures += not good
        print(f"{'ok  ' if good else 'FAIL'}  {what:<44} {found:>9,}" + ("" if good else f"   want {wanted:,}"))


def compare_cases(judge, by_key, path):
    finals, has_resolved = final_values(path)
    judge.equal("cases of the file that the log has", len(finals.keys() & by_key.keys()), len(finals))
    cases = [(by_key[key], row) for key, row in finals.items() if key in by_key]
    judge.equal("cases whose reopenings are the file's count",
                sum(case.reopened == int(row["reopen_count"]) for case, row in cases), len(finals))
    judge.equal("cases whose last row is at closed_at",
                sum(case.last_row_at == utc(row["closed_at"]) for case, row in cases), len(finals))
    resolved = [(by_key[key], finals[key]) for key in has_resolved if key in by_key]
    judge.equal("cases whose last Resolved row is at resolved_at",
                sum(case.last_resolved_row_at == utc(row["resolved_at"]) for case, row in resolved), RESOLVED_ROWS)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", help="the file that was imported, gzipped")
    options = parser.parse_args()
    by_key, totals = read_log(sys.stdin)
    judge = Judge()
    for what, wanted in EXPECTED.items():
        judge.equal(what, totals.found[what], wanted)
    # The same counted another way: what the server called a change is one, and nothing else is.
    judge.equal("StatusChanged events", totals.events["statusChanged"], EXPECTED["state changes"])
    judge.equal("CaseReopened events", totals.events["caseReopened"], EXPECTED["reopenings"])
    judge.equal("SourceRowRecorded events", totals.events["sourceRowRecorded"], EXPECTED["rows"])
    judge.equal("CaseClassified events", totals.events["caseClassified"], EXPECTED["category or subcategory changes"])
    judge.equal("HistoryEnded events", totals.events["historyEnded"], EXPECTED["cases"])
    judge.equal("rows whose priority is no function of the scales", sum(totals.wrong_priority.values()), 0)
    for (impact, urgency, priority), rows in sorted(totals.wrong_priority.items())[:10]:
        print(f"      impact {impact}, urgency {urgency}, priority {priority}: {rows} rows")
    if options.source:
        compare_cases(judge, by_key, options.source)
    print(f"{judge.failures} figures differ" if judge.failures else "all figures agree")
    return 1 if judge.failures else 0


if __name__ == "__main__":
    sys.exit(main())
