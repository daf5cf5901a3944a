/* Packed programs: nothing of the bytes is believed. */
#include "packed.h"

/* Higher trees would use up the stack. */
#define HIGHEST 4096
#define MOST (1u << 22)

typedef struct reader {
	const uint8_t *at;
	uint64_t left;
} reader;

/* Copy n items of `size` bytes into memory of their own; NULL: not so many are left. */
static void *take(reader *r, uint64_t n, uint64_t size)
{
	if (n > MOST || n * size > r->left)
		return NULL;
	void *copy = calloc((size_t)n + 1, (size_t)size);
	if (copy && n)
		memcpy(copy, r->at, (size_t)(n * size));
	r->at += n * size;
	r->left -= n * size;
	return copy;
}

static int is_text(const wbk_packed *p, int32_t column)
{
	return (p->wanted[column].kind & 0xff) == WBK_BYTES32;
}

static int is_list(const wbk_packed *p, int32_t column)
{
	return (p->wanted[column].kind & WBK_PACKED_LIST) != 0;
}

static int check_columns(const wbk_packed *p)
{
	for (uint32_t i = 0; i < p->n_columns; i++) {
		uint32_t kind = p->wanted[i].kind & ~WBK_PACKED_LIST;
		if (kind != WBK_U64 && kind != WBK_BOOL && kind != WBK_BYTES32)
			return -1;
	}
	return 0;
}

/* Does the question suit the columns it is asked of? */
static int check_leaf(const wbk_packed *p, const wbk_packed_leaf *f)
{
	int32_t n = (int32_t)p->n_columns, known = WBK_NEGATE | WBK_CUT | WBK_ALL |
		    WBK_LENGTH | WBK_TRIM | WBK_RIGHT_LENGTH;
	int single = f->op != WBK_EXISTS && f->op != WBK_IN && f->op != WBK_NET &&
		     f->op != WBK_PMATCH;
	if (f->op < WBK_EXISTS || f->op > WBK_NET || f->flags & ~known)
		return -1;
	if (f->left < 0 || f->left >= n || f->right < -1 || f->right >= n)
		return -1;
	if (f->right < 0)
		return single && f->n_literals != 1 ? -1 : 0;
	if (f->n_literals || f->op == WBK_EXISTS || f->op == WBK_NET ||
	    f->op == WBK_PMATCH || f->looked_up)
		return -1;
	int left_number = f->flags & WBK_LENGTH || !is_text(p, f->left);
	int right_number = f->flags & WBK_RIGHT_LENGTH || !is_text(p, f->right);
	if (f->flags & (WBK_LENGTH | WBK_RIGHT_LENGTH))
		return left_number != right_number ? -1 : 0;
	return left_number != right_number || is_list(p, f->left) != is_list(p, f->right) ||
			       (is_list(p, f->left) && f->op != WBK_IN)
		       ? -1
		       : 0;
}

static wbk_leaf *make_leaf(const wbk_packed_leaf *f, const uint8_t *literals,
			   uint64_t bytes)
{
	uint8_t steps[2][WBK_MAX_STEPS + 1] = {{0}};
	if (f->literals > bytes || f->n_literals > (bytes - f->literals) / 4)
		return NULL;
	const uint8_t *lengths = literals + f->literals;
	const uint8_t *text = lengths + 4 * (uint64_t)f->n_literals;
	uint64_t left = bytes - f->literals - 4 * (uint64_t)f->n_literals, end = 0;
	int64_t *ends = malloc(8 * ((size_t)f->n_literals + 1));
	for (uint32_t i = 0; ends && i < f->n_literals; i++) {
		uint32_t length;
		memcpy(&length, lengths + 4 * (uint64_t)i, 4);
		end += length;
		ends[i] = (int64_t)end;
	}
	wbk_leaf *leaf = NULL;
	memcpy(steps[0], f->steps[0], WBK_MAX_STEPS);
	memcpy(steps[1], f->steps[1], WBK_MAX_STEPS);
	if (ends && end <= left)
		leaf = wbk_leaf_new(f->op, f->flags, text, ends, f->n_literals, steps[0],
				    steps[1]);
	free(ends);
	return leaf;
}

static int make_leaves(wbk_packed *p, const uint8_t *literals, uint64_t bytes)
{
	for (int64_t i = 0; i < p->program.n_slots; i++) {
		const wbk_packed_leaf *f = &p->facts[i];
		if (check_leaf(p, f))
			return -1;
		p->leaves[i] = make_leaf(f, literals, bytes);
		if (!p->leaves[i])
			return -1;
		p->slots[i] = (wbk_slot){p->leaves[i], &p->bound[f->left].rows,
					 f->right < 0 ? NULL : &p->bound[f->right].rows,
					 -1, f->cost > 0 ? f->cost : 0.1f};
	}
	return 0;
}

/* Children come before their parents, so there is no circle; and each node has a stretch of
 * `children` to itself, as runs reorder it. */
static int check_nodes(const wbk_packed *p)
{
	const wbk_program *g = &p->program;
	int32_t *height = calloc((size_t)g->n_nodes + 1, sizeof *height);
	int wrong = !height || g->n_roots != 1;
	int64_t used = 0;
	for (int64_t i = 0; !wrong && i < g->n_nodes; i++) {
		const wbk_node *x = &p->nodes[i];
		int64_t end = x->op == WBK_LEAF ? g->n_slots : g->n_children;
		wrong = x->op < WBK_LEAF || x->op > WBK_ONE || x->first < 0 ||
			x->count < 0 || (int64_t)x->first + x->count > end ||
			((x->op == WBK_LEAF || x->op == WBK_NOT) && x->count != 1) ||
			(x->op != WBK_LEAF && x->first != used);
		used += wrong || x->op == WBK_LEAF ? 0 : x->count;
		for (int32_t k = 0; !wrong && x->op != WBK_LEAF && k < x->count; k++) {
			int32_t child = p->children[x->first + k];
			wrong = child < 0 || child >= i;
			if (!wrong && height[child] >= height[i])
				height[i] = height[child] + 1;
		}
		wrong = wrong || height[i] > HIGHEST;
	}
	for (int64_t i = 0; !wrong && i < g->n_roots; i++)
		wrong = p->roots[i] < 0 || p->roots[i] >= g->n_nodes;
	free(height);
	return wrong ? -1 : 0;
}

static int unpack(wbk_packed *p, const wbk_packed_head *head, reader *r)
{
	p->n_columns = head->n_columns;
	p->wanted = take(r, head->n_columns, sizeof *p->wanted);
	p->facts = p->wanted ? take(r, head->n_leaves, sizeof *p->facts) : NULL;
	p->nodes = p->facts ? take(r, head->n_nodes, sizeof *p->nodes) : NULL;
	p->children = p->nodes ? take(r, head->n_children, sizeof *p->children) : NULL;
	p->roots = p->children ? take(r, head->n_roots, sizeof *p->roots) : NULL;
	if (!p->roots || r->left != head->literal_bytes)
		return -1;
	p->bound = calloc((size_t)head->n_columns + 1, sizeof *p->bound);
	p->leaves = calloc((size_t)head->n_leaves + 1, sizeof(wbk_leaf *));
	p->slots = calloc((size_t)head->n_leaves + 1, sizeof *p->slots);
	if (!p->bound || !p->leaves || !p->slots || check_columns(p))
		return -1;
	p->program = (wbk_program){.nodes = p->nodes, .n_nodes = head->n_nodes,
				   .children = p->children,
				   .n_children = head->n_children, .roots = p->roots,
				   .n_roots = head->n_roots, .slots = p->slots,
				   .n_slots = head->n_leaves};
	return make_leaves(p, r->at, r->left) || check_nodes(p) ? -1 : 0;
}

wbk_packed *wbk_packed_new(const uint8_t *bytes, uint64_t size, int64_t rows)
{
	wbk_packed_head head;
	if (size < sizeof head)
		return NULL;
	memcpy(&head, bytes, sizeof head);
	if (head.magic != WBK_PACKED_MAGIC || head.version != WBK_PACKED_VERSION)
		return NULL;
	wbk_packed *p = calloc(1, sizeof *p);
	reader r = {bytes + sizeof head, size - sizeof head};
	if (!p || unpack(p, &head, &r) || wbk_packed_group(p))
		goto fail;
	p->runner = wbk_runner_new(&p->program, rows);
	if (p->runner)
		return p;
fail:
	wbk_packed_free(p);
	return NULL;
}

void wbk_packed_free(wbk_packed *p)
{
	if (!p)
		return;
	wbk_runner_free(p->runner);
	wbk_packed_ungroup(p);
	for (int64_t i = 0; p->leaves && i < p->program.n_slots; i++)
		wbk_leaf_free(p->leaves[i]);
	free(p->wanted);
	free(p->bound);
	free(p->leaves);
	free(p->facts);
	free(p->nodes);
	free(p->children);
	free(p->roots);
	free(p->slots);
	free(p);
}

int64_t wbk_packed_check(const uint8_t *bytes, uint64_t size)
{
	wbk_packed *p = wbk_packed_new(bytes, size, 64);
	int64_t columns = p ? (int64_t)p->n_columns : -1;
	wbk_packed_free(p);
	return columns;
}
