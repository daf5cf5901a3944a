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

static int32_t add(wbk_paths *paths, int32_t at, const wbk_text *name)
{
	place *added = &paths->places[paths->n];
	added->name = *name;
	added->child = -1;
	if (is_wildcard(name)) {
		added->glob = wbk_glob_new(name->p, name->n, 0);
		if (!added->glob)
			return -1;
	}
	/* In front: the engine tries what came last first. */
	added->next = paths->places[at].child;
	paths->places[at].child = paths->n;
	return paths->n++;
}

static int32_t *find(wbk_paths *paths, int32_t at, const wbk_text *name)
{
	int32_t *link = &paths->places[at].child;
	while (*link >= 0 && !equal(&paths->places[*link].name, name))
		link = &paths->places[*link].next;
	return link;
}

static int add_path(wbk_paths *paths, const wbk_text *path)
{
	const uint8_t *p = path->p, *end = p + path->n;
	wbk_text name, next;
	int32_t at = 0;
	if (!component(&p, end, &name)) {
		paths->places[0].ends = 1;
		return 0;
	}
	while (component(&p, end, &next)) {
		int32_t *link = find(paths, at, &name);
		int32_t below = *link >= 0 ? *link : add(paths, at, &name);
		if (below < 0)
			return -1;
		if (paths->places[below].ends)
			return 0; /* a shorter path is there already */
		at = below;
		name = next;
	}
	int32_t *link = find(paths, at, &name);
	if (*link >= 0)
		*link = paths->places[*link].next;
	int32_t last = add(paths, at, &name);
	if (last < 0)
		return -1;
	paths->places[last].ends = 1;
	return 0;
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
	for (int64_t i = 0; i < n; i++)
		if (add_path(paths, &items[i]))
			goto fail;
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

/* As deep as the longest literal has components. The engine's defect is kept: a pattern
   that fits but fails further down moves its siblings one component on. */
static int match(const wbk_paths *paths, int32_t at, const uint8_t *p,
		 const uint8_t *end)
{
	const place *all = paths->places;
	const uint8_t *after = p;
	wbk_text name;
	if (!component(&after, end, &name))
		return 0;
	for (int32_t k = all[at].child; k >= 0; k = all[k].next)
		if (!all[k].glob && equal(&all[k].name, &name) &&
		    (all[k].ends || match(paths, k, after, end)))
			return 1;
	for (int32_t k = all[at].child; k >= 0; k = all[k].next) {
		if (!all[k].glob)
			continue;
		after = p;
		if (!component(&after, end, &name))
			return 0;
		if (!wbk_glob_match(all[k].glob, name.p, wbk_cut(name.p, name.n)))
			continue;
		if (all[k].ends || match(paths, k, after, end))
			return 1;
		p = after;
	}
	return 0;
}

int wbk_paths_match(const wbk_paths *paths, const uint8_t *p, int64_t n)
{
	return paths->places[0].ends || match(paths, 0, p, p + n);
}
