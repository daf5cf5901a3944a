/* Finds the parts of an access-log line. Nothing is copied and nothing is decoded. */
#include <string.h>

#include "weblog.h"

/* The text that is left to parse. */
struct cursor {
  const char* at;
  const char* end;
};

static struct part part_of(const char* from, const char* to) {
  return (struct part){from, (uint32_t)(to - from)};
}

/* The text up to the next `stop`, which is stepped over. */
static bool take_until(struct cursor* c, char stop, struct part* out) {
  const char* hit = memchr(c->at, stop, (size_t)(c->end - c->at));
  if (hit == NULL) {
    return false;
  }
  *out = part_of(c->at, hit);
  c->at = hit + 1;
  return true;
}

/* A quoted text; a backslash protects the character after it. */
static bool take_quoted(struct cursor* c, struct part* out) {
  if (c->at == c->end || *c->at != '"') {
    return false;
  }
  for (const char* p = c->at + 1; p < c->end; p++) {
    if (*p == '\\' && p + 1 < c->end) {
      p++;
    } else if (*p == '"') {
      *out = part_of(c->at + 1, p);
      c->at = p + 1;
      return true;
    }
  }
  return false;
}

static bool take_space(struct cursor* c) {
  if (c->at == c->end || *c->at != ' ') {
    return false;
  }
  c->at++;
  return true;
}

/* A word, which the next space or the end of the line closes. */
static struct part take_word(struct cursor* c) {
  const char* from = c->at;
  while (c->at < c->end && *c->at != ' ') {
    c->at++;
  }
  return part_of(from, c->at);
}

/* A dash stands for "none" in this format. */
static struct part unless_dash(struct part p) {
  if (p.len == 0 || (p.len == 1 && *p.ptr == '-')) {
    return (struct part){NULL, 0};
  }
  return p;
}

/* User names may hold spaces and brackets: the time is the first that reads so. */
static bool take_user_and_time(struct cursor* c, struct line* out) {
  for (const char* p = c->at; p + 2 < c->end; p++) {
    if (p[0] != ' ' || p[1] != '[') {
      continue;
    }
    struct cursor rest = {p + 2, c->end};
    struct part when;
    if (take_until(&rest, ']', &when) && part_time(when) != NO_TIME) {
      out->user = unless_dash(part_of(c->at, p));
      out->time = when;
      c->at = rest.at;
      return true;
    }
  }
  return false;
}

static bool is_method(struct part p) {
  for (uint32_t i = 0; i < p.len; i++) {
    const char c = p.ptr[i];
    if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '_')) {
      return false;
    }
  }
  return p.len > 0;
}

/* Splits "METHOD target PROTOCOL". Whatever is no request of HTTP has no parts. */
static bool split_request(struct part request, struct line* out) {
  struct cursor c = {request.ptr, request.ptr + request.len};
  struct part method = take_word(&c);
  if (!is_method(method) || !take_space(&c) || c.at == c.end) {
    return false;
  }
  const char* end = c.end;
  for (const char* p = c.end; p > c.at; p--) { /* the target may hold spaces */
    if (p[-1] == ' ' && c.end - p >= 5 && memcmp(p, "HTTP/", 5) == 0) {
      out->proto = part_of(p, c.end);
      end = p - 1;
      break;
    }
  }
  out->method = method;
  out->uri = part_of(c.at, end);
  const char* path = c.at;
  if (end - path > 7 && memcmp(path, "http://", 7) == 0) { /* as proxies are asked */
    const char* slash = memchr(path + 7, '/', (size_t)(end - path - 7));
    path = slash != NULL ? slash : end;
  }
  const char* hash = memchr(path, '#', (size_t)(end - path));
  const char* stop = hash != NULL ? hash : end;
  const char* mark = memchr(path, '?', (size_t)(stop - path));
  out->path = part_of(path, mark != NULL ? mark : stop);
  if (mark != NULL) {
    out->query = part_of(mark + 1, stop);
  }
  return true;
}

/* What the longer "combined" format adds, and a last column of seconds. */
static bool take_combined(struct cursor* c, struct line* out) {
  struct part referer;
  struct part agent;
  uint64_t number;
  if (!take_space(c) || !take_quoted(c, &referer) || !take_space(c) ||
      !take_quoted(c, &agent)) {
    return false;
  }
  out->referer = unless_dash(referer);
  out->agent = unless_dash(agent);
  if (take_space(c)) {
    struct part seconds = take_word(c);
    if (part_seconds(seconds, &number)) {
      out->duration = seconds;
    }
  }
  return true;
}

static bool parse(struct cursor c, struct line* out) {
  struct part ident;
  struct part request;
  if (!take_until(&c, ' ', &out->client) || !take_until(&c, ' ', &ident) ||
      !take_user_and_time(&c, out) || !take_space(&c) || !take_quoted(&c, &request)) {
    return false;
  }
  const bool sound = split_request(request, out);
  uint64_t number;
  if (!take_space(&c)) {
    return false;
  }
  struct part status = take_word(&c);
  if (!part_number(status, &number) || !take_space(&c)) {
    return false;
  }
  out->status = status;
  struct part bytes = unless_dash(take_word(&c));
  if (bytes.ptr != NULL && !part_number(bytes, &number)) {
    return false;
  }
  out->bytes = bytes;
  /* The shorter "common" format ends here. */
  return c.at == c.end ? sound : take_combined(&c, out) && sound;
}

void line_parse(const char* text, uint32_t len, struct line* out) {
  memset(out, 0, sizeof *out);
  out->malformed = !parse((struct cursor){text, text + len}, out);
}

uint64_t line_time(const char* text, uint32_t len) {
  struct cursor c = {text, text + len};
  struct line found;
  struct part skipped;
  if (!take_until(&c, ' ', &skipped) || !take_until(&c, ' ', &skipped) ||
      !take_user_and_time(&c, &found)) {
    return NO_TIME;
  }
  return part_time(found.time);
}

bool part_number(struct part p, uint64_t* out) {
  uint64_t value = 0;
  if (p.len == 0 || p.len > 19) {
    return false;
  }
  for (uint32_t i = 0; i < p.len; i++) {
    if (p.ptr[i] < '0' || p.ptr[i] > '9') {
      return false;
    }
    value = value * 10 + (uint64_t)(p.ptr[i] - '0');
  }
  *out = value;
  return true;
}

bool part_seconds(struct part p, uint64_t* out) {
  const char* dot = p.len > 0 ? memchr(p.ptr, '.', p.len) : NULL;
  if (dot == NULL) {
    return false;
  }
  struct part whole = part_of(p.ptr, dot);
  struct part rest = part_of(dot + 1, p.ptr + p.len);
  uint64_t seconds;
  uint64_t fraction;
  if (rest.len > 9 || !part_number(whole, &seconds) || !part_number(rest, &fraction) ||
      seconds > 9000000000u) {
    return false;
  }
  for (uint32_t i = rest.len; i < 9; i++) {
    fraction *= 10;
  }
  *out = seconds * 1000000000u + fraction;
  return true;
}

/* Days from 1970-01-01 to a date of the Gregorian calendar. */
static int64_t days_since_epoch(int64_t year, int64_t month, int64_t day) {
  year -= month <= 2;
  const int64_t era = year / 400;
  const int64_t of_era = year - era * 400;
  const int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

uint64_t part_time(struct part p) {
  static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
  static const char shape[] = "00/aaa/0000:00:00:00 +0000";
  if (p.len != sizeof shape - 1) {
    return NO_TIME;
  }
  for (uint32_t i = 0; i < p.len; i++) {
    const char c = p.ptr[i];
    const bool digit = c >= '0' && c <= '9';
    const bool sign = c == '+' || c == '-';
    if (shape[i] == '0' ? !digit
                        : (shape[i] == '+' ? !sign : shape[i] != 'a' && c != shape[i])) {
      return NO_TIME;
    }
  }
#define TWO(i) ((p.ptr[i] - '0') * 10 + (p.ptr[(i) + 1] - '0'))
  int64_t month = 0;
  for (int i = 0; i < 12; i++) {
    if (memcmp(months + (size_t)i * 3, p.ptr + 3, 3) == 0) {
      month = i + 1;
    }
  }
  const int64_t day = TWO(0);
  const int64_t year = TWO(7) * 100 + TWO(9);
  if (month == 0 || day < 1 || day > 31 || year < 1970 || year > 2500 || TWO(12) > 23 ||
      TWO(15) > 59 || TWO(18) > 60) {
    return NO_TIME;
  }
  int64_t seconds = days_since_epoch(year, month, day) * 86400 + TWO(12) * 3600 +
                    TWO(15) * 60 + TWO(18);
  const int64_t zone = TWO(22) * 3600 + TWO(24) * 60;
#undef TWO
  seconds -= p.ptr[21] == '-' ? -zone : zone;
  return seconds < 0 ? NO_TIME : (uint64_t)seconds * 1000000000u;
}
