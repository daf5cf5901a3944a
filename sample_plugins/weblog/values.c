/* Turns parts of a line into the values that extract_fields hands out. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weblog.h"

/* ------------------------------------------------------------------------- arena */

#define BLOCK_SIZE 16384u

struct block {
  struct block* next;
  size_t size;
  size_t used;
};

void* arena_alloc(struct arena* a, size_t size) {
  size = (size + 15) & ~(size_t)15;
  while (a->current != NULL) {
    struct block* b = a->current;
    if (b->size - b->used >= size) {
      void* room = (char*)(b + 1) + b->used;
      b->used += size;
      return room;
    }
    if (b->next == NULL) {
      break;
    }
    a->current = b->next;
  }
  const size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;
  struct block* fresh = malloc(sizeof *fresh + room);
  if (fresh == NULL) {
    return NULL;
  }
  *fresh = (struct block){.next = NULL, .size = room, .used = size};
  if (a->current != NULL) {
    a->current->next = fresh;
  } else {
    a->first = fresh;
  }
  a->current = fresh;
  return fresh + 1;
}

void arena_reset(struct arena* a) {
  for (struct block* b = a->first; b != NULL; b = b->next) {
    b->used = 0;
  }
  a->current = a->first;
}

void arena_free(struct arena* a) {
  struct block* b = a->first;
  while (b != NULL) {
    struct block* next = b->next;
    free(b);
    b = next;
  }
  *a = (struct arena){NULL, NULL};
}

/* ---------------------------------------------------------------------- decoding */

static int hex(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  c = (char)(c | 32);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int hex_pair(const char* p) {
  const int high = hex(p[0]);
  const int low = high < 0 ? -1 : hex(p[1]);
  return low < 0 ? -1 : high * 16 + low;
}

/*
 * Undoes what the web server did to be able to write the text in one line: \xHH for
 * bytes (nginx, Apache), \" and \\ (Apache). A NUL stays as written, because it would
 * end a C string. Returns the new length; `out` has room for `p.len` bytes.
 */
static uint32_t undo_escapes(struct part p, char* out) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < p.len; i++) {
    const uint32_t left = p.len - i;
    if (p.ptr[i] == '\\' && left >= 4 && p.ptr[i + 1] == 'x' &&
        hex_pair(p.ptr + i + 2) > 0) {
      out[n++] = (char)hex_pair(p.ptr + i + 2);
      i += 3;
    } else if (p.ptr[i] == '\\' && left >= 2 &&
               (p.ptr[i + 1] == '"' || p.ptr[i + 1] == '\\')) {
      out[n++] = p.ptr[++i];
    } else {
      out[n++] = p.ptr[i];
    }
  }
  return n;
}

/* Undoes percent escapes in place; %00 and anything that is none stay as written. */
static uint32_t undo_percents(char* text, uint32_t len, bool plus_is_space) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < len; i++) {
    if (text[i] == '%' && len - i >= 3 && hex_pair(text + i + 1) > 0) {
      text[n++] = (char)hex_pair(text + i + 1);
      i += 2;
    } else {
      text[n++] = plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  return n;
}

enum decoding { NOTHING, ESCAPES, ESCAPES_AND_PERCENTS, ESCAPES_AND_FORM };

static const char* decode(struct arena* a, struct part p, enum decoding how) {
  char* text = arena_alloc(a, (size_t)p.len + 1);
  if (text != NULL) {
    uint32_t n = p.len;
    if (how == NOTHING) {
      memcpy(text, p.ptr, n);
    } else {
      n = undo_escapes(p, text);
    }
    if (how == ESCAPES_AND_PERCENTS || how == ESCAPES_AND_FORM) {
      n = undo_percents(text, n, how == ESCAPES_AND_FORM);
    }
    text[n] = '\0';
  }
  return text;
}

/* ----------------------------------------------------------------- kinds of value */

static bool no_memory(char err[ERROR_SIZE]) {
  snprintf(err, ERROR_SIZE, "out of memory while extracting");
  return false;
}

static bool give_string(const struct subject* s, ss_plugin_extract_field* f,
                        struct part p, enum decoding how, char err[ERROR_SIZE]) {
  const char** slot = arena_alloc(s->arena, sizeof *slot);
  const char* text = decode(s->arena, p, how);
  if (slot == NULL || text == NULL) {
    return no_memory(err);
  }
  *slot = text;
  f->res.str = slot;
  f->res_len = 1;
  return true;
}

static bool give_u64(const struct subject* s, ss_plugin_extract_field* f,
                     uint64_t value, char err[ERROR_SIZE]) {
  uint64_t* slot = arena_alloc(s->arena, sizeof *slot);
  if (slot == NULL) {
    return no_memory(err);
  }
  *slot = value;
  f->res.u64 = slot;
  f->res_len = 1;
  return true;
}

static bool give_bool(const struct subject* s, ss_plugin_extract_field* f, bool value,
                      char err[ERROR_SIZE]) {
  ss_plugin_bool* slot = arena_alloc(s->arena, sizeof *slot);
  if (slot == NULL) {
    return no_memory(err);
  }
  *slot = value ? 1 : 0;
  f->res.boolean = slot;
  f->res_len = 1;
  return true;
}

/* An address as 4 or 16 bytes; a host name, which logs may hold too, is no value. */
static bool give_address(const struct subject* s, ss_plugin_extract_field* f,
                         struct part p, char err[ERROR_SIZE]) {
  char text[INET6_ADDRSTRLEN];
  if (p.len >= sizeof text) {
    return true;
  }
  memcpy(text, p.ptr, p.len);
  text[p.len] = '\0';
  struct {
    ss_plugin_byte_buffer buffer;
    unsigned char bytes[16];
  }* slot = arena_alloc(s->arena, sizeof *slot);
  if (slot == NULL) {
    return no_memory(err);
  }
  if (inet_pton(AF_INET, text, slot->bytes) == 1) {
    slot->buffer.len = 4;
  } else if (inet_pton(AF_INET6, text, slot->bytes) == 1) {
    slot->buffer.len = 16;
  } else {
    return true;
  }
  slot->buffer.ptr = slot->bytes;
  f->res.buf = &slot->buffer;
  f->res_len = 1;
  return true;
}

/* ------------------------------------------------------------- query and segments */

/* Cuts the next "name=value" off `rest`; false at the end. Empty ones are skipped. */
static bool next_pair(struct part* rest, struct part* name, struct part* value) {
  while (rest->len > 0) {
    const char* end = memchr(rest->ptr, '&', rest->len);
    const uint32_t len = end != NULL ? (uint32_t)(end - rest->ptr) : rest->len;
    const struct part pair = {rest->ptr, len};
    const uint32_t step = end != NULL ? len + 1 : len;
    *rest = (struct part){rest->ptr + step, rest->len - step};
    if (pair.len > 0) {
      const char* equals = memchr(pair.ptr, '=', pair.len);
      const uint32_t cut = equals != NULL ? (uint32_t)(equals - pair.ptr) : pair.len;
      *name = (struct part){pair.ptr, cut};
      *value = equals != NULL ? (struct part){equals + 1, pair.len - cut - 1}
                              : (struct part){pair.ptr + cut, 0};
      return true;
    }
  }
  return false;
}

/* The value of the first parameter of that name. */
static bool give_parameter(const struct subject* s, ss_plugin_extract_field* f,
                           struct part* place, char err[ERROR_SIZE]) {
  struct part rest = s->line->query;
  struct part name;
  struct part value;
  while (next_pair(&rest, &name, &value)) {
    const char* decoded = decode(s->arena, name, ESCAPES_AND_FORM);
    if (decoded == NULL) {
      return no_memory(err);
    }
    if (f->arg_key != NULL && strcmp(decoded, f->arg_key) == 0) {
      *place = value;
      return give_string(s, f, value, ESCAPES_AND_FORM, err);
    }
  }
  return true;
}

/* The names of all parameters, in order, repeated ones repeated. */
static bool give_names(const struct subject* s, ss_plugin_extract_field* f,
                       struct part* places, uint32_t max_places, char err[ERROR_SIZE]) {
  struct part rest = s->line->query;
  struct part name;
  struct part value;
  uint32_t count = 0;
  while (next_pair(&rest, &name, &value)) {
    count++;
  }
  const char** slots = arena_alloc(s->arena, (size_t)(count + 1) * sizeof *slots);
  if (slots == NULL) {
    return no_memory(err);
  }
  rest = s->line->query;
  for (uint32_t i = 0; i < count && next_pair(&rest, &name, &value); i++) {
    slots[i] = decode(s->arena, name, ESCAPES_AND_FORM);
    if (slots[i] == NULL) {
      return no_memory(err);
    }
    if (i < max_places) {
      places[i] = name;
    }
  }
  f->res.str = slots;
  f->res_len = count;
  return true;
}

/* Part number `wanted` of the path, counted from 0; empty parts do not count. */
static bool give_segment(const struct subject* s, ss_plugin_extract_field* f,
                         uint64_t wanted, struct part* place, char err[ERROR_SIZE]) {
  const char* at = s->line->path.ptr;
  const char* end = at + s->line->path.len;
  for (uint64_t found = 0; at < end; at++) {
    if (*at == '/') {
      continue;
    }
    const char* slash = memchr(at, '/', (size_t)(end - at));
    const char* stop = slash != NULL ? slash : end;
    if (found++ == wanted) {
      *place = (struct part){at, (uint32_t)(stop - at)};
      return give_string(s, f, *place, ESCAPES_AND_PERCENTS, err);
    }
    at = stop - (stop == end);
  }
  return true;
}

/* ------------------------------------------------------------------------ the switch */

bool value_extract(const struct subject* s, ss_plugin_extract_field* f,
                   struct part* places, uint32_t max_places, char err[ERROR_SIZE]) {
  const struct line* line = s->line;
  const struct part sources[FIELD_COUNT] = {
      [FIELD_CLIENT] = line->client,     [FIELD_NET] = line->client,
      [FIELD_USER] = line->user,         [FIELD_TIME] = line->time,
      [FIELD_METHOD] = line->method,     [FIELD_URI] = line->uri,
      [FIELD_PATH] = line->path,         [FIELD_SEGMENT] = line->path,
      [FIELD_QUERY] = line->query,       [FIELD_PARAMS] = line->query,
      [FIELD_PROTO] = line->proto,       [FIELD_STATUS] = line->status,
      [FIELD_BYTES] = line->bytes,       [FIELD_REFERER] = line->referer,
      [FIELD_AGENT] = line->agent,       [FIELD_IS_ERROR] = line->status,
      [FIELD_DURATION] = line->duration, [FIELD_MALFORMED] = s->whole,
      [FIELD_RAW] = s->whole,
  };
  uint64_t number = 0;
  f->res_len = 0;
  if (f->field_id >= FIELD_COUNT) {
    snprintf(err, ERROR_SIZE, "there is no field with id %u", (unsigned)f->field_id);
    return false;
  }
  const struct part p = sources[f->field_id];
  if (p.ptr == NULL) {
    return true;
  }
  places[0] = p;
  switch ((enum field)f->field_id) {
    case FIELD_CLIENT:
    case FIELD_NET:
      return give_address(s, f, p, err);
    case FIELD_TIME:
      return give_u64(s, f, part_time(p), err);
    case FIELD_STATUS:
    case FIELD_BYTES:
      return !part_number(p, &number) || give_u64(s, f, number, err);
    case FIELD_IS_ERROR:
      return !part_number(p, &number) ||
             give_bool(s, f, number >= s->error_status, err);
    case FIELD_DURATION:
      return !part_seconds(p, &number) || give_u64(s, f, number, err);
    case FIELD_MALFORMED:
      return give_bool(s, f, line->malformed, err);
    case FIELD_PATH:
      return give_string(s, f, p, ESCAPES_AND_PERCENTS, err);
    case FIELD_SEGMENT:
      return give_segment(s, f, f->arg_index, places, err);
    case FIELD_QUERY:
      return f->arg_present ? give_parameter(s, f, places, err)
                            : give_string(s, f, p, ESCAPES, err);
    case FIELD_RAW:
      return give_string(s, f, p, NOTHING, err);
    case FIELD_PARAMS:
      return give_names(s, f, places, max_places, err);
    default: /* texts that need no more than the escapes undone */
      return give_string(s, f, p, ESCAPES, err);
  }
}
