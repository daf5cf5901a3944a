#include "numbers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_DAY 1615507200u /* 2021-03-12 */

/* Reads a number at the start of `text`; NULL if there is none. */
static const char* read_number(const char* text, uint64_t* out) {
  const size_t digits = strspn(text, "0123456789");
  if (digits == 0 || digits > 18) {
    return NULL;
  }
  *out = strtoull(text, NULL, 10);
  return text + digits;
}

void* numbers_init(const char* config, size_t bytes, int32_t* rc) {
  struct state* s = calloc(1, bytes);
  *rc = RC_FAILURE;
  if (s == NULL) {
    return NULL;
  }
  s->first = 1;
  if (config != NULL && *config != '\0') {
    const char* rest = read_number(config, &s->first);
    if (rest == NULL || *rest != '\0') {
      snprintf(s->error, sizeof s->error,
               "init config is no number to begin with: '%.60s'", config);
      return s; /* the host asks for the error, then destroys the state */
    }
  }
  *rc = RC_SUCCESS;
  return s;
}

void* numbers_open(struct state* s, const char* params, size_t bytes, int32_t* rc) {
  uint64_t count = 10;
  const char* rest = params != NULL ? params : "";
  *rc = RC_FAILURE;
  if (*rest != '\0') {
    rest = read_number(rest, &count);
  }
  const bool sound = rest != NULL && (*rest == '\0' || (strchr("!~", *rest) != NULL &&
                                                        rest[1] == '\0'));
  struct instance* h = sound ? calloc(1, bytes) : NULL;
  if (h == NULL) {
    snprintf(s->error, sizeof s->error, "open params are no count of numbers: '%.60s'",
             params);
    return NULL;
  }
  h->begin = h->next = s->first;
  h->end = s->first + count;
  h->fails = *rest == '!';
  h->pauses = *rest == '~';
  *rc = RC_SUCCESS;
  return h;
}

uint32_t numbers_batch(struct state* s, struct instance* h, uint32_t most,
                       int32_t* rc) {
  const uint64_t left = h->end - h->next;
  const uint32_t count = left < most ? (uint32_t)left : most;
  *rc = RC_SUCCESS;
  if (h->pauses && !h->paused) {
    h->paused = true;
    *rc = RC_TIMEOUT;
    return 0;
  }
  h->paused = false;
  if (count == left) { /* the end is told together with the last numbers */
    *rc = h->fails ? RC_FAILURE : RC_EOF;
    if (h->fails) {
      snprintf(s->error, sizeof s->error, "ran out of numbers after %" PRIu64,
               h->end - 1);
    }
  }
  return count;
}

uint64_t numbers_time(uint64_t number) {
  return (FIRST_DAY + number) * 1000000000u;
}

const char* numbers_progress(struct instance* h, uint32_t* pct) {
  const uint64_t total = h->end - h->begin;
  const uint64_t done = h->next - h->begin;
  *pct = total == 0 ? 10000 : (uint32_t)((double)done * 10000.0 / (double)total);
  snprintf(h->progress, sizeof h->progress, "%" PRIu64 " of %" PRIu64, done, total);
  return h->progress;
}

bool numbers_read(const void* payload, uint32_t len, uint64_t* out) {
  char text[TEXT_SIZE];
  if (payload == NULL || len == 0 || len >= sizeof text) {
    return false;
  }
  memcpy(text, payload, len);
  text[len] = '\0';
  const char* rest = read_number(text, out);
  return rest != NULL && *rest == '\0';
}

bool numbers_digit(uint64_t number, uint64_t index, uint64_t* out) {
  char text[TEXT_SIZE];
  const int n = snprintf(text, sizeof text, "%" PRIu64, number);
  if (index >= (uint64_t)n) {
    return false;
  }
  *out = (uint64_t)(text[index] - '0');
  return true;
}

const char* numbers_event_string(struct state* s, const void* payload, uint32_t len) {
  uint64_t number;
  if (numbers_read(payload, len, &number)) {
    snprintf(s->text, sizeof s->text, "number %" PRIu64, number);
  } else {
    snprintf(s->text, sizeof s->text, "no number");
  }
  return s->text;
}
