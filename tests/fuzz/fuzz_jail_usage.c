/* SPDX-License-Identifier: Apache-2.0 */
/* What a process of the jail, which has chosen its name, makes of its line in /proc; and what comes of it to the agent. */
#include "agent/jail/jail_usage.h"
#include "common/base/cleanup.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* The name stands first: what is behind it is the kernel's. */
static void name_it(const uint8_t *bytes, size_t len)
{
	static const char head[] = "7 (", rest[] = ") S 1 7 7 0 -1 4 1 2 0 0 11 22 33 44 20 0\n";
	char text[sizeof(head) + 64 + sizeof(rest)];
	const size_t kept = len < 64 ? len : 64;

	strcpy(text, head);
	memcpy(text + strlen(head), bytes, kept);
	for (size_t i = 0; i < kept; i++)
		if (!bytes[i])
			text[strlen(head) + i] = '?';
	strcpy(text + strlen(head) + kept, rest);
	assert(jail_usage_ticks(text) == 11 + 22 + 33 + 44);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_over(bytes, len);
	struct jail_usage known = { .memory = 1, .peak = 2, .processor = 3 };
	CLEANUP(free) char *text = malloc(len + 1);

	assert(text);
	if (len)
		memcpy(text, bytes, len);
	text[len] = '\0';
	(void)jail_usage_ticks(text);
	name_it(bytes, len);
	jail_usage_take(&known, &r);
	assert(known.memory && known.peak >= 2 && known.processor >= 3);
	assert(len == JAIL_USAGE_LEN ||
	       (known.memory == 1 && known.peak == 2 && known.processor == 3));
	return 0;
}
