/* SPDX-License-Identifier: Apache-2.0 */
/*
 * completion.h — what may come next on a command line, by the table of commands; and the scripts by
 * which bash, zsh and fish ask for it.
 *
 * The scripts know nothing of the commands: they call 'cocos-cli __complete -- WORD…' with the words
 * after the program's name up to the cursor, the last of which may be empty. The answer's first line
 * is "words", with a candidate on each further line, or "files", where file names are wanted.
 */
#pragma once

#include "cli/base/command.h"

/* The shells that have a script, ending with NULL. */
extern const char *const completion_shells[];

/* The script for that shell, or NULL. */
const char *completion_script(const char *shell);

/* The answer for these words; none at all is a mistake of the caller's, who has at least the word at
 * the cursor. */
void completion_answer(int count, const char *const *words, FILE *out);
