/* The shared page, which the parent process sees too: the call in flight, what killed us,
 * counters, and the trace ring. Written by the host, read by the parent at any time, also
 * after death. shared_page.py reads the same layout; the asserts hold it. */
#ifndef WB_SHARED_PAGE_H
#define WB_SHARED_PAGE_H

#include <stddef.h>
#include <stdint.h>

#define WB_PAGE_MAGIC 0x31424257u
#define WB_TRACE_SLOTS 1024
#define WB_TRACE_TEXT 128
#define WB_HOT_PLUGINS 64
#define WB_HOT_CALLS 4
#define WB_BACKTRACE_BYTES 3584
#define WB_FAILED_TEXT 496

/* Index into wb_shared_page.failed. */
enum { WB_FAILED_EXTRACT, WB_FAILED_PARSE, WB_FAILED_CALLS };

/* What the return_text of a trace slot means. */
enum { WB_RET_VOID = 0, WB_RET_CODE = 1, WB_RET_TEXT = 2, WB_RET_IN_FLIGHT = 255 };

typedef struct wb_trace_slot {
	uint64_t seq; /* 1-based; 0 while the slot is being filled */
	uint64_t start_ns;
	uint64_t duration_ns;
	uint32_t call;
	uint32_t plugin;
	int32_t code;
	uint32_t kind;
	char args[WB_TRACE_TEXT];
	char text[WB_TRACE_TEXT];
	char pad[24];
} wb_trace_slot;

typedef struct wb_hot {
	uint64_t count;
	uint64_t timed; /* calls whose duration was measured */
	uint64_t timed_ns;
	uint64_t failures;
} wb_hot;

/* What failed in the capture, or feeding, that began last: for people to be told. */
typedef struct wb_failed {
	uint64_t events; /* in which the call failed */
	uint64_t first;  /* number of the first of them */
	char text[WB_FAILED_TEXT]; /* the plugin's last error then, "" for none */
} wb_failed;

typedef struct wb_shared_page {
	uint32_t magic;
	uint32_t version;
	/* the call in flight */
	volatile uint32_t call;
	volatile uint32_t plugin;
	volatile uint64_t call_seq;
	volatile uint64_t enter_ns;
	volatile uint64_t event_number;
	volatile uint64_t chunks_sent;
	volatile uint64_t bytes_sent;
	volatile uint64_t events_total;
	/* written by the parent */
	volatile uint32_t stop;
	volatile uint32_t waiting;
	volatile uint64_t bytes_acked;
	/* the end */
	volatile uint32_t exited;
	int32_t reserved1;
	volatile uint32_t crashed;
	volatile int32_t signal;
	volatile int32_t signal_code;
	volatile uint32_t crash_call;
	volatile uint64_t fault_address;
	volatile uint64_t crash_event;
	volatile uint32_t crash_foreign_thread;
	volatile uint32_t backtrace_len;
	volatile uint64_t log_dropped;
	volatile uint64_t trace_head;
	volatile uint32_t crash_plugin;
	volatile uint32_t reading; /* the call whose answer is being read, 0 for none */
	volatile uint64_t stack_pointer; /* when it crashed, 0 if unknown */
	volatile uint32_t last_call; /* the latest, returned or not */
	volatile uint32_t lost; /* the process has lost the descriptors it needs */
	char reserved[512 - 168];
	char backtrace[WB_BACKTRACE_BYTES];
	wb_hot hot[WB_HOT_PLUGINS][WB_HOT_CALLS];
	char reserved2[4096];
	wb_trace_slot trace[WB_TRACE_SLOTS];
	wb_failed failed[WB_HOT_PLUGINS][WB_FAILED_CALLS];
} wb_shared_page;

/* Index into wb_shared_page.hot. */
enum { WB_HOT_NEXT, WB_HOT_EXTRACT, WB_HOT_TO_STRING, WB_HOT_PARSE };

#define WB_PAGE_AT(member, bytes) \
	_Static_assert(offsetof(wb_shared_page, member) == (bytes), "page." #member)
_Static_assert(sizeof(wb_trace_slot) == 320, "trace slot");
_Static_assert(sizeof(wb_failed) == 512, "failed");
WB_PAGE_AT(call, 8);
WB_PAGE_AT(call_seq, 16);
WB_PAGE_AT(event_number, 32);
WB_PAGE_AT(bytes_sent, 48);
WB_PAGE_AT(stop, 64);
WB_PAGE_AT(bytes_acked, 72);
WB_PAGE_AT(exited, 80);
WB_PAGE_AT(crashed, 88);
WB_PAGE_AT(fault_address, 104);
WB_PAGE_AT(crash_foreign_thread, 120);
WB_PAGE_AT(log_dropped, 128);
WB_PAGE_AT(trace_head, 136);
WB_PAGE_AT(crash_plugin, 144);
WB_PAGE_AT(stack_pointer, 152);
WB_PAGE_AT(last_call, 160);
WB_PAGE_AT(lost, 164);
WB_PAGE_AT(backtrace, 512);
WB_PAGE_AT(hot, 4096);
WB_PAGE_AT(trace, 16384);
WB_PAGE_AT(failed, 344064);
#undef WB_PAGE_AT

#endif
