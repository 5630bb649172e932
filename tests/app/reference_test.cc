// docs/reference.md is what this program would write.
#include <gtest/gtest.h>

#include "tests/app/run_trainer.h"

namespace strata::testing {
namespace {

TEST(Reference, IsUpToDate) {
  const Ran ran = run_trainer({"reference"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_TRUE(ran.out == read_text(repository_file("docs/reference.md")))
      << "docs/reference.md is stale; this writes it anew:\n"
         "  ./bazelw run //:trainer -- reference > docs/reference.md";
}

}  // namespace
}  // namespace strata::testing
