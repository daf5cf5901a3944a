/* Reads the init config: a flat JSON object of numbers, booleans and one string. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weblog.h"

const char config_schema[] =
    "{\"$schema\":\"http://json-schema.org/draft-07/schema#\","
    "\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
    "\"error_status\":{\"type\":\"integer\",\"minimum\":100,\"maximum\":599,"
    "\"title\":\"Least error status\",\"default\":400,"
    "\"description\":\"weblog.is_error is true from this status on\"},"
    "\"follow\":{\"type\":\"boolean\",\"title\":\"Follow the file\",\"default\":false,"
    "\"description\":\"Wait for new lines at the end of the log, also after a "
    "rotation\"},"
    "\"batch_lines\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":10000,"
    "\"title\":\"Lines per batch\",\"default\":512,"
    "\"description\":\"Most events that one batch holds\"},"
    "\"poll_ms\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":10000,"
    "\"title\":\"Poll interval\",\"default\":30,"
    "\"description\":\"Milliseconds to wait for a followed log to grow\"},"
    "\"log_dir\":{\"type\":\"string\",\"title\":\"Folder of suggested logs\","
    "\"default\":\"\",\"description\":\"Where the suggested open params come from; "
    "empty: the data folder beside the plugin\"}}}";

struct reader {
  const char* at;
  char* err;
};

static bool complain(struct reader* r, const char* what) {
  snprintf(r->err, ERROR_SIZE, "init config: %s, found: %.40s", what,
           *r->at != '\0' ? r->at : "the end");
  return false;
}

static void skip_space(struct reader* r) {
  r->at += strspn(r->at, " \t\r\n");
}

static bool expect(struct reader* r, char c) {
  char what[32];
  skip_space(r);
  if (*r->at != c) {
    snprintf(what, sizeof what, "expected %c", c);
    return complain(r, what);
  }
  r->at++;
  skip_space(r);
  return true;
}

/* Writes a code point of \uXXXX as UTF-8. */
static size_t put_utf8(unsigned code, char* out) {
  if (code < 0x80) {
    out[0] = (char)code;
    return 1;
  }
  if (code < 0x800) {
    out[0] = (char)(0xc0 | (code >> 6));
    out[1] = (char)(0x80 | (code & 63));
    return 2;
  }
  out[0] = (char)(0xe0 | (code >> 12));
  out[1] = (char)(0x80 | ((code >> 6) & 63));
  out[2] = (char)(0x80 | (code & 63));
  return 3;
}

static bool read_string(struct reader* r, char* out, size_t room) {
  static const char from[] = "\"\\/bfnrt";
  static const char to[] = "\"\\/\b\f\n\r\t";
  size_t n = 0;
  if (*r->at != '"') {
    return complain(r, "expected a string");
  }
  for (r->at++; *r->at != '"'; r->at++) {
    if ((unsigned char)*r->at < 0x20 || n + 4 >= room) {
      return complain(r, "string not closed or too long");
    }
    if (*r->at != '\\') {
      out[n++] = *r->at;
      continue;
    }
    const char kind = *++r->at;
    const char* known = kind != '\0' ? strchr(from, kind) : NULL;
    unsigned code = 0;
    if (known != NULL) {
      out[n++] = to[known - from];
    } else if (kind == 'u' && strspn(r->at + 1, "0123456789abcdefABCDEF") >= 4 &&
               sscanf(r->at + 1, "%4x", &code) == 1 && code != 0) {
      n += put_utf8(code, out + n);
      r->at += 4;
    } else {
      return complain(r, "expected an escape of JSON");
    }
  }
  r->at++;
  out[n] = '\0';
  return true;
}

static bool read_number(struct reader* r, uint64_t low, uint64_t high, uint64_t* out) {
  const size_t digits = strspn(r->at, "0123456789");
  char what[64];
  if (digits > 0 && digits < 10 && strchr(".eE", r->at[digits]) == NULL) {
    *out = strtoull(r->at, NULL, 10);
    if (*out >= low && *out <= high) {
      r->at += digits;
      return true;
    }
  }
  snprintf(what, sizeof what, "expected an integer from %llu to %llu",
           (unsigned long long)low, (unsigned long long)high);
  return complain(r, what);
}

static bool read_bool(struct reader* r, bool* out) {
  *out = strncmp(r->at, "true", 4) == 0;
  if (!*out && strncmp(r->at, "false", 5) != 0) {
    return complain(r, "expected true or false");
  }
  r->at += *out ? 4 : 5;
  return true;
}

static bool read_member(struct reader* r, struct config* out) {
  char name[64];
  if (!read_string(r, name, sizeof name) || !expect(r, ':')) {
    return false;
  }
  if (strcmp(name, "error_status") == 0) {
    return read_number(r, 100, 599, &out->error_status);
  }
  if (strcmp(name, "batch_lines") == 0) {
    return read_number(r, 1, 10000, &out->batch_lines);
  }
  if (strcmp(name, "poll_ms") == 0) {
    return read_number(r, 1, 10000, &out->poll_ms);
  }
  if (strcmp(name, "follow") == 0) {
    return read_bool(r, &out->follow);
  }
  if (strcmp(name, "log_dir") == 0) {
    return read_string(r, out->log_dir, sizeof out->log_dir);
  }
  snprintf(r->err, ERROR_SIZE,
           "init config: there is no option '%s' (there are error_status, follow, "
           "batch_lines, poll_ms, log_dir)",
           name);
  return false;
}

bool config_parse(const char* text, struct config* out, char err[ERROR_SIZE]) {
  struct reader r = {text, err};
  *out = (struct config){.error_status = 400, .batch_lines = 512, .poll_ms = 30};
  skip_space(&r);
  if (*r.at == '\0') {
    return true;
  }
  if (!expect(&r, '{')) {
    return false;
  }
  while (*r.at != '}') {
    if (!read_member(&r, out)) {
      return false;
    }
    skip_space(&r);
    if (*r.at == ',') {
      r.at++;
      skip_space(&r);
      if (*r.at == '}') {
        return complain(&r, "expected an option after the comma");
      }
    } else if (*r.at != '}') {
      return complain(&r, "expected , or }");
    }
  }
  r.at++;
  skip_space(&r);
  return *r.at == '\0' || complain(&r, "expected the end");
}
