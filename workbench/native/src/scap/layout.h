#ifndef WB_SCAP_LAYOUT_H
#define WB_SCAP_LAYOUT_H
/* Numbers of the capture file layout, and unaligned little-endian access. */
#include <stdint.h>
#include <string.h>

#define SECTION_BLOCK 0x0A0D0D0Au
#define SECTION_MAGIC 0x1A2B3C4Du
#define SECTION_BYTES 28u
#define MACHINE_BLOCK 0x201u
#define MACHINE_BLOCK_OLD 0x8002ABCDu
#define MACHINE_BODY 180u
#define MACHINE_HOSTNAME 20u
#define HOSTNAME_BYTES 128u
#define EVENT_V1 0x204u
#define EVENT_V1_OLD 0x8010ABCDu
#define EVENT_V1_FLAGS 0x208u
#define EVENT_V2 0x216u
#define EVENT_V2_FLAGS 0x217u
#define EVENT_LARGE 0x221u
#define EVENT_LARGE_FLAGS 0x222u
#define SMALL_BODY_LIMIT 65536u /* body of a v2 block with its trailer */

#define BLOCK_HEADER 8u
#define BLOCK_TRAILER 4u
#define EVENT_HEADER 26u
#define EVENT_TYPES 454u /* first type number the reference reader does not know */
#define PLUGIN_EVENT 322u
#define PLUGIN_PAYLOAD 38u
#define ASYNC_EVENT 402u
#define ASYNC_NAME 42u
#define NO_TIME UINT64_MAX

static inline uint16_t get16(const uint8_t *p)
{
	uint16_t v;
	memcpy(&v, p, 2);
	return v;
}

static inline uint32_t get32(const uint8_t *p)
{
	uint32_t v;
	memcpy(&v, p, 4);
	return v;
}

static inline uint64_t get64(const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, 8);
	return v;
}

static inline void put16(uint8_t *p, uint16_t v) { memcpy(p, &v, 2); }
static inline void put32(uint8_t *p, uint32_t v) { memcpy(p, &v, 4); }
static inline void put64(uint8_t *p, uint64_t v) { memcpy(p, &v, 8); }

/* Events whose parameter lengths are four bytes wide. */
static inline int wide_lengths(uint16_t type)
{
	return type == PLUGIN_EVENT || type == 324 || type == ASYNC_EVENT;
}

/* Events that a reader takes as initial state when they lead a section. */
static inline int initial_state(uint16_t type)
{
	return type == 324 || type == 354 || type == 356 || type == 358 || type == 360 ||
		type == ASYNC_EVENT;
}
#endif
