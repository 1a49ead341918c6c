/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command.h — one table says what commands there are; help, completion, dispatch read it.
 *
 * A command is one row in commands.c and lives in a file of its name. It gets its options and
 * operands already checked against its own tables, prints results to stdout and everything else to
 * stderr.
 */
#pragma once

#include "common/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Exit status of the process; scripts rely on it: a number keeps its meaning. */
enum cli_exit {
	CLI_OK = 0,          /* done; of a verdict: yes */
	CLI_FAILED = 1,      /* it could not be done; of a verdict: no, not what is asked for */
	CLI_USAGE = 2,       /* wrong call, or an input that can't be read */
	CLI_NOT_GENUINE = 3, /* of a verdict: no, nobody who counts stands behind the evidence */
	CLI_MALFORMED = 4,   /* of a verdict: no, the evidence can't be read */
};

enum {
	CLI_OPTIONS_MAX = 56, /* of one command, the common ones included */
	CLI_GIVEN_MAX = 1024, /* options on one command line */
	CLI_HINT_MAX = 256,
	CLI_ANY = -1, /* operands_max: no limit */
};

/* How often an option may come. */
enum cli_times { CLI_ONCE, CLI_MANY };

struct cli_option {
	char letter;       /* 0: none */
	const char *name;  /* without dashes */
	const char *value; /* what the value is called in help; NULL for a flag */
	const char *help;
	enum cli_times times;
	bool optional;             /* the value may be left out, and is given behind '=' alone */
	const char *const *words;  /* the values that are allowed, ending with NULL; NULL: any */
	const char *const *offers; /* likewise, for completion alone: whom it is for judges them */
	bool rare; /* of a set that commands share: of those that connect, --help-all alone lists it */
	/* The value is a file that the command makes (output.h): before it runs, one that is there is refused,
	 * unless --force is given, which the command's table has to have. */
	bool writes;
};

struct cli;
struct profile;

struct command {
	const char *name; /* one word, or a group and one: "attestation validate" */
	const char *args; /* the operands as help shows them: "FILE PRIVATE_KEY" */
	const char *help; /* one line without a full stop */
	int operands_min, operands_max;
	const struct cli_option *options; /* ends with a row that has no name; NULL: none */

	/* Returns the exit status; when it is not CLI_OK, `e` says why (main prints it, and the
	 * hint), unless it is empty because the output has said it. */
	enum cli_exit (*run)(struct cli *cli, struct err *e);

	const char *more; /* paragraphs for the command's own help; NULL: none */
	bool any_profile; /* runs with a profile that can't be used, too, and tells why (profile_fault) */
	bool hidden; /* an older name, or for other programs: works, isn't listed */
	bool common; /* in the first list that a newcomer sees */

	/* For completion. Operands are file names where `args` says so, but where they are one of these
	 * words, ending with NULL, the words of a command, or a profile. */
	const char *const *operand_words;
	bool operands_are_command, operands_are_profiles;
};

extern const struct command *const commands[]; /* ends with NULL; commands.c */

struct cli_given {
	const struct cli_option *option;
	const char *value; /* NULL for flags */
};

/* One call of a command. */
struct cli {
	const struct command *command;
	const char *const *operands; /* NULL-terminated */
	int operand_count;
	struct cli_given *given; /* in the order of the command line */
	size_t given_count, given_room;
	bool verbose;
	char hint[CLI_HINT_MAX]; /* what to do next, printed after the error */
	FILE *out;               /* stdout */
	struct profile *profile; /* of commands that connect (profile.h); NULL: none */
	void *shared;            /* what a batch's rows have in common; the command's */
};

/* The flag was given. An option that is not in the command's table is a programming error. */
bool cli_flag(const struct cli *cli, const char *name);

/* The value, the last one if there are several, or NULL. */
const char *cli_value(const struct cli *cli, const char *name);

/* The `n`-th value of an option that may come often, counted from 0, or NULL. */
const char *cli_value_at(const struct cli *cli, const char *name, size_t n);

/* Fills e and returns CLI_USAGE: for what getopt can't see (two options that exclude each
 * other). */
enum cli_exit cli_usage(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* What to do next. */
void cli_hint(struct cli *cli, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* "--json" in a command's table of options. */
#define CLI_JSON_OPTION { .name = "json", .help = "print JSON" }

/* Runs the command of a call whose line is checked. */
typedef enum cli_exit command_run(struct cli *cli, struct err *e);

/* Finds the command that argv names, checks its line, has it run, prints what went wrong. */
enum cli_exit command_main(int argc, char **argv, command_run *run);

/* The row with the longest name that argv[1…] begins with, and how many words that name has. NULL:
 * there is none. */
const struct command *command_find(int argc, const char *const *argv, int *words);

/* The row of the command's options, or of the common ones; NULL: there is none of that name. */
const struct cli_option *cli_option_of(const struct command *command, const char *name);

/* Adds an option as if the line had it (`--batch` reads them from JSON). Refuses an unknown
 * name, a value that is missing or not wanted, and an option that comes too often. The texts must
 * outlive `cli`. */
int cli_give(struct cli *cli, const char *name, const char *value, struct err *e) MUST_CHECK;

/* A call without its own command line; cli_done() frees it. */
void cli_init(struct cli *cli, const struct command *command);
void cli_done(struct cli *cli);
