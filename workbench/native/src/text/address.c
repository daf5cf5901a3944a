#include "text_api.h"

static uint8_t *put_octet(uint8_t *out, unsigned value)
{
	if (value >= 100) {
		*out++ = (uint8_t)('0' + value / 100);
		value %= 100;
		*out++ = (uint8_t)('0' + value / 10);
		value %= 10;
	} else if (value >= 10) {
		*out++ = (uint8_t)('0' + value / 10);
		value %= 10;
	}
	*out++ = (uint8_t)('0' + value);
	return out;
}

static uint8_t *put_quad(uint8_t *out, const uint8_t *address)
{
	for (int i = 0; i < 4; i++) {
		if (i)
			*out++ = '.';
		out = put_octet(out, address[i]);
	}
	return out;
}

static uint8_t *put_group(uint8_t *out, unsigned value)
{
	static const char digits[] = "0123456789abcdef";
	if (value > 0xfff)
		*out++ = (uint8_t)digits[value >> 12];
	if (value > 0xff)
		*out++ = (uint8_t)digits[value >> 8 & 15];
	if (value > 0xf)
		*out++ = (uint8_t)digits[value >> 4 & 15];
	*out++ = (uint8_t)digits[value & 15];
	return out;
}

/* The text of inet_ntop: the first longest run of two or more zero groups becomes
 * "::", and addresses that hold an IPv4 address end in its dotted quad. */
static uint8_t *put_six(uint8_t *out, const uint8_t *address)
{
	unsigned groups[8];
	int run = 0, best = 0, best_at = -1;
	for (int i = 0; i < 8; i++) {
		groups[i] = (unsigned)address[2 * i] << 8 | address[2 * i + 1];
		run = groups[i] ? 0 : run + 1;
		if (run > best && run >= 2) {
			best = run;
			best_at = i + 1 - run;
		}
	}
	int quad = best_at == 0 && (best == 6 || (best == 5 && groups[5] == 0xffff));
	int end = quad ? 6 : 8;
	for (int i = 0; i < end; i++) {
		if (i == best_at) {
			*out++ = ':';
			i += best - 1;
			if (i == 7)
				*out++ = ':';
			continue;
		}
		if (i)
			*out++ = ':';
		out = put_group(out, groups[i]);
	}
	if (quad) {
		*out++ = ':';
		out = put_quad(out, address + 12);
	}
	return out;
}

static uint8_t *put_hex(uint8_t *out, const uint8_t *bytes, int64_t length)
{
	static const char digits[] = "0123456789abcdef";
	*out++ = '0';
	*out++ = 'x';
	for (int64_t i = 0; i < length; i++) {
		*out++ = (uint8_t)digits[bytes[i] >> 4];
		*out++ = (uint8_t)digits[bytes[i] & 15];
	}
	return out;
}

int64_t wb_text_addresses(const uint8_t *data, const int32_t *offsets, int64_t count,
	uint8_t *out, int64_t room, int32_t *out_offsets)
{
	uint8_t *at = out;
	out_offsets[0] = 0;
	for (int64_t i = 0; i < count; i++) {
		const uint8_t *value = data + offsets[i];
		int64_t length = (int64_t)offsets[i + 1] - offsets[i];
		int64_t longest = length == 4 ? 15 : length == 16 ? 45 : 0;
		if (length > 0 && !longest)
			longest = 2 + 2 * length;
		if (length < 0 || at - out + longest > room)
			return -1;
		if (length == 4) {
			at = put_quad(at, value);
		} else if (length == 16) {
			at = put_six(at, value);
		} else if (length > 0) {
			at = put_hex(at, value, length);
		}
		out_offsets[i + 1] = (int32_t)(at - out);
	}
	return at - out;
}
