// Prediction: the caller's samples through the file's transforms and the model.
#include "framework/train/prediction.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "framework/runtime/finite.h"
#include "framework/train/session.h"

namespace strata {
namespace {

// The data set's field behind the model's first input: the one of the same name before any
// transform.
std::size_t raw_field(const Program& program) {
  const auto field = static_cast<std::size_t>(program.input_fields[0]);
  const int raw = program.data.stages[0].find_field(program.data.result().fields[field].name);
  return raw < 0 ? 0 : static_cast<std::size_t>(raw);
}

// Writes values of samples from number `begin` on as the field's type; says which one does not fit.
Status store(const DataDescription::FieldInfo& field, Precision precision, const double* values,
             std::int64_t begin, std::int64_t samples, std::vector<char>& out) {
  const std::int64_t elements = field.shape.elements(), count = samples * elements;
  const auto put = [&]<class U>(U) {
    out.resize(static_cast<std::size_t>(count) * sizeof(U));
    for (std::int64_t i = 0; i < count; ++i) {
      const U x = static_cast<U>(values[i]);
      std::memcpy(out.data() + static_cast<std::size_t>(i) * sizeof(U), &x, sizeof x);
    }
  };
  if (field.dtype == STRATA_U8) {
    for (std::int64_t i = 0; i < count; ++i) {
      if (values[i] < 0 || values[i] > 255 || values[i] != std::floor(values[i])) {
        return make_error(ExitCode::kData,
                          "value {} of sample {} is {}: `{}` holds whole numbers from 0 to 255",
                          i % elements + 1, begin + i / elements + 1, values[i], field.name);
      }
    }
    put(std::uint8_t{});
  } else if (field.dtype == STRATA_I32) {
    put(std::int32_t{});
  } else if (field.dtype == STRATA_F64 ||
             (field.dtype == STRATA_REAL && precision == Precision::kF64)) {
    put(double{});
  } else {
    put(float{});
  }
  return {};
}

template <class T>
void convert(const BatchView& batch, const Program& program, std::vector<T>& inputs) {
  const auto field = static_cast<std::size_t>(program.input_fields[0]);
  const auto& info = program.data.result().fields[field];
  const std::int64_t count = batch.size * info.shape.elements();
  inputs.resize(static_cast<std::size_t>(count));
  const auto copy = [&](const auto* from) {
    std::transform(from, from + count, inputs.begin(), [](auto x) { return static_cast<T>(x); });
  };
  if (info.dtype == STRATA_U8) {
    copy(static_cast<const std::uint8_t*>(batch.fields[field]));
  } else if (info.dtype == STRATA_I32) {
    copy(static_cast<const std::int32_t*>(batch.fields[field]));
  } else {
    copy(static_cast<const T*>(batch.fields[field]));
  }
}

template <class T>
Status run(const Program& program, Executor& executor, InputPipeline& pipeline,
           const ReadSamples& read, std::int64_t count, Prediction& out) {
  const DataDescription& raw = program.data.stages[0];
  const std::size_t field = raw_field(program);
  const std::int64_t elements = raw.fields[field].shape.elements();
  const std::int64_t outputs = out.shape.elements();
  const Precision precision = program.train.precision;
  std::vector<std::vector<char>> fields(raw.fields.size());
  std::vector<const void*> pointers(raw.fields.size());
  std::vector<T> inputs;
  std::vector<double> samples;
  for (std::int64_t begin = 0; begin < count; begin += executor.capacity()) {
    const std::int64_t size = std::min(executor.capacity(), count - begin);
    samples.resize(static_cast<std::size_t>(size * elements));
    if (const Status given = read(begin, size, samples.data()); !given) return given;
    for (std::size_t f = 0; f < fields.size(); ++f) {
      // Fields that are not given, labels above all, are zeros: no transform of an input reads
      // them.
      fields[f].assign(static_cast<std::size_t>(size * raw.fields[f].shape.elements() * 8), 0);
      if (f == field) {
        const Status stored =
            store(raw.fields[f], precision, samples.data(), begin, size, fields[f]);
        if (!stored) return stored;
      }
      pointers[f] = fields[f].data();
    }
    auto batch = pipeline.transform(pointers.data(), size);
    if (!batch) return batch.error();
    convert<T>(*batch, program, inputs);
    const void* input = inputs.data();
    const Status done = executor.predict(size, &input);
    if (!done) return done;
    const T* values = static_cast<const T*>(executor.output(0));
    if (const std::int64_t bad = first_not_finite(values, size * outputs); bad >= 0) {
      return make_error(ExitCode::kData, "the model's output for sample {} is not a finite number",
                        begin + bad / outputs + 1);
    }
    out.values.insert(out.values.end(), values, values + size * outputs);
  }
  return {};
}

}  // namespace

const DataDescription::FieldInfo& prediction_input(const Program& program) {
  return program.data.stages[0].fields[raw_field(program)];
}

Result<Prediction> predict(const Program& program, const std::string& weights,
                           const ReadSamples& read, std::int64_t count, int threads,
                           const ExecutorOptions& options) {
  const Graph& graph = program.graph;
  if (!program.has_data)
    return make_error(ExitCode::kModel, "prediction needs the file's `data` section");
  if (graph.inputs.size() != 1) {
    return make_error(ExitCode::kModel, "prediction needs a model with one input; `{}` has {}",
                      graph.name, graph.inputs.size());
  }
  auto pipeline = InputPipeline::unopened(program.data, program.train.precision);
  if (!pipeline) return pipeline.error();
  ExecutorOptions folding = options;
  folding.fold = options.fuse;
  auto executor = Executor::create(
      program, std::max<std::int64_t>(1, std::min<std::int64_t>(count, 128)), false, folding);
  if (!executor) return executor.error();
  const Status loaded = load_weights(weights, **executor, pipeline->get());
  if (!loaded) return loaded.error();

  Prediction out;
  out.samples = count;
  out.output = graph.output_names[0];
  const GraphValue& value = graph.values[static_cast<std::size_t>(graph.outputs[0])];
  out.shape = value.shape;
  out.probabilities =
      value.producer >= 0 &&
      graph.nodes[static_cast<std::size_t>(value.producer)].plan.has_trait("softmax");
  for (const auto& field : program.data.result().fields) {
    if (field.classes == out.shape.elements() && field.classes > 0)
      out.class_names = field.class_names;
  }
  ThreadPool pool(threads);
  Status done;
  pool.run([&] {
    done = program.train.precision == Precision::kF64
               ? run<double>(program, **executor, **pipeline, read, count, out)
               : run<float>(program, **executor, **pipeline, read, count, out);
  });
  if (!done) return done.error();
  return out;
}

}  // namespace strata
