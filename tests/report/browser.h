// A headless Chromium that a test talks to through pipes (the DevTools protocol).
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace strata::testing {

// The program's path; empty where there is none.
std::string find_chromium();

class Browser {
 public:
  explicit Browser(const std::string& program);  // throws std::runtime_error where it fails
  ~Browser();
  Browser(const Browser&) = delete;
  Browser& operator=(const Browser&) = delete;

  // Opens a page and waits until it has loaded.
  void open(const std::string& file);
  // The value of an expression in the page; an exception there is one here.
  nlohmann::json evaluate(const std::string& expression);
  nlohmann::json call(const std::string& method, nlohmann::json parameters);
  void screenshot(const std::string& path, bool whole_page);

  // Of all pages so far: exceptions, console errors, refused requests; and every address asked for.
  std::vector<std::string> complaints, requests;

 private:
  nlohmann::json receive();
  void note(const nlohmann::json& event);

  int process_ = -1, to_ = -1, from_ = -1, last_id_ = 0;
  std::string profile_, session_, buffer_;
  bool loaded_ = false;
};

}  // namespace strata::testing
