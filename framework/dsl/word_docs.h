// What `trainer explain` says of the words and signs of the language itself: `block`, `for`, `->`.
#pragma once

#include <string_view>
#include <vector>

namespace strata::dsl {

struct WordDoc {
  std::string_view word;
  std::string_view title;    // a phrase: "a loop over a list or a range"
  std::string_view text;     // plain sentences; may be empty
  std::string_view example;  // a piece of a model file
};

const std::vector<WordDoc>& word_docs();

}  // namespace strata::dsl
