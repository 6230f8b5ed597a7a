"""The include ladder. Debian puts every package into /usr/include, so the build cannot stop a wrong include; this does.

tests -> everything; tools -> tools, workflow, proto; services/rpc -> everything but tools;
services/{query,engine} -> workflow, store, proto; store -> workflow/base, proto; workflow -> workflow, proto.
"""
import re

import sources

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)
_OURS = ("workflow/", "store/", "services/", "tools/", "tests/")

# What the outside world is called, by the beginning of the included name.
ROCKSDB = ("rocksdb/",)
GRPC = ("grpc/", "grpcpp/", "grpc++/")
GENERATED_GRPC = re.compile(r"^docket/v1/.*\.grpc\.pb\.h$")
SERVICE_MESSAGES = re.compile(r"^docket/v1/.*_service\.pb\.h$")
THREADS_AND_IO = ("thread", "future", "fstream", "filesystem", "random", "unistd.h", "sys/", "fcntl.h",
                  "absl/random/", "absl/synchronization/", "openssl/rand.h")

# Files with a reason to step off the ladder.
EXCEPTIONS = {
    ("workflow/sla/calendar_compile.cc", "fstream"): "publishing a calendar notes the version of the machine's zones",
}


class Layer:
    """`folder`: prefix of the paths it rules; `own`: the folders it may include; `banned`: outside names it may not."""

    def __init__(self, folder, own, banned=(), grpc=False, services_messages=True, proto=None):
        self.folder, self.own, self.banned = folder, own, banned
        self.grpc, self.services_messages, self.proto = grpc, services_messages, proto


# The first layer whose folder begins the path rules it.
LAYERS = (
    Layer("workflow/base/", ("workflow/base/",), ROCKSDB + THREADS_AND_IO + ("yaml-cpp/",), services_messages=False),
    Layer("workflow/policy/", ("workflow/",), ROCKSDB + THREADS_AND_IO, services_messages=False),
    Layer("workflow/", ("workflow/",), ROCKSDB + THREADS_AND_IO + ("yaml-cpp/",), services_messages=False),
    Layer("store/", ("store/", "workflow/base/"), ("yaml-cpp/",), services_messages=False,
          proto=("record", "view", "annotations")),
    Layer("services/engine/", ("services/engine/", "workflow/", "store/"), ROCKSDB),
    Layer("services/query/", ("services/query/", "services/engine/", "workflow/", "store/"), ROCKSDB),
    Layer("services/outbox/", ("services/outbox/", "services/query/", "services/engine/", "workflow/", "store/"), ROCKSDB),
    Layer("services/", ("services/", "workflow/", "store/"), grpc=True),
    Layer("tools/bench/", ("tools/", "workflow/", "store/", "services/"), grpc=True),
    Layer("tools/", ("tools/", "workflow/"), ROCKSDB, grpc=True),
    Layer("tests/", _OURS, grpc=True),
)


def layer_of(path):
    return next((layer for layer in LAYERS if path.startswith(layer.folder)), None)


def includes_of(source):
    """Pairs (line, name) of a source's includes, those in comments left out."""
    text = sources.blank(source.text, keep_strings=True)
    return [(sources.line_of(text, match.start(1)), match.group(2)) for match in _INCLUDE.finditer(text)]


def judge(layer, name):
    """Why `layer` may not include `name`; None when it may."""
    if name.startswith("../") or name.startswith("./"):
        return "include from the root"
    if name.startswith(_OURS) and not name.startswith(layer.own):
        return f"{layer.folder} may include only {', '.join(layer.own)} of ours"
    if name.startswith(layer.banned):
        return f"{layer.folder} knows no {name}"
    if not layer.grpc and (name.startswith(GRPC) or GENERATED_GRPC.match(name)):
        return f"{layer.folder} knows no gRPC"
    if not layer.services_messages and SERVICE_MESSAGES.match(name):
        return f"{layer.folder} knows no service messages"
    if layer.proto and name.startswith("docket/v1/") and name[len("docket/v1/"):].split(".")[0] not in layer.proto:
        return f"{layer.folder} knows only {', '.join(layer.proto)} of docket/v1"
    return None


def check(files):
    findings = []
    for source in files:
        layer = layer_of(source.path) if source.is_code else None
        if layer is None:
            continue
        for line, name in includes_of(source):
            reason = judge(layer, name)
            if reason and (source.path, name) not in EXCEPTIONS:
                findings.append(sources.Finding(source.path, line, "include", f"{name}: {reason}"))
        if source.path.endswith(".h"):
            findings.extend(_guard(source))
    return findings + _cycles(files)


def _guard(source):
    wanted = "DOCKET_" + re.sub(r"[^A-Z0-9]", "_", source.path.upper()) + "_"
    if not re.search(rf"^#ifndef {wanted}\n#define {wanted}$", source.text, re.MULTILINE):
        yield sources.Finding(source.path, 0, "guard", f"want the include guard {wanted}")


def _cycles(files):
    """Two headers that include each other, however far around."""
    graph = {source.path: [name for _, name in includes_of(source)] for source in files if source.path.endswith(".h")}
    findings, done = [], set()

    def walk(path, trail):
        if path in trail:
            around = trail[trail.index(path):] + [path]
            findings.append(sources.Finding(path, 0, "cycle", " -> ".join(around)))
            return
        if path in done or path not in graph:
            return
        for name in graph[path]:
            walk(name, trail + [path])
        done.add(path)

    for path in sorted(graph):
        walk(path, [])
    return findings
