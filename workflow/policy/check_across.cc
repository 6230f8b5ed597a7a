#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "docket/v1/case.pb.h"
#include "docket/v1/event.pb.h"
#include "workflow/policy/documents.h"
#include "workflow/policy/levels.h"

namespace docket::policy {
namespace {

// What a condition can say when only some of its facts are known.
enum class Truth { kNever, kPerhaps, kAlways };

// The facts that a status and a kind, or what is asked of a department, settle; all others may turn out either way.
bool IsSettled(absl::string_view fact, const Facts& facts) {
  if (fact == "case.kind" || fact == "case.status" || fact == "case.category") return facts.case_facts != nullptr;
  return fact == "event.kind" || fact == "event.what" || absl::StartsWith(fact, "event.entered.");
}

Truth CanHold(const v1::Condition& condition, const Facts& facts) {
  switch (condition.node_case()) {
    case v1::Condition::kAll: {
      Truth result = Truth::kAlways;
      for (const auto& part : condition.all().of()) result = std::min(result, CanHold(part, facts));
      return result;
    }
    case v1::Condition::kAny: {
      Truth result = Truth::kNever;
      for (const auto& part : condition.any().of()) result = std::max(result, CanHold(part, facts));
      return result;
    }
    case v1::Condition::kNot: {
      const Truth inner = CanHold(condition.not_(), facts);
      return inner == Truth::kPerhaps ? inner : inner == Truth::kNever ? Truth::kAlways : Truth::kNever;
    }
    case v1::Condition::kComparison:
      if (!IsSettled(condition.comparison().fact(), facts)) return Truth::kPerhaps;
      return Evaluate(condition, facts) ? Truth::kAlways : Truth::kNever;
    case v1::Condition::NODE_NOT_SET:
      break;
  }
  return Truth::kAlways;
}

v1::StatusEntered Entered(const v1::Status& status) {
  v1::StatusEntered entered;
  entered.set_status(status.id());
  entered.set_category(status.category());
  *entered.mutable_pauses() = status.pauses();
  entered.set_leaves_queue(status.leaves_queue());
  entered.set_active(status.active());
  entered.set_closure_code(status.closure_code());
  return entered;
}

// Would the event that enters `status` start a clock by `rule` of `policy`, for a case of `kind`?
bool StartsOnEntering(const v1::Chart& chart, const v1::Status& status, v1::CaseKind kind, const v1::SlaPolicy& policy,
                      const v1::MetricRule& rule) {
  v1::CaseFacts case_facts;
  case_facts.set_kind(kind);
  case_facts.set_status(status.id());
  case_facts.set_category(status.category());
  Facts facts{.case_facts = &case_facts, .command = nullptr, .event = nullptr};
  v1::CaseReceived received;
  v1::StatusChanged changed;
  if (rule.start().event() == "case_received" && status.id() == chart.initial()) {
    received.set_kind(kind);
    *received.mutable_entered() = Entered(status);
    facts.event = &received;
  } else if (rule.start().event() == "status_changed") {
    *changed.mutable_entered() = Entered(status);
    facts.event = &changed;
  } else {
    return false;
  }
  return CanHold(policy.when(), facts) != Truth::kNever && CanHold(rule.start().where(), facts) != Truth::kNever;
}

// Would a clock of its own be started by `rule` when this is asked of a department, in some case?
bool StartsOnAsking(const v1::OwedItemAsked& asked, const v1::MetricRule& rule) {
  if (!rule.per_item()) return false;
  const Facts facts{.case_facts = nullptr, .command = nullptr, .event = &asked};
  const auto starts = [&](const v1::MetricRule::Trigger& trigger) {
    return trigger.event() == "owed_item_asked" && CanHold(trigger.where(), facts) != Truth::kNever;
  };
  return starts(rule.start()) || std::any_of(rule.start_also().begin(), rule.start_also().end(), starts);
}

bool IsTimedBy(const v1::OwedItemAsked& asked, const v1::SlaPolicy& policy) {
  return std::any_of(policy.metrics().begin(), policy.metrics().end(),
                     [&](const v1::MetricRule& rule) { return StartsOnAsking(asked, rule); });
}

// A policy of the pack (`document` set) or already published.
template <class T>
struct Known {
  const T* value = nullptr;
  const ParsedDocument* document = nullptr;
};

class AcrossChecker {
 public:
  AcrossChecker(const std::vector<ParsedDocument>& documents, const PolicySet& published, Findings* findings,
                Findings* warnings)
      : documents_(documents), published_(published), findings_(findings), warnings_(warnings) {
    // Filled before anything points into it.
    for (const PolicySet::Listed& listed : published.List(v1::POLICY_KIND_UNSPECIFIED)) {
      if (listed.kind != v1::WORKFLOW && listed.kind != v1::SLA && listed.kind != v1::LADDER) continue;
      if (InPack(listed.kind, listed.pin.id()) != nullptr) continue;  // the pack replaces it
      if (auto got = published.Get(listed.kind, listed.pin.id(), 0); got.ok())
        kept_.push_back(std::move(got->compiled));
    }
    for (const ParsedDocument& document : documents) {
      if (document.directory.has_value()) directory_ = &document;
      if (document.compiled.has_chart()) charts_.push_back({&document.compiled.chart(), &document});
      if (document.compiled.has_sla()) slas_.push_back({&document.compiled.sla(), &document});
      if (document.compiled.has_ladder()) ladders_.push_back({&document.compiled.ladder(), &document});
    }
    for (const v1::CompiledPolicy& compiled : kept_) {
      if (compiled.has_chart()) charts_.push_back({&compiled.chart(), nullptr});
      if (compiled.has_sla()) slas_.push_back({&compiled.sla(), nullptr});
      if (compiled.has_ladder()) ladders_.push_back({&compiled.ladder(), nullptr});
    }
  }

  void Check() {
    CheckDistinct();
    for (const ParsedDocument& document : documents_) {
      for (const Reference& reference : document.references) CheckReference(document, reference);
      CheckMetricNames(document);
    }
    CheckDefaultQueues();
    CheckLadderNames();
    for (const auto& ladder : ladders_) {
      CheckBreaches(ladder);
      CheckAsked(ladder);
    }
    for (const auto& chart : charts_) {
      for (const auto& sla : slas_) CheckPauses(chart, sla);
    }
  }

 private:
  const ParsedDocument* InPack(v1::PolicyKind kind, absl::string_view id) const {
    for (const ParsedDocument& document : documents_) {
      if (kDocumentKinds[document.kind_index].kind == kind && document.id == id) return &document;
    }
    return nullptr;
  }

  void CheckDistinct() {
    for (size_t i = 0; i < documents_.size(); ++i) {
      const ParsedDocument& document = documents_[i];
      for (size_t j = 0; j < i; ++j) {
        const ParsedDocument& earlier = documents_[j];
        if (document.directory.has_value() && earlier.directory.has_value()) {
          findings_->Add(
              document.line, "SECOND_DIRECTORY",
              absl::StrCat("directory: found another one on line ", earlier.line, ", want one directory in a pack"));
          break;
        }
        if (document.kind_index == earlier.kind_index && document.id == earlier.id && !document.id.empty()) {
          findings_->Add(document.line, "DUPLICATE_ID",
                         absl::StrCat(kDocumentKinds[document.kind_index].key, ": found ", document.id,
                                      " again, want it once; the first is on line ", earlier.line));
          break;
        }
        CheckKinds(document, earlier);
      }
    }
  }

  // Of two default charts for one kind in one pack only the later would ever be used.
  void CheckKinds(const ParsedDocument& document, const ParsedDocument& earlier) {
    if (!document.compiled.has_chart() || !earlier.compiled.has_chart()) return;
    const v1::Chart& chart = document.compiled.chart();
    const v1::Chart& other = earlier.compiled.chart();
    if (chart.by_name_only() || other.by_name_only()) return;
    for (int kind : chart.kinds()) {
      if (std::find(other.kinds().begin(), other.kinds().end(), kind) == other.kinds().end()) continue;
      findings_->Add(document.line, "DUPLICATE_KIND",
                     absl::StrCat("workflow ", document.id, ": found kind ", v1::CaseKind_Name(kind), ", which ",
                                  earlier.id, " has already, want one default workflow per kind"));
    }
  }

  void CheckReference(const ParsedDocument& document, const Reference& reference) {
    if (reference.to == Reference::To::kQueue) {
      return CheckInDirectory(reference, "default_queue", "UNKNOWN_QUEUE", "a queue", NextDirectory().queues());
    }
    if (reference.to == Reference::To::kRota) {
      return CheckInDirectory(reference, "rota", "UNKNOWN_ROTA", "a rota", NextDirectory().rotas());
    }
    if (reference.to == Reference::To::kDepartment) {
      return CheckInDirectory(reference, "department", "UNKNOWN_DEPARTMENT", "a department",
                              NextDirectory().departments());
    }
    const std::string what = reference.what != nullptr ? reference.what : "calendar";
    const ParsedDocument* calendar = InPack(v1::CALENDAR, reference.id);
    const bool is_published = published_.Get(v1::CALENDAR, reference.id, 0).ok();
    if (calendar == nullptr && !is_published) {
      std::vector<std::string> ids;
      for (const auto& listed : published_.List(v1::CALENDAR)) ids.push_back(listed.pin.id());
      for (const ParsedDocument& one : documents_) {
        if (one.compiled.has_calendar()) ids.push_back(one.id);
      }
      findings_->Add(reference.line, "UNKNOWN_CALENDAR",
                     absl::StrCat(what, ": found ", reference.id, ", want one of this pack or published",
                                  Suggest(reference.id, ids)));
      return;
    }
    // A policy in force before its calendar would start clocks that cannot be computed.
    if (!document.effective_from.has_value()) return;
    const bool then_published = published_.CalendarNamed(reference.id, *document.effective_from) != nullptr;
    const bool then_in_pack = calendar != nullptr && calendar->effective_from.has_value() &&
                              *calendar->effective_from <= *document.effective_from;
    if (!then_published && !then_in_pack) {
      findings_->Add(reference.line, "CALENDAR_NOT_YET_EFFECTIVE",
                     absl::StrCat(what, ": found ", reference.id,
                                  ", which takes effect later than this document, want the same "
                                  "effective_from or an earlier one"));
    }
  }

  // The directory in force once the pack is published.
  const v1::Directory& NextDirectory() const {
    return directory_ != nullptr ? directory_->directory->directory : published_.directory();
  }

  template <class Entries>
  void CheckInDirectory(const Reference& reference, absl::string_view what, absl::string_view reason,
                        absl::string_view wanted, const Entries& entries) {
    std::vector<std::string> ids;
    for (const auto& entry : entries) {
      if (entry.id() == reference.id) return;
      ids.push_back(entry.id());
    }
    findings_->Add(reference.line, reason,
                   absl::StrCat(reference.what != nullptr ? reference.what : what, ": found ", reference.id, ", want ",
                                wanted, " of the ", directory_ != nullptr ? "pack's" : "published", " directory",
                                Suggest(reference.id, ids)));
  }

  // A new directory replaces the old one, so it must hold what published workflows still name.
  void CheckDefaultQueues() {
    if (directory_ == nullptr) return;
    const auto& queues = directory_->directory->directory.queues();
    for (const auto& chart : charts_) {
      if (chart.document != nullptr || chart.value->default_queue().empty()) continue;
      const std::string& wanted = chart.value->default_queue();
      if (std::any_of(queues.begin(), queues.end(), [&](const v1::Queue& queue) { return queue.id() == wanted; }))
        continue;
      findings_->Add(directory_->line, "QUEUE_STILL_USED",
                     absl::StrCat("directory: found no queue ", wanted, ", want it: the published workflow ",
                                  chart.value->id(), " files cases there"));
    }
  }

  // The same for queues and rotas of published ladders.
  void CheckLadderNames() {
    if (directory_ == nullptr) return;
    const auto has = [](const auto& entries, const std::string& id) {
      return std::any_of(entries.begin(), entries.end(), [&](const auto& entry) { return entry.id() == id; });
    };
    const v1::Directory& next = NextDirectory();
    for (const auto& ladder : ladders_) {
      if (ladder.document != nullptr) continue;
      for (const v1::Ladder::Level& level : ladder.value->levels()) {
        if (!level.move_queue().empty() && !has(next.queues(), level.move_queue())) {
          findings_->Add(directory_->line, "QUEUE_STILL_USED",
                         absl::StrCat("directory: found no queue ", level.move_queue(), ", want it: level ",
                                      level.level(), " of the published ladder ", IdOf(ladder), " moves cases there"));
        }
        if (!level.task_department().empty() && !has(next.departments(), level.task_department())) {
          findings_->Add(directory_->line, "DEPARTMENT_STILL_USED",
                         absl::StrCat("directory: found no department ", level.task_department(), ", want it: level ",
                                      level.level(), " of the published ladder ", IdOf(ladder), " asks work of it"));
        }
        if (!level.rota().empty() && !has(next.rotas(), level.rota())) {
          findings_->Add(directory_->line, "ROTA_STILL_USED",
                         absl::StrCat("directory: found no rota ", level.rota(), ", want it: level ", level.level(),
                                      " of the published ladder ", IdOf(ladder), " is for who is on duty there"));
        }
      }
    }
  }

  // A window elapses and is never broken, so a level that waits for its breach would wait for ever.
  void CheckBreaches(const Known<v1::Ladder>& ladder) {
    if (ladder.document == nullptr) return;
    for (int i = 0; i < ladder.value->levels_size(); ++i) {
      const v1::Ladder::Level& level = ladder.value->levels(i);
      if (level.trigger() != "BREACH") continue;
      for (const std::string& metric : level.metrics()) {
        if (!OnlyWindows(metric)) continue;
        findings_->Add(ladder.document->level_lines[i], "WINDOW_NEVER_BREACHES",
                       absl::StrCat("level.metrics: found the window ", metric, " with BREACH, want AT_DUE"));
      }
    }
  }

  // What a level asks for by a date has to be counted by some metric, or nobody hears when the date passes. Policies
  // may be published in any order, so this is no reason to refuse one; each that may change the answer is told of.
  void CheckAsked(const Known<v1::Ladder>& ladder) {
    if (slas_.empty() || (ladder.document == nullptr && slas_.front().document == nullptr)) return;
    for (int i = 0; i < ladder.value->levels_size(); ++i) {
      const v1::Ladder::Level& level = ladder.value->levels(i);
      if (!level.has_answer_within()) continue;
      if (!level.open_task().empty()) CheckTimed(ladder, i, v1::WORK, level.open_task());
      if (level.supervision_order()) CheckTimed(ladder, i, v1::SUPERVISION_ORDER, kSupervision);
    }
  }

  void CheckTimed(const Known<v1::Ladder>& ladder, int level, v1::OwedItemKind kind, const std::string& what) {
    v1::OwedItemAsked asked;
    asked.set_kind(kind);
    asked.set_what(what);
    if (std::any_of(slas_.begin(), slas_.end(), [&](const auto& sla) { return IsTimedBy(asked, *sla.value); })) return;
    const bool in_pack = ladder.document != nullptr;
    warnings_->Add(in_pack ? ladder.document->level_lines[level] : LineOfLostTiming(asked), "ITEM_NOT_TIMED",
                   absl::StrCat(in_pack ? "level.answer_within" : "sla.metrics", ": level ",
                                ladder.value->levels(level).level(), in_pack ? " of ladder " : " of published ladder ",
                                IdOf(ladder), " asks ", v1::OwedItemKind_Name(kind), " ", what,
                                ", and no metric per_item of an SLA policy starts on that, so nobody hears when it is "
                                "late"));
  }

  // Of the SLA policies of the pack the one whose version before would have timed it; the first, when none has.
  int LineOfLostTiming(const v1::OwedItemAsked& asked) const {
    for (const auto& sla : slas_) {
      if (sla.document == nullptr) continue;
      const auto before = published_.Get(v1::SLA, sla.document->id, 0);
      if (before.ok() && IsTimedBy(asked, before->compiled.sla())) return sla.document->line;
    }
    return slas_.front().document->line;  // those of the pack come first
  }

  bool OnlyWindows(const std::string& metric) const {
    bool window = false;
    for (const auto& sla : slas_) {
      for (const v1::MetricRule& rule : sla.value->metrics()) {
        if (rule.metric() != metric) continue;
        if (rule.nature() != v1::WINDOW) return false;
        window = true;
      }
    }
    return window;
  }

  // Metrics are named by the SLA policies. While there are none at all, nothing can be said about a name.
  void CheckMetricNames(const ParsedDocument& document) {
    std::vector<std::string> names;
    for (const auto& sla : slas_) {
      for (const v1::MetricRule& rule : sla.value->metrics()) names.push_back(rule.metric());
    }
    if (names.empty()) return;
    for (const MetricUse& use : document.metric_uses) {
      if (std::find(names.begin(), names.end(), use.metric) != names.end()) continue;
      findings_->Add(use.line, "UNKNOWN_METRIC",
                     absl::StrCat(use.what, ": found ", use.metric, ", want a metric of an SLA policy",
                                  Suggest(use.metric, names)));
    }
  }

  static int StatusLine(const ParsedDocument& document, const v1::Status& status) {
    const auto it = document.status_lines.find(status.id());
    return it == document.status_lines.end() ? document.line : it->second;
  }

  // The trap: a clock that starts in a status which pauses it never runs, and nobody sees it late.
  void CheckPauses(const Known<v1::Chart>& chart, const Known<v1::SlaPolicy>& sla) {
    if (chart.document == nullptr && sla.document == nullptr) return;  // accepted when they were published
    for (int i = 0; i < sla.value->metrics_size(); ++i) {
      const v1::MetricRule& rule = sla.value->metrics(i);
      if (!rule.pausable()) continue;
      for (const v1::Status& status : chart.value->statuses()) {
        if (std::find(status.pauses().begin(), status.pauses().end(), rule.metric()) == status.pauses().end()) continue;
        const auto& kinds = chart.value->kinds();
        const bool starts = std::any_of(kinds.begin(), kinds.end(), [&](int kind) {
          return StartsOnEntering(*chart.value, status, static_cast<v1::CaseKind>(kind), *sla.value, rule);
        });
        if (!starts) continue;
        const int line =
            chart.document != nullptr ? StatusLine(*chart.document, status) : sla.document->metric_lines[i];
        findings_->Add(
            line, "PAUSE_CONTRADICTS_START",
            absl::StrCat("status ", status.id(), " of ", IdOf(chart), ": found that it pauses ", rule.metric(),
                         ", which ", IdOf(sla), " starts on entering it, want one or the other"));
      }
    }
  }

  template <class T>
  static std::string IdOf(const Known<T>& known) {
    return known.document != nullptr ? known.document->id : known.value->id();
  }

  const std::vector<ParsedDocument>& documents_;
  const PolicySet& published_;
  Findings* const findings_;
  Findings* const warnings_;
  const ParsedDocument* directory_ = nullptr;
  std::vector<v1::CompiledPolicy>
      kept_;  // newest published charts, SLA policies and ladders that the pack does not replace
  std::vector<Known<v1::Chart>> charts_;
  std::vector<Known<v1::SlaPolicy>> slas_;
  std::vector<Known<v1::Ladder>> ladders_;
};

}  // namespace

void CheckAcross(const std::vector<ParsedDocument>& documents, const PolicySet& published, Findings* findings,
                 Findings* warnings) {
  AcrossChecker(documents, published, findings, warnings).Check();
}

}  // namespace docket::policy
