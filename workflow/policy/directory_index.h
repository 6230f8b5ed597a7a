#ifndef DOCKET_WORKFLOW_POLICY_DIRECTORY_INDEX_H_
#define DOCKET_WORKFLOW_POLICY_DIRECTORY_INDEX_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "docket/v1/policy.pb.h"

namespace docket::policy {

// The directory with an index by id; points into its own message, so it is neither copied nor moved.
struct IndexedDirectory {
  v1::Directory directory;
  uint32_t version = 0;
  std::map<std::string, const v1::Department*, std::less<>> departments;
  std::map<std::string, const v1::Queue*, std::less<>> queues;
  std::map<std::string, const v1::Principal*, std::less<>> principals;
  std::map<std::string, const v1::Rota*, std::less<>> rotas;

  IndexedDirectory(const v1::Directory& source, uint32_t number) : directory(source), version(number) {
    for (const auto& department : directory.departments()) departments.emplace(department.id(), &department);
    for (const auto& queue : directory.queues()) queues.emplace(queue.id(), &queue);
    for (const auto& principal : directory.principals()) principals.emplace(principal.id(), &principal);
    for (const auto& rota : directory.rotas()) rotas.emplace(rota.id(), &rota);
  }
  IndexedDirectory(const IndexedDirectory&) = delete;
  IndexedDirectory& operator=(const IndexedDirectory&) = delete;
};

// The ids of every directory published so far.
struct DirectoryNames {
  std::set<std::string, std::less<>> departments;
  std::set<std::string, std::less<>> queues;
  std::set<std::string, std::less<>> principals;

  void Add(const v1::Directory& directory) {
    for (const auto& department : directory.departments()) departments.insert(department.id());
    for (const auto& queue : directory.queues()) queues.insert(queue.id());
    for (const auto& principal : directory.principals()) principals.insert(principal.id());
  }
};

}  // namespace docket::policy

#endif  // DOCKET_WORKFLOW_POLICY_DIRECTORY_INDEX_H_
