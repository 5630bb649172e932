// Proves on a user's own model that a run's bits depend neither on the number of threads nor on
// being stopped or killed: short runs, each in a process of its own, whose final states must be
// equal.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "framework/base/error.h"
#include "framework/graph/program.h"

namespace strata {

struct VerifiedRun {
  std::string what;   // "3 threads", "stopped after step 12, resumed"
  std::string hash;   // SHA-256 of weights and state
  bool same = false;  // as the first run's
};

// The same run with layers fused and each on its own: other roundings, nothing else.
struct FusionComparison {
  double first_fused = 0, first_plain = 0;  // loss of the first step
  double last_fused = 0, last_plain = 0;    // training loss after all steps
  double difference = 0;                    // of the first step's losses, relative
  bool agrees = false;
};

struct VerifyOptions {
  std::int64_t steps = 40;
  std::vector<int> threads = {1, 2, 3, 4, 8, 16};
  bool fuse = true;
  const std::atomic<bool>* stop = nullptr;
  std::function<void()> on_begin;                  // nothing stands against the runs
  std::function<void(const VerifiedRun&)> on_run;  // as they come
};

struct VerifyOutcome {
  std::vector<VerifiedRun> runs;
  std::optional<FusionComparison> fusion;
  bool same() const;  // all of it
};

// Starts processes, so the caller must not have started threads. Writes to a folder of its own in
// the folder for temporary files, which is gone afterwards.
Result<VerifyOutcome> verify(const Program& program, const VerifyOptions& options);

}  // namespace strata
