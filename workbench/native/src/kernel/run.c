/* Many conditions over one batch: blocks of rows, every distinct check at most once per
   row, cheap checks first, costly ones only on rows that still depend on them. */
#include "kernel.h"

#define BLOCK 65536
/* Deeper trees work on smaller blocks, as every level holds bitmaps of its own. */
#define DEEP 256

/* What is known of a check or a shared node in the current block. */
typedef struct memo {
	uint64_t *hits;
	uint64_t *known; /* rows answered; all of them once `full` */
	int full;
	int touched;
} memo;

/* How a node fared so far: decides the order of its parent's children. */
typedef struct record {
	double asked;
	double passed;
	float cost;
	int32_t height;
} record;

typedef struct wbk_runner {
	const wbk_program *program;
	memo *slots;
	memo *shared;     /* by node; NULL bitmaps unless shared */
	record *records;  /* by node */
	int32_t *order;   /* children, reordered as records grow */
	uint64_t **spare; /* scratch bitmaps, grown on demand */
	int64_t n_spare, used;
	int64_t start, n, words;
	int64_t block; /* rows */
	uint64_t blocks;
	int watched; /* note in this block how nodes fare, and order them by it */
} run;

/* The first blocks are watched, then one in SELDOM + 1. */
#define ALWAYS_WATCHED 32u
#define SELDOM 15u

/* Children lists longer than this keep the order they came in. */
#define SORTED 24

static uint64_t *push(run *r)
{
	if (r->used == r->n_spare) {
		int64_t more = r->n_spare ? r->n_spare * 2 : 16;
		uint64_t **grown = realloc(r->spare, sizeof *grown * (size_t)more);
		if (!grown)
			return NULL;
		memset(grown + r->n_spare, 0, sizeof *grown * (size_t)(more - r->n_spare));
		r->spare = grown;
		r->n_spare = more;
	}
	if (!r->spare[r->used])
		r->spare[r->used] = malloc((size_t)r->block / 8);
	return r->spare[r->used] ? r->spare[r->used++] : NULL;
}

static int memo_ready(const run *r, memo *m)
{
	if (!m->hits) {
		m->hits = malloc((size_t)r->block / 8);
		m->known = malloc((size_t)r->block / 8);
	}
	return m->hits && m->known ? 0 : -1;
}

static void memo_begin(const run *r, memo *m)
{
	if (!m->touched) {
		m->touched = 1;
		m->full = 0;
		memset(m->known, 0, (size_t)r->words * 8);
		memset(m->hits, 0, (size_t)r->words * 8);
	}
}

static int look_up_group(run *r, const wbk_group *g)
{
	uint64_t *out[8];
	int64_t first = 0, count = r->n;
	int list = wbk_is_list(g->column);
	for (int b = 0; b < g->count; b++) {
		memo *m = &r->slots[g->slots[b]];
		if (memo_ready(r, m))
			return -1;
		m->touched = m->full = 1;
		out[b] = m->hits;
	}
	if (!list) {
		wbk_gather(g->column, r->start, r->n, g->lut, g->count, out);
		return 0;
	}
	wbk_item_range(g->column, r->start, r->n, &first, &count);
	size_t words = (size_t)wbk_words(count);
	uint64_t *memory = malloc((words * 8 + (size_t)r->words) * 8 + 8);
	if (!memory)
		return -1;
	uint64_t *items[8], *need = memory + words * 8;
	for (int b = 0; b < 8; b++)
		items[b] = memory + words * (size_t)b;
	wbk_gather(g->column->child, first, count, g->lut, g->count, items);
	wbk_present(g->column, r->start, r->n, NULL, need);
	for (int b = 0; b < g->count; b++) {
		const wbk_leaf *l = r->program->slots[g->slots[b]].leaf;
		wbk_reduce(g->column, r->start, r->n, items[b], first,
			   l && l->flags & WBK_ALL, need, out[b]);
	}
	free(memory);
	return 0;
}

static int ask(run *r, int32_t slot, const uint64_t *need, uint64_t *out)
{
	const wbk_slot *s = &r->program->slots[slot];
	if (s->leaf)
		return wbk_leaf_eval(s->leaf, s->left, s->right, r->start, r->n, need, out);
	if (!r->program->callback)
		return -2;
	memset(out, 0, (size_t)r->words * 8);
	if (r->program->callback(r->program->context, slot, r->start, r->n, need, out))
		return -2;
	for (int64_t k = 0; k < r->words; k++)
		out[k] &= need[k];
	return 0;
}

static int eval_slot(run *r, int32_t slot, const uint64_t *rows, uint64_t *out)
{
	const wbk_slot *s = &r->program->slots[slot];
	memo *m = &r->slots[slot];
	if (memo_ready(r, m))
		return -1;
	memo_begin(r, m);
	if (!m->full && s->group >= 0) {
		int failed = look_up_group(r, &r->program->groups[s->group]);
		if (failed)
			return failed;
	}
	if (!m->full) {
		uint64_t *need = push(r), *got = push(r), any = 0;
		if (!need || !got)
			return -1;
		/* A cheap check is asked for the whole block: others will want it. */
		int whole = s->leaf && s->cost <= 2.0f;
		if (whole)
			wbk_ones(need, r->n);
		for (int64_t k = 0; k < r->words; k++) {
			need[k] = (whole ? need[k] : rows[k]) & ~m->known[k];
			any |= need[k];
		}
		if (any) {
			int failed = ask(r, slot, need, got);
			if (failed)
				return failed;
			for (int64_t k = 0; k < r->words; k++) {
				m->hits[k] |= got[k];
				m->known[k] |= need[k];
			}
		}
		m->full = whole;
		r->used -= 2;
	}
	for (int64_t k = 0; k < r->words; k++)
		out[k] = m->hits[k] & rows[k];
	return 0;
}

/* Cost of the next answer of a node per row, and how much it settles. */
static float rank(const run *r, int32_t node, int op)
{
	const wbk_node *x = &r->program->nodes[node];
	const record *e = &r->records[node];
	float cost = e->cost, settles;
	if (x->op == WBK_LEAF && r->slots[x->first].touched && r->slots[x->first].full)
		cost = 0.05f;
	double share = e->asked > 0 ? e->passed / e->asked : 0.5;
	settles = (float)(op == WBK_AND ? 1 - share : share);
	return cost / (settles + 0.02f);
}

static void sort_children(run *r, const wbk_node *x)
{
	int32_t *c = r->order + x->first;
	float ranks[SORTED];
	if (x->count > SORTED)
		return;
	for (int32_t i = 0; i < x->count; i++) {
		int32_t node = c[i], j = i;
		float mine = rank(r, node, x->op);
		for (; j > 0 && ranks[j - 1] > mine; j--) {
			ranks[j] = ranks[j - 1];
			c[j] = c[j - 1];
		}
		ranks[j] = mine;
		c[j] = node;
	}
}

static int eval(run *r, int32_t node, const uint64_t *rows, uint64_t *out);

static int eval_chain(run *r, const wbk_node *x, const uint64_t *rows, uint64_t *out)
{
	uint64_t *left = push(r), *got = push(r);
	int failed = 0;
	if (!left || !got)
		return -1;
	if (r->watched)
		sort_children(r, x);
	memcpy(left, rows, (size_t)r->words * 8);
	if (x->op == WBK_OR)
		memset(out, 0, (size_t)r->words * 8);
	for (int32_t i = 0; i < x->count && !failed; i++) {
		uint64_t any = 0;
		failed = eval(r, r->order[x->first + i], left, got);
		if (failed)
			break;
		for (int64_t k = 0; k < r->words; k++) {
			if (x->op == WBK_OR)
				out[k] |= got[k];
			left[k] = x->op == WBK_OR ? left[k] & ~got[k] : got[k];
			any |= left[k];
		}
		if (!any)
			break;
	}
	if (x->op == WBK_AND && !failed)
		memcpy(out, left, (size_t)r->words * 8);
	r->used -= 2;
	return failed;
}

/* Exactly one child: rows met twice are settled. */
static int eval_one(run *r, const wbk_node *x, const uint64_t *rows, uint64_t *out)
{
	uint64_t *left = push(r), *got = push(r);
	int failed = 0;
	if (!left || !got)
		return -1;
	memcpy(left, rows, (size_t)r->words * 8);
	memset(out, 0, (size_t)r->words * 8);
	for (int32_t i = 0; i < x->count && !failed; i++) {
		failed = eval(r, r->order[x->first + i], left, got);
		for (int64_t k = 0; k < r->words && !failed; k++) {
			uint64_t twice = out[k] & got[k];
			out[k] = (out[k] | got[k]) & ~twice;
			left[k] &= ~twice;
		}
	}
	r->used -= 2;
	return failed;
}

static int eval_plain(run *r, int32_t node, const uint64_t *rows, uint64_t *out)
{
	const wbk_node *x = &r->program->nodes[node];
	int failed;
	switch (x->op) {
	case WBK_LEAF:
		return eval_slot(r, x->first, rows, out);
	case WBK_NOT:
		failed = eval(r, r->order[x->first], rows, out);
		for (int64_t k = 0; k < r->words && !failed; k++)
			out[k] = rows[k] & ~out[k];
		return failed;
	case WBK_ONE:
		return eval_one(r, x, rows, out);
	default:
		return eval_chain(r, x, rows, out);
	}
}

/* `out` becomes the rows among `rows` that pass. */
static int eval(run *r, int32_t node, const uint64_t *rows, uint64_t *out)
{
	const wbk_node *x = &r->program->nodes[node];
	record *e = &r->records[node];
	int failed;
	if (x->shared && x->op != WBK_LEAF) {
		memo *m = &r->shared[node];
		uint64_t *need = push(r), *got = push(r), any = 0;
		if (!need || !got || memo_ready(r, m))
			return -1;
		memo_begin(r, m);
		for (int64_t k = 0; k < r->words; k++) {
			need[k] = rows[k] & ~m->known[k];
			any |= need[k];
		}
		failed = any ? eval_plain(r, node, need, got) : 0;
		for (int64_t k = 0; k < r->words && !failed; k++) {
			if (any) {
				m->hits[k] |= got[k];
				m->known[k] |= need[k];
			}
			out[k] = m->hits[k] & rows[k];
		}
		r->used -= 2;
	} else {
		failed = eval_plain(r, node, rows, out);
	}
	if (!failed && r->watched) {
		e->asked += (double)wbk_count(rows, r->n);
		e->passed += (double)wbk_count(out, r->n);
	}
	return failed;
}

static int run_block(run *r, uint8_t *const *out, int64_t out_offset, int64_t *counts)
{
	const wbk_program *p = r->program;
	r->used = 0;
	r->watched = r->blocks < ALWAYS_WATCHED || !(r->blocks & SELDOM);
	r->blocks++;
	for (int64_t i = 0; i < p->n_slots; i++)
		r->slots[i].touched = 0;
	for (int64_t i = 0; i < p->n_nodes; i++)
		r->shared[i].touched = 0;
	uint64_t *rows = push(r), *got = push(r);
	if (!rows || !got)
		return -1;
	wbk_ones(rows, r->n);
	for (int64_t i = 0; i < p->n_roots; i++) {
		int failed = eval(r, p->roots[i], rows, got);
		if (failed)
			return failed;
		if (out && out[i])
			wbk_store_bits(out[i], out_offset + r->start, got, r->n);
		if (counts)
			counts[i] += wbk_count(got, r->n);
		if (p->first_match)
			for (int64_t k = 0; k < r->words; k++)
				rows[k] &= ~got[k];
	}
	return 0;
}

/* Costs and heights go up the tree; children come before their parents. */
static void set_costs(run *r)
{
	const wbk_program *p = r->program;
	int64_t highest = 0;
	for (int64_t i = 0; i < p->n_nodes; i++) {
		const wbk_node *x = &p->nodes[i];
		float sum = x->op == WBK_LEAF ? p->slots[x->first].cost : 0.1f;
		int32_t height = 0;
		for (int32_t k = 0; k < x->count && x->op != WBK_LEAF; k++) {
			const record *child = &r->records[p->children[x->first + k]];
			sum += child->cost;
			height = child->height + 1 > height ? child->height + 1 : height;
		}
		r->records[i].cost = sum;
		r->records[i].height = height;
		highest = height > highest ? height : highest;
	}
	r->block = highest > DEEP ? BLOCK * DEEP / highest / 64 * 64 + 64 : BLOCK;
}

static void memos_free(memo *m, int64_t n)
{
	for (int64_t i = 0; m && i < n; i++) {
		free(m[i].hits);
		free(m[i].known);
	}
	free(m);
}

wbk_runner *wbk_runner_new(const wbk_program *p, int64_t rows)
{
	run *r = calloc(1, sizeof *r);
	if (!r)
		return NULL;
	r->program = p;
	r->slots = calloc((size_t)p->n_slots + 1, sizeof *r->slots);
	r->shared = calloc((size_t)p->n_nodes + 1, sizeof *r->shared);
	r->records = calloc((size_t)p->n_nodes + 1, sizeof *r->records);
	r->order = malloc(sizeof *r->order * ((size_t)p->n_children + 1));
	if (!r->slots || !r->shared || !r->records || !r->order) {
		wbk_runner_free(r);
		return NULL;
	}
	if (p->n_children)
		memcpy(r->order, p->children, sizeof *r->order * (size_t)p->n_children);
	set_costs(r);
	if (rows < r->block)
		r->block = wbk_words(rows > 0 ? rows : 1) * 64;
	return r;
}

int wbk_runner_run(wbk_runner *r, int64_t n, uint8_t *const *out, int64_t out_offset,
		   int64_t *counts)
{
	int failed = 0;
	for (r->start = 0; r->start < n && !failed; r->start += r->block) {
		r->n = n - r->start < r->block ? n - r->start : r->block;
		r->words = wbk_words(r->n);
		failed = run_block(r, out, out_offset, counts);
	}
	return failed;
}

void wbk_runner_free(wbk_runner *r)
{
	if (!r)
		return;
	if (r->slots)
		memos_free(r->slots, r->program->n_slots);
	if (r->shared)
		memos_free(r->shared, r->program->n_nodes);
	for (int64_t i = 0; i < r->n_spare; i++)
		free(r->spare[i]);
	free(r->spare);
	free(r->records);
	free(r->order);
	free(r);
}

int wbk_run(const wbk_program *p, int64_t n, uint8_t *const *out, int64_t out_offset,
	    int64_t *counts)
{
	wbk_runner *r = wbk_runner_new(p, n);
	if (!r)
		return -1;
	int failed = wbk_runner_run(r, n, out, out_offset, counts);
	wbk_runner_free(r);
	return failed;
}
