// The checks of transforms.
#include <limits>
#include <optional>
#include <utility>

#include "framework/plugin/services.h"
#include "framework/plugin/testing/field_buffers.h"

namespace strata::conformance {
namespace {

constexpr std::int64_t kSamples = 5;

std::vector<strata_field> raw_fields(const DataDescription& description) {
  std::vector<strata_field> fields;
  for (const Field& field : description.fields) {
    fields.push_back({sizeof(strata_field), field.name.c_str(), field.dtype, field.classes,
                      plugin_internal::from_shape(field.shape)});
  }
  return fields;
}

using FieldValues = std::vector<std::vector<double>>;  // per field, of all samples

FieldValues sample_fields(const DataDescription& description) {
  FieldValues out;
  for (const Field& field : description.fields) {
    out.push_back(sample_values(kSamples * field.shape.elements(), 77));
    for (double& value : out.back()) {
      if (field.dtype == STRATA_U8) value = std::floor((value + 2) * 63.9);
      if (field.classes > 0)
        value = std::fmod(std::floor((value + 2) * 100), static_cast<double>(field.classes));
    }
  }
  return out;
}

bool same(const FieldValues& a, const FieldValues& b) {
  const auto same_bits = [](const std::vector<double>& x, const std::vector<double>& y) {
    return x.size() == y.size() &&
           (x.empty() || std::memcmp(x.data(), y.data(), x.size() * sizeof(double)) == 0);
  };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), same_bits);
}

// How a transform is called: on samples [first, first + count).
struct Call {
  std::int64_t first = 0, count = kSamples;
  strata_dtype real = STRATA_F64;
  bool training = true;
  const strata_services* services = &serial_services();
};

class TransformChecker {
 public:
  TransformChecker(Checker& checker, const Instance& transform, const DataDescription& before,
                   const DataDescription& after)
      : checker_(checker),
        transform_(transform),
        table_(transform.functions<strata_transform>()),
        before_(before),
        after_(after),
        values_(sample_fields(before)) {}

  void check_all() {
    check_description(checker_, after_);
    fitted_ = fit(kSamples, STRATA_F64);
    checker_.expect(deviation(fitted_, fit(2, STRATA_F64)) < 1e-9 &&
                        deviation(fitted_, fit(kSamples, STRATA_F32)) < 1e-5,
                    "what it fits depends on how samples are handed over");
    check_results();
    check_round_trip();
    checker_.begin(checker_.context + ", with a NaN");
    check_nan();
  }

 private:
  bool batches() const { return table_.apply_batch != nullptr; }

  FieldBuffers inputs(std::int64_t first, std::int64_t count, strata_dtype real) const {
    FieldBuffers out;
    for (std::size_t f = 0; f < values_.size(); ++f) {
      const std::int64_t elements = before_.fields[f].shape.elements();
      out.emplace_back(before_.fields[f], count, real)
          .set(std::span(values_[f])
                   .subspan(static_cast<std::size_t>(first * elements),
                            static_cast<std::size_t>(count * elements)));
    }
    return out;
  }

  // What it finds in the samples, handed over `at_once` at a time; empty for one that fits nothing,
  // and where NaN, which may be among the samples then, are refused.
  std::vector<double> fit(std::int64_t at_once, strata_dtype real, bool with_nan = false) {
    if (!table_.fit) return {};
    std::int64_t size = 0;
    for (const auto& fitted : after_.fitted) {
      checker_.expect(is_snake_case(fitted.name), "`{}`, which it fits, is not in snake_case",
                      fitted.name);
      size += fitted.shape.elements();
    }
    Buffer<double> fitted(size);
    fitted.fill(0);
    const std::vector<strata_field> fields = raw_fields(before_);
    const auto count = static_cast<std::int64_t>(fields.size());
    Status done;
    for (std::int64_t first = 0; done && first < kSamples; first += at_once) {
      const std::int64_t samples = std::min(at_once, kSamples - first);
      FieldBuffers given = inputs(first, samples, real);
      const std::vector<void*> pointed = pointers(given);
      const std::vector<const void*> places(pointed.begin(), pointed.end());
      const strata_fit_pass pass{sizeof pass, real, samples, places.data(), fitted.data()};
      done = call_plugin(table_.fit, transform_.raw(), fields.data(), count, &pass);
      checker_.expect(intact(given), "fit writes outside of its buffers");
    }
    if (done)
      done = call_plugin(table_.finish_fit, transform_.raw(), fields.data(), count, fitted.data());
    checker_.expect(fitted.intact(), "fit writes outside of its numbers");
    if (!done && with_nan) {
      checker_.expect_sentence(done.error(), "refuses it in fit");
      return {};
    }
    checker_.expect_ok(done, "fit");
    checker_.expect(with_nan || all_finite(fitted.values()), "fits numbers that are not finite");
    return fitted.values();
  }

  // Outputs, per field. Fields that stay what they are share storage with their input, except where
  // a whole batch is transformed at once. Nothing where it fails.
  std::optional<FieldValues> try_apply(const Instance& transform, const Call& call,
                                       Status& done) const {
    FieldBuffers given = inputs(call.first, call.count, call.real), outputs;
    const std::vector<strata_field> fields = raw_fields(before_);
    std::vector<const void*> input_pointers;
    std::vector<void*> output_pointers;
    for (FieldBuffer& input : given) input_pointers.push_back(input.bytes.data());
    for (const Field& field : after_.fields) {
      outputs.emplace_back(field, call.count, call.real);
      const int at = before_.find_field(field.name);
      const Field* from = at < 0 ? nullptr : &before_.fields[static_cast<std::size_t>(at)];
      const bool shared =
          !batches() && from && from->dtype == field.dtype && from->shape == field.shape;
      output_pointers.push_back(shared ? given[static_cast<std::size_t>(at)].bytes.data()
                                       : outputs.back().bytes.data());
    }
    std::vector<std::uint64_t> keys;
    for (std::int64_t i = call.first; i < call.first + call.count; ++i) {
      keys.push_back(static_cast<std::uint64_t>(1000 + i));
      keys.push_back(9);
    }
    strata_transform_pass raw{};
    raw.struct_size = sizeof raw;
    raw.real_dtype = call.real;
    raw.training = call.training;
    raw.fitted = fitted_.empty() ? nullptr : fitted_.data();
    raw.count = call.count;
    raw.inputs = input_pointers.data();
    raw.outputs = output_pointers.data();
    raw.keys = keys.data();
    raw.services = call.services;
    // Only the caller's own allocations are counted, so not those of a pool.
    const auto count = call.services == &serial_services() ? checker_.options.allocations : nullptr;
    const std::int64_t allocated = count ? count() : 0;
    done = call_plugin(batches() ? table_.apply_batch : table_.apply, transform.raw(),
                       static_cast<const strata_field*>(fields.data()),
                       static_cast<std::int64_t>(fields.size()), &raw);
    if (count && done) checker_.expect(count() == allocated, "apply allocates memory");
    checker_.expect(intact(given) && intact(outputs), "apply writes outside of its buffers");
    if (!done) return std::nullopt;
    FieldValues values;
    for (std::size_t f = 0; f < outputs.size(); ++f) {
      const bool shared = output_pointers[f] != outputs[f].bytes.data();
      const int at = before_.find_field(after_.fields[f].name);
      values.push_back(shared ? given[static_cast<std::size_t>(at)].values() : outputs[f].values());
    }
    return values;
  }

  // Of samples without a NaN.
  FieldValues apply(const Call& call, const Instance* transform = nullptr) const {
    Status done;
    auto values = try_apply(transform ? *transform : transform_, call, done);
    checker_.expect_ok(done, "apply");
    if (!values) return FieldValues(after_.fields.size());
    for (std::size_t f = 0; f < values->size(); ++f) {
      checker_.expect(all_finite((*values)[f]),
                      "`{}` has values that are not finite, or not written", after_.fields[f].name);
    }
    return std::move(*values);
  }

  void check_results() {
    const FieldValues whole = apply({}), rough = apply({.real = STRATA_F32});
    for (std::size_t f = 0; f < whole.size(); ++f) {
      checker_.expect(deviation(whole[f], rough[f]) < 1e-5, "`{}` differs between f32 and f64",
                      after_.fields[f].name);
    }
    if (batches()) {
      checker_.expect(same(whole, apply({})), "the same batch gives other values");
      check_threads();
    }
    // What looks at a whole batch may do so in training alone.
    const FieldValues together = batches() ? apply({.training = false}) : whole;
    for (std::int64_t i = 0; i < kSamples; ++i) {
      const FieldValues one = apply({.first = i, .count = 1, .training = !batches()});
      for (std::size_t f = 0; f < one.size(); ++f) {
        if (together[f].empty()) continue;  // it failed, which was said
        const std::span<const double> part =
            std::span(together[f])
                .subspan(static_cast<std::size_t>(i) * one[f].size(), one[f].size());
        checker_.expect(deviation(one[f], part) == 0,
                        "`{}` of a sample depends on the others of its batch",
                        after_.fields[f].name);
      }
    }
  }

  // Those that see a whole batch have the host's pool.
  void check_threads() {
    Status done;
    const auto serial = try_apply(transform_, {.real = STRATA_F32}, done);
    if (!serial) return;
    on_each_pool([&](int threads) {
      Status pooled;
      const auto values =
          try_apply(transform_, {.real = STRATA_F32, .services = &host_services()}, pooled);
      checker_.expect(values && same(*values, *serial), "gives other bits on {} threads", threads);
    });
  }

  // What it found is saved with a run; a new instance that has it again goes on alike.
  void check_round_trip() {
    const auto fresh = Instance::create(transform_.call());
    if (!checker_.expect(fresh.ok(), "cannot be created a second time")) return;
    const auto after = infer_transform(**fresh, before_);
    const auto same_field = [](const auto& a, const auto& b) {
      return a.name == b.name && a.shape == b.shape;
    };
    const auto alike = [&](const auto& a, const auto& b) {
      return std::equal(a.begin(), a.end(), b.begin(), b.end(), same_field);
    };
    if (!checker_.expect(after.ok() && alike(after->fields, after_.fields) &&
                             alike(after->fitted, after_.fitted),
                         "a new instance has other fields, or fits other numbers"))
      return;
    for (const bool training : {true, false}) {
      for (const strata_dtype real : {STRATA_F32, STRATA_F64}) {
        const Call call{.real = real, .training = training};
        checker_.expect(same(apply(call), apply(call, fresh->get())),
                        "gives other values in a new instance that has what was saved, in {}",
                        training ? "training" : "inference");
      }
    }
  }

  // Real outputs show a NaN where they depend on the element that is one. What a fit makes of it is
  // its own affair: scikit-learn leaves NaN out.
  void check_nan() {
    for (std::size_t f = 0; f < values_.size(); ++f) {
      if (before_.fields[f].dtype != STRATA_REAL) continue;
      for (const std::int64_t i : spread(static_cast<std::int64_t>(values_[f].size()), 3)) {
        for (const bool training : {true, false}) check_nan_at(f, i, training);
        double& value = values_[f][static_cast<std::size_t>(i)];
        const double before = std::exchange(value, std::nan(""));
        if (batches()) check_threads();
        (void)fit(2, STRATA_F32, /*with_nan=*/true);
        value = before;
      }
    }
  }

  void check_nan_at(std::size_t field, std::int64_t element, bool training) {
    double& value = values_[field][static_cast<std::size_t>(element)];
    const double before = value;
    // All real outputs in a row; nothing where it is refused.
    const auto outputs_with = [&](double put) -> std::optional<std::vector<double>> {
      value = put;
      Status done;
      const auto values = try_apply(transform_, {.real = STRATA_F32, .training = training}, done);
      value = before;
      if (!values) {
        checker_.expect_sentence(done.error(), "refuses it");
        return std::nullopt;
      }
      std::vector<double> all;
      for (std::size_t f = 0; f < values->size(); ++f) {
        if (after_.fields[f].dtype == STRATA_REAL)
          all.insert(all.end(), (*values)[f].begin(), (*values)[f].end());
      }
      return all;
    };
    const auto plain = outputs_with(before), spoilt = outputs_with(std::nan(""));
    if (!spoilt) checker_.saw_nan(NanHandling::kRefused);
    if (!spoilt || !plain) return;
    std::vector<std::vector<double>> probed;
    for (const double probe : kProbes) {
      if (auto values = outputs_with(probe)) probed.push_back(std::move(*values));
    }
    bool depends = false;
    const std::int64_t at = find_swallowed(*plain, probed, *spoilt, depends);
    if (depends) checker_.saw_nan(at < 0 ? NanHandling::kPropagated : NanHandling::kSwallowed);
    checker_.expect(at < 0,
                    "swallows a NaN in `{}` in {}: an output depends on element {} and is {}",
                    before_.fields[field].name, training ? "training" : "inference", element,
                    at < 0 ? 0 : (*spoilt)[static_cast<std::size_t>(at)]);
  }

  Checker& checker_;
  const Instance& transform_;
  const strata_transform& table_;
  const DataDescription &before_, &after_;
  FieldValues values_;  // of the fields before
  std::vector<double> fitted_;
};

}  // namespace

void check_transform(Checker& checker) {
  const Field label{"label", STRATA_I32, {}, 10, {}};
  std::vector<DataDescription> candidates;
  for (const Field& first :
       {Field{"image", STRATA_U8, {28, 28}, 0, {}}, Field{"image", STRATA_U8, {3, 8, 8}, 0, {}},
        Field{"image", STRATA_U8, {1, 9, 7}, 0, {}}, Field{"image", STRATA_REAL, {1, 8, 8}, 0, {}},
        Field{"point", STRATA_REAL, {5}, 0, {}}, Field{"point", STRATA_REAL, {1}, 0, {}}}) {
    candidates.push_back({{first, label}, {{"train", 100}}});
  }
  // Of one class, so that any number of classes that an option asks for is enough.
  candidates.push_back(
      {{Field{"point", STRATA_REAL, {5}, 0, {}}, Field{"label", STRATA_I32, {}, 1, {}}},
       {{"train", 100}}});
  const Field shares{"shares", STRATA_REAL, {10}, 0, {}};
  candidates.push_back(
      {{Field{"image", STRATA_REAL, {1, 8, 8}, 0, {}}, label, shares}, {{"train", 100}}});
  for (const InstancePtr& instance : instances(checker)) {
    int accepted = 0;
    for (const DataDescription& before : candidates) {
      checker.context = fmt::format("{} on {} {}", print_call(instance->call()),
                                    before.fields[0].name, before.fields[0].shape.text());
      const auto after = infer_transform(*instance, before);
      if (!after) {
        checker.expect(after.error().code == ExitCode::kModel && !after.error().message.empty(),
                       "refuses fields without a sentence for the user: {}", after.error().message);
        continue;
      }
      ++accepted;
      checker.begin(checker.context);
      TransformChecker(checker, *instance, before, *after).check_all();
    }
    checker.context = print_call(instance->call());
    checker.expect(accepted > 0, "accepts none of the fields tried");
  }
}

}  // namespace strata::conformance
