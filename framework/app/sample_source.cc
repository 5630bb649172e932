#include "framework/app/sample_source.h"

#include <algorithm>
#include <filesystem>

#include "framework/app/files.h"
#include "framework/app/sample_files.h"
#include "framework/app/table_samples.h"
#include "framework/base/utf8.h"
#include "framework/images/image_files.h"
#include "framework/images/image_scale.h"
#include "framework/tensor/parallel.h"

namespace strata::app {
namespace {

namespace fs = std::filesystem;

// What pictures become.
struct PictureFormat {
  std::int64_t channels = 0, height = 0, width = 0;
  bool crop = false;
  std::int64_t elements() const { return channels * height * width; }
};

// `what` is "a picture" or "a folder".
Result<PictureFormat> picture_format(const std::string& name, const char* what,
                                     const Program& program) {
  const DataDescription::FieldInfo& field = prediction_input(program);
  const Shape& shape = field.shape;
  const bool image = shape.rank() == 2 || (shape.rank() == 3 && (shape[0] == 1 || shape[0] == 3));
  Error error{ExitCode::kData, {}, {}};
  if (!image) {
    error.message =
        fmt::format("{} is {}, and the model takes {}", safe_text(name), what, shape.text());
    error.hint =
        "pictures are for models of [height, width], [1, height, width] or [3, height, width]";
    return error;
  }
  if (field.dtype != STRATA_U8) {
    error.message = fmt::format(
        "{} is {}, and `{}` of the model's data holds floats, of a scale that pictures "
        "do not tell",
        safe_text(name), what, field.name);
    error.hint = "write the pixels into an NPY file, as the numbers that the model was trained on";
    return error;
  }
  const OptionValue* fit = program.data.dataset->call().option("fit");
  const auto* how = fit ? std::get_if<std::string>(&fit->data) : nullptr;
  return PictureFormat{shape.rank() == 3 ? shape[0] : 1, shape[-2], shape[-1],
                       how && *how == "crop"};
}

Status to_values(const Result<RgbImage>& image, const PictureFormat& format, double* values) {
  if (!image) return image.error();
  std::vector<std::uint8_t> planes(static_cast<std::size_t>(format.elements()));
  write_planes(scaled(*image, format.height, format.width, format.crop), format.channels,
               planes.data());
  std::copy(planes.begin(), planes.end(), values);
  return {};
}

// One picture, in memory.
ReadSamples picture_reader(const PictureFormat& format, std::string name, std::string content) {
  return [format, name = std::move(name), content = std::move(content)](std::int64_t, std::int64_t,
                                                                        double* values) {
    return to_values(decode_image(name, content), format, values);
  };
}

// Pictures in files, decoded in parallel; the first damaged one is what counts.
ReadSamples picture_reader(const PictureFormat& format, std::vector<std::string> files) {
  return [format, files = std::move(files)](std::int64_t begin, std::int64_t count,
                                            double* values) -> Status {
    std::vector<Status> read(static_cast<std::size_t>(count));
    auto decode = [&](std::int64_t i) {
      read[static_cast<std::size_t>(i)] =
          to_values(read_image(files[static_cast<std::size_t>(begin + i)]), format,
                    values + i * format.elements());
    };
    parallel_tasks(
        count, [](void* context, std::int64_t i) { (*static_cast<decltype(decode)*>(context))(i); },
        &decode);
    const auto failed = std::find_if(read.begin(), read.end(), [](auto& one) { return !one.ok(); });
    return failed == read.end() ? Status() : *failed;
  };
}

Result<SampleSource> open_pictures(const std::string& folder, const Program& program) {
  const auto format = picture_format(folder, "a folder", program);
  if (!format) return format.error();
  auto files = pictures_below(folder);
  if (!files) return files.error();
  if (files->empty()) {
    return make_error(ExitCode::kData, "{} holds no PNG or JPEG files", safe_text(folder));
  }
  SampleSource source;
  source.count = static_cast<std::int64_t>(files->size());
  source.files = std::move(*files);
  source.read = picture_reader(*format, source.files);
  return source;
}

Result<SampleSource> open_picture(const std::string& input, const std::string& name,
                                  std::string content, const Program& program) {
  const auto format = picture_format(name, "a picture", program);
  if (!format) return format.error();
  return SampleSource{1, picture_reader(*format, name, std::move(content)), {input}};
}

}  // namespace

Result<SampleSource> open_samples(const std::string& input, const Program& program) {
  std::error_code ignored;
  if (input != "-" && fs::is_directory(input, ignored)) return open_pictures(input, program);
  auto content = read_input(input, ExitCode::kData);
  if (!content) return content.error();
  const std::string name = input == "-" ? "standard input" : input;
  if (is_image(*content) || is_picture_name(name))
    return open_picture(input, name, std::move(*content), program);
  if (const Status readable = check_not_foreign(name); !readable) return readable.error();
  const std::optional<TableFormat> table = table_format(program);
  auto samples = parse_samples(name, std::move(*content), prediction_input(program).shape,
                               table ? &*table : nullptr);
  if (!samples) return samples.error();
  const std::int64_t elements = samples->shape.elements();
  return SampleSource{samples->count,
                      [elements, values = std::move(samples->values)](
                          std::int64_t begin, std::int64_t count, double* out) {
                        std::copy_n(values.begin() + begin * elements, count * elements, out);
                        return Status();
                      },
                      {}};
}

}  // namespace strata::app
