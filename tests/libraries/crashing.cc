// A layer, an optimizer and a data set that crash at the place that CRASH_IN names, in the way of
// CRASH_HOW, of the environment. Without it they are sound: the layer gives its input, the
// optimizer descends.
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <string_view>
#include <thread>

#include "framework/plugin/dataset.h"
#include "framework/plugin/layer.h"
#include "framework/plugin/optimizer.h"

namespace {

using namespace strata;

void null_pointer() { *static_cast<volatile int*>(nullptr) = 1; }
int deeper(volatile char* above) {
  volatile char room[4096];
  room[0] = above ? static_cast<char>(above[0] + 1) : char{0};
  return deeper(room) + room[0];
}
void endless_recursion() { (void)deeper(nullptr); }
void zero_division() {
  volatile int zero = 0;
  volatile int result = 7 / zero;  // 1 / x is no division to a compiler
  (void)result;
}
void bad_instruction() { __builtin_trap(); }
void call_abort() { std::abort(); }
void call_exit() { std::exit(0); }
void uncaught() noexcept { throw std::runtime_error("nobody is there"); }
void own_thread() { std::thread(&null_pointer).join(); }

void crash() {
  struct Way {
    std::string_view name;
    void (*crash)();
  };
  constexpr Way kWays[] = {{"null_pointer", &null_pointer},
                           {"endless_recursion", &endless_recursion},
                           {"zero_division", &zero_division},
                           {"bad_instruction", &bad_instruction},
                           {"abort", &call_abort},
                           {"exit", &call_exit},
                           {"uncaught", [] { uncaught(); }},
                           {"own_thread", &own_thread}};
  const char* how = std::getenv("CRASH_HOW");
  for (const Way& way : kWays) {
    if (way.name == (how ? how : "null_pointer")) way.crash();
  }
}
bool is_here(std::string_view place) {
  const char* where = std::getenv("CRASH_IN");
  return where && where == place;
}
void crash_in(std::string_view place) {
  if (is_here(place)) crash();
}

const int kLoading = (crash_in("loading"), 0);

class Crashing final : public Layer {
 public:
  struct Options {
    bool fatal = true;
    std::int64_t after = 0;
  };
  static void describe(Schema<Options>& schema) {
    schema.doc("The value itself.").example("Crashing");
    schema.option("fatal", &Options::fatal).doc("crash");
    schema.option("after", &Options::after).min(0).doc("how many passes go well");
  }
  explicit Crashing(const Options& options) : options_(options) { crash_in("create"); }
  ~Crashing() { crash_in("destroy"); }
  Plan infer(const Shape& input) const {
    crash_in("infer");
    return Plan().output(input);
  }
  template <class T>
  void forward(const ForwardPass<T>& pass) const {
    for (std::int64_t i = 0; i < pass.input_size(); ++i) pass.output()[i] = pass.input()[i];
    static std::int64_t passes = 0;
    if (options_.fatal && passes++ >= options_.after) crash_in("forward");
    if (!is_here("task")) return;
    const auto caller = std::this_thread::get_id();
    pass.parallel(1000, [&](std::int64_t) {
      if (std::this_thread::get_id() != caller) crash();
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    });
  }
  template <class T>
  void backward(const BackwardPass<T>& pass) const {
    crash_in("backward");
    for (std::int64_t i = 0; pass.d_input() && i < pass.input_size(); ++i)
      pass.d_input()[i] += pass.d_output()[i];
  }

 private:
  const Options options_;
};

const LayerRegistration<Crashing> kLayer{"Crashing"};

class CrashingDescent final : public Optimizer {
 public:
  struct Options {
    double lr = 0.01;
  };
  static void describe(Schema<Options>& schema) {
    schema.doc("Steps against the gradient.").example("CrashingDescent");
    schema.option("lr", &Options::lr).min(0).doc("learning rate");
  }
  explicit CrashingDescent(const Options&) {}
  std::vector<std::string> slots() const { return {}; }
  template <class T>
  void update(const UpdatePass<T>& pass) const {
    crash_in("update");
    for (std::int64_t i = 0; i < pass.count(); ++i)
      pass.weights()[i] -= static_cast<T>(pass.learning_rate()) * pass.gradient()[i];
  }
};

const OptimizerRegistration<CrashingDescent> kOptimizer{"CrashingDescent"};

class CrashingPoints final : public Dataset {
 public:
  struct Options {};
  static void describe(Schema<Options>& schema) {
    schema.doc("Points on a line.").example("CrashingPoints");
  }
  explicit CrashingPoints(const Options&) {}
  DataPlan describe() const {
    return DataPlan()
        .field({"point", STRATA_REAL, {2}, 0})
        .field({"label", STRATA_I32, {}, 3})
        .split("train", 100)
        .split("val", 20);
  }
  DataPlan open(const std::vector<std::string>&) {
    crash_in("open");
    return describe();
  }
  void read(const ReadPass& pass) const {
    crash_in("read");
    for (std::int64_t i = 0; i < pass.count; ++i) {
      static_cast<std::int32_t*>(pass.fields[1])[i] =
          static_cast<std::int32_t>(pass.indices[i] % 3);
      for (int k = 0; k < 2; ++k) {
        const double x = static_cast<double>(pass.indices[i] % 3) - 1;
        if (pass.real_dtype == STRATA_F32) {
          static_cast<float*>(pass.fields[0])[2 * i + k] = static_cast<float>(x);
        } else {
          static_cast<double*>(pass.fields[0])[2 * i + k] = x;
        }
      }
    }
  }
};

const DatasetRegistration<CrashingPoints> kDataset{"CrashingPoints"};

}  // namespace

STRATA_PLUGIN("crashing", "2.1");
