#ifndef WB_SCAP_API_H
#define WB_SCAP_API_H
/*
 * Capture files (.scap): events in a contiguous Arrow binary column to blocks
 * and back. Both directions work on memory only; files, gzip and rotation are the
 * caller's. Nothing here allocates, and no length read from a file is trusted.
 */
#include <stdint.h>

/* Why a scan returned. Values below zero are damage at state.offset. */
enum {
	WB_SCAP_MORE = 0, /* give more bytes: the unread rest is part of a block */
	WB_SCAP_END = 1,  /* the input is used up */
	WB_SCAP_CUT = 2,  /* the input ends inside a block */
	WB_SCAP_FULL = 3, /* an output array has no room for the next event */
	WB_SCAP_BAD_SECTION = -1,  /* a section header was expected */
	WB_SCAP_BAD_MAGIC = -2,    /* the section header's byte-order mark is wrong */
	WB_SCAP_NEW_MAJOR = -3,    /* written for a newer reader */
	WB_SCAP_BAD_LENGTH = -4,   /* a block's length cannot hold its content */
	WB_SCAP_BAD_TRAILER = -5,  /* a metadata block's two lengths differ */
	WB_SCAP_BAD_BLOCK = -6,    /* a block that may not stand between events */
	WB_SCAP_BAD_EVENT = -7,    /* an event's lengths contradict each other */
	WB_SCAP_BIG_BLOCK = -8     /* a block beyond state.max_block */
};

/* Marks of a row. */
enum {
	WB_SCAP_STATE_ONLY = 1, /* flagged so in the file */
	WB_SCAP_LEADING = 2     /* before the first ordinary event of its section */
};

typedef struct {
	/* set by the caller before the first scan; the rest starts as zeros */
	uint32_t max_block; /* bytes */
	int keep_other;     /* also give events other than plugin and async events */
	/* where the scan is */
	int phase;          /* 0 requests a section header, 1 metadata, 2 events */
	int ordinary_seen;  /* in this section */
	uint64_t offset;    /* of the next unread byte */
	uint64_t number;    /* events counted */
	uint64_t sections;
	uint32_t need;      /* after MORE: bytes of the incomplete block, 0 unknown */
	/* what damage looked like */
	uint32_t block_type, header_length, trailer_length;
	/* what was left out */
	uint64_t metadata_blocks, unknown_blocks, other_events, old_events, newer_events,
		malformed_events;
	int has_machine;
	char hostname[129];
} wb_scap_state;

/*
 * Read blocks from buf[0..len). Gives row i as data[offsets[i]..offsets[i+1]) with its
 * number, time (ns), plugin id (0 when it has none), type and marks; offsets[0] is 0.
 * used: bytes read; rows: rows given.
 */
int wb_scap_scan(wb_scap_state *state, const uint8_t *buf, uint64_t len, int at_end,
	uint8_t *data, uint64_t data_room, int32_t *offsets, uint64_t *numbers,
	uint64_t *times, uint32_t *ids, uint16_t *types, uint8_t *marks, int64_t row_room,
	uint64_t *used, int64_t *rows);

/* Why framing stopped early. */
enum {
	WB_SCAP_OK = 0,
	WB_SCAP_NO_ROOM = 1,          /* out is full; call again from the row returned */
	WB_SCAP_EVENT_SHORT = -20,    /* shorter than its header, or its length is wrong */
	WB_SCAP_EVENT_LENGTHS = -21,  /* parameter lengths exceed the event */
	WB_SCAP_EVENT_LARGE = -22,    /* too large for a block of its type */
	WB_SCAP_EVENT_TIMELESS = -23, /* no time in the event and none beside it */
	WB_SCAP_EVENT_OFFSETS = -24   /* the column's offsets are not ascending */
};

/*
 * Write rows [first, count) of a binary column as event blocks into out. offsets are
 * int32 (wide 0) or int64 (wide 1) and count from data; times may be NULL. An event
 * without a time takes the one of times. Returns the row after the last one written.
 */
int64_t wb_scap_frame(const void *offsets, int wide, const uint8_t *data,
	uint64_t data_len, const uint64_t *times, int64_t first, int64_t count,
	uint8_t *out, uint64_t room, uint64_t *used, int *why);

/* Check one event's own lengths: WB_SCAP_OK or one of WB_SCAP_EVENT_…. */
int wb_scap_check_event(const uint8_t *event, uint64_t len);

/* Write the blocks that begin a file: 28 + 192 bytes. Returns bytes written. */
uint64_t wb_scap_preamble(uint8_t *out, const char *hostname, uint32_t cpus,
	uint64_t memory_bytes);
#endif
