/*
 * What the fuzzers share: random numbers that follow from the number of the case, and
 * the loop over the cases. Usage: fuzz_X ROUNDS [FIRST [SECONDS]]. It ends after ROUNDS
 * cases or so many SECONDS (0: no limit) and says at which case it fails; that case
 * alone is "fuzz_X 1 CASE".
 */
#ifndef CHANCE_H
#define CHANCE_H
#include <sanitizer/common_interface_defs.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* One case may take so long, on a machine that is busy. */
#define LONGEST_SEC 60

static uint64_t seed;
static volatile uint64_t current_case;

static inline uint64_t chance(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	return seed ^= seed << 17;
}

/* Neighbouring cases must not begin alike. */
static inline void begin_case(uint64_t number)
{
	current_case = number;
	alarm(LONGEST_SEC);
	number += 0x9E3779B97F4A7C15ull;
	number = (number ^ number >> 30) * 0xBF58476D1CE4E5B9ull;
	number = (number ^ number >> 27) * 0x94D049BB133111EBull;
	seed = (number ^ number >> 31) | 1;
}

static void name_case(void)
{
	char text[40];
	int size = snprintf(text, sizeof text, "failed: case %llu\n",
			    (unsigned long long)current_case);
	if (write(STDERR_FILENO, text, (size_t)size) < 0)
		_exit(2);
}

static void on_abort(int number)
{
	name_case();
	signal(number, SIG_DFL);
	raise(number);
}

static inline int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Runs the cases; returns how many. `one` returns how many inputs it has tried. */
static inline int64_t run_cases(int argc, char **argv, int64_t (*one)(void))
{
	int64_t rounds = argc > 1 ? atoll(argv[1]) : 1000, cases = 0, inputs = 0;
	uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
	int64_t seconds = argc > 3 ? atoll(argv[3]) : 0;
	int64_t until = seconds ? now_ms() + seconds * 1000 : 0;
	__sanitizer_set_death_callback(name_case);
	signal(SIGABRT, on_abort);
	signal(SIGALRM, on_abort);
	while ((!rounds || cases < rounds) && (!until || now_ms() < until)) {
		begin_case(first + (uint64_t)cases);
		inputs += one();
		cases++;
	}
	printf("%lld cases, %lld inputs\n", (long long)cases, (long long)inputs);
	return cases;
}

#endif
