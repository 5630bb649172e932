// An ONNX file read without the code that writes it: Protocol Buffers' wire format, field by field.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace strata::testing {

// Fields of one message by number. Lengths are checked; anything else that is wrong throws.
struct WireMessage {
  std::multimap<int, std::string> texts;  // strings, bytes and messages
  std::multimap<int, std::uint64_t> numbers;

  explicit WireMessage(std::string_view bytes) {
    while (!bytes.empty()) {
      const std::uint64_t key = varint(bytes);
      const int field = static_cast<int>(key >> 3);
      switch (key & 7) {
        case 0:
          numbers.emplace(field, varint(bytes));
          break;
        case 2: {
          const std::uint64_t size = varint(bytes);
          texts.emplace(field, take(bytes, size));
          break;
        }
        case 5: {
          const std::string word(take(bytes, 4));
          std::uint32_t bits;
          std::memcpy(&bits, word.data(), 4);
          numbers.emplace(field, bits);
          break;
        }
        default:
          throw std::runtime_error("wire type " + std::to_string(key & 7));
      }
    }
  }

  std::vector<WireMessage> messages(int field) const {
    std::vector<WireMessage> all;
    for (const std::string& text : strings(field)) all.emplace_back(text);
    return all;
  }
  std::vector<std::string> strings(int field) const {
    std::vector<std::string> all;
    for (auto [at, end] = texts.equal_range(field); at != end; ++at) all.push_back(at->second);
    return all;
  }
  std::vector<std::int64_t> integers(int field) const {
    std::vector<std::int64_t> all;
    for (auto [at, end] = numbers.equal_range(field); at != end; ++at)
      all.push_back(static_cast<std::int64_t>(at->second));
    return all;
  }
  std::string string(int field) const {
    const auto all = strings(field);
    return all.empty() ? "" : all.back();
  }

 private:
  static std::string_view take(std::string_view& bytes, std::uint64_t size) {
    if (size > bytes.size()) throw std::runtime_error("cut short");
    const std::string_view taken = bytes.substr(0, size);
    bytes.remove_prefix(size);
    return taken;
  }
  static std::uint64_t varint(std::string_view& bytes) {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned char>(take(bytes, 1)[0]);
      value |= std::uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return value;
    }
    throw std::runtime_error("a number of more than ten bytes");
  }
};

}  // namespace strata::testing
