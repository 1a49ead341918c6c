/* SPDX-License-Identifier: Apache-2.0 */
/* unknown.c — which command a mistyped one was; declared in help.h. */
#include "cli/base/help.h"
#include "common/base/log.h"
#include "common/base/near.h"

#include <stdint.h>
#include <string.h>

enum { NAME_MAX_LEN = 64 };

struct guess {
	char name[NAME_MAX_LEN]; /* empty: nothing is near */
	size_t slips;
};

/* A slip for every three letters, and one more: "lst" is near "list", and no word is near "x". The name's first
 * `before` letters, of the group, were typed rightly: they make nothing nearer. */
static void consider(struct guess *guess, const char *name, size_t before, size_t len,
		     const char *typed)
{
	char word[NAME_MAX_LEN];
	size_t slips;

	snprintf(word, sizeof(word), "%.*s", (int)(len - before), name + before);
	slips = near_slips(word, typed);
	if (3 * slips > strlen(typed) + 1 || (*guess->name && slips >= guess->slips))
		return;
	snprintf(guess->name, sizeof(guess->name), "%.*s", (int)len, name);
	guess->slips = slips;
}

/* Of the group's commands, by what follows its name, and by the first word of that. */
static struct guess guess_of(const char *group, const char *typed)
{
	struct guess guess = { .slips = SIZE_MAX };
	size_t before = *group ? strlen(group) + 1 : 0;

	for (const struct command *const *row = commands; *row; row++) {
		const char *name = (*row)->name;

		if ((*row)->hidden || strncmp(name, group, strlen(group)) != 0 ||
		    (before && name[before - 1] != ' '))
			continue;
		consider(&guess, name, before, strlen(name), typed);
		consider(&guess, name, before, before + strcspn(name + before, " "), typed);
	}
	return guess;
}

static void tell(const char *group, const char *word)
{
	const struct guess guess = guess_of(group, word);

	fprintf(stderr, "cocos-cli%s%s: unknown command %s", *group ? " " : "", group,
		log_quote(word).text);
	if (*guess.name)
		fprintf(stderr, ": is '%s' meant?", guess.name);
	fputc('\n', stderr);
}

static enum help_extent asks_for_help(const char *word)
{
	if (strcmp(word, "--help-all") == 0)
		return HELP_ALL;
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 ? HELP_SHORT : HELP_NONE;
}

static void join(int count, char **words, char joined[NAME_MAX_LEN])
{
	joined[0] = '\0';
	for (int i = 0; i < count; i++) {
		size_t len = strlen(joined);

		snprintf(joined + len, NAME_MAX_LEN - len, "%s%s", i ? " " : "", words[i]);
	}
}

/* As many words as name a group of commands: the help is a list of its commands. */
static bool explain_group(int argc, char **argv, enum cli_exit *status)
{
	const char *const *words = (const char *const *)argv + 1;
	char group[NAME_MAX_LEN];

	for (int count = argc - 1; count > 0; count--) {
		bool asked = argc == count + 2 && asks_for_help(argv[count + 1]);

		*status = asked ? CLI_OK : CLI_USAGE;
		if (!help_group(count, words, asked ? stdout : stderr))
			continue;
		join(count, argv + 1, group);
		if (!asked && argc > count + 1)
			tell(group, argv[count + 1]);
		return true;
	}
	return false;
}

enum cli_exit help_unknown(int argc, char **argv)
{
	enum cli_exit status;

	if (argc < 2) {
		help_overview(HELP_SHORT, stderr);
		return CLI_USAGE;
	}
	if (asks_for_help(argv[1])) {
		help_overview(asks_for_help(argv[1]), stdout);
		return CLI_OK;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("cocos-cli " COCOS_VERSION);
		return CLI_OK;
	}
	if (explain_group(argc, argv, &status))
		return status;
	tell("", argv[1]);
	fputs("hint: 'cocos-cli --help-all' lists them\n", stderr);
	return CLI_USAGE;
}
