/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile.h — settings of one agent (or manager, or service) under a name, and where a setting comes from:
 * the option, else the profile that --profile names, else the environment, else the profile in use, else the
 * default: what was said for this call wins over what holds for all.
 *
 * A profile is a file of KEY=VALUE lines in $XDG_CONFIG_HOME/cocos/profiles, 0600, whose keys are the
 * variables of the environment and, for what has none, names of the same kind (profile_rows). It is written
 * as a whole or not at all. One that others can write, or whose folder they can, is refused: it says whom to
 * trust.
 */
#pragma once

#include "cli/base/command.h"
#include "common/base/settings.h"

#include <stdbool.h>

enum { PROFILE_NAME_MAX = 64, PROFILES_MAX = 1024 };

/* clang-format off */
#define PROFILE_OPTION \
	{ .name = "profile", .value = "NAME", \
	  .help = "settings from 'profile add' (that of 'profile use', over which the environment wins)" }
/* clang-format on */

struct profile_row {
	const char *key; /* in the file; the variable, unless `option` is set */
	const char *
		option; /* of the commands that prove an agent, where no variable is; NULL: a variable */
	const char *add; /* of 'profile add'; NULL: --set KEY=VALUE alone */
	bool is_file;    /* has to be there, and is kept as an absolute path */
	bool is_path;    /* kept as one, too; is made where it is missing */
	bool is_flag;    /* true or false */
	bool is_groups;  /* names of key exchanges */
};
extern const struct profile_row profile_rows[]; /* ends with a row that has no key */

/* The row of a key; NULL: there is none. */
const struct profile_row *profile_row(const char *key);

/* Runs a command; one with PROFILE_OPTION with the profile that --profile names, or that is in use, which also
 * gives it those of its options that have no variable. A profile that is not there, or has a key that is
 * unknown, ends it as CLI_USAGE. */
enum cli_exit profile_run(struct cli *cli, struct err *e);

/* The first that says it, in the order above; empty is absent: NULL. `option` may be NULL. With -v it is said,
 * once, where it is from. Also for commands without a profile. */
const char *profile_setting(const struct cli *cli, const char *option, const char *variable);

/* For a command about profiles themselves: the name of the one that it has (NULL: none), and why that can't be
 * used (NULL: it can). */
const char *profile_name(const struct cli *cli);
const struct err *profile_fault(const struct cli *cli);

/* Another call of the same command line has the same profile, until profile_give_back(). */
int profile_lend(const struct cli *from, struct cli *to, struct err *e) MUST_CHECK;
void profile_give_back(struct cli *to);

/* ---- for the commands that keep them ---- */

/* ERR_INVALID unless letters, digits, '-', '_' and '.', which it does not begin with. */
int profile_name_check(const char *name, struct err *e) MUST_CHECK;

/* The folder of this user's settings, malloc'ed. ERR_PRECONDITION: neither XDG_CONFIG_HOME nor HOME says where. */
int profile_folder(char **path, struct err *e) MUST_CHECK;
/* ERR_DENIED: somebody else may write that file or folder. */
int profile_owner_check(const char *path, struct err *e) MUST_CHECK;

/* The file of a name, malloc'ed; of NULL the folder of all. */
int profile_path(const char *name, char **path, struct err *e) MUST_CHECK;

/* Reads and judges a profile; the caller calls keyfile_done(). */
int profile_read(const char *name, struct keyfile *file, struct err *e) MUST_CHECK;

/* For who looks at a broken one: reads without judging; judges the file and its folder; judges one entry. */
int profile_look(const char *name, struct keyfile *file, struct err *e) MUST_CHECK;
int profile_guard(const char *name, struct err *e) MUST_CHECK;
int profile_entry_check(const struct keyfile_entry *entry, struct err *e) MUST_CHECK;

/* Replaces or makes it. Entries with the same key: the last one counts; an empty value takes it away. Refused:
 * what no command could be run with. */
int profile_write(const char *name, const struct keyfile_entry *entries, size_t count,
		  struct err *e) MUST_CHECK;

/* Which there are, sorted; what else lies there is none. */
struct profile_names {
	char **list;
	size_t count;
};
int profile_names(struct profile_names *names, struct err *e) MUST_CHECK;
void profile_names_done(struct profile_names *names);

/* The one in use, malloc'ed; NULL: none. */
int profile_used(char **name, struct err *e) MUST_CHECK;
/* NULL: none any more. `*path`, malloc'ed: where that is written. */
int profile_use(const char *name, char **path, struct err *e) MUST_CHECK;
