// Reads documents (u32 size, bytes) from stdin and answers a line for each: the
// document in one line, or "error".
#include <falcosecurity_json.h>

#include <cstdio>

int main() {
  uint32_t size = 0;
  while (std::fread(&size, 4, 1, stdin) == 1) {
    std::string text(size, '\0');
    if (size > 0 && std::fread(&text[0], 1, size, stdin) != size) {
      return 1;
    }
    try {
      const std::string out = falcosecurity::json::parse(text).dump();
      std::fwrite(out.data(), 1, out.size(), stdout);
    } catch (const std::runtime_error& error) {
      std::fputs("error", stdout);
    }
    std::fputc('\n', stdout);
  }
  return 0;
}
