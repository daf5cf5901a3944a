/* Bitmaps of 64-bit words. Everything here assumes little-endian words, as Arrow's
   bitmaps do on the machines supported. */
#include "kernel.h"

int64_t wbk_count(const uint64_t *bits, int64_t n)
{
	int64_t total = 0;
	for (int64_t k = 0; k < wbk_words(n); k++)
		total += wbk_ones_in(bits[k]);
	return total;
}

int wbk_any(const uint64_t *bits, int64_t words)
{
	uint64_t seen = 0;
	for (int64_t k = 0; k < words; k++)
		seen |= bits[k];
	return seen != 0;
}

void wbk_ones(uint64_t *bits, int64_t n)
{
	int64_t words = wbk_words(n);
	if (!words)
		return;
	memset(bits, 0xff, (size_t)words * 8);
	if (n & 63)
		bits[words - 1] = (1ULL << (n & 63)) - 1;
}

void wbk_load_bits(const uint8_t *bits, int64_t offset, int64_t n, uint64_t *out)
{
	int64_t words = wbk_words(n), shift = offset & 7;
	const uint8_t *from = bits + (offset >> 3);
	int64_t bytes = (shift + n + 7) >> 3; /* readable from `from` on */
	for (int64_t k = 0; k < words; k++) {
		int64_t left = bytes - k * 8;
		uint64_t low = 0, high = 0;
		if (left >= 9) {
			memcpy(&low, from + k * 8, 8);
			high = from[k * 8 + 8];
		} else {
			memcpy(&low, from + k * 8, (size_t)(left < 8 ? left : 8));
		}
		out[k] = shift ? low >> shift | high << (64 - shift) : low;
	}
	if (n & 63)
		out[words - 1] &= (1ULL << (n & 63)) - 1;
}

void wbk_store_bits(uint8_t *dst, int64_t offset, const uint64_t *bits, int64_t n)
{
	if (n <= 0)
		return;
	uint64_t *to = (uint64_t *)dst + (offset >> 6);
	int64_t shift = offset & 63, words = wbk_words(n);
	int64_t last = (shift + n - 1) >> 6;
	uint64_t carry = 0;
	for (int64_t k = 0; k <= last; k++) {
		uint64_t word = k < words ? bits[k] : 0;
		uint64_t value = shift ? word << shift | carry : word;
		carry = shift ? word >> (64 - shift) : 0;
		/* Only the first and the last word are shared with neighbours. */
		if (k == 0 || k == last)
			__atomic_fetch_or(&to[k], value, __ATOMIC_RELAXED);
		else
			to[k] = value;
	}
}

void wbk_scatter(const uint64_t *need, int64_t n, const uint8_t *packed,
		 int64_t packed_offset, uint64_t *out)
{
	int64_t at = packed_offset;
	for (int64_t k = 0; k < wbk_words(n); k++) {
		uint64_t rest = need[k], word = 0;
		while (rest) {
			uint64_t low = rest & -rest;
			if (wbk_bit(packed, at++))
				word |= low;
			rest ^= low;
		}
		out[k] = word;
	}
}

void wbk_lut_put(uint8_t *lut, const uint64_t *bits, int64_t n, int32_t bit)
{
	for (int64_t i = 0; i < n; i++)
		lut[i] |= (uint8_t)(((bits[i >> 6] >> (i & 63)) & 1) << bit);
}
