/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/verdict/verdict.h"

#include "attestation/formats/x509.h"
#include "common/base/cleanup.h"
#include "common/base/encode.h"
#include "common/base/json.h"
#include "common/base/writer.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const char *const outcome_words[] = {
	[CHECK_PASSED] = "passed",
	[CHECK_FAILED] = "failed",
	[CHECK_NOT_ASKED] = "not asked",
};

void verdict_init(struct verdict *v, enum verdict_scope scope)
{
	memset(v, 0,
	       offsetof(struct verdict, checks)); /* the counts say what of the lists is there */
	v->scope = scope;
}

/* Room for one more. A full list spoils the verdict rather than dropping a failure unseen. */
static struct check *next_check(struct verdict *v, enum check_id id, unsigned index)
{
	const struct check_row *row = checks_row(id);

	if (v->count == VERDICT_CHECKS_MAX) {
		v->overflow = true;
		return NULL;
	}
	struct check *c = &v->checks[v->count++];
	memset(c, 0, sizeof(*c));
	c->id = id;
	c->index = index;
	snprintf(c->name, sizeof(c->name), row->attributes & CHECK_FAMILY ? "%s%u" : "%s",
		 row->name, index);
	c->outcome = CHECK_FAILED;
	return c;
}

/* Cut before a character that does not fit whole, with a mark. */
static void put_text(char out[VERDICT_TEXT_MAX], const char *text)
{
	size_t len = text ? strlen(text) : 0;

	if (len < VERDICT_TEXT_MAX) {
		memcpy(out, text ? text : "", len);
		out[len] = '\0';
		return;
	}
	len = VERDICT_TEXT_MAX - sizeof("…");
	while (len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80)
		len--;
	memcpy(out, text, len);
	memcpy(out + len, "…", sizeof("…"));
}

bool verdict_check_of(struct verdict *v, enum check_id id, unsigned index, bool passed,
		      const char *found, const char *wanted)
{
	struct check *c = next_check(v, id, index);

	if (!c)
		return false;
	c->outcome = passed ? CHECK_PASSED : CHECK_FAILED;
	put_text(c->found, found);
	put_text(c->wanted, wanted);
	return passed;
}

bool verdict_check(struct verdict *v, enum check_id id, bool passed, const char *found,
		   const char *wanted)
{
	return verdict_check_of(v, id, 0, passed, found, wanted);
}

bool verdict_checkf(struct verdict *v, enum check_id id, bool passed, const char *wanted,
		    const char *found_fmt, ...)
{
	char found[2 * VERDICT_TEXT_MAX];
	va_list args;

	va_start(args, found_fmt);
	vsnprintf(found, sizeof(found), found_fmt, args);
	va_end(args);
	return verdict_check(v, id, passed, found, wanted);
}

static void hex_text(char out[2 * VERDICT_TEXT_MAX], const void *bytes, size_t len)
{
	hex_encode(bytes, len < VERDICT_TEXT_MAX - 1 ? len : VERDICT_TEXT_MAX - 1, out);
}

bool verdict_bytes(struct verdict *v, enum check_id id, const void *found, const void *wanted,
		   size_t len)
{
	char found_text[2 * VERDICT_TEXT_MAX], wanted_text[2 * VERDICT_TEXT_MAX];

	hex_text(found_text, found, len);
	hex_text(wanted_text, wanted, len);
	return verdict_check(v, id, len > 0 && memcmp(found, wanted, len) == 0, found_text,
			     wanted_text);
}

bool verdict_at_least(struct verdict *v, enum check_id id, uint64_t found, uint64_t floor)
{
	char wanted[48];

	snprintf(wanted, sizeof(wanted), "at least %" PRIu64, floor);
	return verdict_checkf(v, id, found >= floor, wanted, "%" PRIu64, found);
}

bool verdict_err(struct verdict *v, enum check_id id, const struct err *e)
{
	return verdict_check(v, id, false, e->text, NULL);
}

bool verdict_step(struct verdict *v, enum check_id id, int failed, const struct err *e)
{
	return failed ? verdict_err(v, id, e) : verdict_check(v, id, true, NULL, NULL);
}

void verdict_not_asked(struct verdict *v, enum check_id id, const char *why)
{
	struct check *c = next_check(v, id, 0);

	if (!c)
		return;
	c->outcome = CHECK_NOT_ASKED;
	put_text(c->found, why);
}

static void withdraw(struct check *c, const char *why)
{
	if (c->outcome != CHECK_PASSED)
		return;
	c->outcome = CHECK_NOT_ASKED;
	put_text(c->found, why);
	put_text(c->wanted, NULL);
}

void verdict_withdraw(struct verdict *v, size_t from, const char *why)
{
	for (size_t i = from; i < v->count; i++)
		withdraw(&v->checks[i], why);
}

void verdict_leave(struct verdict *v, enum check_id id, const char *why)
{
	size_t kept = 0;

	for (size_t i = 0; i < v->count; i++)
		if (v->checks[i].id == id)
			withdraw(&v->checks[i], why);
	for (size_t i = 0; i < v->required_count; i++)
		if (v->required[i] != id)
			v->required[kept++] = v->required[i];
	v->required_count = kept;
}

void verdict_note(struct verdict *v, enum note_id id, const char *fmt, ...)
{
	char note[2 * VERDICT_TEXT_MAX];
	va_list args;

	if (v->note_count == VERDICT_NOTES_MAX) {
		v->overflow = true;
		return;
	}
	va_start(args, fmt);
	vsnprintf(note, sizeof(note), fmt, args);
	va_end(args);
	v->notes[v->note_count].id = id;
	put_text(v->notes[v->note_count++].text, note);
}

void verdict_require(struct verdict *v, enum check_id id)
{
	for (size_t i = 0; i < v->required_count; i++)
		if (v->required[i] == id)
			return;
	v->required[v->required_count++] = id;
}

bool verdict_require_step(struct verdict *v, enum check_id id, int failed, const struct err *e)
{
	verdict_require(v, id);
	return verdict_step(v, id, failed, e);
}

/* Every such check passed, and there is one. */
static bool passed(const struct verdict *v, enum check_id id)
{
	bool seen = false;

	for (size_t i = 0; i < v->count; i++) {
		if (v->checks[i].id != id)
			continue;
		if (v->checks[i].outcome != CHECK_PASSED)
			return false;
		seen = true;
	}
	return seen;
}

static const struct check *first_failed(const struct verdict *v)
{
	for (size_t i = 0; i < v->count; i++)
		if (v->checks[i].outcome == CHECK_FAILED)
			return &v->checks[i];
	return NULL;
}

static const struct check_row *first_missing(const struct verdict *v)
{
	for (size_t i = 0; i < v->required_count; i++)
		if (!passed(v, v->required[i]))
			return checks_row(v->required[i]);
	return NULL;
}

bool verdict_ok(const struct verdict *v)
{
	/* Without a single required step nothing says that anything was looked at. */
	return v->required_count > 0 && v->count > 0 && !v->overflow && !first_failed(v) &&
	       !first_missing(v);
}

/* `line` makes one line of a text that a peer had a part in. */
static void tell(const struct check *failed, struct err *line)
{
	if (failed->wanted[0])
		err_record(line, ERR_DENIED, "%s: found %s, wanted %s", failed->name,
			   failed->found[0] ? failed->found : "nothing", failed->wanted);
	else
		err_record(line, ERR_DENIED, "%s: %s", failed->name, failed->found);
}

bool verdict_failed(const struct verdict *v, size_t n, struct verdict_reason *reason)
{
	struct err line = { 0 };

	for (size_t i = 0; i < v->count; i++) {
		if (v->checks[i].outcome != CHECK_FAILED || n-- > 0)
			continue;
		tell(&v->checks[i], &line);
		memcpy(reason->text, line.text, sizeof(reason->text));
		return true;
	}
	return false;
}

struct verdict_reason verdict_reason(const struct verdict *v)
{
	const struct check *failed = first_failed(v);
	const struct check_row *missing = first_missing(v);
	struct verdict_reason reason;
	struct err line = { 0 };

	if (verdict_ok(v))
		line.text[0] = '\0';
	else if (failed)
		tell(failed, &line);
	else if (missing)
		err_record(&line, ERR_DENIED, "%s: found no such check, wanted it to have passed",
			   missing->name);
	else if (v->overflow)
		err_record(&line, ERR_DENIED, "verdict: more checks than %d", VERDICT_CHECKS_MAX);
	else
		err_record(&line, ERR_DENIED, "verdict: nothing was checked");
	memcpy(reason.text, line.text, sizeof(reason.text));
	return reason;
}

enum check_fault verdict_fault(const struct verdict *v)
{
	const struct check_row *missing = first_missing(v);
	enum check_fault worst = FAULT_NONE;

	if (verdict_ok(v))
		return FAULT_NONE;
	for (size_t i = 0; i < v->count; i++) {
		enum check_fault fault = checks_row(v->checks[i].id)->fault;

		if (v->checks[i].outcome == CHECK_FAILED && fault > worst)
			worst = fault;
	}
	if (worst != FAULT_NONE)
		return worst;
	return missing ? missing->fault : FAULT_NOT_GENUINE; /* nothing says that it is */
}

bool verdict_is_genuine(const struct verdict *v)
{
	for (size_t i = 0; i < v->required_count; i++)
		if (checks_row(v->required[i])->fault >= FAULT_NOT_GENUINE &&
		    !passed(v, v->required[i]))
			return false;
	for (size_t i = 0; i < v->count; i++)
		if (v->checks[i].outcome == CHECK_FAILED &&
		    checks_row(v->checks[i].id)->fault >= FAULT_NOT_GENUINE)
			return false;
	return v->required_count > 0 && !v->overflow;
}

const struct check *verdict_find(const struct verdict *v, enum check_id id)
{
	for (size_t i = 0; i < v->count; i++)
		if (v->checks[i].id == id)
			return &v->checks[i];
	return NULL;
}

void verdict_name(struct verdict *v, struct span name)
{
	static const char *const simulators[] = { "SIMULATED", "swtpm" };

	for (size_t i = 0; i < ARRAY_LEN(simulators); i++)
		v->simulated |= x509_name_has(name, simulators[i]);
}

void verdict_root(struct verdict *v, const struct x509 *root)
{
	verdict_name(v, root->subject);
}

const char *verdict_word(const struct verdict *v)
{
	static const char *const words[][2] = {
		[VERDICT_SCOPE_FULL] = { "verified", "SIMULATED verified" },
		[VERDICT_SCOPE_GENUINE_ONLY] = { "genuine", "SIMULATED genuine" },
	};

	if (!verdict_ok(v))
		return v->simulated ? "SIMULATED refused" : "refused";
	return words[v->scope][v->simulated];
}

static void member(struct writer *w, const char *key, const char *text)
{
	json_quote_shown(w, key, strlen(key));
	writer_text(w, ":");
	json_quote_shown(w, text, strlen(text));
}

void verdict_json(const struct verdict *v, struct span claims, struct writer *w)
{
	writer_text(w, "{");
	member(w, "verdict", verdict_word(v));
	writer_text(w, ",");
	member(w, "reason", verdict_reason(v).text);
	writer_text(w, ",");
	member(w, "fault", check_fault_word(verdict_fault(v)));
	writer_text(w, ",\"notes\":[");
	for (size_t i = 0; i < v->note_count; i++) {
		writer_text(w, i ? "," : "");
		json_quote_shown(w, v->notes[i].text, strlen(v->notes[i].text));
	}
	writer_text(w, "],\"checks\":[");
	for (size_t i = 0; i < v->count; i++) {
		const struct check *c = &v->checks[i];
		const char *section = checks_row(c->id)->section;

		writer_text(w, i ? ",{" : "{");
		member(w, "name", c->name);
		writer_text(w, ",");
		member(w, "outcome", outcome_words[c->outcome]);
		writer_text(w, ",");
		member(w, "found", c->found);
		writer_text(w, ",");
		member(w, "wanted", c->wanted);
		writer_text(w, ",");
		member(w, "section", section ? section : "");
		writer_text(w, "}");
	}
	writer_text(w, "]");
	if (claims.len) {
		writer_text(w, ",\"claims\":");
		writer_bytes(w, claims.bytes, claims.len);
	}
	writer_text(w, "}");
}
