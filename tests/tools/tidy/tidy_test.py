"""Feeds the architecture check what it must find, and what it must let pass."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tools" / "tidy"))

import calls  # noqa: E402
import includes  # noqa: E402
import protos  # noqa: E402
import sizes  # noqa: E402
import sources  # noqa: E402


def rules(check, path, text):
    return [finding.rule for finding in check([sources.Source(path, text)])]


def header(path, body=""):
    guard = "DOCKET_" + path.upper().replace("/", "_").replace(".", "_") + "_"
    return sources.Source(path, f"#ifndef {guard}\n#define {guard}\n{body}#endif\n")


class IncludeLadderTest(unittest.TestCase):
    FORBIDDEN = (
        ("workflow/case/a.cc", '#include "store/event_log.h"'),
        ("workflow/case/a.cc", '#include "services/engine/engine.h"'),
        ("workflow/case/a.cc", "#include <rocksdb/db.h>"),
        ("workflow/case/a.cc", "#include <grpcpp/grpcpp.h>"),
        ("workflow/case/a.cc", '#include "docket/v1/case_service.pb.h"'),
        ("workflow/case/a.cc", "#include <thread>"),
        ("workflow/sla/a.cc", "#include <yaml-cpp/yaml.h>"),
        ("workflow/base/a.cc", '#include "workflow/case/facts.h"'),
        ("store/a.cc", '#include "workflow/case/facts.h"'),
        ("store/a.cc", '#include "services/engine/clock.h"'),
        ("store/a.cc", '#include "docket/v1/case.pb.h"'),
        ("store/a.cc", "#include <grpcpp/grpcpp.h>"),
        ("services/engine/a.cc", '#include "services/rpc/a.h"'),
        ("services/engine/a.cc", '#include "services/query/a.h"'),
        ("services/engine/a.cc", "#include <grpcpp/grpcpp.h>"),
        ("services/query/a.cc", '#include "docket/v1/case_service.grpc.pb.h"'),
        ("services/query/a.cc", '#include "services/rpc/a.h"'),
        ("services/rpc/a.cc", '#include "tools/client/client.h"'),
        ("tools/cli/a.cc", '#include "services/engine/engine.h"'),
        ("tools/cli/a.cc", '#include "store/kv.h"'),
        ("tools/cli/a.cc", '#include "../client/client.h"'),
    )
    ALLOWED = (
        ("workflow/case/a.cc", '#include "workflow/sla/clock.h"'),
        ("workflow/policy/a.cc", "#include <yaml-cpp/yaml.h>"),
        ("workflow/case/a.cc", '// #include "store/event_log.h"'),
        ("store/a.cc", "#include <rocksdb/db.h>"),
        ("store/a.cc", '#include "docket/v1/record.pb.h"'),
        ("services/engine/a.cc", '#include "docket/v1/case_service.pb.h"'),
        ("services/rpc/a.cc", "#include <grpcpp/grpcpp.h>"),
        ("services/main.cc", '#include "services/rpc/server.h"'),
        ("tools/bench/a.cc", '#include "services/engine/engine.h"'),
        ("tests/tools/a_test.cc", '#include "services/rpc/server.h"'),
    )

    def test_every_forbidden_step_of_the_ladder_is_found(self):
        for path, line in self.FORBIDDEN:
            with self.subTest(path=path, line=line):
                self.assertEqual(rules(includes.check, path, line + "\n"), ["include"])

    def test_every_allowed_step_passes(self):
        for path, line in self.ALLOWED:
            with self.subTest(path=path, line=line):
                self.assertEqual(rules(includes.check, path, line + "\n"), [])

    def test_headers_that_include_each_other_are_found_once(self):
        found = includes.check([
            header("store/a.h", '#include "store/b.h"\n'), header("store/b.h", '#include "store/c.h"\n'),
            header("store/c.h", '#include "store/a.h"\n')])
        self.assertEqual([finding.rule for finding in found], ["cycle"])
        self.assertIn("store/a.h -> store/b.h -> store/c.h -> store/a.h", found[0].message)

    def test_a_guard_that_is_not_the_path_is_found(self):
        self.assertEqual(rules(includes.check, "store/a.h", "#ifndef A_H\n#define A_H\n#endif\n"), ["guard"])


class CallsTest(unittest.TestCase):
    FORBIDDEN = (
        ("services/engine/sequencer.cc", "auto t = absl::Now();", "wall-clock"),
        ("workflow/case/a.cc", "auto t = std::chrono::system_clock::now();", "wall-clock"),
        ("store/a.cc", "auto t = time(nullptr);", "wall-clock"),
        ("services/engine/a.cc", "auto t = std::chrono::steady_clock::now();", "monotonic-clock"),
        ("workflow/case/a.cc", "std::random_device device;", "chance"),
        ("store/a.cc", "int x = rand();", "chance"),
        ("workflow/case/a.cc", "std::thread t;", "thread"),
        ("workflow/case/a.cc", "std::mutex mutex_;", "thread"),
        ("store/a.cc", "mutable std::shared_mutex mutex_;", "mutex"),
        ("services/engine/a.cc", "std::recursive_timed_mutex mutex_;", "mutex"),
        ("services/rpc/a.cc", "const std::lock_guard lock(mutex_);", "mutex"),
        ("services/rpc/a.cc", "const std::scoped_lock lock(mutex_);", "mutex"),
        ("tools/bench/a.cc", "std::unique_lock lock(mutex_);", "mutex"),
        ("tools/cli/a.cc", "std::condition_variable changed_;", "mutex"),
        ("services/query/a.cc", "absl::Mutex mutex_;", "mutex"),
        ("tests/store/a_test.cc", "absl::SleepFor(absl::Seconds(1));", "sleep"),
        ("services/engine/a.cc", "std::this_thread::sleep_for(1s);", "sleep"),
        ("workflow/sla/a.cc", "auto z = absl::LocalTimeZone();", "zone"),
        ("services/rpc/a.cc", "Log(request.ShortDebugString());", "debug-string"),
        ("store/a.cc", 'throw std::runtime_error("x");', "throw"),
        ("workflow/case/a.cc", "std::cout << 1;", "print"),
        ("tools/cli/a.cc", "// TO" "DO: later", "later"),
    )
    ALLOWED = (
        ("services/engine/environment.cc", "return absl::Now();"),
        ("services/engine/environment_random.cc", "RAND_bytes(p, n);"),
        ("tools/client/client.cc", "auto t = absl::Now();"),
        ("workflow/case/a.cc", "// never absl::Now()"),
        ("workflow/case/a.cc", 'Refuse("absl::Now()");'),
        ("workflow/sla/a.cc", "auto t = clock.time(nullptr);"),
        ("workflow/sla/a.cc", "int operand(1);"),
        ("services/engine/a.cc", "std::thread t;"),
        ("workflow/base/mutex.h", "std::mutex mutex_; std::unique_lock<std::mutex> lock(mutex_);"),
        ("services/engine/a.cc", "const MutexLock lock(&mutex_); static std::once_flag once;"),
        ("services/rpc/a.cc", "absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);"),
        ("tests/store/a_test.cc", "std::mutex mutex;"),
    )

    def test_every_forbidden_call_is_found_with_its_rule(self):
        for path, line, rule in self.FORBIDDEN:
            with self.subTest(path=path, line=line):
                self.assertEqual(rules(calls.check, path, line + "\n"), [rule])

    def test_adapters_comments_and_strings_pass(self):
        for path, line in self.ALLOWED:
            with self.subTest(path=path, line=line):
                self.assertEqual(rules(calls.check, path, line + "\n"), [])

    def test_the_line_is_counted_past_comments_and_raw_strings(self):
        text = '/* a\n b */\nauto s = R"(\nabsl::Now()\n)";\nabsl::Now();\n'
        found = calls.check([sources.Source("store/a.cc", text)])
        self.assertEqual([(finding.rule, finding.line) for finding in found], [("wall-clock", 6)])


class ProtosTest(unittest.TestCase):
    def judge(self, body, path="proto/docket/v1/a.proto"):
        return rules(protos.check, path, 'syntax = "proto3";\npackage docket.v1;\n' + body)

    def test_a_text_must_be_marked_exactly_once(self):
        self.assertEqual(self.judge("message M { string a = 1; }"), ["proto-mark"])
        self.assertEqual(self.judge("message M { repeated bytes a = 1 [(max_size) = 3]; }"), ["proto-mark"])
        self.assertEqual(self.judge("message M { string a = 1 [(public) = true, (personal) = true]; }"), ["proto-mark"])
        self.assertEqual(self.judge("message M { string a = 1 [(public) = false]; }"), ["proto-mark"])
        self.assertEqual(self.judge("message M { string a = 1 [(docket.v1.public) = true]; }"), [])
        self.assertEqual(self.judge("message M { string a = 1 [\n(personal) = true, (max_size) = 9]; }"), [])

    def test_fields_inside_oneofs_and_nested_messages_are_seen(self):
        self.assertEqual(self.judge("message M { oneof o { string a = 1; } message N { bytes b = 1; } }"),
                         ["proto-mark", "proto-mark"])

    def test_numbers_and_no_texts_carry_no_mark(self):
        self.assertEqual(self.judge("message M { uint32 a = 1 [(public) = true]; }"), ["proto-mark"])

    def test_a_number_used_twice_is_found_also_across_a_oneof(self):
        self.assertEqual(self.judge("message M { uint32 a = 1; oneof o { uint32 b = 1; } }"), ["proto-number"])
        self.assertEqual(self.judge("message M { uint32 a = 1; message N { uint32 b = 1; } }"), [])

    def test_names_of_another_form_are_found(self):
        self.assertEqual(self.judge("message m { uint32 aB = 1; }"), ["proto-name", "proto-name"])
        self.assertEqual(self.judge("enum E { Bad = 0; }"), ["proto-name"])
        self.assertEqual(self.judge("service S { rpc doIt(A) returns (B); }"), ["proto-name"])

    def test_a_package_that_is_not_the_folder_is_found(self):
        self.assertEqual(self.judge("", path="proto/docket/v2/a.proto"), ["proto-package"])

    def test_a_map_is_found(self):
        self.assertEqual(self.judge("message M { map<uint32, uint32> m = 1; }"), ["proto-map"])


class SizesTest(unittest.TestCase):
    def test_a_long_file_is_a_note_and_a_very_long_one_a_finding(self):
        def text(lines):
            return sources.Source("store/a.cc", "\n" * lines)
        self.assertEqual((sizes.check([text(500)]), sizes.notes([text(500)])), ([], []))
        self.assertEqual(len(sizes.notes([text(501)])), 1)
        self.assertEqual([finding.rule for finding in sizes.check([text(801)])], ["file-length"])

    def test_a_long_function_is_measured_by_its_name(self):
        body = "int Long::Winded(int a) {\n" + "  a++;\n" * 118 + "}\n"
        self.assertEqual(sizes.check([sources.Source("store/a.cc", body)]), [])
        found = sizes.check([sources.Source("store/a.cc", body.replace("{\n", "{\n  a--;\n", 1))])
        self.assertEqual([(finding.rule, finding.line) for finding in found], [("function-length", 1)])
        self.assertIn("Long::Winded: 121 lines", found[0].message)


class CommandTest(unittest.TestCase):
    def run_check(self, root):
        return subprocess.run([sys.executable, str(ROOT / "tools/tidy/check.py"), "--root", root],
                              capture_output=True, text=True)

    def test_exit_1_names_file_and_line(self):
        with tempfile.TemporaryDirectory() as root:
            folder = pathlib.Path(root) / "store"
            folder.mkdir()
            (folder / "a.cc").write_text("\nauto t = absl::Now();\n")
            done = self.run_check(root)
        self.assertEqual(done.returncode, 1)
        self.assertIn("store/a.cc:2: [wall-clock]", done.stdout)

    def test_an_empty_tree_is_not_a_success(self):
        with tempfile.TemporaryDirectory() as root:
            self.assertNotEqual(self.run_check(root).returncode, 0)


if __name__ == "__main__":
    unittest.main()
