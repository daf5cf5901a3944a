/* What the glue for 1.0 to 3.0 shares: results are arrays that stay ours. */
#ifndef SINCE_1_H
#define SINCE_1_H

#include "numbers.h"

struct plugin {
  struct state numbers;
  uint64_t value[2]; /* FIELD_VALUE and FIELD_DIGIT */
  char text[TEXT_SIZE];
  const char* texts[1];
  uint64_t digits[TEXT_SIZE];
  uint32_t odd; /* of 3.0 */
};

/* The values of a field of the event with this number, `len` of them. */
const void* answer(struct plugin* p, uint64_t number, uint32_t field, bool arg_present,
                   uint64_t arg_index, uint64_t* len);

/* The number in a payload; false, and the error is set, if there is none. */
bool number_of(struct plugin* p, const void* payload, uint32_t len, uint64_t* out);

#endif
