#include "tests/report/browser.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace strata::testing {
namespace {

using Json = nlohmann::json;

constexpr int kPatience = 60'000;  // milliseconds for an answer, on a busy machine

std::string decode_base64(const std::string& text) {
  std::string out;
  unsigned bits = 0;
  int count = 0;
  for (const char c : text) {
    const std::size_t value =
        std::string("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/").find(c);
    if (value == std::string::npos) continue;
    bits = bits << 6 | static_cast<unsigned>(value);
    if ((count += 6) < 8) continue;
    count -= 8;
    out += static_cast<char>(bits >> count & 0xFF);
  }
  return out;
}

}  // namespace

std::string find_chromium() {
  for (const char* path :
       {"/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"})
    if (::access(path, X_OK) == 0) return path;
  return {};
}

Browser::Browser(const std::string& program) {
  const char* base = std::getenv("TEST_TMPDIR");
  profile_ = std::string(base ? base : "/tmp") + "/chromium.XXXXXX";
  int down[2], up[2];
  if (!::mkdtemp(profile_.data()) || ::pipe2(down, O_CLOEXEC) != 0 || ::pipe2(up, O_CLOEXEC) != 0)
    throw std::runtime_error("no folder or pipes for the browser");
  ::signal(SIGPIPE, SIG_IGN);
  process_ = ::fork();
  if (process_ == 0) {
    ::setpgid(0, 0);
    // It reads commands from 3 and writes answers to 4; what lies there already moves up first.
    const int in = ::fcntl(down[0], F_DUPFD, 10), out = ::fcntl(up[1], F_DUPFD, 10);
    ::dup2(in, 3);
    ::dup2(out, 4);
    ::close(in);
    ::close(out);
    const int quiet = ::open("/dev/null", O_WRONLY);
    ::dup2(quiet, 2);
    ::setenv("HOME", profile_.c_str(), 1);
    const std::string profile = "--user-data-dir=" + profile_;
    ::execl(program.c_str(), program.c_str(), "--headless=new", "--no-sandbox", "--disable-gpu",
            "--disable-dev-shm-usage", "--disable-background-networking", "--no-first-run",
            "--disable-component-update", "--disable-sync", "--hide-scrollbars",
            "--remote-debugging-pipe", profile.c_str(), "about:blank", nullptr);
    ::_exit(127);
  }
  ::close(down[0]);
  ::close(up[1]);
  to_ = down[1];
  from_ = up[0];
  const Json target = call("Target.createTarget", {{"url", "about:blank"}});
  session_ = call("Target.attachToTarget",
                  {{"targetId", target["targetId"]}, {"flatten", true}})["sessionId"];
  for (const char* domain : {"Page", "Runtime", "Log", "Network"})
    call(std::string(domain) + ".enable", Json::object());
}

Browser::~Browser() {
  ::close(to_);
  ::close(from_);
  if (process_ > 0) {
    ::kill(-process_, SIGKILL);  // its own group: the browser and its helpers
    ::waitpid(process_, nullptr, 0);
  }
  std::error_code ignored;
  std::filesystem::remove_all(profile_, ignored);
}

Json Browser::receive() {
  std::size_t end = 0;
  while ((end = buffer_.find('\0')) == std::string::npos) {
    pollfd ready{from_, POLLIN, 0};
    if (::poll(&ready, 1, kPatience) <= 0) throw std::runtime_error("the browser does not answer");
    char bytes[65536];
    const ssize_t size = ::read(from_, bytes, sizeof bytes);
    if (size <= 0) throw std::runtime_error("the browser has ended");
    buffer_.append(bytes, static_cast<std::size_t>(size));
  }
  Json message = Json::parse(buffer_.substr(0, end));
  buffer_.erase(0, end + 1);
  return message;
}

void Browser::note(const Json& event) {
  const std::string method = event.value("method", "");
  if (method == "Page.loadEventFired") loaded_ = true;
  if (method == "Network.requestWillBeSent")
    requests.push_back(event["params"]["request"]["url"].get<std::string>());
  if (method == "Runtime.exceptionThrown" || method == "Log.entryAdded" ||
      (method == "Runtime.consoleAPICalled" && event["params"]["type"] == "error"))
    complaints.push_back(event["params"].dump());
}

Json Browser::call(const std::string& method, Json parameters) {
  Json message = {{"id", ++last_id_}, {"method", method}, {"params", std::move(parameters)}};
  if (!session_.empty()) message["sessionId"] = session_;
  const std::string text = message.dump() + '\0';
  for (std::size_t sent = 0; sent < text.size();) {
    const ssize_t size = ::write(to_, text.data() + sent, text.size() - sent);
    if (size <= 0) throw std::runtime_error("the browser has ended");
    sent += static_cast<std::size_t>(size);
  }
  for (;;) {
    const Json answer = receive();
    if (!answer.contains("id")) {
      note(answer);
    } else if (answer["id"] == last_id_) {
      if (answer.contains("error")) throw std::runtime_error(answer["error"].dump());
      return answer["result"];
    }
  }
}

void Browser::open(const std::string& file) {
  loaded_ = false;
  call("Page.navigate", {{"url", "file://" + file}});
  while (!loaded_) note(receive());
}

Json Browser::evaluate(const std::string& expression) {
  const Json result =
      call("Runtime.evaluate",
           {{"expression", expression}, {"returnByValue", true}, {"awaitPromise", true}});
  if (result.contains("exceptionDetails"))
    throw std::runtime_error(result["exceptionDetails"].dump());
  return result["result"].value("value", Json());
}

void Browser::screenshot(const std::string& path, bool whole_page) {
  const Json shot =
      call("Page.captureScreenshot", {{"format", "png"}, {"captureBeyondViewport", whole_page}});
  std::ofstream(path, std::ios::binary) << decode_base64(shot["data"].get<std::string>());
}

}  // namespace strata::testing
