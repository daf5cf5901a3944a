/*
 * falcosecurity_json.h: a small JSON reader for plugins in C++ (11 or newer).
 *
 *   falcosecurity::json config = falcosecurity::json::parse(text);  // or throws
 *   if (const falcosecurity::json* jitter = config.find("jitter")) {
 *     m_jitter = jitter->as_u64();
 *   }
 *
 * It reads what RFC 8259 calls JSON and nothing else, whatever bytes it is given:
 * nesting is limited, nothing is read past the end, and text that is no UTF-8 passes
 * through unchanged. Numbers keep the text they were written as.
 *
 * Licensed under the Apache License 2.0.
 */
#ifndef FALCOSECURITY_JSON_H
#define FALCOSECURITY_JSON_H

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace falcosecurity {

class json {
 public:
  enum kind { null, boolean, number, string, array, object };

  static constexpr int max_depth = 200;

  /* Reads a whole document. Throws std::runtime_error with the offset otherwise. */
  static json parse(const char* text, size_t size) {
    reader r = {text, text, text + size};
    json value;
    r.skip_space();
    r.read_value(value, 0);
    r.skip_space();
    if (r.at != r.end) {
      r.fail("the end");
    }
    return value;
  }
  static json parse(const std::string& text) { return parse(text.data(), text.size()); }

  kind type() const { return m_kind; }
  bool is(kind wanted) const { return m_kind == wanted; }
  /* The text of a string; a number as it was written; true, false or null. */
  const std::string& text() const { return m_text; }
  const std::vector<json>& elements() const { return m_elements; }
  const std::vector<std::string>& names() const { return m_names; }

  /* The member of that name; nullptr if there is none or this is no object. */
  const json* find(const std::string& name) const {
    for (size_t i = m_names.size(); i > 0; i--) { /* of repeated names the last */
      if (m_names[i - 1] == name) {
        return &m_elements[i - 1];
      }
    }
    return nullptr;
  }

  /* What a pointer of RFC 6901 leads to, as "/items/0/name"; nullptr: nothing. */
  const json* at_pointer(const std::string& pointer) const {
    const json* here = this;
    size_t from = 0;
    while (here != nullptr && from < pointer.size()) {
      if (pointer[from] != '/') {
        return nullptr;
      }
      const size_t slash = pointer.find('/', from + 1);
      const size_t to = slash == std::string::npos ? pointer.size() : slash;
      here = here->step(pointer.substr(from + 1, to - from - 1));
      from = to;
    }
    return here;
  }

  /* A number that is whole and fits. Throws std::runtime_error otherwise. */
  uint64_t as_u64() const {
    uint64_t value = 0;
    if (m_kind != number || m_text.find_first_not_of("0123456789") != m_text.npos) {
      throw std::runtime_error("expected a whole number, found " + dump());
    }
    for (const char c : m_text) {
      const uint64_t digit = static_cast<uint64_t>(c - '0');
      if (value > (UINT64_MAX - digit) / 10) {
        throw std::runtime_error("number does not fit 64 bits: " + m_text);
      }
      value = value * 10 + digit;
    }
    return value;
  }

  /* The document in one line. */
  std::string dump() const {
    std::string out;
    write(out);
    return out;
  }

 private:
  kind m_kind = null;
  std::string m_text = "null";
  std::vector<json> m_elements; /* of an array or an object */
  std::vector<std::string> m_names; /* of an object, one per element */

  const json* step(const std::string& token) const {
    if (m_kind == array) {
      const bool index = !token.empty() && token.size() < 10 &&
                         token.find_first_not_of("0123456789") == token.npos &&
                         (token.size() == 1 || token[0] != '0');
      const size_t i = index ? std::stoul(token) : m_elements.size();
      return i < m_elements.size() ? &m_elements[i] : nullptr;
    }
    std::string name;
    for (size_t i = 0; i < token.size(); i++) {
      const bool escape = token[i] == '~' && i + 1 < token.size() &&
                          (token[i + 1] == '0' || token[i + 1] == '1');
      name += escape ? (token[++i] == '0' ? '~' : '/') : token[i];
    }
    return find(name);
  }

  static void write_text(const std::string& text, std::string& out) {
    char escape[8];
    out += '"';
    for (const char c : text) {
      if (c == '"' || c == '\\') {
        out += '\\';
        out += c;
      } else if (static_cast<unsigned char>(c) < 0x20) {
        std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(c));
        out += escape;
      } else {
        out += c;
      }
    }
    out += '"';
  }

  void write(std::string& out) const {
    if (m_kind == string) {
      write_text(m_text, out);
    } else if (m_kind == array || m_kind == object) {
      out += m_kind == array ? '[' : '{';
      for (size_t i = 0; i < m_elements.size(); i++) {
        out += i > 0 ? "," : "";
        if (m_kind == object) {
          write_text(m_names[i], out);
          out += ':';
        }
        m_elements[i].write(out);
      }
      out += m_kind == array ? ']' : '}';
    } else {
      out += m_text;
    }
  }

  struct reader {
    const char* begin;
    const char* at;
    const char* end;

    [[noreturn]] void fail(const char* expected) const {
      throw std::runtime_error(std::string("not JSON: expected ") + expected +
                               " at offset " + std::to_string(at - begin));
    }
    char peek() const { return at < end ? *at : '\0'; }
    bool take(char c) { return at < end && *at == c ? (at++, true) : false; }
    void skip_space() {
      while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')) {
        at++;
      }
    }

    void read_word(json& out, const char* word, kind k) {
      out.m_kind = k;
      out.m_text = word;
      for (const char* p = word; *p != '\0'; p++) {
        if (!take(*p)) {
          fail("a value");
        }
      }
    }

    bool read_digits() {
      const char* from = at;
      while (at < end && *at >= '0' && *at <= '9') {
        at++;
      }
      return at > from;
    }

    void read_number(json& out) {
      const char* from = at;
      take('-');
      const bool zero = peek() == '0';
      const char* digits = at;
      if (!read_digits() || (zero && at - digits > 1)) {
        fail("a value");
      }
      if (take('.') && !read_digits()) {
        fail("a digit");
      }
      if (take('e') || take('E')) {
        if (!take('+')) {
          take('-');
        }
        if (!read_digits()) {
          fail("a digit");
        }
      }
      out.m_kind = number;
      out.m_text.assign(from, at);
    }

    unsigned read_hex() {
      unsigned code = 0;
      for (int i = 0; i < 4; i++) {
        const char c = peek();
        const int digit = c >= '0' && c <= '9'   ? c - '0'
                          : c >= 'a' && c <= 'f' ? c - 'a' + 10
                          : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                 : -1;
        if (digit < 0) {
          fail("four hexadecimal digits");
        }
        code = code * 16 + static_cast<unsigned>(digit);
        at++;
      }
      return code;
    }

    static void put_utf8(unsigned code, std::string& out) {
      if (code < 0x80) {
        out += static_cast<char>(code);
        return;
      }
      const int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
      const unsigned lead[] = {0, 0xc0, 0xe0, 0xf0};
      out += static_cast<char>(lead[more] | (code >> (6 * more)));
      for (int i = more - 1; i >= 0; i--) {
        out += static_cast<char>(0x80 | ((code >> (6 * i)) & 0x3f));
      }
    }

    void read_escape(std::string& out) {
      const char from[] = "\"\\/bfnrt";
      const char to[] = "\"\\/\b\f\n\r\t";
      for (size_t i = 0; i < sizeof from - 1; i++) {
        if (take(from[i])) {
          out += to[i];
          return;
        }
      }
      if (!take('u')) {
        fail("an escape");
      }
      unsigned code = read_hex();
      if (code >= 0xd800 && code < 0xdc00 && end - at >= 6 && at[0] == '\\' &&
          at[1] == 'u') {
        const char* here = at;
        at += 2;
        const unsigned low = read_hex();
        if (low >= 0xdc00 && low < 0xe000) {
          code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        } else {
          at = here;
        }
      }
      put_utf8(code >= 0xd800 && code < 0xe000 ? 0xfffd : code, out);
    }

    void read_string(std::string& out) {
      if (!take('"')) {
        fail("a string");
      }
      while (!take('"')) {
        if (at == end || static_cast<unsigned char>(*at) < 0x20) {
          fail("the end of the string");
        }
        if (take('\\')) {
          read_escape(out);
        } else {
          out += *at++;
        }
      }
    }

    void read_members(json& out, char close, int depth) {
      at++;
      out.m_kind = close == ']' ? array : object;
      skip_space();
      if (take(close)) {
        return;
      }
      do {
        skip_space();
        if (close == '}') {
          out.m_names.emplace_back();
          read_string(out.m_names.back());
          skip_space();
          if (!take(':')) {
            fail(":");
          }
          skip_space();
        }
        out.m_elements.emplace_back();
        read_value(out.m_elements.back(), depth + 1);
        skip_space();
      } while (take(','));
      if (!take(close)) {
        fail(close == ']' ? ", or ]" : ", or }");
      }
    }

    void read_value(json& out, int depth) {
      if (depth > max_depth) {
        fail("less nesting");
      }
      out.m_text.clear();
      switch (peek()) {
        case '{':
          return read_members(out, '}', depth);
        case '[':
          return read_members(out, ']', depth);
        case '"':
          out.m_kind = string;
          return read_string(out.m_text);
        case 't':
          return read_word(out, "true", boolean);
        case 'f':
          return read_word(out, "false", boolean);
        case 'n':
          return read_word(out, "null", null);
        default:
          return read_number(out);
      }
    }
  };
};

}  // namespace falcosecurity

#endif /* FALCOSECURITY_JSON_H */
