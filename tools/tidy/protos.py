"""Rules for the protos: every text is marked personal or public, names are of one form, numbers are used once."""
import re

import sources

_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|[A-Za-z_][\w.]*|-?\d+|[{}\[\]()<>;=,.]')
_MARK = re.compile(r"\(\s*(?:docket\.v1\.)?(personal|public)\s*\)\s*=\s*true\b")
_UPPER_CAMEL = re.compile(r"^[A-Z][A-Za-z0-9]*$")
_LOWER_SNAKE = re.compile(r"^[a-z][a-z0-9]*(?:_[a-z0-9]+)*$")
_UPPER_SNAKE = re.compile(r"^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*$")
_FIELD = re.compile(
    r"^(?:(?P<label>repeated|optional|required)\s+)?(?P<type>map\s*<[^>]*>|\.?[A-Za-z_][\w.]*)\s+(?P<name>\w+)\s*=\s*"
    r"(?P<number>\d+)\s*(?P<options>\[.*\])?$", re.DOTALL)


def check(files):
    findings = []
    for source in files:
        if source.path.startswith("proto/") and source.path.endswith(".proto"):
            findings.extend(_File(source).check())
    return findings


class _File:
    def __init__(self, source):
        self.source = source
        self.text = sources.blank(source.text, keep_strings=True)
        self.findings = []
        self.ours = source.path.startswith("proto/docket/")

    def report(self, offset, rule, message):
        self.findings.append(sources.Finding(self.source.path, sources.line_of(self.text, offset), rule, message))

    def check(self):
        package = self.source.path[len("proto/"):].rsplit("/", 1)[0].replace("/", ".")
        if not re.search(rf"^package {re.escape(package)};$", self.text, re.MULTILINE):
            self.report(0, "proto-package", f"want package {package}")
        self._block(0, len(self.text), "file", "", {})
        return self.findings

    def _block(self, begin, end, kind, name, numbers):
        """Walks the statements between two offsets. `numbers` are the field numbers of the enclosing message."""
        at = begin
        while at < end:
            stop = re.compile(r"[;{}]").search(self.text, at, end)
            if not stop:
                return
            statement = self.text[at:stop.start()].strip()
            offset = at + len(self.text[at:stop.start()]) - len(self.text[at:stop.start()].lstrip())
            if stop.group() == "{":
                close = self._closing(stop.start())
                self._open(statement, offset, stop.end(), close, kind, numbers)
                at = close + 1
            else:
                self._statement(statement, offset, kind, name, numbers)
                at = stop.end()

    def _closing(self, opening):
        depth = 0
        for match in re.compile(r"[{}]").finditer(self.text, opening):
            depth += 1 if match.group() == "{" else -1
            if depth == 0:
                return match.start()
        return len(self.text)

    def _open(self, statement, offset, begin, end, outer, numbers):
        words = statement.split()
        kind = words[0] if words else ""
        name = words[1] if len(words) > 1 else ""
        if kind in ("message", "enum", "service") and not _UPPER_CAMEL.match(name):
            self.report(offset, "proto-name", f"{kind} {name}: want UpperCamel")
        if kind == "oneof":
            if not _LOWER_SNAKE.match(name):
                self.report(offset, "proto-name", f"oneof {name}: want lower_snake")
            self._block(begin, end, "message", name, numbers)  # shares its message's numbers
        elif kind in ("message", "enum", "service", "extend"):
            self._block(begin, end, kind, name, {})

    def _statement(self, statement, offset, kind, name, numbers):
        if kind == "enum":
            self._enum_value(statement, offset, numbers)
        elif kind in ("message", "extend"):
            self._field(statement, offset, kind, numbers)
        elif kind == "service" and statement.startswith("rpc"):
            method = re.match(r"rpc\s+(\w+)", statement).group(1)
            if not _UPPER_CAMEL.match(method):
                self.report(offset, "proto-name", f"rpc {method}: want UpperCamel")

    def _enum_value(self, statement, offset, numbers):
        match = re.match(r"^(\w+)\s*=\s*(-?\d+)", statement)
        if not match or match.group(1) == "option":
            return
        if not _UPPER_SNAKE.match(match.group(1)):
            self.report(offset, "proto-name", f"enum value {match.group(1)}: want UPPER_SNAKE")
        self._number(match.group(1), match.group(2), offset, numbers)

    def _field(self, statement, offset, kind, numbers):
        if not statement or statement.split()[0] in ("option", "reserved", "extensions"):
            return
        match = _FIELD.match(statement)
        if not match:
            self.report(offset, "proto-field", f"cannot read: {' '.join(statement.split())}")
            return
        if not _LOWER_SNAKE.match(match["name"]):
            self.report(offset, "proto-name", f"field {match['name']}: want lower_snake")
        self._number(match["name"], match["number"], offset, numbers)
        if not self.ours or kind == "extend":
            return
        if match["type"].startswith("map"):
            self.report(offset, "proto-map", f"{match['name']}: a map has no order; use a repeated message")
        marks = [mark for mark in _MARK.findall(match["options"] or "")]
        if match["type"] in ("string", "bytes") and len(marks) != 1:
            found = " and ".join(marks) or "neither"
            self.report(offset, "proto-mark", f"{match['name']}: want exactly one of personal and public, found {found}")
        if match["type"] not in ("string", "bytes") and marks:
            self.report(offset, "proto-mark", f"{match['name']}: only texts are marked personal or public")

    def _number(self, name, number, offset, numbers):
        if number in numbers:
            self.report(offset, "proto-number", f"{name} = {number}: the number of {numbers[number]}")
        numbers[number] = name
