// CSV and NPY: what comes out of good files, and what is said of others.
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/plugins/plugin_test.h"

namespace strata::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using Values = std::vector<double>;

class TableData : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "strata-tables-XXXXXX").string();
    root_ = mkdtemp(name.data());
  }
  void TearDown() override { fs::remove_all(root_); }

  std::string write(const std::string& name, const std::string& bytes) const {
    std::ofstream(root_ / name, std::ios::binary)
        .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return (root_ / name).string();
  }

  Json csv(const std::string& bytes, Json more = Json::object()) const {
    more["path"] = write("table.csv", bytes);
    if (!more.contains("target")) more["target"] = "y";
    return more;
  }

  // What is said where it cannot be opened; without the folder's name.
  std::string complaint(const std::string& kind, const Json& options) const {
    const auto opened = open_dataset(*create(STRATA_DATASET, kind, options), {});
    if (opened) return "opened";
    std::string message = opened.error().message;
    const std::string folder = root_.string() + "/";
    for (std::size_t at; (at = message.find(folder)) != std::string::npos;)
      message.erase(at, folder.size());
    return message;
  }

  fs::path root_;
};

// Samples [0, count) of a split: the first field in f64, and the second one.
std::pair<Values, Values> samples(const InstancePtr& dataset, std::int64_t split,
                                  std::int64_t count) {
  const auto opened = open_dataset(*dataset, {});
  if (!opened) throw std::runtime_error(opened.error().message);
  std::vector<std::int64_t> indices;
  for (std::int64_t i = 0; i < count; ++i) indices.push_back(i);
  const auto& fields = opened->fields;
  Buffer<double> first(count * fields[0].shape.elements()),
      target(count * fields[1].shape.elements());
  Buffer<std::uint8_t> bytes(first.size());
  Buffer<std::int32_t> label(count);
  const bool labels = fields[1].dtype == STRATA_I32, u8 = fields[0].dtype == STRATA_U8;
  void* out[] = {u8 ? static_cast<void*>(bytes.data()) : first.data(),
                 labels ? static_cast<void*>(label.data()) : target.data()};
  EXPECT_TRUE(call_plugin(dataset->functions<strata_dataset>().read, dataset->raw(), split,
                          indices.data(), count, std::int32_t{STRATA_F64}, out)
                  .ok());
  Values x = first.values(), y = target.values();
  if (u8) x.assign(bytes.data(), bytes.data() + bytes.size());
  if (labels) y.assign(label.data(), label.data() + count);
  return {x, y};
}

TEST_F(TableData, NumbersStayAndWordsBecomeOnesAndZeros) {
  const InstancePtr dataset =
      create(STRATA_DATASET, "CSV",
             csv("size, colour ,y\n1.5,red,cat\n-2e1,\"blue\",dog\n+3,red,cat\n", {{"val", 0.0}}));
  const auto opened = open_dataset(*dataset, {});
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  EXPECT_EQ(opened->fields[0].shape, Shape{3});
  EXPECT_EQ(opened->fields[1].name, "label");
  EXPECT_EQ(opened->fields[1].class_names, std::vector<std::string>({"cat", "dog"}));
  ASSERT_EQ(opened->splits.size(), 1u);
  const auto [x, y] = samples(dataset, 0, 3);
  EXPECT_EQ(x, Values({1.5, 0, 1, -20, 1, 0, 3, 0, 1}));
  EXPECT_EQ(y, Values({0, 1, 0}));
}

TEST_F(TableData, ANumberToPredictIsAValueUnlessItIsSaidToBeAName) {
  const std::string bytes = "a;y\n1;7\n2;9\n";
  const Json value = csv(bytes, {{"val", 0.0}, {"delimiter", ";"}});
  EXPECT_EQ(samples(create(STRATA_DATASET, "CSV", value), 0, 2).second, Values({7, 9}));
  const Json label =
      csv(bytes, {{"val", 0.0}, {"delimiter", ";"}, {"categorical", Json::array({"y"})}});
  EXPECT_EQ(samples(create(STRATA_DATASET, "CSV", label), 0, 2).second, Values({0, 1}));
}

TEST_F(TableData, QuotesMayHoldDelimitersQuotesAndLines) {
  const Json options =
      csv("\xef\xbb\xbfname,y\r\n\"a, \"\"b\"\"\nc\",1\r\n\r\nd,2\r\n", {{"val", 0.0}});
  const auto [x, y] = samples(create(STRATA_DATASET, "CSV", options), 0, 2);
  EXPECT_EQ(x, Values({1, 0, 0, 1}));
  EXPECT_EQ(y, Values({1, 2}));
}

TEST_F(TableData, WithoutAHeaderColumnsAreNumbered) {
  const Json options =
      csv("1,2,3\n4,5,6\n", {{"val", 0.0}, {"header", false}, {"target", "column_1"}});
  EXPECT_EQ(samples(create(STRATA_DATASET, "CSV", options), 0, 2),
            std::pair(Values({1, 3, 4, 6}), Values({2, 5})));
}

TEST_F(TableData, MissingValuesAreRefusedDroppedOrFilled) {
  const std::string bytes = "a,b,y\n1,x,1\n,x,2\n3,NA,3\n";
  EXPECT_EQ(complaint("CSV", csv(bytes)), "table.csv:3: `a` is missing");
  const Json drop = csv(bytes, {{"val", 0.0}, {"missing", "drop"}});
  EXPECT_EQ(samples(create(STRATA_DATASET, "CSV", drop), 0, 1).first, Values({1, 1}));
  const Json fill = csv(bytes, {{"val", 0.0}, {"missing", "fill"}});
  EXPECT_EQ(samples(create(STRATA_DATASET, "CSV", fill), 0, 3).first, Values({1, 1, 2, 1, 3, 0}));
  EXPECT_EQ(complaint("CSV", csv("a,y\n1,\n", {{"missing", "fill"}})),
            "table.csv:2: `y` is missing");
}

TEST_F(TableData, AFewWordsAmongNumbersAreASlip) {
  EXPECT_EQ(complaint("CSV", csv("a,y\n1,1\n2,2\n3x,3\n")),
            "table.csv:4: `a` is `3x`, and most values of the column are numbers");
  for (const char* number : {"inf", "-Infinity", "1e999", "0x10", "1,5"}) {
    EXPECT_EQ(complaint("CSV", csv(std::string("a;y\n1;1\n2;2\n") + number + ";3\n",
                                   {{"delimiter", ";"}})),
              std::string("table.csv:4: `a` is `") + number +
                  "`, and most values of the column are numbers");
  }
  EXPECT_EQ(complaint("CSV", csv("a,y\n1,1\n2,2\n3,n/a\n")),
            "table.csv:4: `y` is `n/a`, and most values of the column are numbers");
  EXPECT_EQ(complaint("CSV", csv("a,y\n1,1\n2,2\n",
                                 {{"val_path", write("val.csv", "a,y\n5,1\nfive,2\n")}})),
            "val.csv:3: `a` is `five`, and most values of the column are numbers");
  EXPECT_EQ(complaint("CSV", csv("a,y\n1,1\n2,2\n", {{"header", false}, {"target", "column_1"}})),
            "table.csv:1: `column_0` is `a`, and most values of the column are numbers");
  const Json said = csv("a,y\n1,1\n2,2\n3x,3\n", {{"val", 0.0}, {"categorical", {"a"}}});
  EXPECT_EQ(samples(create(STRATA_DATASET, "CSV", said), 0, 1).first, Values({1, 0, 0}));
  const Json words = csv("a,y\nA1,1\nB2,2\n3,3\n", {{"val", 0.0}});
  EXPECT_EQ(samples(create(STRATA_DATASET, "CSV", words), 0, 1).first, Values({0, 1, 0}));
}

TEST_F(TableData, AnotherDelimiterIsSuggested) {
  const auto hint = [&](const std::string& bytes, const Json& more = Json::object()) {
    const auto opened = open_dataset(*create(STRATA_DATASET, "CSV", csv(bytes, more)), {});
    return opened ? "opened" : opened.error().hint;
  };
  EXPECT_EQ(hint("a;y\n1;2\n"), "it has `a;y`; is that several, with `delimiter = \";\"`?");
  EXPECT_EQ(hint("a\ty\n1\t2\n"), "it has `a\ty`; is that several, with `delimiter = \"\\t\"`?");
  EXPECT_EQ(hint("a,y\n1,2\n", {{"delimiter", ";"}}),
            "it has `a,y`; is that several, with `delimiter = \",\"`?");
  EXPECT_EQ(hint("a,z\n1,2\n"), "it has `a`, `z`");
}

// A double is no reason for an infinity in f32.
TEST_F(TableData, ValuesBeyondF32AreSaid) {
  const InstancePtr dataset =
      create(STRATA_DATASET, "CSV", csv("word,size,y\nb,1e300,1\na,2,2\n", {{"val", 0.0}}));
  ASSERT_TRUE(open_dataset(*dataset, {}).ok());
  EXPECT_EQ(samples(dataset, 0, 1).first, Values({0, 1, 1e300}));
  const std::int64_t first = 0;
  float features[3], target[1];
  void* fields[] = {features, target};
  const Status read =
      call_plugin(dataset->functions<strata_dataset>().read, dataset->raw(), std::int64_t{0},
                  &first, std::int64_t{1}, std::int32_t{STRATA_F32}, fields);
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code, ExitCode::kData);
  EXPECT_EQ(read.error().message, "`size` has the value 1e+300, and f32 ends at 3.4e+38");
}

TEST_F(TableData, AShareOfTheRowsIsForValidation) {
  std::string bytes = "a,y\n";
  for (int i = 0; i < 50; ++i) bytes += std::to_string(i) + "," + std::to_string(i) + "\n";
  const auto opened = open_dataset(*create(STRATA_DATASET, "CSV", csv(bytes, {{"val", 0.3}})), {});
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(opened->splits[0].samples, 35);
  EXPECT_EQ(opened->splits[1].samples, 15);
  const auto rows = [&](std::int64_t seed) {
    return samples(create(STRATA_DATASET, "CSV", csv(bytes, {{"val", 0.3}, {"seed", seed}})), 1, 15)
        .second;
  };
  EXPECT_EQ(rows(1), rows(1));
  EXPECT_NE(rows(1), rows(2));
}

TEST_F(TableData, RowsToValidateMayHaveAFileOfTheirOwn) {
  const Json options =
      csv("a,y\nred,1\n", {{"val_path", write("val.csv", "a,y\nblue,2\nred,3\n")}});
  const InstancePtr dataset = create(STRATA_DATASET, "CSV", options);
  EXPECT_EQ(samples(dataset, 0, 1), std::pair(Values({0, 1}), Values({1})));
  EXPECT_EQ(samples(dataset, 1, 2), std::pair(Values({1, 0, 0, 1}), Values({2, 3})));
  EXPECT_EQ(complaint("CSV", csv("a,y\n1,1\n", {{"val_path", write("val.csv", "b,y\n1,1\n")}})),
            "val.csv has other columns than table.csv");
}

TEST_F(TableData, SaysWhatIsWrongWithATable) {
  EXPECT_EQ(complaint("CSV", csv("")), "table.csv is empty");
  EXPECT_EQ(complaint("CSV", csv("a,y\n")), "table.csv has no rows of data");
  EXPECT_EQ(complaint("CSV", csv("a,y\n1,2\n1,2,3\n")),
            "table.csv:3: the line has 3 fields, and the first one has 2");
  EXPECT_EQ(complaint("CSV", csv("a,y\n1\n")),
            "table.csv:2: the line has 1 field, and the first one has 2");
  EXPECT_EQ(complaint("CSV", csv("a,y\n1,\"2\n3,4\n")),
            "table.csv:2: a quoted field begins here and does not end");
  EXPECT_EQ(complaint("CSV", csv("a,y\n\"1\"2,3\n")),
            "table.csv:2: there is text after the closing quote of a field");
  EXPECT_EQ(complaint("CSV", csv("a,a\n1,2\n")), "table.csv:1: two columns are called `a`");
  EXPECT_EQ(complaint("CSV", csv("a,,,y\n1,2,3,4\n")), "table.csv:1: two columns have no name");
  EXPECT_EQ(complaint("CSV", csv("a,z\n1,2\n")), "table.csv has no column `y`");
  EXPECT_EQ(complaint("CSV", csv("y\n1\n")), "table.csv has no column besides the target");
  EXPECT_EQ(complaint("CSV", csv("a,y\n1,b\n2,b\n")),
            "the target `y` of table.csv is the same word in all rows");
  EXPECT_EQ(complaint("CSV", csv(std::string("a,y\n1,\0\n", 8))),
            "table.csv is not a text file: it has bytes of value 0");
  EXPECT_EQ(complaint("CSV", {{"path", (root_ / "none.csv").string()}, {"target", "y"}}),
            "none.csv cannot be read: No such file or directory");
  EXPECT_EQ(complaint("CSV", {{"path", root_.string() + "/."}, {"target", "y"}}),
            ". is a folder, not a file");
}

std::string npy(const std::string& type, const std::string& shape, const std::string& values,
                const std::string& order = "False") {
  std::string header =
      "{'descr': '" + type + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }";
  header.resize(118, ' ');
  header[117] = '\n';
  return std::string("\x93NUMPY\x01\x00\x76\x00", 10) + header + values;
}
template <class T>
std::string raw(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

TEST_F(TableData, ArraysAreReadInTheirTypes) {
  const std::string x = write("x.npy", npy("<f4", "(2, 3)", raw<float>({1, 2, 3, 4, 5, 6.5f})));
  const std::string bytes = write("u.npy", npy("|u1", "(2, 1, 2)", "\x01\x02\x03\xff"));
  const std::string label = write("y.npy", npy("<i8", "(2,)", raw<std::int64_t>({0, 4})));
  const std::string value = write("v.npy", npy("<f8", "(2,)", raw<double>({0.5, -4})));
  const auto make = [](const std::string& a, const std::string& b) {
    return create(STRATA_DATASET, "NPY", {{"path", a}, {"target_path", b}, {"val", 0.0}});
  };
  EXPECT_EQ(samples(make(x, label), 0, 2), std::pair(Values({1, 2, 3, 4, 5, 6.5}), Values({0, 4})));
  EXPECT_EQ(samples(make(bytes, value), 0, 2),
            std::pair(Values({1, 2, 3, 255}), Values({0.5, -4})));
  const auto opened = open_dataset(*make(bytes, label), {});
  EXPECT_EQ(opened->fields[0].shape, (Shape{1, 2}));
  EXPECT_EQ(opened->fields[0].dtype, STRATA_U8);
  EXPECT_EQ(opened->fields[1].classes, 5);
}

// As numpy.array([...]).astype("<f2").tobytes() writes them: subnormals and the largest, too.
TEST_F(TableData, ReadsHalves) {
  const std::string x = write(
      "x.npy",
      npy("<f2", "(2, 3)", raw<std::uint16_t>({0x3c00, 0xc100, 0x2e66, 0x7bff, 0x0001, 0x8000})));
  const std::string y = write("y.npy", npy("<f2", "(2,)", raw<std::uint16_t>({0x3555, 0xfbff})));
  const InstancePtr data =
      create(STRATA_DATASET, "NPY", {{"path", x}, {"target_path", y}, {"val", 0.0}});
  EXPECT_EQ(samples(data, 0, 2), std::pair(Values({1, -2.5, 0.0999755859375, 65504, 0x1p-24, 0}),
                                           Values({0.333251953125, -65504})));
  // Floats of one axis are values to predict, whatever their width.
  EXPECT_EQ(open_dataset(*data, {})->fields[1].dtype, STRATA_REAL);
}

TEST_F(TableData, SaysWhatIsWrongWithAnArray) {
  const std::string good = npy("<f4", "(2,)", raw<float>({1, 2}));
  const std::string y = write("y.npy", good);
  const auto said = [&](const std::string& bytes) {
    return complaint("NPY", {{"path", write("x.npy", bytes)}, {"target_path", y}});
  };
  EXPECT_EQ(said(good), "opened");
  EXPECT_EQ(said("NUMPY is not it"), "x.npy is not an NPY file");
  EXPECT_EQ(said(good.substr(0, 60)), "x.npy is truncated: it ends within its header");
  EXPECT_EQ(said(good.substr(0, good.size() - 1)),
            "x.npy is truncated: its header says 8 bytes of values, and 7 follow");
  EXPECT_EQ(said(good + "x"), "x.npy goes on after the values that its header describes");
  EXPECT_EQ(said(npy("<c8", "(1,)", raw<double>({1}))),
            "x.npy holds values of the type <c8, which is not known here");
  EXPECT_EQ(said(npy("<f4", "(2, 1)", raw<float>({1, 2}), "True")),
            "x.npy has its values column by column");
  EXPECT_EQ(said(npy("<f4", "()", raw<float>({1}))), "x.npy holds a single number, not samples");
  EXPECT_EQ(said(npy("<f4", "(0, 3)", "")), "x.npy holds no samples");
  EXPECT_EQ(said(npy("<f4", "(99999999, 99999999)", "")),
            "x.npy has a header with impossible sizes");
  EXPECT_EQ(said(npy("<f4", "(3,)", raw<float>({1, 2, 3}))),
            "y.npy has 2 targets, and x.npy has 3 samples");
  write("y.npy", npy("<i4", "(2,)", raw<std::int32_t>({1, -1})));
  EXPECT_EQ(said(good), "y.npy gives sample 1 the class -1, and classes are 0 to 2147483646");
}

std::string cifar(int images, int labels) {
  std::string bytes;
  for (int i = 0; i < images; ++i) {
    for (int label = 0; label < labels; ++label) bytes += static_cast<char>(i + label);
    for (int pixel = 0; pixel < 3072; ++pixel) bytes += static_cast<char>((i + pixel) % 256);
  }
  return bytes;
}

TEST_F(TableData, ReadsCifarRecords) {
  for (int i = 1; i <= 5; ++i) write("data_batch_" + std::to_string(i) + ".bin", cifar(2, 1));
  write("test_batch.bin", cifar(3, 1));
  const InstancePtr ten = create(STRATA_DATASET, "CIFAR10", {{"path", root_.string()}});
  const auto opened = open_dataset(*ten, {});
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  EXPECT_EQ(opened->splits[0].samples, 10);
  EXPECT_EQ(opened->splits[1].samples, 3);
  const auto [x, y] = samples(ten, 1, 3);
  EXPECT_EQ(y, Values({0, 1, 2}));
  EXPECT_EQ(x[2 * 3072 + 3071], (2 + 3071) % 256);

  write("train.bin", cifar(4, 2));
  write("test.bin", cifar(4, 2));
  const auto hundred = [&](const char* labels) {
    return create(STRATA_DATASET, "CIFAR100", {{"path", root_.string()}, {"labels", labels}});
  };
  EXPECT_EQ(samples(hundred("coarse"), 0, 4).second, Values({0, 1, 2, 3}));
  EXPECT_EQ(samples(hundred("fine"), 0, 4).second, Values({1, 2, 3, 4}));
}

TEST_F(TableData, SaysWhatIsWrongWithCifarFiles) {
  const Json options = {{"path", root_.string()}};
  write("train.bin", cifar(2, 2));
  EXPECT_EQ(complaint("CIFAR100", options), "test.bin cannot be read: No such file or directory");
  write("test.bin", cifar(2, 2).substr(1));
  EXPECT_EQ(complaint("CIFAR100", options),
            "test.bin is damaged: its 6147 bytes are not a multiple of 3074, which is the size of "
            "an image of CIFAR100");
  write("test.bin", "");
  EXPECT_EQ(complaint("CIFAR100", options), "test.bin is empty");
  write("test.bin", cifar(21, 2));
  EXPECT_EQ(complaint("CIFAR100", options),
            "test.bin is damaged: it gives image 20 the label 20, and the classes are 0 to 19");
  // The published ones have a known number of images.
  fs::create_directory(root_ / "cifar100");
  write("cifar100/train.bin", cifar(2, 2));
  write("cifar100/test.bin", cifar(2, 2));
  const auto opened = open_dataset(*create(STRATA_DATASET, "CIFAR100"), {root_.string()});
  ASSERT_FALSE(opened.ok());
  EXPECT_THAT(opened.error().message, HasSubstr("hold 2 images to train on, and there should be"));
}

}  // namespace
}  // namespace strata::test
