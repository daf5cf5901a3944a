/* Open a library, look its functions up, ask it who it is. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host_api.h"
#include "plugin.h"

static const char *const call_names[WB_CALL_COUNT] = {
	"",
	"dlopen",
#define X(name) "plugin_" #name,
	WB_CALLS(X)
#undef X
};

uint64_t wb_shared_page_bytes(void) { return sizeof(wb_shared_page); }

int wb_call_count(void) { return WB_CALL_COUNT; }

const char *wb_call_name(int call)
{
	return call >= 0 && call < WB_CALL_COUNT ? call_names[call] : "";
}

wb_host *wb_host_new(void *page, int log_fd)
{
	wb_host *host = wb_alloc(sizeof *host);
	host->page = page;
	host->page->magic = WB_PAGE_MAGIC;
	host->page->version = 1;
	host->log_fd = log_fd;
	return host;
}

void wb_host_free(wb_host *host)
{
	if (!host)
		return;
	while (host->last)
		wb_plugin_free(host->last);
	wb_tables_close(host);
	wb_free(host);
}

/*
 * Gives a library mapped from a private copy the name of its file: plugins find what
 * lies beside them through dladdr. The loader's own name is kept behind ours.
 */
static void name_library(void *library, const char *path)
{
	struct link_map *map = NULL;
	if (dlinfo(library, RTLD_DI_LINKMAP, &map) != 0 || !map || !map->l_name)
		return;
	if (strncmp(map->l_name, "/proc/self/fd/", 14) != 0)
		return; /* the file itself, or a copy that has its name already */
	char **named = malloc(sizeof *named + strlen(path) + 1);
	if (!named)
		return;
	*named = map->l_name;
	map->l_name = strcpy((char *)(named + 1), path);
}

wb_plugin *wb_host_add(wb_host *host, uint32_t index, const char *path)
{
	wb_plugin *p = wb_alloc(sizeof *p);
	p->host = host;
	p->index = index;
	p->path = wb_copy_text(path);
	if (host->last)
		host->last->next = p;
	else
		host->first = p;
	host->last = p;
	return p;
}

wb_plugin *wb_plugin_open(wb_host *host, uint32_t index, const char *library,
                          const char *path, char *error, uint64_t error_bytes)
{
	wb_plugin *p = wb_host_add(host, index, path);
	p->source = wb_copy_text("");
	wb_frame frame;
	wb_call_begin(p, WB_CALL_dlopen, &frame, "\"%s\", RTLD_LOCAL | RTLD_NOW", path);
	p->library = dlopen(library, RTLD_LOCAL | RTLD_NOW);
	const char *said = p->library ? "" : dlerror();
	wb_call_end(p, &frame, WB_RET_TEXT, 0, said);
	if (!p->library) {
		snprintf(error, error_bytes, "%s", said ? said : "unknown error");
		wb_plugin_free(p);
		return NULL;
	}
	name_library(p->library, path);
	for (int i = WB_CALL_dlopen + 1; i < WB_CALL_COUNT; i++)
		p->sym[i] = dlsym(p->library, call_names[i]);
	/*
	 * The framework asks for one field per call, and SDKs rely on it: the Rust one
	 * reuses the memory of a field's value for the next field. The Go SDK keeps a
	 * buffer per field, as do our plugins in Python, and their calls are dear: each
	 * is known by a symbol that it exports.
	 */
	p->shares_calls = dlsym(p->library, "plugin_extract_fields_sync") ||
	                  dlsym(p->library, "workbench_shares_extract_calls");
	return p;
}

void wb_plugin_free(wb_plugin *p)
{
	if (!p)
		return;
	wb_plugin_destroy(p);
	wb_host *host = p->host;
	wb_plugin **link = &host->first, *before = NULL;
	while (*link && *link != p) {
		before = *link;
		link = &before->next;
	}
	if (*link == p)
		*link = p->next;
	if (host->last == p)
		host->last = before;
	/* The library stays mapped: Go cannot be unloaded, C++ keeps statics anyway. */
	if (p->forget)
		p->forget(p);
	wb_tables_free(p);
	for (uint32_t i = 0; i < p->nasync_names; i++)
		wb_free(p->async_names[i]);
	wb_free(p->async_names);
	wb_scope_free(&p->async);
	wb_scope_free(&p->extract);
	wb_scope_free(&p->parse);
	wb_free(p->path);
	wb_free(p->name);
	wb_free(p->source);
	wb_free(p->text);
	wb_free(p->schema_version);
	wb_free(p);
}

int wb_plugin_has(wb_plugin *p, int call)
{
	return call > 0 && call < WB_CALL_COUNT && p->sym[call] != NULL;
}

const char *wb_plugin_text(wb_plugin *p, int call)
{
	if (!wb_plugin_has(p, call))
		return NULL;
	wb_frame frame;
	wb_call_begin(p, (wb_call)call, &frame, "%s", "");
	const char *text = ((wb_text_fn)p->sym[call])();
	wb_call_end(p, &frame, WB_RET_TEXT, 0, text ? text : "NULL");
	return wb_family_keep_text(p, text);
}

uint32_t wb_plugin_number(wb_plugin *p, int call)
{
	if (!wb_plugin_has(p, call))
		return 0;
	wb_frame frame;
	wb_call_begin(p, (wb_call)call, &frame, "%s", "");
	uint32_t number = ((wb_number_fn)p->sym[call])();
	char text[WB_TRACE_TEXT];
	snprintf(text, sizeof text, "%u", number);
	wb_call_end(p, &frame, WB_RET_TEXT, 0, text);
	return number;
}

const char *wb_plugin_init_schema(wb_plugin *p, int32_t *type)
{
	*type = 0;
	if (!p->sym[WB_CALL_get_init_schema])
		return NULL;
	wb_frame frame;
	wb_call_begin(p, WB_CALL_get_init_schema, &frame, "%s", "");
	const char *text = ((wb_schema_fn)p->sym[WB_CALL_get_init_schema])(type);
	wb_call_end(p, &frame, WB_RET_TEXT, 0, text ? text : "NULL");
	return wb_family_keep_text(p, text);
}

void wb_plugin_describe(wb_plugin *p, int family, uint32_t minor, const char *name,
                        const char *source, uint32_t id)
{
	p->family = (wb_family)family;
	p->minor = minor;
	wb_free(p->name);
	p->name = wb_copy_text(name);
	wb_free(p->source);
	p->source = wb_copy_text(source);
	p->id = id;
}

int wb_plugin_scope(wb_plugin *p, int what, const char *source)
{
	wb_scope *scope = what ? &p->parse : &p->extract;
	if (what)
		p->parses = true;
	else
		p->extracts = true;
	if (!source)
		return 0;
	wb_scope_add(scope, source);
	return (int)scope->nsources;
}
