// Products of every orientation and many odd shapes against sums written out; the same bits on any
// number of threads.
#include "framework/tensor/matmul.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "framework/base/random.h"
#include "framework/tensor/parallel.h"

namespace strata {
namespace {

template <class T>
std::vector<T> numbers(std::uint64_t seed, std::int64_t count) {
  std::vector<std::uint32_t> words(static_cast<std::size_t>(count));
  random_words({seed, 7}, 0, count, words.data());
  std::vector<T> out;
  for (const std::uint32_t word : words)
    out.push_back(static_cast<T>(word) / static_cast<T>(1u << 31) - T(1));
  return out;
}

struct Case {
  bool transpose_a, transpose_b, accumulate;
  std::int64_t m, n, k, gap;  // gap: columns between rows that belong to nobody
};

template <class T>
void check(const Case& at) {
  const std::int64_t lda = (at.transpose_a ? at.m : at.k) + at.gap,
                     ldb = (at.transpose_b ? at.k : at.n) + at.gap;
  const std::int64_t ldc = at.n + at.gap;
  const auto a = numbers<T>(1, lda * (at.transpose_a ? at.k : at.m) + 1);
  const auto b = numbers<T>(2, ldb * (at.transpose_b ? at.n : at.k) + 1);
  const auto before = numbers<T>(3, ldc * at.m + 1);
  auto c = before;
  matmul<T>(at.transpose_a, at.transpose_b, at.m, at.n, at.k, a.data(), lda, b.data(), ldb,
            at.accumulate, c.data(), ldc);
  const double tolerance = (sizeof(T) == 4 ? 1e-6 : 1e-15) * static_cast<double>(at.k + 1);
  for (std::int64_t i = 0; i < at.m; ++i) {
    for (std::int64_t j = 0; j < ldc; ++j) {
      const auto index = static_cast<std::size_t>(i * ldc + j);
      if (j >= at.n) {
        ASSERT_EQ(c[index], before[index]) << "wrote outside its columns";
        continue;
      }
      double wanted = at.accumulate ? static_cast<double>(before[index]) : 0;
      for (std::int64_t p = 0; p < at.k; ++p) {
        wanted += static_cast<double>(
                      a[static_cast<std::size_t>(at.transpose_a ? p * lda + i : i * lda + p)]) *
                  static_cast<double>(
                      b[static_cast<std::size_t>(at.transpose_b ? j * ldb + p : p * ldb + j)]);
      }
      ASSERT_NEAR(static_cast<double>(c[index]), wanted, tolerance)
          << at.m << "x" << at.n << "x" << at.k << (at.transpose_a ? " ta" : "")
          << (at.transpose_b ? " tb" : "") << " at " << i << ", " << j;
    }
  }
}

TEST(Matmul, AgreesWithSumsWrittenOut) {
  ThreadPool pool(2);
  pool.run([] {
    for (const std::int64_t m : {1, 2, 5, 6, 7, 13, 65, 130}) {
      for (const std::int64_t n : {1, 3, 10, 16, 17, 47, 64, 65, 129}) {
        for (const std::int64_t k : {1, 4, 7, 64, 257}) {
          for (int flags = 0; flags < 8; ++flags) {
            const Case at{(flags & 1) != 0, (flags & 2) != 0, (flags & 4) != 0, m, n, k,
                          (m + n) % 3};
            check<float>(at);
            if (k < 100) check<double>(at);
          }
        }
      }
    }
  });
}

TEST(Matmul, AnEmptySumIsZero) {
  std::vector<float> c(6, 5.0f);
  matmul<float>(false, false, 2, 3, 0, nullptr, 1, nullptr, 3, false, c.data(), 3);
  EXPECT_EQ(c, std::vector<float>(6, 0.0f));
}

TEST(Matmul, SameBitsOnAnyNumberOfThreads) {
  const std::int64_t m = 96, n = 300, k = 200;
  const auto a = numbers<float>(1, m * k), b = numbers<float>(2, k * n);
  for (int flags = 0; flags < 4; ++flags) {
    std::vector<float> first;
    for (const int threads : {1, 2, 3, 8}) {
      std::vector<float> c(static_cast<std::size_t>(m * n));
      ThreadPool pool(threads);
      pool.run([&] {
        matmul<float>(flags & 1, flags & 2, m, n, k, a.data(), flags & 1 ? m : k, b.data(),
                      flags & 2 ? k : n, false, c.data(), n);
      });
      if (first.empty()) first = c;
      EXPECT_EQ(c, first) << threads << " threads";
    }
  }
}

// Rows that overlap, as a convolution's do, and rows in any order.
template <class T>
void check_rows(std::int64_t m, std::int64_t n, std::int64_t k, bool accumulate) {
  const std::int64_t long_rows = std::max(m, k) * 3 + std::max(n, k) + 1;
  const auto band = numbers<T>(1, long_rows);
  const auto a = numbers<T>(2, m * k + 1), b = numbers<T>(3, k * n + 1),
             before = numbers<T>(4, m * n);
  std::vector<const T*> rows_of_a, rows_of_b;
  for (std::int64_t i = 0; i < m; ++i) rows_of_a.push_back(band.data() + (i * 7 % (3 * m)));
  for (std::int64_t p = 0; p < k; ++p) rows_of_b.push_back(band.data() + (p * 5 % (3 * k)));
  auto by_a = before, by_b = before;
  matmul_rows_of_a<T>(m, n, k, rows_of_a.data(), b.data(), n, accumulate, by_a.data(), n);
  matmul_rows_of_b<T>(m, n, k, a.data(), k, rows_of_b.data(), accumulate, by_b.data(), n);
  const double tolerance = (sizeof(T) == 4 ? 1e-6 : 1e-15) * static_cast<double>(k + 1);
  const auto at = [](std::int64_t i) { return static_cast<std::size_t>(i); };
  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      double wanted_a = accumulate ? static_cast<double>(before[at(i * n + j)]) : 0;
      double wanted_b = wanted_a;
      for (std::int64_t p = 0; p < k; ++p) {
        wanted_a +=
            static_cast<double>(rows_of_a[at(i)][p]) * static_cast<double>(b[at(p * n + j)]);
        wanted_b +=
            static_cast<double>(a[at(i * k + p)]) * static_cast<double>(rows_of_b[at(p)][j]);
      }
      ASSERT_NEAR(static_cast<double>(by_a[at(i * n + j)]), wanted_a, tolerance);
      ASSERT_NEAR(static_cast<double>(by_b[at(i * n + j)]), wanted_b, tolerance);
    }
  }
}

TEST(Matmul, TakesOperandsRowByRow) {
  for (const bool accumulate : {false, true}) {
    for (const std::int64_t m : {1, 5, 6, 16, 20}) {
      for (const std::int64_t n : {1, 15, 16, 64, 100}) {
        for (const std::int64_t k : {0, 1, 9, 127, 128, 300}) {
          check_rows<float>(m, n, k, accumulate);
          check_rows<double>(m, n, k, accumulate);
        }
      }
    }
  }
}

}  // namespace
}  // namespace strata
