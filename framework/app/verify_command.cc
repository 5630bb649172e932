// trainer verify: the same bits on any number of threads and after any stop, shown on a user's own
// model.
#include <boost/program_options/value_semantic.hpp>
#include <nlohmann/json.hpp>

#include "framework/app/format.h"
#include "framework/app/fuse_option.h"
#include "framework/app/interrupt.h"
#include "framework/app/model_files.h"
#include "framework/train/verify.h"

namespace strata::app {
namespace {

namespace po = boost::program_options;
using Json = nlohmann::ordered_json;

constexpr int kLabelWidth = 34;

void options(po::options_description_easy_init add) {
  add("steps", po::value<std::string>()->value_name("N"), "of each run; 40 by default");
  add_no_fuse_option(add);
  add_json_option(add);
  add_strict_option(add);
}

std::string as_json(const std::string& model, std::int64_t steps, const VerifyOutcome& outcome) {
  Json json = {{"model", model}, {"steps", steps}, {"same", outcome.same()}};
  Json& runs = json["runs"] = Json::array();
  for (const VerifiedRun& run : outcome.runs)
    runs.push_back({{"run", run.what}, {"sha256", run.hash}, {"same", run.same}});
  if (const auto& fusion = outcome.fusion) {
    json["fusion"] = {
        {"first_loss_fused", fusion->first_fused},   {"first_loss_plain", fusion->first_plain},
        {"relative_difference", fusion->difference}, {"last_loss_fused", fusion->last_fused},
        {"last_loss_plain", fusion->last_plain},     {"agrees", fusion->agrees}};
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string fusion_text(const FusionComparison& fusion, std::int64_t steps) {
  return table({{"", "loss, step 1", fmt::format("after {}", counted(steps, "step"))},
                {"fused layers", fmt::format("{:.9g}", fusion.first_fused),
                 fmt::format("{:.9g}", fusion.last_fused)},
                {"each on its own", fmt::format("{:.9g}", fusion.first_plain),
                 fmt::format("{:.9g}", fusion.last_plain)}},
               1) +
         fmt::format("  at step 1 they differ by {:.1e}, relative: {}\n\n", fusion.difference,
                     fusion.agrees ? "rounding" : "more than rounding");
}

ExitCode run(Invocation& invocation) {
  const InterruptGuard interrupt("stopping");
  const std::string& path = invocation.only_word("a model file");
  VerifyOptions options;
  options.steps = invocation.integer("steps", options.steps, 2, 1'000'000);
  options.fuse = executor_options(invocation).fuse;
  options.stop = &interrupt.flag();
  const auto loaded = load_model(invocation, path);
  const std::string& model = loaded->program.graph.name;
  Console& console = invocation.console();
  const Paint paint = console.paint();
  const bool json = invocation.has("json");
  if (!json) {
    options.on_begin = [&] {
      console.out(fmt::format("{}: runs of {}, SHA-256 of all weights and state after each\n\n",
                              model, counted(options.steps, "step")));
    };
    options.on_run = [&](const VerifiedRun& one) {
      console.out(fmt::format("  {:<{}}  {}{}\n", one.what, kLabelWidth, one.hash,
                              one.same ? "" : "  " + paint.red("differs")));
    };
  }
  const VerifyOutcome outcome = value_or_end(verify(loaded->program, options));
  if (json) {
    console.out(as_json(model, options.steps, outcome));
  } else {
    console.out("\n");
    if (outcome.fusion) console.out(fusion_text(*outcome.fusion, options.steps));
    console.out(outcome.same()
                    ? paint.green("same:") +
                          fmt::format(" all {} runs end with the same bits\n", outcome.runs.size())
                    : paint.red("different:") +
                          " this must not be; please report it with the model file\n");
  }
  return outcome.same() ? ExitCode::kDone : ExitCode::kInternal;
}

}  // namespace

const Command kVerifyCommand = {
    .name = "verify",
    .summary = "show that results depend neither on threads nor on interruptions",
    .usage = "FILE [path=value …]",
    .about =
        "Trains the model for a few steps again and again: on 1, 2, 3, 4, 8 and 16 threads, "
        "stopped "
        "and resumed at several\n"
        "steps, killed and resumed. All must end with the same bits. Then compares fused layers "
        "with "
        "layers each on its\n"
        "own, which may differ by rounding. The exit code is 0 where all holds and 1 where it does "
        "not. Writes only to\n"
        "the folder for temporary files ($TMPDIR), and clears it up.\n",
    .examples =
        "verify models/mnist_mlp_bn.model\n"
        "verify models/spirals.model train.batch_size=7 --steps 100\n",
    .overrides = true,
    .options = &options,
    .run = &run,
};

}  // namespace strata::app
