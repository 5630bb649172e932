// How a plugin's classes become table entries, shared by all kinds: creation, errors, and the list
// of what a module offers. Authors include layer.h, loss.h, …, which build on this, and end a
// shared library with
//
//   STRATA_PLUGIN("acme_layers", "1.2")
//
// once, outside of any namespace. Depends on the standard library alone.
#pragma once

#include <cstdio>
#include <exception>
#include <new>
#include <vector>

#include "framework/plugin/abi.h"
#include "framework/plugin/schema.h"

namespace strata {

struct NoOptions {};

// Hidden, so that libraries that have classes of the same name do not share them.
namespace [[gnu::visibility("hidden")]] plugin_internal {

// Elements of an array of the other side, whose structs may be longer than ours.
template <class T>
const T& element(const T* array, std::int64_t i) {
  const char* bytes = reinterpret_cast<const char*>(array);
  return *reinterpret_cast<const T*>(bytes + static_cast<std::size_t>(i) * array->struct_size);
}

inline int report(strata_error* error, int code, const char* message, const char* hint) noexcept {
  if (error) {
    error->code = code;
    std::snprintf(error->message, sizeof error->message, "%s", message);
    std::snprintf(error->hint, sizeof error->hint, "%s", hint);
  }
  return code;
}

// Runs body and turns what it throws into an error: nothing is thrown across the boundary.
template <class Body>
int guarded(strata_error* error, Body&& body) noexcept {
  try {
    body();
    return STRATA_OK;
  } catch (const PluginError& e) {
    return report(error, e.code, e.what(), e.hint.c_str());
  } catch (const std::invalid_argument& e) {
    return report(error, STRATA_INVALID, e.what(), "");
  } catch (const std::bad_alloc&) {
    return report(error, STRATA_INVALID, "not enough memory",
                  "a smaller model, batch or data set needs less");
  } catch (const std::exception& e) {
    return report(error, STRATA_INTERNAL, e.what(), "");
  } catch (...) {
    return report(error, STRATA_INTERNAL, "an exception of an unknown type", "");
  }
}

// One thing that this module offers; a list of them per module (hidden: a shared library has its
// own).
struct Registration {
  const strata_entry* (*entry)(const Registration&);
  const char* name;
  Registration* next;
};

inline Registration*& registrations() {
  static Registration* head = nullptr;
  return head;
}

template <class Plugin>
struct Described {
  using Options = typename Plugin::Options;
  Schema<Options> schema;
  Described() {
    Plugin::describe(schema);
    schema.finish();
  }
  static Described& get() {
    static Described described;
    return described;
  }
};

template <class Plugin>
int create(const strata_value* options, std::int64_t count, void** instance, strata_error* error) {
  return guarded(
      error, [&] { *instance = new Plugin(Described<Plugin>::get().schema.read(options, count)); });
}
template <class Plugin>
void destroy(void* instance) noexcept {
  delete static_cast<Plugin*>(instance);
}

// Registers Plugin under a name; kFunctions is the kind's table of functions for it.
template <class Plugin, strata_kind kKind, const auto& kFunctions>
class Registered : private Registration {
 public:
  explicit Registered(const char* plugin_name) : Registration{&make, plugin_name, registrations()} {
    registrations() = this;
  }

 private:
  static const strata_entry* make(const Registration& self) {
    static const strata_entry entry{sizeof(strata_entry),
                                    kKind,
                                    self.name,
                                    &Described<Plugin>::get().schema.finish(),
                                    &create<Plugin>,
                                    &destroy<Plugin>,
                                    &kFunctions};
    return &entry;
  }
};

// The entries of this module, for strata_plugin_entries.
inline int list_entries(strata_library* library, strata_error* error) noexcept {
  return guarded(error, [&] {
    static const std::vector<const strata_entry*> entries = [] {
      std::vector<const strata_entry*> all;
      for (const Registration* r = registrations(); r; r = r->next) all.push_back(r->entry(*r));
      return all;
    }();
    library->entries = entries.data();
    library->entry_count = static_cast<std::int64_t>(entries.size());
  });
}

}  // namespace gnu::visibility("hidden")]]plugin_internal

// One input of a layer, loss or metric as infer sees it.
struct Input {
  std::string name;
  Shape shape;
  strata_dtype dtype = STRATA_REAL;
  bool is_target = false;
  std::int64_t classes = 0;
};

namespace [[gnu::visibility("hidden")]] plugin_internal {

inline Shape to_shape(const strata_shape& shape) {
  return Shape(shape.dims, shape.dims + shape.rank);
}

inline strata_shape from_shape(const Shape& shape) {
  strata_shape out{};
  out.rank = shape.rank();
  for (int i = 0; i < shape.rank(); ++i) out.dims[i] = shape[i];
  return out;
}

inline std::vector<Input> to_inputs(const strata_input* inputs, std::int64_t count) {
  std::vector<Input> out;
  for (std::int64_t i = 0; i < count; ++i) {
    const strata_input& input = element(inputs, i);
    out.push_back({input.name ? input.name : "", to_shape(input.shape),
                   static_cast<strata_dtype>(input.dtype), input.is_target != 0, input.classes});
  }
  return out;
}

}  // namespace gnu::visibility("hidden")]]plugin_internal
}  // namespace strata

// What makes a shared library a plugin: its name, as `require "acme_layers"` asks for it, and its
// version, "1.2" or "1.2.3".
#define STRATA_PLUGIN(plugin_name, plugin_version)                            \
  extern "C" STRATA_EXPORT const strata_tag strata_plugin_tag =               \
      STRATA_TAG(plugin_name, plugin_version);                                \
  extern "C" STRATA_EXPORT int strata_plugin_entries(strata_library* library, \
                                                     strata_error* error) {   \
    return strata::plugin_internal::list_entries(library, error);             \
  }                                                                           \
  static_assert(true, "takes the semicolon")
