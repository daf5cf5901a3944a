/*
 * The part of the legacy plugins that has not changed in all these years: a source
 * that counts. The glue to each generation of the plugin API is in generation_*.c.
 *
 *   init config   ""  or the number to begin with (1)
 *   open params   ""  or how many numbers (10), and then one letter, if wanted:
 *                 "5!" fails after the fifth, "5~" times out before every batch
 *   payload       the number as decimal text
 *   event time    2021-03-12 00:00:00 UTC plus the number, in seconds
 */
#ifndef NUMBERS_H
#define NUMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BATCH 100
#define TEXT_SIZE 24
#define EXPORT __attribute__((visibility("default")))

/* The name of one build, and the id that goes with it (unregistered: for trials). */
#ifndef LEGACY_NAME
#error "the Makefile names the build: LEGACY_NAME, LEGACY_ID, LEGACY_API"
#endif

/* Return codes as they are since October 2021. The draft had another end of file. */
enum { RC_SUCCESS = 0, RC_FAILURE = 1, RC_TIMEOUT = -1, RC_EOF = 2, RC_EOF_DRAFT = 6 };
enum { TYPE_UINT64 = 8, TYPE_STRING = 9 };
enum { FIELD_VALUE, FIELD_TEXT, FIELD_DIGIT, FIELD_DIGITS };

struct state {
  uint64_t first;
  char error[160];
  char text[TEXT_SIZE + 16]; /* of event_to_string */
};

struct instance {
  uint64_t next;
  uint64_t end; /* one more than the last number */
  uint64_t begin;
  bool fails;
  bool pauses;
  bool paused;
  char progress[48];
};

/* Allocate `bytes` that begin with a state, or with an instance: the glue has more. */
void* numbers_init(const char* config, size_t bytes, int32_t* rc);
void* numbers_open(struct state* s, const char* params, size_t bytes, int32_t* rc);
/* How many numbers the next batch has, at most `most`; `rc` goes with them. */
uint32_t numbers_batch(struct state* s, struct instance* h, uint32_t most, int32_t* rc);
uint64_t numbers_time(uint64_t number);
const char* numbers_progress(struct instance* h, uint32_t* pct);
/* The number in a payload; false if there is none. */
bool numbers_read(const void* payload, uint32_t len, uint64_t* out);
/* Digit `index` from the left, counted from 0; false if there is none. */
bool numbers_digit(uint64_t number, uint64_t index, uint64_t* out);
const char* numbers_event_string(struct state* s, const void* payload, uint32_t len);

#endif
