/* pmatch: a value lies at or under one of the paths. Paths are kept as a tree of
   components, so that common beginnings are compared once. */
#include "kernel.h"

typedef struct place {
	wbk_text name;
	wbk_glob *glob; /* NULL: equal, byte for byte */
	int32_t child;  /* first of the places below, or -1 */
	int32_t next;   /* beside this one, or -1 */
	int ends;       /* a path ends here: everything below matches */
} place;

struct wbk_paths {
	place *places; /* 0 is the root */
	int32_t n;
};

/* The next component that is not empty; 0 at the end. */
static int component(const uint8_t **p, const uint8_t *end, wbk_text *out)
{
	while (*p < end && **p == '/')
		(*p)++;
	if (*p == end)
		return 0;
	const uint8_t *stop = memchr(*p, '/', (size_t)(end - *p));
	if (!stop)
		stop = end;
	out->p = *p;
	out->n = stop - *p;
	*p = stop;
	return 1;
}

static int equal(const wbk_text *a, const wbk_text *b)
{
	return a->n == b->n && memcmp(a->p, b->p, (size_t)a->n) == 0;
}

static int is_wildcard(const wbk_text *t)
{
	for (int64_t i = 0; i < t->n; i++)
		if (t->p[i] == '?' || t->p[i] == '*' || t->p[i] == '[')
			return 1;
	return 0;
}

static int32_t below(wbk_paths *paths, int32_t at, const wbk_text *name)
{
	place *all = paths->places;
	int32_t last = -1;
	for (int32_t k = all[at].child; k >= 0; k = all[k].next) {
		if (equal(&all[k].name, name))
			return k;
		last = k;
	}
	place *added = &all[paths->n];
	added->name = *name;
	added->child = added->next = -1;
	if (is_wildcard(name)) {
		added->glob = wbk_glob_new(name->p, name->n, 0);
		if (!added->glob)
			return -1;
	}
	if (last < 0)
		all[at].child = paths->n;
	else
		all[last].next = paths->n;
	return paths->n++;
}

wbk_paths *wbk_paths_new(const wbk_text *items, int64_t n)
{
	wbk_paths *paths = calloc(1, sizeof *paths);
	size_t size = 2;
	if (!paths)
		return NULL;
	for (int64_t i = 0; i < n; i++)
		size += (size_t)items[i].n / 2 + 1;
	paths->places = calloc(size, sizeof *paths->places);
	if (!paths->places)
		goto fail;
	paths->places[0].child = paths->places[0].next = -1;
	paths->n = 1;
	for (int64_t i = 0; i < n; i++) {
		const uint8_t *p = items[i].p, *end = p + items[i].n;
		int32_t at = 0;
		wbk_text name;
		while (component(&p, end, &name)) {
			at = below(paths, at, &name);
			if (at < 0)
				goto fail;
		}
		paths->places[at].ends = 1;
	}
	return paths;
fail:
	wbk_paths_free(paths);
	return NULL;
}

void wbk_paths_free(wbk_paths *paths)
{
	if (!paths)
		return;
	for (int32_t k = 0; k < paths->n; k++)
		wbk_glob_free(paths->places[k].glob);
	free(paths->places);
	free(paths);
}

/* As deep as the longest literal has components. */
static int match(const wbk_paths *paths, int32_t at, const uint8_t *p,
		 const uint8_t *end)
{
	const place *all = paths->places;
	wbk_text name;
	if (all[at].ends)
		return 1;
	if (all[at].child < 0 || !component(&p, end, &name))
		return 0;
	for (int32_t k = all[at].child; k >= 0; k = all[k].next) {
		int here = all[k].glob ? wbk_glob_match(all[k].glob, name.p,
							wbk_cut(name.p, name.n))
				       : equal(&all[k].name, &name);
		if (here && match(paths, k, p, end))
			return 1;
	}
	return 0;
}

int wbk_paths_match(const wbk_paths *paths, const uint8_t *p, int64_t n)
{
	return match(paths, 0, p, p + n);
}
