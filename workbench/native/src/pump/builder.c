#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "builder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "dict.h"

#define FIRST_ROWS 128u
#define ALIGN 64u
#define PARTS_PER_COLUMN 12u /* six buffers, each with padding */
#define SMALLEST_BUDGET (1u << 20)
#define LARGEST_BUDGET (8u << 20)

/* What travels with the descriptor of a chunk's memory. */
typedef struct chunk_message {
	uint32_t magic;
	uint32_t kind;
	uint64_t seq;
	uint64_t rows;
	uint64_t bytes;
	uint64_t cost;
} chunk_message;

int wb_builder_init(wb_builder *b, wb_host *host, uint32_t ncols, uint32_t max_rows,
                    uint64_t window, int data_fd)
{
	memset(b, 0, sizeof *b);
	b->host = host;
	b->ncols = ncols;
	b->max_rows = max_rows ? max_rows : 1;
	b->target_rows = b->max_rows < FIRST_ROWS ? b->max_rows : FIRST_ROWS;
	b->window = window;
	b->data_fd = data_fd;
	b->queue_end = &b->queue;
	int64_t budget = (int64_t)(window / 4);
	if (budget < SMALLEST_BUDGET)
		budget = SMALLEST_BUDGET;
	if (budget > LARGEST_BUDGET)
		budget = LARGEST_BUDGET;
	b->budget = b->full_budget = budget;
	int rc = wb_arena_open(&b->arena, data_fd >= 0);
	if (rc)
		return rc;
	b->live = wb_arena_alloc(&b->arena, sizeof *b->live + ncols * sizeof(wb_chunk_col));
	if (!b->live)
		return -ENOMEM;
	b->live->magic = WB_CHUNK_MAGIC;
	b->live->ncols = ncols;
	b->live->seq = 1;
	b->cols = wb_alloc(ncols * sizeof *b->cols);
	b->scratch = wb_alloc(sizeof(wb_chunk_head) + ncols * sizeof *b->scratch);
	b->parts = wb_alloc((ncols * PARTS_PER_COLUMN + 4) * sizeof *b->parts);
	return 0;
}

void wb_builder_column(wb_builder *b, uint32_t i, uint8_t kind, bool is_list, bool dict)
{
	wb_chunk_col *rows = (wb_chunk_col *)(b->live + 1);
	wb_column_init(&b->cols[i], &b->arena, &rows[i], &b->budget, kind, is_list, dict,
	               b->max_rows);
}

void wb_builder_free(wb_builder *b)
{
	if (b->cols)
		for (uint32_t i = 0; i < b->ncols; i++)
			wb_column_free(&b->cols[i]);
	wb_free(b->cols);
	wb_free(b->scratch);
	wb_free(b->parts);
	for (wb_block *block = b->queue, *next; block; block = next) {
		next = block->next;
		wb_free(block->memory);
		wb_free(block);
	}
	wb_arena_close(&b->arena);
}

bool wb_builder_may_send(const wb_builder *b)
{
	const wb_shared_page *page = b->host->page;
	return b->data_fd < 0 || page->bytes_sent - page->bytes_acked < b->window;
}

static const uint8_t padding[ALIGN];

static uint32_t add_part(wb_builder *b, uint32_t n, uint64_t *at, wb_span *span,
                         const void *from)
{
	span->off = *at;
	if (!span->len)
		return n;
	b->parts[n++] = (struct iovec){(void *)from, span->len};
	*at += span->len;
	uint64_t rest = -*at & (ALIGN - 1);
	if (rest) {
		b->parts[n++] = (struct iovec){(void *)padding, rest};
		*at += rest;
	}
	return n;
}

/* Fill head, column rows and the list of pieces. Returns the number of pieces. */
static uint32_t lay_out(wb_builder *b, uint64_t *bytes)
{
	wb_chunk_head *head = (wb_chunk_head *)b->scratch;
	wb_chunk_col *rows = (wb_chunk_col *)(head + 1);
	memset(head, 0, sizeof *head);
	head->magic = WB_CHUNK_MAGIC;
	head->ncols = b->ncols;
	head->rows = b->rows;
	head->seq = b->live->seq;
	head->seen = b->live->seen;
	head->first_ns = b->live->first_ns;
	uint64_t at = 0;
	wb_span self = {.len = sizeof *head + b->ncols * sizeof *rows};
	uint32_t n = add_part(b, 0, &at, &self, head);
	for (uint32_t i = 0; i < b->ncols; i++) {
		wb_column *c = &b->cols[i];
		wb_chunk_col *row = &rows[i];
		wb_column_describe(c, b->rows, row);
		n = add_part(b, n, &at, &row->validity, c->validity);
		n = add_part(b, n, &at, &row->lists, c->lists);
		n = add_part(b, n, &at, &row->offsets, c->offsets);
		n = add_part(b, n, &at, &row->data, c->data);
		if (!c->dict_on)
			continue;
		const wb_dict *d = c->dict;
		n = add_part(b, n, &at, &row->dict_offsets,
		             wb_dict_offsets_from(d, row->dict_start));
		n = add_part(b, n, &at, &row->dict_data, wb_dict_data_from(d, row->dict_start));
	}
	head->bytes = at;
	*bytes = at;
	return n;
}

static int write_parts(int fd, struct iovec *parts, uint32_t n)
{
	uint32_t i = 0;
	while (i < n) {
		uint32_t some = n - i > 1000 ? 1000 : n - i;
		ssize_t wrote = writev(fd, parts + i, (int)some);
		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			return -1;
		size_t left = (size_t)wrote;
		while (i < n && left >= parts[i].iov_len)
			left -= parts[i++].iov_len;
		if (left) {
			parts[i].iov_base = (uint8_t *)parts[i].iov_base + left;
			parts[i].iov_len -= left;
		}
	}
	return 0;
}

static int send_fd(wb_builder *b, int fd, const chunk_message *message)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {{0}};
	struct iovec part = {(void *)message, sizeof *message};
	struct msghdr msg = {.msg_iov = &part, .msg_iovlen = 1,
	                     .msg_control = &control, .msg_controllen = sizeof control};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
	ssize_t sent;
	do
		sent = sendmsg(b->data_fd, &msg, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -1 : 0;
}

static void emit_memfd(wb_builder *b)
{
	uint64_t bytes;
	uint32_t n = lay_out(b, &bytes);
	int fd = memfd_create("workbench-chunk", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0) {
		b->broken = true;
		return;
	}
	/* Small chunks cost too: descriptors in flight are bounded like bytes. */
	uint64_t cost = bytes > b->window / 32 ? bytes : b->window / 32;
	chunk_message message = {WB_CHUNK_MAGIC, 1, b->live->seq, b->rows, bytes, cost};
	if (write_parts(fd, b->parts, n) ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) ||
	    send_fd(b, fd, &message))
		b->broken = true;
	close(fd);
	b->host->page->bytes_sent += cost;
}

static void emit_block(wb_builder *b)
{
	uint64_t bytes;
	uint32_t n = lay_out(b, &bytes);
	wb_block *block = wb_alloc(sizeof *block);
	/* Not zeroed first: every byte is written below. */
	block->memory = wb_realloc(wb_alloc(1), bytes);
	block->bytes = bytes;
	uint8_t *to = block->memory;
	for (uint32_t i = 0; i < n; i++) {
		memcpy(to, b->parts[i].iov_base, b->parts[i].iov_len);
		to += b->parts[i].iov_len;
	}
	*b->queue_end = block;
	b->queue_end = &block->next;
}

void wb_builder_emit(wb_builder *b)
{
	if (!b->rows || b->broken)
		return;
	for (uint32_t i = 0; i < b->ncols; i++)
		wb_column_judge(&b->cols[i], b->rows);
	if (b->data_fd >= 0)
		emit_memfd(b);
	else
		emit_block(b);
	if (b->broken)
		return; /* a parent that lives on finds the rows in the arena */
	b->host->page->chunks_sent++;
	/* The sequence number tells a reader of the dead arena what it has already. */
	b->live->rows = 0;
	b->live->seq++;
	for (uint32_t i = 0; i < b->ncols; i++) {
		wb_column_sent(&b->cols[i]);
		wb_column_reset(&b->cols[i], b->max_rows);
	}
	b->rows = 0;
	b->budget = b->full_budget;
	b->target_rows = b->target_rows * 2 < b->max_rows ? b->target_rows * 2 : b->max_rows;
}
