/* Sets of byte strings: open addressing, sized for at most half full. */
#include "kernel.h"

struct wbk_set {
	wbk_text *table;
	uint64_t *hashes;
	uint64_t mask;
	uint64_t lengths; /* bit k: an item of length k, the last bit for 63 and more */
};

static inline uint64_t load8(const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, 8);
	return v;
}

static inline uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9E3779B97F4A7C15ULL;
	return h ^ h >> 29;
}

/* Crafted values may share a hash: sets from conditions stay small, so that a probe costs
   at most their size; sets from data take a secret `key`. */
uint64_t wbk_hash(const uint8_t *p, int64_t n, uint64_t key)
{
	uint64_t h = key ^ (uint64_t)n * 0xff51afd7ed558ccdULL, tail = 0;
	for (; n >= 8; n -= 8, p += 8)
		h = mix(h, load8(p));
	for (int64_t i = 0; i < n; i++)
		tail |= (uint64_t)p[i] << (8 * i);
	h = mix(h, tail);
	return h ^ h >> 32;
}

static int same_text(const wbk_text *t, const uint8_t *p, int64_t n)
{
	return t->n == n && (n == 0 || memcmp(t->p, p, (size_t)n) == 0);
}

wbk_set *wbk_set_new(const wbk_text *items, int64_t n)
{
	uint64_t size = 4;
	while (size < (uint64_t)n * 2)
		size *= 2;
	wbk_set *s = calloc(1, sizeof *s);
	if (!s)
		return NULL;
	s->table = calloc(size, sizeof *s->table);
	s->hashes = calloc(size, sizeof *s->hashes);
	s->mask = size - 1;
	if (!s->table || !s->hashes) {
		wbk_set_free(s);
		return NULL;
	}
	for (int64_t i = 0; i < n; i++) {
		uint64_t h = wbk_hash(items[i].p, items[i].n, 0), at = h & s->mask;
		while (s->table[at].p && !same_text(&s->table[at], items[i].p, items[i].n))
			at = (at + 1) & s->mask;
		s->table[at] = items[i];
		s->hashes[at] = h;
		s->lengths |= 1ULL << (items[i].n < 63 ? items[i].n : 63);
	}
	return s;
}

void wbk_set_free(wbk_set *s)
{
	if (!s)
		return;
	free(s->table);
	free(s->hashes);
	free(s);
}

int wbk_set_has(const wbk_set *s, const uint8_t *p, int64_t n)
{
	if (!(s->lengths >> (n < 63 ? n : 63) & 1))
		return 0;
	uint64_t h = wbk_hash(p, n, 0);
	for (uint64_t at = h & s->mask; s->table[at].p; at = (at + 1) & s->mask)
		if (s->hashes[at] == h && same_text(&s->table[at], p, n))
			return 1;
	return 0;
}
