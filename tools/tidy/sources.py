"""Finds the files that the checks read, and strips from C++ and proto text what is no code."""
import dataclasses
import os
import pathlib
import re

FOLDERS = ("proto", "workflow", "store", "services", "tools", "tests")
CODE = (".h", ".cc")


@dataclasses.dataclass(frozen=True)
class Finding:
    """One broken rule. `line` counts from 1; 0 means the whole file."""
    path: str
    line: int
    rule: str
    message: str

    def __str__(self):
        where = f"{self.path}:{self.line}" if self.line else self.path
        return f"{where}: [{self.rule}] {self.message}"


@dataclasses.dataclass(frozen=True)
class Source:
    """A file: its path from the root with forward slashes, and its text."""
    path: str
    text: str

    @property
    def is_code(self):
        return self.path.endswith(CODE)


def load(root):
    """All text files of the known folders, sorted by path, so that findings come in one order."""
    sources = []
    for folder in FOLDERS:
        for directory, subfolders, names in os.walk(pathlib.Path(root) / folder):
            subfolders.sort()
            for name in sorted(names):
                path = pathlib.Path(directory) / name
                try:
                    text = path.read_text(encoding="utf-8")
                except UnicodeDecodeError:
                    continue  # binary samples of tests
                sources.append(Source(path.relative_to(root).as_posix(), text))
    return sources


_TOKEN = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)
      | (?P<raw>R"(?P<tag>[^()\s\\]{0,16})\(.*?\)(?P=tag)")
      | (?P<string>"(?:\\.|[^"\\\n])*")
      | (?P<char>(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+')""",
    re.VERBOSE | re.DOTALL)


def blank(text, keep_strings=False):
    """`text` with comments, and unless kept strings, replaced by spaces: columns and lines stay where they were."""
    def cover(match):
        if keep_strings and not match.group("comment"):
            return match.group(0)
        return re.sub(r"[^\n]", " ", match.group(0))
    return _TOKEN.sub(cover, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1
