/* The three parts of an access-log line that sessions are made of. */
#ifndef ACCESS_LINE_H
#define ACCESS_LINE_H

#include <cstdint>
#include <cstring>
#include <string>

struct access_line {
  std::string client;
  uint64_t path = 0; /* hash of the path, without the query */
  uint32_t status = 0;

  /* False when the line is not in combined format. Nothing behind `len` is read. */
  bool parse(const char* line, size_t len) {
    const char* const end = line + len;
    const char* const space = find(line, end, ' ');
    if (space == nullptr || space == line) {
      return false;
    }
    client.assign(line, space);
    const char* quote = find(space, end, '"');
    if (quote == nullptr) {
      return false;
    }
    const char* const request = ++quote;
    while (quote < end && *quote != '"') {
      quote += *quote == '\\' && quote + 1 < end ? 2 : 1;
    }
    if (quote + 4 >= end || quote[1] != ' ') {
      return false;
    }
    status = 0;
    for (int i = 2; i < 5; i++) {
      if (quote[i] < '0' || quote[i] > '9') {
        return false;
      }
      status = status * 10 + static_cast<uint32_t>(quote[i] - '0');
    }
    hash_path(request, quote);
    return true;
  }

 private:
  static const char* find(const char* from, const char* end, char c) {
    return static_cast<const char*>(
        std::memchr(from, c, static_cast<size_t>(end - from)));
  }

  /* FNV-1a of the target up to the question mark, of all when there is no method. */
  void hash_path(const char* from, const char* end) {
    const char* const space = find(from, end, ' ');
    path = 14695981039346656037u;
    for (const char* p = space != nullptr ? space + 1 : from; p < end; p++) {
      if (*p == ' ' || *p == '?') {
        break;
      }
      path = (path ^ static_cast<unsigned char>(*p)) * 1099511628211u;
    }
  }
};

#endif
