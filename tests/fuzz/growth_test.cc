// The front end's work grows with the file and no faster: ten times the input may take some more
// than ten times the allocations and bytes, whatever the machine. Times are measured by
// tests/benchmarks/front_end_cost.sh.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <new>
#include <string>

#include "framework/graph/program.h"

namespace {
thread_local std::int64_t allocations = 0, allocated_bytes = 0;
}

void* operator new(std::size_t size) {
  ++allocations;
  allocated_bytes += static_cast<std::int64_t>(size);
  if (void* memory = std::malloc(size ? size : 1)) return memory;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++allocations;
  allocated_bytes += static_cast<std::int64_t>(size);
  return std::malloc(size ? size : 1);
}
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace strata {
namespace {

constexpr int kSmall = 300;
constexpr double kMostGrowth =
    12;  // for ten times as much: linear, and room for what doubles now and then

struct Work {
  std::int64_t allocations = 0, bytes = 0;
  int errors = 0;
};

Work work_of(const std::string& text) {
  static const Registry registry = Registry::builtin();
  Sources sources;
  Diagnostics diagnostics;
  const std::int64_t allocations_before = allocations, bytes_before = allocated_bytes;
  const auto program = elaborate_text("growth.model", text, registry, sources, diagnostics);
  EXPECT_TRUE(program.ok());
  EXPECT_EQ(render(diagnostics).empty(), diagnostics.all().empty());
  return {allocations - allocations_before, allocated_bytes - bytes_before, diagnostics.errors()};
}

// `make` writes a file of `n` pieces.
template <class Make>
void expect_linear(const Make& make, bool sound) {
  work_of(make(2));  // what is made once
  const Work small = work_of(make(kSmall)), large = work_of(make(10 * kSmall));
  EXPECT_EQ(large.errors == 0, sound);
  EXPECT_LE(static_cast<double>(large.allocations),
            kMostGrowth * static_cast<double>(small.allocations));
  EXPECT_LE(static_cast<double>(large.bytes), kMostGrowth * static_cast<double>(small.bytes));
}

std::string repeated(int n, const std::string& piece) {  // `#` in it is the number
  std::string out;
  for (int i = 0; i < n; ++i) {
    for (const char c : piece) out += c == '#' ? std::to_string(i) : std::string(1, c);
  }
  return out;
}

std::string model(const std::string& body) {
  return "format 1\nmodel m(x: [16]) -> y {\n" + body + "\n}\n";
}

TEST(Growth, Statements) {
  expect_linear(
      [](int n) {
        return model(repeated(n, "  v# = x -> Dense(4) -> ReLU\n") + "  y = x -> ReLU\n");
      },
      true);
}

TEST(Growth, OneFlow) {
  expect_linear(
      [](int n) {
        return model("  y = x" + repeated(n, " -> Dense(4, bias = false)\n    -> ReLU"));
      },
      true);
}

TEST(Growth, Loops) {
  expect_linear(
      [](int n) {
        return model("  y = x -> repeat " + std::to_string(n) +
                     " { for i in 1..3 { Dense(4 * i) -> ReLU } }");
      },
      true);
}

TEST(Growth, Blocks) {
  expect_linear(
      [](int n) {
        return "format 1\n" + repeated(n, "block b#(x, units) -> y { y = x -> Dense(units) }\n") +
               model("  y = x" + repeated(n, " -> b#(8)")).substr(9);
      },
      true);
}

TEST(Growth, ResidualBlocks) {
  expect_linear(
      [](int n) {
        return "format 1\n"
               "block layer(x, units) -> y { y = x -> Dense(units, bias = false) -> BatchNorm }\n"
               "block residual(x, units) -> y {\n"
               "  main = x -> layer(units) -> ReLU -> layer(units)\n"
               "  skip = x -> if x.features != units { layer(units) }\n"
               "  y    = Add(main, skip) -> ReLU\n}\n" +
               model("  y = x -> for units in [16, 32] { repeat " + std::to_string(n) +
                     " { residual(units) } }")
                   .substr(9);
      },
      true);
}

TEST(Growth, ChainedConstants) {
  expect_linear(
      [](int n) {
        return "format 1\nlet a = 1\n" + repeated(n, "let b# = a + #\n") +
               model(repeated(n, "  v# = x -> Dense(b#)\n") + "  y = x -> ReLU").substr(9);
      },
      true);
}

// Errors: their number is limited, so more of them do not cost more than the file does.
TEST(Growth, SyntaxErrors) {
  expect_linear([](int n) { return "format 1\n" + repeated(n, "let a# = (\n"); }, false);
}

TEST(Growth, UnknownNames) {
  expect_linear([](int n) { return "format 1\n" + repeated(10 * n, "let a# = b#\n"); }, false);
}

TEST(Growth, UnknownLayers) {
  expect_linear([](int n) { return model("  y = x" + repeated(n, " -> Foo#(3)\n")); }, false);
}

}  // namespace
}  // namespace strata
