// ELF files of 64 bits, read without trusting them.
#include "framework/plugin/elf.h"

#include <elf.h>

#include <cstring>
#include <limits>
#include <optional>

namespace strata {
namespace {

#if defined(__x86_64__)
constexpr Elf64_Half kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr Elf64_Half kMachine = EM_AARCH64;
#else
#error "no ELF machine is known for this processor"
#endif

std::string machine_name(Elf64_Half machine) {
  switch (machine) {
    case EM_X86_64:
      return "x86-64";
    case EM_AARCH64:
      return "AArch64";
    case EM_386:
      return "32-bit x86";
    case EM_ARM:
      return "32-bit ARM";
    case EM_RISCV:
      return "RISC-V";
    case EM_PPC64:
      return "64-bit PowerPC";
    case EM_S390:
      return "s390";
    default:
      return fmt::format("a processor of the number {}", machine);
  }
}

class Reader {
 public:
  Reader(std::string_view bytes, const std::string& path) : bytes_(bytes), path_(path) {}

  // Throws Failure.
  std::string find(std::string_view wanted) {
    check_identity();
    const auto header = at<Elf64_Ehdr>(0);
    if (header.e_machine != kMachine) {
      fail(fmt::format("is built for {}, and this is {}", machine_name(header.e_machine),
                       machine_name(kMachine)),
           "build it on this kind of machine");
    }
    if (header.e_type != ET_DYN) {
      fail("is no shared library", "link it with -shared");
    }
    if (header.e_shentsize != sizeof(Elf64_Shdr) || header.e_phentsize != sizeof(Elf64_Phdr))
      damaged();
    (void)part(header.e_shoff, std::uint64_t{header.e_shnum} * sizeof(Elf64_Shdr));
    for (int i = 0; i < header.e_phnum; ++i) {
      const auto segment = item<Elf64_Phdr>(header.e_phoff, i);
      if (segment.p_type == PT_LOAD) (void)part(segment.p_offset, segment.p_filesz);
    }
    for (int i = 0; i < header.e_shnum; ++i) {
      const auto section = item<Elf64_Shdr>(header.e_shoff, i);
      if (section.sh_type != SHT_DYNSYM) continue;
      if (section.sh_link >= header.e_shnum || section.sh_entsize != sizeof(Elf64_Sym)) damaged();
      const auto names = item<Elf64_Shdr>(header.e_shoff, static_cast<int>(section.sh_link));
      const std::string_view texts = part(names.sh_offset, names.sh_size);
      (void)part(section.sh_offset, section.sh_size);
      for (Elf64_Xword s = 0; s < section.sh_size / sizeof(Elf64_Sym); ++s) {
        const auto symbol = at<Elf64_Sym>(section.sh_offset + s * sizeof(Elf64_Sym));
        if (symbol.st_shndx == SHN_UNDEF || symbol.st_name >= texts.size()) continue;
        const std::string_view rest = texts.substr(symbol.st_name);
        if (rest.substr(0, rest.find('\0')) != wanted) continue;
        return std::string(memory(header, symbol.st_value, symbol.st_size));
      }
    }
    return {};
  }

 private:
  [[noreturn]] void fail(std::string fact, std::string hint) {
    throw Failure{Error{ExitCode::kPlugin, path_ + " " + std::move(fact), std::move(hint)}};
  }
  [[noreturn]] void damaged() {
    fail("is damaged: it is cut off, or its tables point outside of it", "build or copy it again");
  }

  void check_identity() {
    if (bytes_.empty()) fail("is empty", "build or copy it again");
    if (bytes_.substr(0, SELFMAG) != std::string_view(ELFMAG, SELFMAG))
      fail("is no shared library: it does not begin as ELF files do", "");
    if (bytes_.size() < sizeof(Elf64_Ehdr)) damaged();
    if (bytes_[EI_CLASS] != ELFCLASS64) fail("is built for a 32-bit processor", "");
    if (bytes_[EI_DATA] != ELFDATA2LSB) fail("is built for a big-endian processor", "");
  }

  std::string_view part(std::uint64_t offset, std::uint64_t size) {
    if (offset > bytes_.size() || size > bytes_.size() - offset) damaged();
    return bytes_.substr(offset, size);
  }
  template <class T>
  T at(std::uint64_t offset) {
    T value;
    std::memcpy(&value, part(offset, sizeof(T)).data(), sizeof(T));
    return value;
  }
  template <class T>
  T item(std::uint64_t table, int index) {
    if (table > bytes_.size()) damaged();
    return at<T>(table + static_cast<std::uint64_t>(index) * sizeof(T));
  }

  // What stands in the file for addresses [address, address + size).
  std::string_view memory(const Elf64_Ehdr& header, std::uint64_t address, std::uint64_t size) {
    for (int i = 0; i < header.e_phnum; ++i) {
      const auto segment = item<Elf64_Phdr>(header.e_phoff, i);
      if (segment.p_type != PT_LOAD || address < segment.p_vaddr) continue;
      const std::uint64_t inside = address - segment.p_vaddr;
      if (inside <= segment.p_filesz && size <= segment.p_filesz - inside)
        return part(segment.p_offset + inside, size);
    }
    damaged();
  }

  std::string_view bytes_;
  const std::string& path_;
};

}  // namespace

Result<std::string> elf_symbol(std::string_view bytes, const std::string& path,
                               std::string_view symbol) {
  try {
    return Reader(bytes, path).find(symbol);
  } catch (const Failure& failure) {
    return failure.error;
  }
}

}  // namespace strata
