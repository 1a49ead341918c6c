/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/base/completion.h"

#include "cli/base/help.h"
#include "cli/base/profile.h"
#include "common/base/cleanup.h"

#include <string.h>

enum { WORD_MAX = 512 }; /* bytes of what is offered, with a list before it */

/* A line up to the cursor. */
struct line {
	int count; /* of words before the one at the cursor */
	const char *const *words;
	const char *at; /* the word at the cursor, as far as it is typed */
	FILE *out;
};

static void offer(const struct line *line, const char *prefix, const char *word, size_t len)
{
	size_t typed = strlen(line->at), head = strlen(prefix);
	char whole[WORD_MAX];

	snprintf(whole, sizeof(whole), "%s%.*s", prefix, (int)len, word);
	if (strncmp(whole, line->at, typed) == 0 && head + len < sizeof(whole))
		fprintf(line->out, "%s\n", whole);
}

static void offer_all(const struct line *line, const char *prefix, const char *const *words)
{
	for (; *words; words++)
		offer(line, prefix, *words, strlen(*words));
}

/* Where the name goes on after those words; NULL if it does not begin with them, or ends there. */
static const char *rest_after(const char *name, int count, const char *const *words)
{
	for (int i = 0; i < count; i++) {
		size_t len = strlen(words[i]);

		if (strncmp(name, words[i], len) != 0 || name[len] != ' ')
			return NULL;
		name += len + 1;
	}
	return name;
}

/* The next words of commands that begin with the first `count`, each once. Whether there are any. */
static bool offer_commands(const struct line *line, int count, bool silent)
{
	const char *last = "";
	size_t last_len = 0;

	for (const struct command *const *row = commands; *row; row++) {
		const char *word = rest_after((*row)->name, count, line->words);
		size_t len = word ? strcspn(word, " ") : 0;

		/* Commands of a group are neighbours in the table. */
		if (!word || (*row)->hidden || (len == last_len && strncmp(word, last, len) == 0))
			continue;
		if (!silent)
			offer(line, "", word, len);
		last = word;
		last_len = len;
	}
	return last_len > 0;
}

/* The row of an option as it is written, "-k" or "--key-type", with `value` set to what follows '='. */
static const struct cli_option *option_of(const struct command *command, const char *word,
					  const char **value)
{
	const struct cli_option *const tables[] = { command->options, help_common_options };
	const char *equals = strchr(word, '=');
	size_t len = equals ? (size_t)(equals - word) : strlen(word);

	*value = equals ? equals + 1 : NULL;
	for (size_t t = 0; t < ARRAY_LEN(tables); t++)
		for (const struct cli_option *row = tables[t]; row && row->name; row++)
			if ((len > 2 && strncmp(word, "--", 2) == 0 &&
			     strlen(row->name) == len - 2 &&
			     strncmp(word + 2, row->name, len - 2) == 0) ||
			    (len == 2 && word[0] == '-' && word[1] == row->letter))
				return row;
	return NULL;
}

/* Where a word stands on the line of a command. */
struct place {
	const struct cli_option *wants; /* the option whose value the word at the cursor is */
	bool operands_only;             /* after "--" */
	int operands;                   /* before the cursor */
};

static struct place find_place(const struct command *command, const struct line *line, int from)
{
	struct place place = { .operands = 0 };
	const char *value;

	for (int i = from; i < line->count; i++) {
		const char *word = line->words[i];
		const struct cli_option *row;

		place.wants = NULL;
		if (place.operands_only || word[0] != '-' || !word[1]) {
			place.operands++;
			continue;
		}
		if (strcmp(word, "--") == 0) {
			place.operands_only = true;
			continue;
		}
		row = option_of(command, word, &value);
		if (!row || !row->value || row->optional || value)
			continue;
		if (i + 1 < line->count)
			i++;
		else
			place.wants = row;
	}
	return place;
}

/* Is it a file that help calls so: "FILE", "PATH|HEX", "A.json"? Others' names are in words that are none, as in "KEY=VALUE". */
static bool is_file(const char *name, size_t len)
{
	static const char *const whole[] = { "KEY", "CERT", "NEW_CERT", "[NEW_KEY]" };
	static const char *const files[] = { "FILE",        "DIR",     "PEM",     "PATH",
					     "PRIVATE_KEY", "RECEIPT", "RESULTS", ".json" };

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (memmem(name, len, files[i], strlen(files[i])))
			return true;
	for (size_t i = 0; i < ARRAY_LEN(whole); i++)
		if (len == strlen(whole[i]) && memcmp(name, whole[i], len) == 0)
			return true;
	return false;
}

static void offer_profiles(const struct line *line, const char *prefix)
{
	struct profile_names names;
	struct err ignored;

	if (profile_names(&names, &ignored) < 0)
		return;
	for (size_t i = 0; i < names.count; i++)
		offer(line, prefix, names.list[i], strlen(names.list[i]));
	profile_names_done(&names);
}

/* A list with commas between goes on behind its last one. */
static void offer_listed(const struct line *line, const char *prefix, const char *const *words)
{
	const char *value =
		line->at + (strncmp(line->at, prefix, strlen(prefix)) ? 0 : strlen(prefix));
	const char *comma = strrchr(value, ',');
	char before[WORD_MAX];

	snprintf(before, sizeof(before), "%s%.*s", prefix, comma ? (int)(comma + 1 - value) : 0,
		 value);
	offer_all(line, before, words);
}

/* "words" and what the option may be, or "files". */
static void answer_value(const struct line *line, const char *prefix, const struct cli_option *row)
{
	const char *const *words = row->words ? row->words : row->offers;

	if (!words && is_file(row->value, strlen(row->value))) {
		fputs("files\n", line->out);
		return;
	}
	fputs("words\n", line->out);
	if (words && strcmp(row->value, "LIST") == 0)
		offer_listed(line, prefix, words);
	else if (words)
		offer_all(line, prefix, words);
	else if (strcmp(row->name, "profile") == 0)
		offer_profiles(line, prefix);
}

static bool was_given(const struct command *command, const struct line *line,
		      const struct cli_option *row)
{
	const char *value;

	for (int i = 0; row->times != CLI_MANY && i < line->count; i++)
		if (option_of(command, line->words[i], &value) == row)
			return true;
	return false;
}

static void answer_option(const struct command *command, const struct line *line)
{
	const struct cli_option *const tables[] = { command->options, help_common_options };
	const char *value;
	const struct cli_option *row = option_of(command, line->at, &value);

	if (row && value) { /* "--key-type=ec" */
		char prefix[80];

		snprintf(prefix, sizeof(prefix), "%.*s", (int)(value - line->at), line->at);
		answer_value(line, prefix, row);
		return;
	}
	fputs("words\n", line->out);
	for (size_t t = 0; t < ARRAY_LEN(tables); t++)
		for (row = tables[t]; row && row->name; row++)
			if (!was_given(command, line, row))
				offer(line, "--", row->name, strlen(row->name));
}

/* The n-th operand in `args`, of which the last may be repeated. */
static bool is_file_operand(const struct command *command, int n)
{
	const char *name = command->args;
	size_t len = strcspn(name, " ");

	for (; n > 0 && name[len]; n--) {
		name += len + 1;
		len = strcspn(name, " ");
	}
	return is_file(name, len);
}

static void answer_operand(const struct command *command, const struct line *line, int operands)
{
	bool room = command->operands_max == CLI_ANY || operands < command->operands_max;

	if (room && is_file_operand(command, operands)) {
		fputs("files\n", line->out);
		return;
	}
	fputs("words\n", line->out);
	if (room && command->operand_words)
		offer_all(line, "", command->operand_words);
	else if (room && command->operands_are_profiles)
		offer_profiles(line, "");
}

static void answer_of(const struct command *command, const struct line *line, int from)
{
	const struct place place = find_place(command, line, from);
	struct line rest = *line;

	if (place.wants) {
		answer_value(line, "", place.wants);
	} else if (line->at[0] == '-' && !place.operands_only) {
		answer_option(command, line);
	} else if (command->operands_are_command) {
		rest.words += from;
		rest.count -= from;
		fputs("words\n", line->out);
		offer_commands(&rest, rest.count, false);
	} else {
		answer_operand(command, line, place.operands);
	}
}

enum { WORDS_MAX = 8 }; /* that a command's name may have, with the program's */

void completion_answer(int count, const char *const *words, FILE *out)
{
	const struct line line = { count - 1, words, words[count - 1], out };
	const char *name[WORDS_MAX] = { "cocos-cli" };
	const struct command *command;
	int named = line.count < WORDS_MAX - 1 ? line.count : WORDS_MAX - 1, matched;

	for (int i = 0; i < named; i++)
		name[i + 1] = words[i];
	command = command_find(named + 1, name, &matched);
	if (line.at[0] != '-' && offer_commands(&line, line.count, true)) {
		fputs("words\n", out);
		offer_commands(&line, line.count, false);
	} else if (command) {
		answer_of(command, &line, matched);
	} else {
		fputs("words\n", out);
	}
}

/* ---- what asks ---- */

static const char bash[] =
	"# bash completion for cocos-cli; made by 'cocos-cli completion bash'\n"
	"_cocos_cli()\n"
	"{\n"
	"\tlocal answer i word line=$COMP_LINE words=() head\n"
	"\tCOMPREPLY=()\n"
	"\t# bash parts words at ':', '=' and '@', too: what no blank parts is one\n"
	"\tfor ((i = 0; i <= COMP_CWORD; i++)); do\n"
	"\t\tword=${COMP_WORDS[i]}\n"
	"\t\tif [ \"$i\" -gt 0 ] && [ -n \"$word\" ] && [ \"${line#\"$word\"}\" != \"$line\" ]; then\n"
	"\t\t\twords[${#words[@]}-1]+=$word\n"
	"\t\telse\n"
	"\t\t\twords+=(\"$word\")\n"
	"\t\tfi\n"
	"\t\tline=${line#*\"$word\"}\n"
	"\tdone\n"
	"\tmapfile -t answer < <(\"$1\" __complete -- \"${words[@]:1}\" 2>/dev/null)\n"
	"\tif [ \"${answer[0]}\" = files ]; then\n"
	"\t\tcompopt -o default 2>/dev/null\n"
	"\telse\n"
	"\t\t# and puts what is offered behind the last of these\n"
	"\t\t[[ $word = *[!:=@]* ]] || word=\n"
	"\t\thead=${words[${#words[@]}-1]}\n"
	"\t\thead=${head%\"$word\"}\n"
	"\t\tCOMPREPLY=(\"${answer[@]:1}\")\n"
	"\t\tCOMPREPLY=(\"${COMPREPLY[@]#\"$head\"}\")\n"
	"\tfi\n"
	"}\n"
	"complete -F _cocos_cli cocos-cli\n";

static const char zsh[] =
	"#compdef cocos-cli\n"
	"# zsh completion for cocos-cli; made by 'cocos-cli completion zsh'\n"
	"_cocos_cli()\n"
	"{\n"
	"\tlocal -a answer\n"
	"\tanswer=(\"${(@f)$(\"${(Q)words[1]}\" __complete -- \"${(@Q)words[2,CURRENT]}\" 2>/dev/null)}\")\n"
	"\tif [[ $answer[1] == files ]]; then\n"
	"\t\t_files\n"
	"\telse\n"
	"\t\tshift answer\n"
	"\t\tcompadd -- \"${(@)answer}\"\n"
	"\tfi\n"
	"}\n"
	"if [[ $funcstack[1] == _cocos-cli ]]; then\n"
	"\t_cocos_cli \"$@\"\n"
	"else\n"
	"\tcompdef _cocos_cli cocos-cli\n"
	"fi\n";

static const char fish[] =
	"# fish completion for cocos-cli; made by 'cocos-cli completion fish'\n"
	"function __cocos_cli\n"
	"\tset -l words (commandline -opc)\n"
	"\tset -l program $words[1]\n"
	"\tset -e words[1]\n"
	"\tset -l current (commandline -ct)\n"
	"\tset -l answer ($program __complete -- $words \"$current\" 2>/dev/null)\n"
	"\tif test \"$answer[1]\" = files\n"
	"\t\t__fish_complete_path \"$current\"\n"
	"\telse\n"
	"\t\tset -e answer[1]\n"
	"\t\ttest (count $answer) -gt 0; and printf '%s\\n' $answer\n"
	"\tend\n"
	"end\n"
	"complete -c cocos-cli -f -a '(__cocos_cli)'\n";

static const struct {
	const char *shell, *script;
} scripts[] = { { "bash", bash }, { "zsh", zsh }, { "fish", fish } };

const char *const completion_shells[] = { "bash", "zsh", "fish", NULL };

const char *completion_script(const char *shell)
{
	for (size_t i = 0; i < ARRAY_LEN(scripts); i++)
		if (strcmp(scripts[i].shell, shell) == 0)
			return scripts[i].script;
	return NULL;
}
