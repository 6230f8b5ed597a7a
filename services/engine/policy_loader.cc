#include "services/engine/policy_loader.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "docket/v1/event.pb.h"
#include "google/protobuf/descriptor.pb.h"
#include "store/record_format.h"
#include "store/view_table.h"
#include "workflow/base/check.h"
#include "workflow/case/replay.h"
#include "workflow/projection/rows.h"

namespace docket::engine {
namespace {

void AddFile(const google::protobuf::FileDescriptor* file, std::set<std::string>* seen,
             google::protobuf::FileDescriptorSet* set) {
  if (!seen->insert(file->name()).second) return;
  for (int i = 0; i < file->dependency_count(); ++i) AddFile(file->dependency(i), seen, set);
  file->CopyTo(set->add_file());
}

}  // namespace

std::string SchemaDescriptors() {
  google::protobuf::FileDescriptorSet set;
  std::set<std::string> seen;
  AddFile(v1::Event::descriptor()->file(), &seen, &set);
  AddFile(v1::CommitRecord::descriptor()->file(), &seen, &set);
  return set.SerializeAsString();
}

absl::StatusOr<Configuration> LoadConfiguration(const store::KvSnapshot& snapshot, store::Family views,
                                                const store::EventLog& log) {
  Configuration configuration{std::make_shared<policy::PolicySet>(), 0, ""};
  store::RowScan<projection::ConfigRow> rows(snapshot, views);
  for (; rows.Valid(); rows.Next()) {
    DOCKET_ASSIGN_OR_RETURN(const projection::ConfigRow row, rows.Get());
    DOCKET_ASSIGN_OR_RETURN(const std::string stored, log.Read(row.commit));
    DOCKET_ASSIGN_OR_RETURN(const v1::CommitRecord record, store::DecodeRecord(stored));
    uint64_t position = record.first_position();
    for (const v1::Slice& slice : record.slices()) {
      for (const v1::RecordedEvent& recorded : slice.events()) {
        const uint64_t at = position++;
        if (slice.kind() == v1::STREAM_KIND_CASE) continue;
        DOCKET_ASSIGN_OR_RETURN(const v1::Event event, workflow::DecodeEvent(recorded));
        if (event.has_schema_recorded()) {
          configuration.schema_version = event.schema_recorded().schema_version();
          configuration.schema_digest = event.schema_recorded().digest();
          if (configuration.schema_version > kSchemaVersion) {
            return absl::FailedPreconditionError(absl::StrCat(
                "the log was written with schema ", configuration.schema_version, " by ",
                event.schema_recorded().binary(), ", this binary knows ", kSchemaVersion, "; start the newer version"));
          }
        }
        DOCKET_ASSIGN_OR_RETURN(configuration.policies,
                                configuration.policies->With(event, at, absl::FromUnixMicros(record.recorded_at_us()),
                                                             record.actor().principal_id()));
      }
    }
  }
  DOCKET_RETURN_IF_ERROR(rows.status());
  return configuration;
}

}  // namespace docket::engine
