// A page over HTTP while its runs train: for this machine alone, and for reading alone.
//
// Listens on the loopback address. A page of somebody else that the same browser shows could still
// send requests here, under a name that it has made to mean 127.0.0.1 (DNS rebinding), so requests
// for another host than this one's are refused. Nothing that a request says is ever a path: there
// are two answers, the page and the mark that says whether it has changed. Requests are short, few
// at a time, and have to come quickly.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "framework/base/error.h"

namespace strata::report {

struct LivePage {
  std::function<std::string()> mark;          // changes when the page does
  std::function<Result<std::string>()> page;  // made again when the mark has changed
};

struct ServeOptions {
  std::uint16_t port = 0;                            // 0: a free one
  const std::atomic<bool>* stop = nullptr;           // ends it
  std::function<void(const std::string& url)> ready;  // requests are answered from now on
};

// Until `stop` is set. Fails where the port is not to be had.
Status serve(const LivePage& live, const ServeOptions& options);

}  // namespace strata::report
