/* Where a plugin requests to see events. */
#include "plugin.h"

void wb_scope_add(wb_scope *scope, const char *source)
{
	scope->sources = wb_realloc(scope->sources,
	                            (scope->nsources + 1) * sizeof *scope->sources);
	scope->sources[scope->nsources++] = wb_copy_text(source);
}

void wb_scope_copy_sources(wb_scope *to, const wb_scope *from)
{
	for (uint32_t i = 0; i < from->nsources; i++)
		wb_scope_add(to, from->sources[i]);
}

void wb_scope_free(wb_scope *scope)
{
	for (uint32_t i = 0; i < scope->nsources; i++)
		wb_free(scope->sources[i]);
	wb_free(scope->sources);
	wb_free(scope->types);
}

bool wb_scope_sees(const wb_scope *scope, const char *source)
{
	if (!scope->nsources)
		return true;
	for (uint32_t i = 0; i < scope->nsources; i++)
		if (!strcmp(scope->sources[i], source))
			return true;
	return false;
}
