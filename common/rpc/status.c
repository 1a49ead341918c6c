/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/status.h"

#include "common/base/cleanup.h"
#include "common/base/encode.h"
#include "common/base/utf8.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <nghttp2/nghttp2.h>

void status_encode(const char *text, char *out)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t n = 0;

	for (; *text && n + 4 <= STATUS_TEXT_MAX; text++) {
		unsigned char c = (unsigned char)*text;

		if (c >= 0x20 && c <= 0x7e && c != '%') {
			out[n++] = (char)c;
			continue;
		}
		out[n++] = '%';
		out[n++] = digits[c >> 4];
		out[n++] = digits[c & 15];
	}
	out[n] = 0;
}

/* White space is part of a message's content; terminals obey the rest. */
static bool is_control(const char *at, size_t len)
{
	return utf8_is_control(at, len) && (!*at || !strchr("\t\n\r", *at));
}

void status_decode(const char *text, size_t len, char *out)
{
	char raw[ERR_TEXT_MAX];
	size_t raw_len = 0, n = 0;

	for (size_t i = 0; i < len && raw_len < sizeof(raw); i++) {
		if (text[i] == '%' && len - i > 2 && hex_digit(text[i + 1]) >= 0 &&
		    hex_digit(text[i + 2]) >= 0) {
			raw[raw_len++] =
				(char)(hex_digit(text[i + 1]) << 4 | hex_digit(text[i + 2]));
			i += 2;
		} else {
			raw[raw_len++] = text[i];
		}
	}
	for (size_t i = 0; i < raw_len;) {
		size_t step = utf8_char(raw + i, raw_len - i);

		if (n + (step ? step : 1) >= ERR_TEXT_MAX)
			break;
		if (step == 0 || is_control(raw + i, step)) {
			out[n++] = '?';
			i += step ? step : 1;
			continue;
		}
		memcpy(out + n, raw + i, step);
		n += step;
		i += step;
	}
	out[n] = 0;
}

/* Digits only, at most `most` of them. */
static bool digits_parse(const char *text, size_t len, size_t most, uint64_t *value)
{
	uint64_t v = 0;

	if (len == 0 || len > most)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		v = 10 * v + (uint64_t)(text[i] - '0');
	}
	*value = v;
	return true;
}

enum err_code status_code(const char *text, size_t len)
{
	uint64_t value;

	if (!digits_parse(text, len, 4, &value) || value > ERR_UNAUTHENTICATED)
		return ERR_UNKNOWN;
	return (enum err_code)value;
}

static const struct timeout_unit {
	char letter;
	uint64_t nanoseconds;
} units[] = {
	{ 'n', 1 },
	{ 'u', 1000 },
	{ 'm', 1000 * 1000 },
	{ 'S', 1000ULL * 1000 * 1000 },
	{ 'M', 60 * 1000ULL * 1000 * 1000 },
	{ 'H', 3600 * 1000ULL * 1000 * 1000 },
};

int timeout_parse(const char *text, size_t len, uint64_t *ms, struct err *e)
{
	uint64_t value;

	if (len >= 2 && digits_parse(text, len - 1, 8, &value)) {
		for (size_t i = 0; i < ARRAY_LEN(units); i++) {
			uint64_t ns;

			if (units[i].letter != text[len - 1])
				continue;
			/* 99999999 hours do not fit in 64 bits of nanoseconds. */
			if (__builtin_mul_overflow(value, units[i].nanoseconds, &ns))
				ns = UINT64_MAX;
			*ms = ns / 1000000 + (ns % 1000000 != 0);
			return 0;
		}
	}
	return err_set(e, ERR_INVALID, "grpc-timeout: not up to 8 digits and one of HMSmun");
}

void timeout_format(uint64_t ms, char *out)
{
	if (ms <= 99999999)
		snprintf(out, TIMEOUT_TEXT_MAX, "%um", (unsigned)ms);
	else if (ms / 1000 <= 99999999)
		snprintf(out, TIMEOUT_TEXT_MAX, "%uS", (unsigned)(ms / 1000));
	else
		snprintf(out, TIMEOUT_TEXT_MAX, "99999999S");
}

enum err_code status_from_h2(uint32_t error_code)
{
	switch (error_code) {
	case NGHTTP2_REFUSED_STREAM:
		return ERR_UNAVAILABLE;
	case NGHTTP2_CANCEL:
		return ERR_CANCELLED;
	case NGHTTP2_ENHANCE_YOUR_CALM:
		return ERR_EXHAUSTED;
	case NGHTTP2_INADEQUATE_SECURITY:
		return ERR_DENIED;
	default:
		return ERR_INTERNAL;
	}
}

enum err_code status_from_http(unsigned http_status)
{
	switch (http_status) {
	case 400:
		return ERR_INTERNAL;
	case 401:
		return ERR_UNAUTHENTICATED;
	case 403:
		return ERR_DENIED;
	case 404:
		return ERR_UNIMPLEMENTED;
	case 429:
	case 502:
	case 503:
	case 504:
		return ERR_UNAVAILABLE;
	default:
		return ERR_UNKNOWN;
	}
}
