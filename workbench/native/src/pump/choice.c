/* Windows of some events each: every way is tried, the cheapest is used, the others are
 * tried again now and then, the more rarely the dearer they were. */
#include "choice.h"

#define WINDOW_EVENTS 512u
#define WINDOW_NS 100000u
/* Fewer are enough of dear ones. */
#define LEAST_EVENTS 128u
#define LONG_NS 3000000u
/* How often each way is tried at first, and windows until it is tried again. */
#define FIRST_TRIALS 2u
#define PATIENCE 96.0
#define MOST_PATIENCE 1e6

static void add(wb_choice *c, int order, bool staged)
{
	c->ways[c->n++] = (wb_way){order, staged};
}

void wb_choice_begin(wb_choice *c, int order, bool may_look_back, bool staged)
{
	*c = (wb_choice){0};
	bool measured = order == WB_ORDER_MEASURED;
	if (order == WB_ORDER_BY_BATCH && !may_look_back)
		order = WB_ORDER_BY_EVENT;
	if ((measured && may_look_back) || order == WB_ORDER_BY_BATCH)
		add(c, WB_ORDER_BY_BATCH, true);
	if (measured && may_look_back && staged)
		add(c, WB_ORDER_BY_BATCH, false);
	if (measured || order == WB_ORDER_AT_ONCE)
		add(c, WB_ORDER_AT_ONCE, false);
	if (measured || order == WB_ORDER_BY_EVENT)
		add(c, WB_ORDER_BY_EVENT, true);
	if (measured && staged)
		add(c, WB_ORDER_BY_EVENT, false);
}

static void learn(wb_choice *c, uint64_t spent)
{
	double ns = (double)spent / (double)c->events, *known = &c->ns[c->now];
	/* A window that was disturbed tells little; a quick one is true. */
	*known = *known == 0 || ns < *known ? ns : *known + (ns - *known) / 16;
}

static uint32_t cheapest(const wb_choice *c)
{
	uint32_t best = c->now;
	for (uint32_t i = 0; i < c->n; i++)
		if (c->ns[i] > 0 && c->ns[i] < c->ns[best])
			best = i;
	return best;
}

bool wb_choice_note(wb_choice *c, uint64_t events, uint64_t (*cpu_ns)(void))
{
	c->events += events;
	c->used[c->now] += events;
	if (c->began && (c->n < 2 || c->events < LEAST_EVENTS))
		return false;
	uint64_t at = cpu_ns(), spent = at - c->began;
	if (c->began && spent < (c->events < WINDOW_EVENTS ? LONG_NS : WINDOW_NS))
		return false;
	if (c->began)
		learn(c, spent);
	c->events = 0;
	c->began = at;
	c->window++;
	if (!c->ns[c->now])
		return false;
	uint32_t was = c->now, best = cheapest(c);
	double ratio = c->ns[was] / c->ns[best], wait = PATIENCE * ratio * ratio;
	c->due[was] = c->window + (uint64_t)(wait < MOST_PATIENCE ? wait : MOST_PATIENCE);
	c->now = best;
	for (uint32_t i = 0; i < c->n; i++)
		if (c->window < FIRST_TRIALS * c->n ? i == c->window % c->n
		                                    : i != best && c->window >= c->due[i])
			c->now = i;
	return c->now != was;
}
