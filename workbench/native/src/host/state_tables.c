/* State tables for the plugins of a host: one registry per host, made when needed. */
#include "../tables/tables.h"
#include "plugin.h"

/* A plugin's words about a failure in a table of its own. */
static const char *words(abi_owner *handle)
{
	wb_plugin *p = handle;
	void *fn = p->sym[WB_CALL_get_last_error];
	return p->state && fn ? ((wb_state_text_fn)fn)(p->state) : NULL;
}

wbt_registry *wb_tables_registry(wb_host *host)
{
	if (!host->tables)
		host->tables = wbt_registry_new();
	return host->tables;
}

static wbt_owner *owner_of(wb_plugin *p)
{
	if (!p->tables)
		p->tables = wbt_join(wb_tables_registry(p->host), p, p->name, p->minor, words);
	return p->tables;
}

const abi_init_tables_input *wb_tables_for_init(wb_plugin *p)
{
	return wbt_init_input(owner_of(p));
}

abi_reader_vtable_ext *wb_tables_reader(wb_plugin *p) { return wbt_reader(); }
abi_writer_vtable *wb_tables_writer(wb_plugin *p) { return wbt_writer(); }

void wb_tables_call_ended(wb_plugin *p)
{
	if (p->tables)
		wbt_call_ended(p->tables);
}

void wb_tables_retire(wb_plugin *p)
{
	if (p->tables)
		wbt_retire(p->tables);
}

void wb_tables_free(wb_plugin *p)
{
	if (p->tables)
		wbt_leave(p->tables);
	p->tables = NULL;
}

void wb_tables_close(wb_host *host)
{
	if (host->tables)
		wbt_registry_free(host->tables);
	host->tables = NULL;
}

const char *wb_owner_last_error(abi_owner *owner) { return wbt_last_error(owner); }
