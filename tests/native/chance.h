/* The same random numbers in every run, for the fuzzers. */
#ifndef CHANCE_H
#define CHANCE_H
#include <stdint.h>

static uint64_t seed = 88172645463325252ull;

static inline uint64_t chance(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	return seed ^= seed << 17;
}

#endif
