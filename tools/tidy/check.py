#!/usr/bin/env python3
"""The architecture check: who may include what, which calls stay in their adapter, marks and names of protos, lengths.

  tools/tidy/check.py [--root DIR] [--notes]
Prints one line per broken rule and exits 1 if there is one; with --notes also what is merely long.
"""
import argparse
import pathlib
import sys

sys.dont_write_bytecode = True  # the tree stays as it was found
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import calls  # noqa: E402  (the folder of this file must be on the path first)
import includes  # noqa: E402
import protos  # noqa: E402
import sizes  # noqa: E402
import sources  # noqa: E402


def findings_of(files):
    found = [finding for check in (includes, calls, protos, sizes) for finding in check.check(files)]
    return sorted(found, key=lambda finding: (finding.path, finding.line, finding.rule))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", default=pathlib.Path(__file__).resolve().parents[2], help="the tree to judge")
    parser.add_argument("--notes", action="store_true", help="also print what is merely long")
    options = parser.parse_args()
    files = sources.load(options.root)
    if not files:
        sys.exit(f"tidy: nothing to read under {options.root}")
    found = findings_of(files)
    for finding in found:
        print(finding)
    if options.notes:
        for note in sizes.notes(files):
            print(f"note: {note}")
    code = sum(1 for source in files if source.is_code)
    print(f"tidy: {code} files of code, {len(found)} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
