// The live page's server, spoken to byte by byte.
#include "framework/report/live/server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>
#include <thread>

namespace strata::report {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class Served : public ::testing::Test {
 protected:
  void SetUp() override {
    std::promise<std::string> ready;
    auto url = ready.get_future();
    live_ = {.mark = [this] { return std::to_string(version_.load()); },
             .page = [this]() -> Result<std::string> {
               if (broken_) return make_error(ExitCode::kData, "the runs are gone");
               return "page " + std::to_string(version_.load());
             }};
    options_.stop = &stop_;
    options_.ready = [&ready](const std::string& text) { ready.set_value(text); };
    thread_ = std::thread([this] { ended_ = serve(live_, options_).ok(); });
    const std::string text = url.get();
    EXPECT_THAT(text, StartsWith("http://127.0.0.1:"));
    port_ = std::stoi(text.substr(text.rfind(':') + 1));
  }
  void TearDown() override {
    stop_ = true;
    thread_.join();
    EXPECT_TRUE(ended_);
  }

  int connection(const char* to = "127.0.0.1") const {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port_));
    ::inet_pton(AF_INET, to, &address.sin_addr);
    if (::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0)
      return socket;
    ::close(socket);
    return -1;
  }
  // Sends the bytes and reads until the server closes.
  std::string ask(const std::string& bytes) const {
    const int socket = connection();
    (void)!::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    std::string answer;
    char buffer[4096];
    for (ssize_t size; (size = ::recv(socket, buffer, sizeof buffer, 0)) > 0;)
      answer.append(buffer, static_cast<std::size_t>(size));
    ::close(socket);
    return answer;
  }
  std::string get(const std::string& target, const std::string& host = {}) const {
    return ask("GET " + target + " HTTP/1.1\r\nHost: " +
               (host.empty() ? "127.0.0.1:" + std::to_string(port_) : host) + "\r\n\r\n");
  }

  LivePage live_;
  ServeOptions options_;
  std::atomic<bool> stop_{false}, broken_{false}, ended_{false};
  std::atomic<int> version_{1};
  std::thread thread_;
  int port_ = 0;
};

TEST_F(Served, GivesThePageAndItsMark) {
  const std::string page = get("/");
  EXPECT_THAT(page, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(page, HasSubstr("Content-Type: text/html; charset=utf-8\r\n"));
  EXPECT_THAT(page, HasSubstr("X-Content-Type-Options: nosniff\r\n"));
  EXPECT_THAT(page, HasSubstr("\r\n\r\npage 1"));
  version_ = 2;
  EXPECT_THAT(get("/mark"), HasSubstr("\r\n\r\n2"));
  EXPECT_THAT(get("/", "localhost:" + std::to_string(port_)), HasSubstr("page 2"));
  broken_ = true, version_ = 3;
  EXPECT_THAT(get("/"), StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(get("/"), HasSubstr("the runs are gone"));
}

TEST_F(Served, RefusesOtherHosts) {
  const std::string port = std::to_string(port_);
  for (const std::string& host :
       {std::string("example.org"), "example.org:" + port, std::string("127.0.0.1"),
        std::string("127.0.0.1:1"), "127.0.0.1:" + port + ".evil.org"})
    EXPECT_THAT(get("/", host), StartsWith("HTTP/1.1 403 ")) << host;
  EXPECT_THAT(ask("GET / HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 403 "));
  EXPECT_THAT(ask("GET / HTTP/1.0\r\n\r\n"), StartsWith("HTTP/1.1 403 "));
}

TEST_F(Served, KnowsNoPaths) {
  for (const char* target : {"/etc/passwd", "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd",
                             "//etc/passwd", "/metrics.jsonl", "/?x=1", "/mark/", "/\\..\\x"})
    EXPECT_THAT(get(target), StartsWith("HTTP/1.1 404 ")) << target;
  EXPECT_THAT(get("http://127.0.0.1/"), StartsWith("HTTP/1.1 404 "));
}

TEST_F(Served, CanOnlyBeRead) {
  const std::string host = "Host: 127.0.0.1:" + std::to_string(port_) + "\r\n";
  for (const std::string method : {"POST", "PUT", "DELETE", "HEAD", "OPTIONS", "TRACE"}) {
    const std::string answer = ask(method + " / HTTP/1.1\r\n" + host + "\r\n");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 405 ")) << method;
    EXPECT_THAT(answer, HasSubstr("Allow: GET\r\n"));
  }
  EXPECT_THAT(ask("POST / HTTP/1.1\r\n" + host + "Content-Length: 5\r\n\r\nhello"),
              StartsWith("HTTP/1.1 413 "));
}

TEST_F(Served, RefusesWhatIsNoRequest) {
  for (const std::string& bytes :
       {std::string("nonsense\r\n\r\n"), std::string("\0\x16\x03\x01 tls", 8) + "\r\n\r\n",
        std::string("GET / HTTP/9.9\r\n\r\n"), std::string("GET  HTTP/1.1\r\n\r\n")})
    EXPECT_THAT(ask(bytes), StartsWith("HTTP/1.1 400 ")) << bytes;
  EXPECT_THAT(ask("GET / HTTP/1.1\r\nX: " + std::string(20000, 'x') + "\r\n\r\n"),
              StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(get("/"), StartsWith("HTTP/1.1 200 "));  // it lives on
}

TEST_F(Served, IsNotBlockedBySlowOnes) {
  std::vector<int> idle;
  for (int i = 0; i < 20; ++i) idle.push_back(connection());
  (void)!::send(idle[0], "GET / HT", 8, MSG_NOSIGNAL);
  EXPECT_THAT(get("/"), StartsWith("HTTP/1.1 200 "));
  char byte;  // and they are let go after some seconds
  EXPECT_LE(::recv(idle[0], &byte, 1, 0), 0);
  for (const int socket : idle) ::close(socket);
}

TEST_F(Served, ListensOnTheLoopbackAddressAlone) {
  // 127.0.0.2 is this machine, too: who listens on all addresses is found there.
  EXPECT_EQ(connection("127.0.0.2"), -1);
}

TEST_F(Served, SaysWhenThePortIsTaken) {
  ServeOptions options;
  options.port = static_cast<std::uint16_t>(port_);
  const Status taken = serve(live_, options);
  ASSERT_FALSE(taken.ok());
  EXPECT_EQ(taken.error().code, ExitCode::kUsage);
  EXPECT_EQ(taken.error().message,
            "cannot serve at port " + std::to_string(port_) + ": Address already in use");
}

}  // namespace
}  // namespace strata::report
