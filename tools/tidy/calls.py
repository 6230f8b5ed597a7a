"""Calls that belong into one place. Time, chance and threads are inputs of everything but their adapters."""
import re

import sources

_CLOCK_HOMES = ("services/engine/environment", "tools/", "tests/bench/", "tests/e2e/", "tests/support/",
                "tests/tools/support/")
_TEXT_HOMES = ("tests/",)


class Rule:
    """`pattern` may occur only in paths that begin with one of `homes`; `only_in` limits the rule to some folders."""

    def __init__(self, name, pattern, why, homes=(), only_in=("workflow/", "store/", "services/", "tools/", "tests/")):
        self.name, self.pattern, self.why = name, re.compile(pattern), why
        self.homes, self.only_in = homes, only_in

    def applies(self, path):
        return path.startswith(self.only_in) and not path.startswith(self.homes)


RULES = (
    Rule("wall-clock", r"\bsystem_clock::now\b|\babsl::Now\b|\bGetCurrentTimeNanos\b|\bgettimeofday\b|\bclock_gettime\b"
         r"|(?<![\w.>])(?:std::|::)?time\(\s*(?:NULL|nullptr|0|&\w+)\s*\)",
         "time comes from engine::Clock",
         _CLOCK_HOMES + ("services/rpc/server.cc", "tests/services/rpc/")),  # gRPC wants deadlines as instants
    # Latencies and the pace of syncing the high-water file decide nothing that is recorded.
    Rule("monotonic-clock", r"\b(?:steady|high_resolution)_clock::now\b", "time comes from engine::Clock",
         _CLOCK_HOMES + ("tests/", "services/rpc/rpc_metrics", "store/local_log.cc")),
    Rule("chance", r"\brandom_device\b|\babsl::BitGen\b|\bRAND_bytes\b|(?<![\w.>:])s?rand\(|\bgetrandom\(",
         "chance comes from engine::Randomness", ("services/engine/environment", "tools/")),
    Rule("thread", r"\bstd::j?thread\b|\bstd::async\b|\bpthread_create\b|\bstd::(?:recursive_|shared_)?mutex\b|\batomic\b",
         "the core is single-threaded", ("workflow/base/mutex.h",), only_in=("workflow/",)),
    # clang's -Wthread-safety does not see std::mutex, ThreadSanitizer not the packaged absl::Mutex.
    Rule("mutex", r"\bstd::(?:(?:recursive_|shared_)?(?:timed_)?mutex|lock_guard|(?:scoped|unique|shared)_lock"
         r"|condition_variable(?:_any)?)\b|\babsl::(?:Mutex|(?:Reader|Writer)?MutexLock|CondVar)\b",
         "lock with Mutex, MutexLock and CondVar of workflow/base/mutex.h", only_in=("store/", "services/", "tools/")),
    Rule("sleep", r"\bsleep_(?:for|until)\b|\babsl::SleepFor\b|(?<![\w.>:])(?:::)?u?sleep\(|\bnanosleep\b",
         "wait for an event, not for time", ("tools/", "tests/bench/")),
    Rule("zone", r"\bLocalTimeZone\b|\blocaltime(?:_r)?\b|\bmktime\b|\btzset\b|\bsetenv\b|\bputenv\b",
         "the process's zone and environment decide nothing", only_in=("workflow/", "store/", "services/")),
    Rule("debug-string", r"\b(?:Short|Utf8)?DebugString\s*\(", "prints personal text", _TEXT_HOMES),
    Rule("throw", r"(?<!\w)throw\b(?!\s*\()", "errors are absl::Status", only_in=("workflow/", "store/", "services/")),
    Rule("print", r"\bstd::c(?:out|err|log)\b|(?<![\w.>])(?:std::)?printf\(", "the core returns facts and prints nothing",
         only_in=("workflow/", "store/")),
)

_LATER = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b")


def check(files):
    findings = []
    for source in files:
        if source.is_code:
            text = sources.blank(source.text)
            for rule in RULES:
                if rule.applies(source.path):
                    for match in rule.pattern.finditer(text):
                        findings.append(sources.Finding(source.path, sources.line_of(text, match.start()), rule.name,
                                                        f"{match.group(0).strip()}: {rule.why}"))
        for match in _LATER.finditer(source.text):
            findings.append(sources.Finding(source.path, sources.line_of(source.text, match.start()), "later",
                                            f"{match.group(0)}: finish it or write an issue"))
    return findings
