/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/base/verdict_line.h"

#include "cli/base/color.h"
#include "cli/base/text.h"
#include "common/base/cleanup.h"

#include <stdarg.h>
#include <string.h>

/* What a check that passed binds a yes to. */
static const struct {
	enum check_id check;
	enum verdict_bond bond;
	const char *to;
} bonds[] = {
	{ CHECK_POLICY_REPORT_DATA, VERDICT_OF_NONCE, "your nonce" },
	{ CHECK_POLICY_REPORTDATA, VERDICT_OF_NONCE, "your nonce" },
	{ CHECK_BINDING_REPORT_DATA, VERDICT_OF_NONCE, "your nonce" },
	{ CHECK_BINDING_TPM_NONCE, VERDICT_OF_NONCE, "your nonce" },
	{ CHECK_TOKEN_NONCE, VERDICT_OF_NONCE, "your nonce" },
	{ CHECK_QUOTE_NONCE, VERDICT_OF_NONCE, "your nonce" },
	{ CHECK_RUN_MANIFEST, VERDICT_OF_SESSION, "the manifest" },
};

static bool passed(const struct verdict *v, enum check_id id)
{
	const struct check *check = verdict_find(v, id);

	return check && check->outcome == CHECK_PASSED;
}

/* Each once. */
static void print_bonds(FILE *out, const struct verdict *v, enum verdict_bond bond)
{
	const char *last = NULL;

	for (size_t i = 0; i < ARRAY_LEN(bonds); i++) {
		if (bonds[i].bond > bond || !passed(v, bonds[i].check) ||
		    (last && strcmp(last, bonds[i].to) == 0))
			continue;
		fprintf(out, "%s%s", last ? " and " : ", bound to ", bonds[i].to);
		last = bonds[i].to;
	}
}

static enum color color_of(const struct verdict *v)
{
	if (!verdict_ok(v))
		return COLOR_BAD;
	return v->simulated || v->scope != VERDICT_SCOPE_FULL ? COLOR_CAUTION : COLOR_GOOD;
}

/* The passed ones are as many as the line says; a no names what failed. */
static void print_checks(const struct verdict *v)
{
	for (size_t i = 0; i < v->count; i++) {
		const struct check *check = &v->checks[i];

		if (check->outcome != CHECK_FAILED)
			fprintf(stderr, "%s: %s%s%s\n",
				check->outcome == CHECK_PASSED ? "passed" : "not asked",
				check->name, *check->found ? ": " : "",
				text_plain(check->found).text);
	}
}

/* Another root than the vendor's may be a profile's, of which nobody thinks any more; a simulation's is in the
 * word. */
static bool is_for_details(const struct verdict *v, enum note_id id)
{
	return notes_inform(id) || (id == NOTE_OWN_ROOT && v->simulated);
}

void verdict_line(const struct cli *cli, FILE *out, const struct verdict *v, enum verdict_bond bond,
		  const char *yes, ...)
{
	struct verdict_reason reason = verdict_reason(v);
	bool ok = verdict_ok(v);
	va_list args;

	color_print(cli, out, color_of(v), verdict_word(v));
	fputs(": ", out);
	if (ok) {
		va_start(args, yes);
		vfprintf(out, yes, args);
		va_end(args);
		if (v->scope == VERDICT_SCOPE_FULL)
			print_bonds(out, v, bond);
	} else {
		fputs(reason.text, out);
	}
	fputc('\n', out);
	for (size_t i = 1; verdict_failed(v, i, &reason); i++) /* the first is the reason */
		fprintf(out, "and: %s\n", reason.text);
	if (cli->verbose)
		print_checks(v);
	for (size_t i = 0; i < v->note_count; i++)
		if (!ok || cli->verbose || !is_for_details(v, v->notes[i].id))
			fprintf(stderr, "note: %s\n", text_plain(v->notes[i].text).text);
}
