// What a run took each validation sample for: which classes it mixes up, and which samples it gets
// most wrong. Collected while the validation split is gone through anyway, so it costs no pass of
// its own.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "framework/base/error.h"
#include "framework/graph/program.h"
#include "framework/runtime/executor.h"
#include "framework/runtime/input_pipeline.h"

namespace strata {

class ValidationRecord {
 public:
  // Null where there is nothing to note: no field of classes that the model has a score for each,
  // and no picture among its inputs.
  static std::unique_ptr<ValidationRecord> create(const Program& program,
                                                  const DataDescription& data, int split);

  // One batch of a pass over the split, whose first sample is `begin`.
  void add(const Executor& executor, const BatchView& batch, std::int64_t begin);
  // The pass is over, and was that of an epoch. The best one's is kept; without a best one in this
  // process the last.
  void keep(std::int64_t epoch, bool best);
  bool has_best() const { return kept_best_; }

  // Writes `path`, a JSON object: split, epoch, samples, classes (names), confusion ([right class]
  // [predicted class], counts), worst (sample, loss, label, predicted, image). Reads the worst
  // samples once more. Nothing where no pass was kept.
  Status write(const std::string& path, InputPipeline& pipeline) const;

 private:
  struct Pass {
    std::int64_t epoch = 0;
    std::vector<float> losses;            // of each sample
    std::vector<std::int32_t> predicted;  // -1: a score is not a number
    std::vector<std::int32_t> labels;
  };
  ValidationRecord(const Program& program, const DataDescription& data, int split)
      : program_(program), data_(data), split_(split) {}
  void find_classes();
  void find_picture();
  template <class T>
  void note_predictions(const T* scores, std::int64_t count, std::int64_t begin);

  const Program& program_;
  const DataDescription& data_;
  const int split_;
  int output_ = -1, label_field_ = -1, picture_field_ = -1;
  std::int64_t scores_ = 0, classes_ = 0;
  Pass now_, kept_;
  bool kept_best_ = false;
};

}  // namespace strata
