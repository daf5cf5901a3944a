/* The breadcrumb, the trace ring, and the log line. */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "host_api.h"
#include "plugin.h"

/* ---- trace ------------------------------------------------------------------ */

static void shorten(char *out, const char *text)
{
	size_t n = strnlen(text, WB_TRACE_TEXT);
	if (n < WB_TRACE_TEXT) {
		memcpy(out, text, n + 1);
		return;
	}
	memcpy(out, text, WB_TRACE_TEXT - 4);
	memcpy(out + WB_TRACE_TEXT - 4, "...", 4);
}

void wb_call_begin(wb_plugin *p, wb_call call, wb_frame *frame, const char *format, ...)
{
	wb_shared_page *b = p->host->page;
	frame->call = b->call;
	frame->plugin = b->plugin;
	uint64_t seq = b->trace_head + 1;
	wb_trace_slot *slot = &b->trace[(seq - 1) % WB_TRACE_SLOTS];
	frame->slot = slot;
	slot->seq = 0;
	slot->start_ns = wb_real_ns();
	slot->duration_ns = 0;
	slot->call = call;
	slot->plugin = p->index;
	slot->kind = WB_RET_IN_FLIGHT;
	slot->text[0] = 0;
	/* Long arguments are cut by snprintf; mark that they were. */
	va_list args;
	va_start(args, format);
	int n = vsnprintf(slot->args, WB_TRACE_TEXT, format, args);
	va_end(args);
	if (n >= WB_TRACE_TEXT)
		memcpy(slot->args + WB_TRACE_TEXT - 4, "...", 4);
	atomic_thread_fence(memory_order_release);
	slot->seq = seq;
	b->trace_head = seq;
	frame->start = wb_mono_ns();
	b->enter_ns = frame->start;
	wb_mark(p->host, call, p->index);
}

void wb_call_end(wb_plugin *p, wb_frame *frame, uint32_t kind, int32_t code,
                 const char *text)
{
	wb_trace_slot *slot = frame->slot;
	wb_shared_page *b = p->host->page;
	b->call = frame->call;
	b->plugin = frame->plugin;
	slot->duration_ns = wb_mono_ns() - frame->start;
	slot->code = code;
	if (text)
		shorten(slot->text, text);
	atomic_thread_fence(memory_order_release);
	slot->kind = kind;
}

/* ---- log -------------------------------------------------------------------- */

#define LOG_COMPONENT_MAX 256u
#define LOG_TEXT_MAX 8192u

typedef struct log_head {
	uint32_t plugin;
	int32_t severity;
	uint64_t time_ns;
	uint32_t component_len;
	uint32_t text_len;
} log_head;

int wb_log_send(int fd, uint32_t plugin, int32_t severity, const char *component,
                const char *text)
{
	log_head head = {plugin, severity, wb_real_ns(),
	                 (uint32_t)strnlen(component, LOG_COMPONENT_MAX),
	                 (uint32_t)strnlen(text, LOG_TEXT_MAX)};
	struct iovec parts[3] = {{&head, sizeof head},
	                         {(void *)component, head.component_len},
	                         {(void *)text, head.text_len}};
	struct msghdr msg = {.msg_iov = parts, .msg_iovlen = 3};
	return sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

__attribute__((noinline)) void wb_log(wb_plugin *p, int32_t severity,
                                      const char *component, const char *text)
{
	wb_host *host = p->host;
	int saved = errno;
	if (!component || !*component)
		component = p->name ? p->name : "";
	if (host->log_fd < 0 ||
	    wb_log_send(host->log_fd, p->index, severity, component, text ? text : ""))
		__atomic_fetch_add(&host->page->log_dropped, 1, __ATOMIC_RELAXED);
	errno = saved;
}

void wb_log_fn(abi_owner *owner, const char *component, const char *msg, int32_t sev)
{
	if (owner)
		wb_log(owner, sev, component, msg);
}

void wb_warn(wb_plugin *p, const char *format, ...)
{
	char text[1024];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	wb_log(p, 4, "workbench", text);
}
