// Messages in the wire format of Protocol Buffers (protobuf.dev/programming-guides/encoding),
// written only. Fields are numbered as in the message's .proto file.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

namespace strata {

class ProtobufMessage {
 public:
  // int32, int64 and enums.
  void add(int field, std::int64_t value) {
    tag(field, kVarint);
    varint(static_cast<std::uint64_t>(value));
  }
  void add_float(int field, float value) {
    tag(field, kFixed32);
    const auto bits = std::bit_cast<std::uint32_t>(value);
    for (int byte = 0; byte < 4; ++byte) bytes_ += static_cast<char>(bits >> (8 * byte));
  }
  // string and bytes.
  void add(int field, std::string_view value) {
    tag(field, kLengthDelimited);
    varint(value.size());
    bytes_ += value;
  }
  void add(int field, const ProtobufMessage& message) {
    add(field, std::string_view(message.bytes_));
  }
  // The other message's fields, after those that are there.
  void append(const ProtobufMessage& fields) { bytes_ += fields.bytes_; }
  const std::string& bytes() const { return bytes_; }

 private:
  enum WireType { kVarint = 0, kLengthDelimited = 2, kFixed32 = 5 };
  void tag(int field, WireType type) { varint(static_cast<std::uint64_t>(field * 8 + type)); }
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>(value | 0x80);
    bytes_ += static_cast<char>(value);
  }
  std::string bytes_;
};

}  // namespace strata
