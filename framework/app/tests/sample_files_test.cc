#include "framework/app/sample_files.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <cstring>

namespace strata::app {
namespace {

using ::testing::TestWithParam;

template <class T>
std::string bytes_of(std::vector<T> values, bool swap = false) {
  std::string out;
  for (T value : values) {
    char bytes[sizeof(T)];
    std::memcpy(bytes, &value, sizeof(T));
    if (swap) std::reverse(bytes, bytes + sizeof(T));
    out.append(bytes, sizeof(T));
  }
  return out;
}

std::string npy(const std::string& header, const std::string& data, int major = 1) {
  std::string out = "\x93NUMPY";
  out += static_cast<char>(major);
  out += '\0';
  const auto size = static_cast<std::uint32_t>(header.size());
  out += bytes_of<std::uint8_t>(
      {static_cast<std::uint8_t>(size & 255), static_cast<std::uint8_t>(size >> 8)});
  if (major > 1) out += std::string(2, '\0');
  return out + header + data;
}

std::string idx(int type, const std::vector<std::uint32_t>& dims, const std::string& data) {
  std::string out = {'\0', '\0', static_cast<char>(type), static_cast<char>(dims.size())};
  return out + bytes_of<std::uint32_t>(dims, true) + data;
}

std::string gzip(const std::string& text) {
  std::string out(text.size() + 100, '\0');
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

const std::vector<double> kValues = {1, 2, 3, 4, 5, 6};
const char kHeader[] = "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }\n";

struct Sound {
  const char* name;
  std::string content;
};
class SoundFiles : public TestWithParam<Sound> {};

TEST_P(SoundFiles, GiveTwoSamplesOfThree) {
  const auto samples = parse_samples("x", GetParam().content, Shape{3});
  ASSERT_TRUE(samples.ok()) << samples.error().message;
  EXPECT_EQ(samples->count, 2);
  EXPECT_EQ(samples->values, kValues);
}

std::string header(const char* type) {
  return std::string("{'descr': '") + type + "', 'fortran_order': False, 'shape': (2, 3), }";
}

INSTANTIATE_TEST_SUITE_P(
    All, SoundFiles,
    ::testing::Values(
        Sound{"Csv", "1,2,3\n4,5,6\n"}, Sound{"CsvNoLastLineEnd", "1,2,3\n4,5,6"},
        Sound{"CsvHeader", "a,b,c\n1,2,3\n4,5,6\n"},
        Sound{"CsvWindows",
              "\xEF\xBB\xBF"
              "1,2,3\r\n4,5,6\r\n"},
        Sound{"CsvSpaces", " 1  2 3 \n\n4 5   6\n\n"}, Sound{"CsvTabs", "1\t2\t3\n4\t5\t6\n"},
        Sound{"CsvSemicolons", "1; 2; 3\n+4;5e0;\"6\"\n"}, Sound{"CsvGzip", gzip("1,2,3\n4,5,6\n")},
        Sound{"IdxU8", idx(8, {2, 3}, bytes_of<std::uint8_t>({1, 2, 3, 4, 5, 6}))},
        Sound{"IdxF32", idx(13, {2, 3}, bytes_of<float>({1, 2, 3, 4, 5, 6}, true))},
        Sound{"IdxI16", idx(11, {2, 3}, bytes_of<std::int16_t>({1, 2, 3, 4, 5, 6}, true))},
        Sound{"IdxOtherAxes", idx(8, {2, 1, 3}, bytes_of<std::uint8_t>({1, 2, 3, 4, 5, 6}))},
        Sound{"IdxGzip", gzip(idx(8, {2, 3}, bytes_of<std::uint8_t>({1, 2, 3, 4, 5, 6})))},
        Sound{"NpyF8", npy(kHeader, bytes_of<double>(kValues))},
        Sound{"NpyVersion2", npy(kHeader, bytes_of<double>(kValues), 2)},
        Sound{"NpyBigEndian", npy(header(">f4"), bytes_of<float>({1, 2, 3, 4, 5, 6}, true))},
        Sound{"NpyF2", npy(header("<f2"), bytes_of<std::uint16_t>({0x3c00, 0x4000, 0x4200, 0x4400,
                                                                   0x4500, 0x4600}))},
        Sound{"NpyU1", npy(header("|u1"), bytes_of<std::uint8_t>({1, 2, 3, 4, 5, 6}))},
        Sound{"NpyI4", npy(header("<i4"), bytes_of<std::int32_t>({1, 2, 3, 4, 5, 6}))},
        Sound{"NpyI8", npy(header("<i8"), bytes_of<std::int64_t>({1, 2, 3, 4, 5, 6}))}),
    [](const auto& tested) { return tested.param.name; });

struct Damaged {
  const char* name;
  std::string content, message, hint;
};
class DamagedFiles : public TestWithParam<Damaged> {};

TEST_P(DamagedFiles, AreRefusedWithTheFact) {
  const auto samples = parse_samples("x", GetParam().content, Shape{3});
  ASSERT_FALSE(samples.ok());
  EXPECT_EQ(samples.error().code, ExitCode::kData);
  EXPECT_EQ(samples.error().message, GetParam().message);
  EXPECT_EQ(samples.error().hint, GetParam().hint);
}

const Damaged kDamaged[] = {
    {"Empty", "", "x: is empty", ""},
    {"OnlyBlankLines", "\n\n", "x: is empty", ""},
    {"OnlyHeader", "a,b,c\n\n", "x: has a header and no samples", ""},
    {"Word", "1,2,3\n4,abc,6\n", "x: line 2, column 2: `abc` is not a number", ""},
    {"WordInFirstLine", "1,abc,3\n", "x: line 1, column 2: `abc` is not a number", ""},
    {"EmptyCell", "1,2,3\n4,,6\n", "x: line 2, column 2: an empty cell is not a number", ""},
    {"TrailingText", "1,2,3x\n", "x: line 1, column 3: `3x` is not a number", ""},
    {"Nan", "1,2,3\n4,nan,6\n", "x: line 2, column 2: `nan` is not a finite number", ""},
    {"Infinite", "1,2,-inf\n", "x: line 1, column 3: `-inf` is not a finite number", ""},
    {"TooLarge", "1,2,1e999\n", "x: line 1, column 3: `1e999` is not a number", ""},
    {"Ragged", "1,2,3\n4,5\n", "x: line 2 has 2 values, and the first line has 3", ""},
    {"Columns", "1,2\n4,5\n", "x: a sample has 2 values ([2]), and the model takes 3 ([3])", ""},
    {"LabelColumn", "7,1,2,3\n", "x: a sample has 4 values ([4]), and the model takes 3 ([3])",
     "leave out a column that holds labels or an index"},
    {"Binary", std::string("\x01\x02\0\x03", 4),
     "x: is none of the formats that can be read: IDX, NPY, CSV, PNG, JPEG", ""},
    {"GzipCut", gzip("1,2,3\n4,5,6\n").substr(0, 20),
     "x: the gzip data are damaged after 9 bytes: it ends too early", ""},
    {"IdxMagic", std::string("\0\0\x07\x01\0\0\0\x01z", 9),
     "x: is no IDX file: it does not begin with IDX's magic number", ""},
    {"IdxHeader", std::string("\0\0\x08\x03\0\0", 6), "x: ends inside its header, at offset 6", ""},
    {"IdxShort", idx(8, {2, 3}, "abcde"),
     "x: its header promises 6 bytes of data behind offset 12, and there are 5", ""},
    {"IdxLong", idx(8, {2, 3}, "abcdefg"),
     "x: its header promises 6 bytes of data behind offset 12, and there are 7", ""},
    {"IdxOverflow", idx(8, {0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF}, "abc"),
     "x: its header gives an impossible shape: the shape has too many elements", ""},
    {"IdxNone", idx(8, {0, 3}, ""), "x: holds no samples", ""},
    {"IdxLabels", idx(8, {6}, "abcdef"),
     "x: a sample has 1 value ([]), and the model takes 3 ([3])", ""},
    {"NpyCut", npy(kHeader, "abc"),
     "x: its header promises 48 bytes of data behind offset 70, and there are 3", ""},
    {"NpyHeaderCut", npy(kHeader, "").substr(0, 30), "x: ends inside its header, at offset 30", ""},
    {"NpyVersion", npy(kHeader, "", 9), "x: is an NPY file of version 9; 1 to 3 are known", ""},
    {"NpyFortran",
     npy("{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3), }", bytes_of<double>(kValues)),
     "x: is in Fortran order", "save numpy.ascontiguousarray(x) instead"},
    {"NpyObjects", npy(header("|O8"), "abc"),
     "x: holds elements of type `|O8`; ints, f2, f4, f8 and bool can be read",
     "save the array as .astype(\"float32\")"},
    {"NpyScalar",
     npy("{'descr': '<f8', 'fortran_order': False, 'shape': (), }", bytes_of<double>({1})),
     "x: holds a single number, where samples are wanted", ""},
    {"NpyNoHeader", npy("nonsense", ""), "x: its header cannot be read: `nonsense`", ""},
    {"NpyNan", npy(kHeader, bytes_of<double>({1, 2, 3, 4, std::nan(""), 6})),
     "x: value 2 of sample 2 is nan, at offset 102", ""},
};

INSTANTIATE_TEST_SUITE_P(All, DamagedFiles, ::testing::ValuesIn(kDamaged),
                         [](const auto& tested) { return tested.param.name; });

TEST(SampleFiles, TakesOneSampleWithoutItsBatchAxis) {
  const auto samples = parse_samples("x", idx(8, {2, 3}, "abcdef"), Shape{2, 3});
  ASSERT_TRUE(samples.ok());
  EXPECT_EQ(samples->count, 1);
}

// No prefix and no single changed byte of a file may do worse than be refused.
TEST(SampleFiles, SurviveDamageAnywhere) {
  const std::string files[] = {npy(kHeader, bytes_of<double>(kValues)), gzip("1,2,3\n4,5,6\n"),
                               idx(13, {2, 3}, bytes_of<float>({1, 2, 3, 4, 5, 6}, true)),
                               "a;b;c\n1;2;3\n"};
  for (const std::string& file : files) {
    for (std::size_t i = 0; i < file.size(); ++i) {
      (void)parse_samples("x", file.substr(0, i), Shape{3}).ok();
      for (const int change : {1, 0x80, 0xFF}) {
        std::string changed = file;
        changed[i] = static_cast<char>(changed[i] ^ change);
        (void)parse_samples("x", changed, Shape{3}).ok();
      }
    }
  }
}

}  // namespace
}  // namespace strata::app
