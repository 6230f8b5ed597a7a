"""Length of files and functions: past 500 and 70 lines a second subject is likely, past the double it is certain."""
import re

import sources

ASK_FILE, MAX_FILE = 500, 800
ASK_FUNCTION, MAX_FUNCTION = 70, 120
ASK_LINE, MAX_LINE = 120, 150

_FUNCTION = re.compile(r"^(?!\s|#|//|namespace|class|struct|enum|using|extern|template\s*<[^>]*>\s*(?:class|struct)|\}|TEST|"
                       r"INSTANTIATE)[^;{}=]*\)[^;{}]*\{\s*$", re.MULTILINE)


def check(files):
    """Findings for what is too long."""
    return [finding for finding, hard in _measure(files) if hard]


def notes(files):
    """What deserves a look but breaks nothing."""
    return [finding for finding, hard in _measure(files) if not hard]


def _measure(files):
    for source in files:
        if not source.is_code:
            continue
        lines = source.text.count("\n")
        if lines > ASK_FILE:
            yield sources.Finding(source.path, 0, "file-length", f"{lines} lines, want {ASK_FILE}"), lines > MAX_FILE
        for name, line, length in functions_of(source):
            if length > ASK_FUNCTION:
                yield (sources.Finding(source.path, line, "function-length",
                                       f"{name}: {length} lines, want {ASK_FUNCTION}"), length > MAX_FUNCTION)
        for number, line in enumerate(source.text.split("\n"), start=1):
            if len(line) > ASK_LINE and "http" not in line and 'R"' not in line:
                yield (sources.Finding(source.path, number, "line-length", f"{len(line)} columns, want {ASK_LINE}"),
                       len(line) > MAX_LINE)


def functions_of(source):
    """Triples (name, first line, lines) of functions defined at the left margin, where our formatting puts them."""
    text = sources.blank(source.text)
    for match in _FUNCTION.finditer(text):
        end = re.compile(r"^\}", re.MULTILINE).search(text, match.end())
        if not end:
            continue
        head = re.search(r"([\w~:]+(?:operator\S+)?)\s*\(", match.group(0))
        first = sources.line_of(text, match.start() + len(match.group(0)) - len(match.group(0).lstrip()))
        yield head.group(1) if head else "?", first, sources.line_of(text, end.start()) - first + 1
