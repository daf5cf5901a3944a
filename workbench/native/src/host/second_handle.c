/* A second plugin from a library that is mapped already: same code, same globals, but a
 * host, a state and tables of its own. Two streams of one framework have it so. */
#include "host_api.h"
#include "plugin.h"

wb_plugin *wb_plugin_second_handle(wb_host *host, wb_plugin *of)
{
	wb_plugin *p = wb_host_add(host, of->index, of->path);
	p->library = of->library;
	memcpy(p->sym, of->sym, sizeof p->sym);
	p->shares_calls = of->shares_calls;
	wb_plugin_describe(p, (int)of->family, of->minor, of->name, of->source, of->id);
	p->extracts = of->extracts;
	wb_scope_copy_sources(&p->extract, &of->extract);
	p->parses = of->parses;
	wb_scope_copy_sources(&p->parse, &of->parse);
	return p;
}
