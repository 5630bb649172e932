// Saving, and what becomes of it where the disk does not take it.
#include "framework/train/saver.h"

#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <system_error>

#include "framework/base/atomic_file.h"

namespace strata {

Status Saver::ensure_folder() {
  bool made = false;
  Status there = folder_.ensure(made);
  if (!there || !made) return there;
  tell_(true, fmt::format("the run folder `{}` was removed; it is made again", folder_.path()));
  there = write_file_atomically(folder_.model_file(), model_text_);
  return there ? log_.rewrite() : there;
}

Status Saver::write(const Progress& progress, bool best) {
  Status done = ensure_folder();
  if (done && best_ && !best) {
    done =
        write_checkpoint(folder_.checkpoints(), best_->progress, best_->tensors, model_text_, true);
    if (done) best_.reset();
  }
  if (done) done = write_checkpoint(folder_.checkpoints(), progress, tensors_, model_text_, best);
  if (done && best) best_.reset();
  return done;
}

bool Saver::save(const Progress& progress, bool best) {
  if (saved(progress) && !best && !best_) return true;
  const Status done = write(progress, best);
  if (done) {
    saved_step_ = progress.step;
    newest_ = step_checkpoint(folder_.checkpoints(), progress.step);
    relief();
    return true;
  }
  if (best) keep(progress);
  trouble(done.error());
  return false;
}

void Saver::note(const Status& logged) {
  if (!logged) trouble(logged.error());
}

void Saver::keep(const Progress& progress) {
  Kept kept{progress, {}, tensors_};
  kept.data.reserve(tensors_.size());
  for (NamedTensor& tensor : kept.tensors) {
    const char* data = static_cast<const char*>(tensor.data);
    kept.data.emplace_back(data, data + tensor.bytes());
    tensor.data = kept.data.back().data();
  }
  best_ = std::move(kept);
}

void Saver::trouble(const Error& error) {
  if (!trouble_)
    tell_(true, error.message + "; training goes on, and every checkpoint tries again");
  trouble_ = error;
}

void Saver::relief() {
  if (!trouble_) return;
  if (!log_.complete() && !log_.rewrite()) return;
  trouble_.reset();
  tell_(false, "checkpoints are written again");
}

std::optional<Error> Saver::finish(const Progress& progress) {
  if (saved(progress) && !best_) return std::nullopt;
  const Status done = write(progress, false);
  if (done) {
    saved_step_ = progress.step;
    newest_ = step_checkpoint(folder_.checkpoints(), progress.step);
    relief();
    return std::nullopt;
  }
  Error error = done.error();
  std::error_code failed;
  const std::filesystem::path elsewhere = std::filesystem::temp_directory_path(failed);
  const std::string refuge =
      (elsewhere / fmt::format("strata-run-{}.safetensors", ::getpid())).string();
  if (!failed && write_checkpoint_file(refuge, progress, tensors_, model_text_)) {
    error.hint = fmt::format(
        "the trained weights are in {}; move them before they are cleared away", refuge);
  } else {
    error.hint = "the trained weights could not be saved anywhere";
  }
  return error;
}

}  // namespace strata
