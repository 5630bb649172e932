// Samples for prediction from files that other programs write: IDX, NPY and CSV, each also gzipped.
// The format is told from the content, not from the name.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "framework/base/error.h"
#include "framework/tensor/shape.h"

namespace strata::app {

struct Samples {
  std::int64_t count = 0;
  Shape shape;                 // of one sample, as the file has it; CSV: [columns]
  std::vector<double> values;  // [count, elements], all finite
};

// Reads a whole file (its bytes in `content`); `name` is for messages. Wrong or damaged content is
// ExitCode::kData with the line and column (CSV) or the offset. `expected` is the shape that the
// model takes: where a file's sample has other extents but as many elements ([784] for [28, 28]),
// it is taken all the same.
//
// `table`: how the model was trained on a table, if it was. A text that names its columns is read
// as such a table.
struct TableFormat;
Result<Samples> parse_samples(const std::string& name, std::string content, const Shape& expected,
                              const TableFormat* table = nullptr);

// IDX: the MNIST format, any element type. big-endian.
Result<Samples> parse_idx(const std::string& name, std::string_view content);
// NPY 1.0 to 3.0, C order; bool, signed and unsigned ints of 1 to 8 bytes, f2, f4, f8; either
// byte order.
Result<Samples> parse_npy(const std::string& name, std::string_view content);
// Numbers, one sample a line, separated by commas, semicolons, tabs or spaces; a first line without
// numbers is a header.
Result<Samples> parse_csv(const std::string& name, std::string_view content);

}  // namespace strata::app
