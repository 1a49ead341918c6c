/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/cmdline.h"

#include "common/base/cleanup.h"
#include "common/base/log.h"

#include <stdbool.h>
#include <string.h>

/* The one list: scripts/build-image reads the rows of this table to write image.json. */
/* clang-format off */
const struct cmdline_word cmdline_words[] = {
	{ "console=ttyS0", CMDLINE_ALWAYS, "lines go to the serial port" },
	{ "quiet", CMDLINE_ALWAYS, "the kernel's own chatter costs a second on a serial port" },
	{ "panic=-1", CMDLINE_ALWAYS, "a panic ends the machine at once" },
	{ "oops=panic", CMDLINE_ALWAYS, "a kernel that has erred does not go on" },
	{ "no_timer_check", CMDLINE_ALWAYS, "a busy host without KVM fails that check, and panics" },
	{ "lockdown=integrity", CMDLINE_ALWAYS, "not even root in the guest changes the kernel" },
	{ "random.trust_bootloader=off", CMDLINE_ALWAYS,
	  "randomness that the host hands over counts for nothing" },
	{ "cocos.role_signature", CMDLINE_LAUNCHER, "the agent takes signatures of the role name" },
	{ "initrd=initrd", CMDLINE_FIRMWARE, "OVMF names the initrd that it was given" },
};
/* clang-format on */
const size_t cmdline_words_count = ARRAY_LEN(cmdline_words);

static const struct cmdline_word *cmdline_find(const char *word, size_t len)
{
	for (size_t i = 0; i < cmdline_words_count; i++)
		if (strlen(cmdline_words[i].word) == len &&
		    memcmp(cmdline_words[i].word, word, len) == 0)
			return &cmdline_words[i];
	return NULL;
}

int cmdline_check(const char *line, size_t len, struct err *e)
{
	bool seen[ARRAY_LEN(cmdline_words)] = { false };

	if (len > CMDLINE_MAX)
		return err_set(e, ERR_INVALID, "kernel command line: longer than %d bytes",
			       CMDLINE_MAX);
	if (len > 0 && line[len - 1] == '\n')
		len--;
	for (size_t at = 0; at < len;) {
		const char *space = memchr(line + at, ' ', len - at);
		size_t word_len = space ? (size_t)(space - (line + at)) : len - at;
		const struct cmdline_word *known = cmdline_find(line + at, word_len);

		if (word_len > 0) {
			if (!known)
				return err_set(e, ERR_INVALID,
					       "kernel command line: unknown word %s",
					       log_quote_bytes(line + at, word_len).text);
			if (seen[known - cmdline_words])
				return err_set(e, ERR_INVALID,
					       "kernel command line: '%s' is there twice",
					       known->word);
			seen[known - cmdline_words] = true;
		}
		at += word_len + 1;
	}
	return 0;
}
