// The checks of data sets and transforms.
#include <numeric>

#include "framework/plugin/testing/checker.h"
#include "framework/tensor/parallel.h"

namespace strata::conformance {
namespace {

using Field = DataDescription::FieldInfo;

std::int64_t element_size(strata_dtype dtype, strata_dtype real) {
  switch (dtype == STRATA_REAL ? real : dtype) {
    case STRATA_F64:
      return 8;
    case STRATA_U8:
      return 1;
    default:
      return 4;
  }
}

// One field of some samples, as bytes of whatever type it has.
struct FieldBuffer {
  FieldBuffer(const Field& f, std::int64_t count, strata_dtype real_dtype)
      : field(f),
        samples(count),
        real(real_dtype),
        bytes(count * f.shape.elements() * element_size(f.dtype, real_dtype)) {}
  std::vector<double> values() const {
    std::vector<double> out(static_cast<std::size_t>(samples * field.shape.elements()));
    for (std::size_t i = 0; i < out.size(); ++i) {
      const strata_dtype dtype = field.dtype == STRATA_REAL ? real : field.dtype;
      const void* at =
          bytes.data() + static_cast<std::int64_t>(i) * element_size(field.dtype, real);
      out[i] = dtype == STRATA_F64   ? *static_cast<const double*>(at)
               : dtype == STRATA_F32 ? static_cast<double>(*static_cast<const float*>(at))
               : dtype == STRATA_I32 ? static_cast<double>(*static_cast<const std::int32_t*>(at))
                                     : static_cast<double>(*static_cast<const std::uint8_t*>(at));
    }
    return out;
  }
  void set(std::span<const double> values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      const strata_dtype dtype = field.dtype == STRATA_REAL ? real : field.dtype;
      void* at = bytes.data() + static_cast<std::int64_t>(i) * element_size(field.dtype, real);
      if (dtype == STRATA_F64) *static_cast<double*>(at) = values[i];
      if (dtype == STRATA_F32) *static_cast<float*>(at) = static_cast<float>(values[i]);
      if (dtype == STRATA_I32)
        *static_cast<std::int32_t*>(at) = static_cast<std::int32_t>(values[i]);
      if (dtype == STRATA_U8)
        *static_cast<std::uint8_t*>(at) = static_cast<std::uint8_t>(values[i]);
    }
  }
  Field field;
  std::int64_t samples;
  strata_dtype real;
  Buffer<std::uint8_t> bytes;
};

using FieldBuffers = std::deque<FieldBuffer>;

bool intact(const FieldBuffers& buffers) {
  return std::all_of(buffers.begin(), buffers.end(),
                     [](const FieldBuffer& b) { return b.bytes.intact(); });
}
std::vector<void*> pointers(FieldBuffers& buffers) {
  std::vector<void*> out;
  for (FieldBuffer& buffer : buffers) out.push_back(buffer.bytes.data());
  return out;
}

void check_description(Checker& checker, const DataDescription& description) {
  checker.expect(!description.fields.empty(), "has no fields");
  for (const Field& field : description.fields) {
    checker.expect(is_snake_case(field.name), "the field `{}` is not in snake_case", field.name);
    checker.expect(
        field.dtype == STRATA_REAL || field.dtype == STRATA_U8 || field.dtype == STRATA_I32,
        "the field `{}` is neither real numbers, bytes nor class numbers", field.name);
    checker.expect(field.class_names.empty() ||
                       static_cast<std::int64_t>(field.class_names.size()) == field.classes,
                   "`{}` has {} classes and {} names of them", field.name, field.classes,
                   field.class_names.size());
  }
}

FieldBuffers read(Checker& checker, const Instance& dataset, const DataDescription& description,
                  std::int64_t split, const std::vector<std::int64_t>& indices, strata_dtype real) {
  FieldBuffers buffers;
  for (const Field& field : description.fields) {
    buffers.emplace_back(field, static_cast<std::int64_t>(indices.size()), real);
  }
  const std::vector<void*> fields = pointers(buffers);
  const std::int64_t before = checker.options.allocations ? checker.options.allocations() : 0;
  const Status done = call_plugin(dataset.functions<strata_dataset>().read, dataset.raw(), split,
                                  indices.data(), static_cast<std::int64_t>(indices.size()),
                                  static_cast<std::int32_t>(real), fields.data());
  if (checker.options.allocations)
    checker.expect(checker.options.allocations() == before, "read allocates memory");
  checker.expect_ok(done, "read");
  checker.expect(intact(buffers), "read writes outside of its buffers");
  return buffers;
}

void check_split(Checker& checker, const Instance& dataset, const DataDescription& description,
                 std::size_t s) {
  const auto& split = description.splits[s];
  const auto number = static_cast<std::int64_t>(s);
  if (!checker.expect(split.samples > 0, "the split `{}` has {} samples", split.name,
                      split.samples))
    return;
  std::vector<std::int64_t> indices = spread(split.samples, 50);
  std::reverse(indices.begin(), indices.end());
  const FieldBuffers fine = read(checker, dataset, description, number, indices, STRATA_F64);
  const FieldBuffers coarse = read(checker, dataset, description, number, indices, STRATA_F32);
  for (std::size_t f = 0; f < fine.size(); ++f) {
    const auto values = fine[f].values();
    checker.expect(all_finite(values), "`{}` has values that are not finite, or not written",
                   fine[f].field.name);
    checker.expect(deviation(values, coarse[f].values()) < 1e-6, "`{}` differs between f32 and f64",
                   fine[f].field.name);
    for (const double value : values) {
      if (fine[f].field.classes > 0 &&
          !checker.expect(value >= 0 && value < static_cast<double>(fine[f].field.classes),
                          "`{}` has the class {} of {}", fine[f].field.name, value,
                          fine[f].field.classes)) {
        break;
      }
    }
  }
  // Samples alone, from several threads, are the same as together.
  struct Task {
    const Instance& dataset;
    const DataDescription& description;
    const std::vector<std::int64_t>& indices;
    const FieldBuffers& expected;
    std::int64_t split;
    std::vector<std::uint8_t> same;
  } task{dataset, description, indices, fine, number, std::vector<std::uint8_t>(indices.size(), 0)};
  ThreadPool(4).run([&] {
    parallel_tasks(
        static_cast<std::int64_t>(indices.size()),
        [](void* context, std::int64_t i) {
          Task& t = *static_cast<Task*>(context);
          FieldBuffers one;
          for (const Field& field : t.description.fields) one.emplace_back(field, 1, STRATA_F64);
          const std::vector<void*> fields = pointers(one);
          const std::int64_t index = t.indices[static_cast<std::size_t>(i)];
          bool same = call_plugin(t.dataset.functions<strata_dataset>().read, t.dataset.raw(),
                                  t.split, &index, std::int64_t{1},
                                  static_cast<std::int32_t>(STRATA_F64), fields.data())
                          .ok();
          for (std::size_t f = 0; f < one.size(); ++f) {
            const std::int64_t size = one[f].bytes.size();
            same = same && std::memcmp(one[f].bytes.data(), t.expected[f].bytes.data() + i * size,
                                       static_cast<std::size_t>(size)) == 0;
          }
          t.same[static_cast<std::size_t>(i)] = same;
        },
        &task);
  });
  checker.expect(
      std::all_of(task.same.begin(), task.same.end(), [](int same) { return same != 0; }),
      "samples of `{}` read alone are others than in a batch", split.name);
}

// A run that goes on opens the data anew, and must see the same samples.
void check_second_opening(Checker& checker, const Instance& dataset,
                          const DataDescription& description) {
  const auto fresh = Instance::create(dataset.call());
  if (!checker.expect(fresh.ok(), "cannot be created a second time")) return;
  const auto opened = open_dataset(**fresh, {});
  if (!checker.expect(opened.ok(), "cannot be opened a second time")) return;
  for (std::size_t s = 0; s < description.splits.size(); ++s) {
    const auto& split = description.splits[s];
    if (split.samples <= 0) continue;
    const auto number = static_cast<std::int64_t>(s);
    const std::vector<std::int64_t> indices = spread(split.samples, 50);
    const FieldBuffers first = read(checker, dataset, description, number, indices, STRATA_F32);
    const FieldBuffers second = read(checker, **fresh, description, number, indices, STRATA_F32);
    for (std::size_t f = 0; f < first.size(); ++f) {
      checker.expect(same_bits(first[f].bytes, second[f].bytes),
                     "`{}` of the split `{}` has other values in a new instance",
                     first[f].field.name, split.name);
    }
  }
}

void check_dataset_instance(Checker& checker, const Instance& dataset) {
  const auto described = describe_dataset(dataset);
  if (!described) {
    // Only a file of the user's can say what its fields are; then it has to be an option.
    const bool has_path = checker.entry.find_option("path") >= 0 &&
                          (checker.entry.schema().options[checker.entry.find_option("path")].flags &
                           STRATA_OPTION_REQUIRED);
    checker.expect(
        has_path && described.error().code == ExitCode::kData && !described.error().message.empty(),
        "cannot be described without data: {}", described.error().message);
    return;
  }
  check_description(checker, *described);
  const auto opened = open_dataset(dataset, {});
  if (!opened) {
    checker.expect(opened.error().code == ExitCode::kData && !opened.error().message.empty() &&
                       !opened.error().hint.empty(),
                   "does not say what is missing and how to get it: {}", opened.error().message);
    return;
  }
  check_description(checker, *opened);
  checker.expect(opened->fields.size() == described->fields.size(),
                 "has other fields once it is open");
  checker.expect(!opened->splits.empty(), "has no splits");
  for (std::size_t s = 0; s < opened->splits.size(); ++s) {
    const int before = described->find_split(opened->splits[s].name);
    const std::int64_t promised =
        before < 0 ? -1 : described->splits[static_cast<std::size_t>(before)].samples;
    checker.expect(promised < 0 || promised == opened->splits[s].samples,
                   "the split `{}` has {} samples, not {}", opened->splits[s].name,
                   opened->splits[s].samples, promised);
    check_split(checker, dataset, *opened, s);
  }
  check_second_opening(checker, dataset, *opened);
}

// ---- transforms ----

constexpr std::int64_t kSamples = 5;

FieldBuffers inputs_of(const DataDescription& description, std::int64_t first, std::int64_t count,
                       strata_dtype real) {
  FieldBuffers out;
  for (const Field& field : description.fields) {
    const std::int64_t elements = field.shape.elements();
    std::vector<double> values = sample_values(kSamples * elements, 77);
    for (double& value : values) {
      if (field.dtype == STRATA_U8) value = std::floor((value + 2) * 63.9);
      if (field.classes > 0)
        value = std::fmod(std::floor((value + 2) * 100), static_cast<double>(field.classes));
    }
    out.emplace_back(field, count, real)
        .set(std::span(values).subspan(static_cast<std::size_t>(first * elements),
                                       static_cast<std::size_t>(count * elements)));
  }
  return out;
}

std::vector<strata_field> raw_fields(const DataDescription& description) {
  std::vector<strata_field> fields;
  for (const Field& field : description.fields) {
    fields.push_back({sizeof(strata_field), field.name.c_str(), field.dtype, field.classes,
                      plugin_internal::from_shape(field.shape)});
  }
  return fields;
}

// What a transform finds in the samples, handed over `at_once` at a time; empty for one that fits
// nothing.
std::vector<double> fit(Checker& checker, const Instance& transform, const DataDescription& before,
                        const DataDescription& after, std::int64_t at_once, strata_dtype real) {
  const auto& table = transform.functions<strata_transform>();
  if (!table.fit) return {};
  std::int64_t size = 0;
  for (const auto& fitted : after.fitted) {
    checker.expect(is_snake_case(fitted.name), "`{}`, which it fits, is not in snake_case",
                   fitted.name);
    size += fitted.shape.elements();
  }
  Buffer<double> fitted(size);
  fitted.fill(0);
  const std::vector<strata_field> fields = raw_fields(before);
  const auto count = static_cast<std::int64_t>(fields.size());
  for (std::int64_t first = 0; first < kSamples; first += at_once) {
    const std::int64_t samples = std::min(at_once, kSamples - first);
    FieldBuffers inputs = inputs_of(before, first, samples, real);
    const std::vector<void*> pointed = pointers(inputs);
    const std::vector<const void*> places(pointed.begin(), pointed.end());
    const strata_fit_pass pass{sizeof pass, real, samples, places.data(), fitted.data()};
    checker.expect_ok(call_plugin(table.fit, transform.raw(), fields.data(), count, &pass), "fit");
    checker.expect(intact(inputs), "fit writes outside of its buffers");
  }
  checker.expect_ok(
      call_plugin(table.finish_fit, transform.raw(), fields.data(), count, fitted.data()),
      "finish_fit");
  checker.expect(fitted.intact(), "fit writes outside of its numbers");
  checker.expect(all_finite(fitted.values()), "fits numbers that are not finite");
  return fitted.values();
}

// Outputs for samples [first, first + count). Fields that stay what they are share storage with
// their input, except where a whole batch is transformed at once.
std::vector<std::vector<double>> apply(Checker& checker, const Instance& transform,
                                       const DataDescription& before, const DataDescription& after,
                                       std::int64_t first, std::int64_t count, strata_dtype real,
                                       const std::vector<double>& fitted, bool training = true) {
  const auto& table = transform.functions<strata_transform>();
  FieldBuffers inputs = inputs_of(before, first, count, real), outputs;
  const std::vector<strata_field> fields = raw_fields(before);
  std::vector<const void*> input_pointers;
  std::vector<void*> output_pointers;
  for (FieldBuffer& input : inputs) input_pointers.push_back(input.bytes.data());
  for (std::size_t f = 0; f < after.fields.size(); ++f) {
    outputs.emplace_back(after.fields[f], count, real);
    const int same = before.find_field(after.fields[f].name);
    const bool shared =
        !table.apply_batch && same >= 0 &&
        before.fields[static_cast<std::size_t>(same)].dtype == after.fields[f].dtype &&
        before.fields[static_cast<std::size_t>(same)].shape == after.fields[f].shape;
    output_pointers.push_back(shared ? inputs[static_cast<std::size_t>(same)].bytes.data()
                                     : outputs[f].bytes.data());
  }
  std::vector<std::uint64_t> keys;
  for (std::int64_t i = first; i < first + count; ++i) {
    keys.push_back(static_cast<std::uint64_t>(1000 + i));
    keys.push_back(9);
  }
  strata_transform_pass raw{};
  raw.struct_size = sizeof raw;
  raw.real_dtype = real;
  raw.training = training;
  raw.fitted = fitted.empty() ? nullptr : fitted.data();
  raw.count = count;
  raw.inputs = input_pointers.data();
  raw.outputs = output_pointers.data();
  raw.keys = keys.data();
  raw.services = &serial_services();
  const std::int64_t allocated = checker.options.allocations ? checker.options.allocations() : 0;
  const Status done = call_plugin(table.apply_batch ? table.apply_batch : table.apply,
                                  transform.raw(), static_cast<const strata_field*>(fields.data()),
                                  static_cast<std::int64_t>(fields.size()), &raw);
  if (checker.options.allocations)
    checker.expect(checker.options.allocations() == allocated, "apply allocates memory");
  checker.expect_ok(done, "apply");
  checker.expect(intact(inputs) && intact(outputs), "apply writes outside of its buffers");
  std::vector<std::vector<double>> values;
  for (std::size_t f = 0; f < outputs.size(); ++f) {
    const bool shared = output_pointers[f] != outputs[f].bytes.data();
    const auto input =
        static_cast<std::size_t>(std::max(0, before.find_field(after.fields[f].name)));
    values.push_back(shared ? inputs[input].values() : outputs[f].values());
    checker.expect(all_finite(values.back()), "`{}` has values that are not finite, or not written",
                   after.fields[f].name);
  }
  return values;
}

void check_same_again(Checker& checker, const Instance& transform, const DataDescription& before,
                      const DataDescription& after, const std::vector<double>& fitted,
                      const std::vector<std::vector<double>>& whole) {
  const auto again = apply(checker, transform, before, after, 0, kSamples, STRATA_F64, fitted);
  for (std::size_t f = 0; f < whole.size(); ++f)
    checker.expect(again[f] == whole[f], "the same batch gives another `{}`", after.fields[f].name);
}

void check_transform_case(Checker& checker, const Instance& transform,
                          const DataDescription& before, const DataDescription& after) {
  check_description(checker, after);
  const std::vector<double> fitted = fit(checker, transform, before, after, kSamples, STRATA_F64);
  checker.expect(
      deviation(fitted, fit(checker, transform, before, after, 2, STRATA_F64)) < 1e-9 &&
          deviation(fitted, fit(checker, transform, before, after, kSamples, STRATA_F32)) < 1e-5,
      "what it fits depends on how samples are handed over");
  const auto whole = apply(checker, transform, before, after, 0, kSamples, STRATA_F64, fitted);
  const auto rough = apply(checker, transform, before, after, 0, kSamples, STRATA_F32, fitted);
  for (std::size_t f = 0; f < whole.size(); ++f) {
    checker.expect(deviation(whole[f], rough[f]) < 1e-5, "`{}` differs between f32 and f64",
                   after.fields[f].name);
  }
  const bool batches = transform.functions<strata_transform>().apply_batch != nullptr;
  if (batches) check_same_again(checker, transform, before, after, fitted, whole);
  // What looks at a whole batch may do so in training alone.
  const auto together = batches ? apply(checker, transform, before, after, 0, kSamples, STRATA_F64,
                                        fitted, /*training=*/false)
                                : whole;
  for (std::int64_t i = 0; i < kSamples; ++i) {
    const auto one = apply(checker, transform, before, after, i, 1, STRATA_F64, fitted, !batches);
    for (std::size_t f = 0; f < one.size(); ++f) {
      const std::span<const double> part =
          std::span(together[f])
              .subspan(static_cast<std::size_t>(i) * one[f].size(), one[f].size());
      checker.expect(deviation(one[f], part) == 0,
                     "`{}` of a sample depends on the others of its batch", after.fields[f].name);
    }
  }
}

}  // namespace

void check_dataset(Checker& checker) {
  for (const InstancePtr& instance : instances(checker)) {
    checker.begin(print_call(instance->call()));
    check_dataset_instance(checker, *instance);
  }
}

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
      check_transform_case(checker, *instance, before, *after);
    }
    checker.context = print_call(instance->call());
    checker.expect(accepted > 0, "accepts none of the fields tried");
  }
}

}  // namespace strata::conformance
