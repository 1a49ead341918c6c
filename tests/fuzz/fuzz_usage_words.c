/* SPDX-License-Identifier: Apache-2.0 */
/* Which usage somebody asks for: a month that is read is one, and a place is written as it was read. */
#include "common/base/cleanup.h"
#include "computations/store/usage_words.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { DAY = 24 * 3600 * 1000, NOW = 1700000000 };

static void read_month(const char *text)
{
	struct usage_month month, again;
	struct err e = { 0 };

	if (usage_month_parse(text, INT64_C(1000) * NOW, &month, &e) < 0) {
		assert(e.code == ERR_INVALID && *e.text);
		return;
	}
	assert(!*text || strcmp(text, month.name) == 0);
	assert(month.since >= 0 && month.since % DAY == 0);
	assert((month.until - month.since) / DAY >= 28 && (month.until - month.since) / DAY <= 31);
	/* Its last moment is in it. */
	assert(usage_month_parse("", month.until - 1, &again, &e) == 0);
	assert(strcmp(again.name, month.name) == 0 && again.since == month.since);
}

static void read_after(const char *text)
{
	CLEANUP(free) char *again = NULL;
	struct usage_after after, same;
	struct err e = { 0 };

	if (usage_after_parse(text, &after, &e) < 0) {
		assert(e.code == ERR_INVALID && *e.text);
		return;
	}
	assert(after.workspace_number >= 0 && after.kind >= 0 && after.kind < USAGE_KINDS);
	assert(usage_after_format(&after, &again, &e) == 0);
	assert(usage_after_parse(again, &same, &e) == 0);
	assert(same.workspace_number == after.workspace_number && same.kind == after.kind &&
	       strcmp(same.computation, after.computation) == 0);
}

/* The first byte: what it is. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP(free) char *text = len ? strndup((const char *)bytes + 1, len - 1) : NULL;

	if (!text)
		return 0;
	if (bytes[0] & 1)
		read_month(text);
	else
		read_after(text);
	return 0;
}
