/* A packed program at work: columns that are bound anew for every piece of rows, and
 * tables of answers that grow with the dictionaries. */
#include "packed.h"

#define LOOKUP_COST 0.2f

struct wbk_table {
	uint32_t column;
	uint8_t *lut;   /* one byte for each value, and a zero */
	int64_t filled; /* values answered */
	int64_t size;
};

/* Walk the leaves of each column in groups of eight; `make`: fill them in. */
static int64_t lay_groups(wbk_packed *p, int make)
{
	int64_t n = 0;
	for (uint32_t c = 0; c < p->n_columns; c++) {
		int32_t count = 8; /* of the last group: full, so a new one begins */
		for (int64_t i = 0; i < p->program.n_slots; i++) {
			const wbk_packed_leaf *f = &p->facts[i];
			if (!f->looked_up || (uint32_t)f->left != c)
				continue;
			if (count == 8) {
				count = 0;
				n++;
			}
			if (make) {
				wbk_group *g = &p->groups[n - 1];
				p->tables[n - 1].column = c;
				g->column = &p->bound[c].rows;
				g->slots[count] = (int32_t)i;
				g->count = count + 1;
			}
			count++;
		}
	}
	return n;
}

int wbk_packed_group(wbk_packed *p)
{
	int64_t n = lay_groups(p, 0);
	p->groups = calloc((size_t)n + 1, sizeof *p->groups);
	p->tables = calloc((size_t)n + 1, sizeof *p->tables);
	if (!p->groups || !p->tables)
		return -1;
	p->program.groups = p->groups;
	p->program.n_groups = n;
	lay_groups(p, 1);
	return 0;
}

void wbk_packed_ungroup(wbk_packed *p)
{
	for (int64_t g = 0; p->tables && g < p->program.n_groups; g++)
		free(p->tables[g].lut);
	free(p->tables);
	free(p->groups);
}

void wbk_packed_bind(wbk_packed *p, uint32_t i, int coded)
{
	wbk_bound *b = &p->bound[i];
	if (b->coded == coded)
		return;
	b->coded = coded;
	for (int64_t g = 0; g < p->program.n_groups; g++) {
		if (p->tables[g].column != i)
			continue;
		p->tables[g].filled = 0;
		if (p->tables[g].lut)
			memset(p->tables[g].lut, 0, (size_t)p->tables[g].size);
		for (int32_t k = 0; k < p->groups[g].count; k++) {
			int32_t slot = p->groups[g].slots[k];
			p->slots[slot].group = coded ? (int32_t)g : -1;
			p->slots[slot].cost = coded ? LOOKUP_COST : p->facts[slot].cost;
		}
	}
}

static int make_room(struct wbk_table *t, int64_t values)
{
	if (values < t->size)
		return 0;
	int64_t size = values + values / 2 + 64;
	uint8_t *lut = realloc(t->lut, (size_t)size);
	if (!lut)
		return -1;
	memset(lut + t->filled, 0, (size_t)(size - t->filled));
	t->lut = lut;
	t->size = size;
	return 0;
}

/* Answer a group's checks for the values that are new in its dictionary. */
static int fill(wbk_packed *p, int64_t g)
{
	struct wbk_table *t = &p->tables[g];
	const wbk_column *values = &p->bound[t->column].values;
	int64_t n = values->length - t->filled;
	if (n <= 0 && t->lut)
		return 0;
	if (make_room(t, values->length))
		return -1;
	uint64_t *bits = malloc((size_t)wbk_words(n) * 8 + 8);
	int failed = !bits;
	for (int32_t k = 0; !failed && n > 0 && k < p->groups[g].count; k++) {
		int32_t slot = p->groups[g].slots[k];
		failed = wbk_leaf_eval(p->leaves[slot], values, NULL, t->filled, n, NULL, bits);
		if (!failed)
			wbk_lut_put(t->lut + t->filled, bits, n, k);
	}
	free(bits);
	if (failed)
		return -1;
	t->filled = values->length;
	p->groups[g].lut = t->lut;
	return 0;
}

int wbk_packed_run(wbk_packed *p, int64_t n, uint64_t *out)
{
	for (int64_t g = 0; g < p->program.n_groups; g++)
		if (p->bound[p->tables[g].column].coded && fill(p, g))
			return -1;
	uint8_t *roots[1] = {(uint8_t *)out};
	memset(out, 0, (size_t)wbk_words(n) * 8);
	return wbk_runner_run(p->runner, n, roots, 0, NULL);
}
