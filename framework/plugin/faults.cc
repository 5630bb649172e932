// What went wrong in a plugin's function, as an error of the host.
#include <dlfcn.h>

#include <exception>

#include "framework/base/utf8.h"
#include "framework/plugin/instance.h"

namespace strata {
namespace {

// The file of the library that `function` lies in; empty where it is this program itself.
std::string library_of(const void* function) {
  Dl_info there{}, here{};
  if (!dladdr(function, &there) || !dladdr(reinterpret_cast<const void*>(&to_error), &here))
    return {};
  return there.dli_fbase == here.dli_fbase || !there.dli_fname ? "" : there.dli_fname;
}

}  // namespace

Error to_error(strata_error& error, const void* function) {
  error.message[sizeof error.message - 1] = error.hint[sizeof error.hint - 1] = 0;
  const std::string library = library_of(function);
  if (library.empty()) {
    const ExitCode code = error.code == STRATA_INVALID ? ExitCode::kModel
                          : error.code == STRATA_DATA  ? ExitCode::kData
                                                       : ExitCode::kInternal;
    return Error{code, error.message, error.hint};
  }
  const bool says_why = error.message[0] != 0;
  const std::string message = safe_text(error.message), hint = safe_text(error.hint);
  if (says_why && error.code == STRATA_INVALID) return Error{ExitCode::kModel, message, hint};
  if (says_why && error.code == STRATA_DATA) return Error{ExitCode::kData, message, hint};
  return plugin_fault(library, says_why ? message : "it failed without a word");
}

Error thrown_error(const void* function) {
  std::string what = "an exception of an unknown type";
  try {
    throw;
  } catch (const Failure& failure) {
    return failure.error;  // the host's own
  } catch (const std::exception& e) {
    what = e.what();
  } catch (...) {
  }
  const std::string library = library_of(function);
  if (library.empty()) return Error{ExitCode::kInternal, what, ""};
  return plugin_fault(library, fmt::format("an exception came out of it: {}", safe_text(what)));
}

Error plugin_fault(const std::string& library, const std::string& what) {
  if (library.empty())
    return Error{ExitCode::kPlugin, what, "that is a fault of the plugin, not of the file"};
  return Error{ExitCode::kPlugin, fmt::format("the plugin {} failed: {}", library, what),
               fmt::format("that is a fault of the plugin; `trainer plugin check {}` looks for it",
                           library)};
}

}  // namespace strata
