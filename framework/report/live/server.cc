// Sessions of one request each, on one thread.
#include "framework/report/live/server.h"

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <memory>
#include <optional>

namespace strata::report {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;
using Failure = boost::system::error_code;

constexpr int kMostSessions = 32;
constexpr std::uint32_t kHeaderBytes = 8192;
constexpr std::uint64_t kBodyBytes = 0;                   // a GET has none
constexpr std::size_t kDrained = 1 << 20;                 // of a refused request
constexpr auto kPatience = std::chrono::seconds(5);       // for a request, and again for its answer
constexpr auto kGlance = std::chrono::milliseconds(100);  // how often `stop` is looked at

struct Shared {
  const LivePage& live;
  std::uint16_t port = 0;
  int sessions = 0;
  std::string mark;
  std::optional<Result<std::string>> page;

  // The page as it is now.
  const Result<std::string>& current() {
    std::string now = live.mark();
    if (!page || now != mark) {
      page = live.page();
      mark = std::move(now);
    }
    return *page;
  }
};

class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket socket, Shared& shared) : stream_(std::move(socket)), shared_(shared) {
    ++shared_.sessions;
    parser_.header_limit(kHeaderBytes);
    parser_.body_limit(kBodyBytes);
  }
  ~Session() { --shared_.sessions; }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void start() {
    stream_.expires_after(kPatience);
    http::async_read(stream_, buffer_, parser_,
                     [self = shared_from_this()](Failure failed, std::size_t) {
                       if (failed == http::error::end_of_stream || failed == beast::error::timeout)
                         return;
                       self->answer(failed);
                     });
  }

 private:
  bool is_for_this_host() const {
    const auto host = parser_.get()[http::field::host];
    for (const char* name : {"127.0.0.1", "localhost"})
      if (host == name + (":" + std::to_string(shared_.port)) ||
          (shared_.port == 80 && host == name))
        return true;
    return false;
  }

  void answer(Failure failed) {
    response_.version(11);
    response_.set(http::field::content_type, "text/plain; charset=utf-8");
    if (failed) {
      const bool large = failed == http::error::header_limit || failed == http::error::body_limit ||
                         failed == http::error::buffer_overflow;
      refuse(large ? http::status::payload_too_large : http::status::bad_request,
             large ? "the request is too large" : "this is no HTTP request");
    } else if (!is_for_this_host()) {
      refuse(http::status::forbidden, "this address is not the one that the page is served at");
    } else if (parser_.get().method() != http::verb::get) {
      response_.set(http::field::allow, "GET");
      refuse(http::status::method_not_allowed, "the page can only be read");
    } else if (parser_.get().target() == "/") {
      give_page();
    } else if (parser_.get().target() == "/mark") {
      shared_.current();
      response_.body() = shared_.mark;
    } else {
      refuse(http::status::not_found, "there is nothing here but the page, at /");
    }
    response_.set(http::field::cache_control, "no-store");
    response_.set("X-Content-Type-Options", "nosniff");
    response_.set("Referrer-Policy", "no-referrer");
    response_.set("Cross-Origin-Resource-Policy", "same-origin");
    response_.set("X-Frame-Options", "DENY");
    response_.keep_alive(false);
    response_.prepare_payload();
    stream_.expires_after(kPatience);
    http::async_write(stream_, response_, [self = shared_from_this()](Failure, std::size_t) {
      Failure ignored;
      self->stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
      self->drain();
    });
  }

  // What is still to come is read and forgotten: closing a socket with unread bytes would take the
  // answer back. It ends with the other side's close, with patience, or when it is too much.
  void drain() {
    stream_.async_read_some(asio::buffer(rest_),
                            [self = shared_from_this()](Failure failed, std::size_t size) {
                              self->drained_ += size;
                              if (!failed && self->drained_ < kDrained) self->drain();
                            });
  }

  void give_page() {
    const Result<std::string>& page = shared_.current();
    if (!page) return refuse(http::status::service_unavailable, page.error().message);
    response_.set(http::field::content_type, "text/html; charset=utf-8");
    response_.body() = *page;
  }

  void refuse(http::status status, const std::string& why) {
    response_.result(status);
    response_.body() = why + "\n";
  }

  beast::tcp_stream stream_;
  Shared& shared_;
  beast::flat_buffer buffer_{kHeaderBytes + 1024};
  http::request_parser<http::string_body> parser_;
  http::response<http::string_body> response_;
  std::array<char, 4096> rest_;
  std::size_t drained_ = 0;
};

class Server {
 public:
  Server(const LivePage& live, const ServeOptions& options)
      : options_(options), shared_{live, 0, 0, {}, {}}, acceptor_(context_), timer_(context_) {}

  Status run() {
    const auto failed = [&](const Failure& why) {
      Error error =
          make_error(ExitCode::kUsage, "cannot serve at port {}: {}", options_.port, why.message());
      error.hint = "give another one: --port N, or none for a free one";
      return error;
    };
    const tcp::endpoint here(asio::ip::address_v4::loopback(), options_.port);
    Failure why;
    acceptor_.open(here.protocol(), why);
    if (!why) acceptor_.set_option(asio::socket_base::reuse_address(true), why);
    if (!why) acceptor_.bind(here, why);
    if (!why) acceptor_.listen(kMostSessions, why);
    if (why) return failed(why);
    shared_.port = acceptor_.local_endpoint().port();
    accept();
    glance();
    if (options_.ready) options_.ready(fmt::format("http://127.0.0.1:{}/", shared_.port));
    context_.run();
    return {};
  }

 private:
  void accept() {
    acceptor_.async_accept([this](Failure failed, tcp::socket socket) {
      if (failed == asio::error::operation_aborted) return;
      // Beyond so many the connection is closed at once; a browser asks again.
      if (!failed && shared_.sessions < kMostSessions)
        std::make_shared<Session>(std::move(socket), shared_)->start();
      accept();
    });
  }

  void glance() {
    timer_.expires_after(kGlance);
    timer_.async_wait([this](Failure failed) {
      if (failed) return;
      if (options_.stop && options_.stop->load(std::memory_order_relaxed)) return context_.stop();
      glance();
    });
  }

  const ServeOptions& options_;
  Shared shared_;  // outlives the sessions, which the context holds
  asio::io_context context_{1};
  tcp::acceptor acceptor_;
  asio::steady_timer timer_;
};

}  // namespace

Status serve(const LivePage& live, const ServeOptions& options) {
  return Server(live, options).run();
}

}  // namespace strata::report
