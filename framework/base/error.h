// What can go wrong for a user, as a value: an exit code, a sentence, and the facts around it.
//
// Goals: one way to fail across the framework; no exception leaves a library; the sentence is
// printed once, by the command. Non-goals: mistakes in model files, which are Diagnostics
// (diagnostic.h) because they have a place in a text.
#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>
#include <variant>

namespace strata {

// The exit codes of `trainer`. Part of the command line's contract.
enum class ExitCode : int {
  kDone = 0,
  kInternal = 1,      // a bug in Strata
  kUsage = 2,         // wrong command line
  kModel = 3,         // wrong model file
  kData = 4,          // data missing or damaged
  kPlugin = 5,        // plugin missing or refused
  kDiverged = 6,      // NaN or infinity in training
  kInterrupted = 130  // SIGINT or SIGTERM, after a checkpoint
};

// A failure: what kind, in one sentence (lower case, no full stop, naming what was found), and how
// to mend it.
struct Error {
  ExitCode code = ExitCode::kInternal;
  std::string message;
  std::string hint;  // printed on a line of its own after "help: "; may be empty
};

// Thrown inside a library where a value cannot be returned, and always caught at that library's
// public functions.
struct Failure {
  Error error;
};

template <class... Args>
Error make_error(ExitCode code, fmt::format_string<Args...> format, Args&&... args) {
  return Error{code, fmt::format(format, std::forward<Args>(args)...), {}};
}

// A value or an Error.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value)
      : data_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit by intent
  Result(Error error)
      : data_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit by intent

  bool ok() const { return data_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { return std::get<0>(data_); }
  const T& value() const& { return std::get<0>(data_); }
  T&& value() && { return std::get<0>(std::move(data_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  const Error& error() const { return std::get<1>(data_); }

 private:
  std::variant<T, Error> data_;
};

// Success, or an Error.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Error error) : failed_(true), error_(std::move(error)) {}  // NOLINT: implicit by intent

  bool ok() const { return !failed_; }
  explicit operator bool() const { return ok(); }
  const Error& error() const { return error_; }

 private:
  bool failed_ = false;
  Error error_;
};

}  // namespace strata
