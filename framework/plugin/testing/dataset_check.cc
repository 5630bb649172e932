// The checks of data sets.
#include "framework/plugin/testing/field_buffers.h"
#include "framework/tensor/parallel.h"

namespace strata::conformance {

void check_description(Checker& checker, const DataDescription& description) {
  checker.expect(!description.fields.empty(), "has no fields");
  for (const Field& field : description.fields) {
    checker.expect(is_snake_case(field.name), "the field `{}` is not in snake_case", field.name);
    checker.expect(
        field.dtype == STRATA_REAL || field.dtype == STRATA_U8 || field.dtype == STRATA_I32,
        "the field `{}` is neither real numbers, bytes nor class numbers", field.name);
    // A field of real numbers may name each of its values.
    const bool named =
        field.class_names.empty() ||
        static_cast<std::int64_t>(field.class_names.size()) ==
            (field.dtype == STRATA_REAL && field.classes == 0 ? field.shape.elements()
                                                              : field.classes);
    checker.expect(named, "`{}` has {} classes and {} names of them", field.name, field.classes,
                   field.class_names.size());
  }
}
namespace {

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
}  // namespace

void check_dataset(Checker& checker) {
  for (const InstancePtr& instance : instances(checker)) {
    checker.begin(print_call(instance->call()));
    check_dataset_instance(checker, *instance);
  }
}
}  // namespace strata::conformance
