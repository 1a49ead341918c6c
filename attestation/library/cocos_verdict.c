/* SPDX-License-Identifier: Apache-2.0 */
/* cocos_verdict.c — a verdict as callers of the library see it. */
#include "attestation/library/library_objects.h"
#include "common/base/writer.h"

#include <string.h>

enum { TEXT_MAX = VERDICT_JSON_MAX };

bool cocos_verdict_ok(const struct cocos_verdict *verdict)
{
	return verdict && verdict_ok(&verdict->verdict);
}

void cocos_verdict_free(struct cocos_verdict *verdict)
{
	if (!verdict)
		return;
	free(verdict->claims);
	free(verdict);
}

const char *cocos_verdict_word(const struct cocos_verdict *verdict)
{
	return verdict ? verdict_word(&verdict->verdict) : "refused";
}

bool cocos_verdict_is_simulated(const struct cocos_verdict *verdict)
{
	return verdict && verdict->verdict.simulated;
}

const char *cocos_verdict_reason(const struct cocos_verdict *verdict)
{
	return verdict ? verdict->reason : "there is no verdict";
}

unsigned cocos_verdict_mode(const struct cocos_verdict *verdict)
{
	return verdict ? (unsigned)verdict->mode : 0;
}

size_t cocos_verdict_note_count(const struct cocos_verdict *verdict)
{
	return verdict ? verdict->verdict.note_count : 0;
}

const char *cocos_verdict_note(const struct cocos_verdict *verdict, size_t index)
{
	return index < cocos_verdict_note_count(verdict) ? verdict->verdict.notes[index].text
							 : NULL;
}

/* ---- checks ---- */

/* struct cocos_check has no contents of its own: it is a name for the verifier's struct check. */
static const struct cocos_check *to_public(const struct check *check)
{
	return (const struct cocos_check *)check;
}

static const struct check *of(const struct cocos_check *check)
{
	static const struct check none = { .outcome = CHECK_FAILED };

	return check ? (const struct check *)check : &none;
}

size_t cocos_verdict_check_count(const struct cocos_verdict *verdict)
{
	return verdict ? verdict->verdict.count : 0;
}

const struct cocos_check *cocos_verdict_check(const struct cocos_verdict *verdict, size_t index)
{
	return index < cocos_verdict_check_count(verdict)
		       ? to_public(&verdict->verdict.checks[index])
		       : NULL;
}

const struct cocos_check *cocos_verdict_find(const struct cocos_verdict *verdict, const char *name)
{
	for (size_t i = 0; name && i < cocos_verdict_check_count(verdict); i++)
		if (strcmp(verdict->verdict.checks[i].name, name) == 0)
			return to_public(&verdict->verdict.checks[i]);
	return NULL;
}

const char *cocos_check_name(const struct cocos_check *check)
{
	return of(check)->name;
}

const char *cocos_check_outcome(const struct cocos_check *check)
{
	if (!check)
		return "";
	return of(check)->outcome == CHECK_PASSED      ? "passed"
	       : of(check)->outcome == CHECK_NOT_ASKED ? "not asked"
						       : "failed";
}

bool cocos_check_passed(const struct cocos_check *check)
{
	return of(check)->outcome == CHECK_PASSED;
}

const char *cocos_check_found(const struct cocos_check *check)
{
	return of(check)->found;
}

const char *cocos_check_wanted(const struct cocos_check *check)
{
	return of(check)->wanted;
}

const char *cocos_check_section(const struct cocos_check *check)
{
	const char *section = check ? checks_row(of(check)->id)->section : NULL;

	return section ? section : "";
}

/* ---- what was found out ---- */

const uint8_t *cocos_verdict_identity(const struct cocos_verdict *verdict)
{
	return cocos_verdict_ok(verdict) && verdict->has_identity ? verdict->identity : NULL;
}

const uint8_t *cocos_verdict_manifest(const struct cocos_verdict *verdict)
{
	return cocos_verdict_ok(verdict) && verdict->has_manifest ? verdict->manifest : NULL;
}

const char *cocos_verdict_tdx_status(const struct cocos_verdict *verdict)
{
	return verdict ? verdict->tdx_status : NULL;
}

size_t cocos_verdict_advisory_count(const struct cocos_verdict *verdict)
{
	return verdict ? verdict->advisory_count : 0;
}

const char *cocos_verdict_advisory(const struct cocos_verdict *verdict, size_t index)
{
	return index < cocos_verdict_advisory_count(verdict) ? verdict->advisories[index] : NULL;
}

/* ---- all of it ---- */

/* A line is a line, whatever the evidence says. */
static void put_plain(struct writer *w, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		writer_u8(w, c < 0x20 || c == 0x7F ? '?' : c);
	}
}

static void put_part(struct writer *w, const char *before, const char *text)
{
	if (!*text)
		return;
	writer_text(w, before);
	put_plain(w, text);
}

static void put_check(struct writer *w, const struct cocos_check *check)
{
	writer_printf(w, "%-9s ", cocos_check_outcome(check));
	put_plain(w, cocos_check_name(check));
	put_part(w, ": found ", cocos_check_found(check));
	put_part(w, ", wanted ", cocos_check_wanted(check));
	put_part(w, " (", cocos_check_section(check));
	writer_text(w, *cocos_check_section(check) ? ")\n" : "\n");
}

char *cocos_verdict_text(const struct cocos_verdict *verdict)
{
	CLEANUP_WRITER struct writer w = writer_up_to(TEXT_MAX);
	size_t len;

	if (!verdict)
		return NULL;
	writer_text(&w, cocos_verdict_word(verdict));
	put_part(&w, ": ", verdict->reason);
	writer_text(&w, "\n");
	for (size_t i = 0; i < cocos_verdict_check_count(verdict); i++)
		put_check(&w, cocos_verdict_check(verdict, i));
	for (size_t i = 0; i < cocos_verdict_note_count(verdict); i++) {
		put_part(&w, "note: ", cocos_verdict_note(verdict, i));
		writer_text(&w, "\n");
	}
	return (char *)writer_take(&w, &len);
}

char *cocos_verdict_json(const struct cocos_verdict *verdict)
{
	CLEANUP_WRITER struct writer w = writer_up_to(TEXT_MAX);
	size_t len;

	if (!verdict)
		return NULL;
	verdict_json(&verdict->verdict, (struct span){ verdict->claims, verdict->claims_len }, &w);
	return (char *)writer_take(&w, &len);
}

void cocos_text_free(char *text)
{
	free(text);
}
