/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/envelope/evidence_kind.h"

#include <stdio.h>
#include <string.h>

#define ROW(id, ...)        [EVIDENCE_##id] = { __VA_ARGS__ },
#define NAME(id, name, ...) name,

const struct evidence_kind_row evidence_kind_rows[EVIDENCE_KINDS] = { EVIDENCE_HARDWARE(ROW)
									      EVIDENCE_OTHER(ROW) };
const char *const evidence_kind_modes[] = { EVIDENCE_HARDWARE(NAME) "eat", NULL };

/* The hardware's come first, so that the lists below can count. */
_Static_assert((int)EVIDENCE_HARDWARE_COUNT == (int)EVIDENCE_EAT, "eat follows the hardware's");

const char *evidence_kind_name(enum evidence_kind kind)
{
	return kind < EVIDENCE_KINDS && evidence_kind_rows[kind].name
		       ? evidence_kind_rows[kind].name
		       : "none";
}

const char *evidence_kind_platform(enum evidence_kind kind)
{
	return kind < EVIDENCE_KINDS && evidence_kind_rows[kind].platform
		       ? evidence_kind_rows[kind].platform
		       : "none";
}

int evidence_kind_of_mode(const char *name, enum evidence_kind *mode, struct err *e)
{
	for (size_t i = 0; i <= EVIDENCE_EAT; i++)
		if (strcmp(name, evidence_kind_rows[i].name) == 0) {
			*mode = (enum evidence_kind)i;
			return 0;
		}
	return err_set(e, ERR_INVALID, "mode '%s': use %s", name,
		       evidence_kind_names_or("eat").text);
}

int evidence_kind_of_type(int type, enum evidence_kind *kind, struct err *e)
{
	for (size_t i = 0; i < EVIDENCE_NONE; i++)
		if (evidence_kind_rows[i].type >= 0 && evidence_kind_rows[i].type == type) {
			*kind = (enum evidence_kind)i;
			return 0;
		}
	return err_set(e, ERR_INVALID, "evidence of type %d: 0 SNP, 1 vTPM, 2 both, 3 Azure, 4 TDX",
		       type);
}

enum evidence_kind evidence_kind_of(enum tee tee, bool tpm)
{
	for (size_t i = 0; i < EVIDENCE_HARDWARE_COUNT; i++)
		if (evidence_kind_rows[i].type >= 0 && evidence_kind_rows[i].tee == tee &&
		    evidence_kind_rows[i].tpm == tpm)
			return (enum evidence_kind)i;
	return EVIDENCE_NONE;
}

static void add(struct evidence_kind_list *list, const char *glue, const char *word)
{
	size_t used = strlen(list->text);

	snprintf(list->text + used, sizeof(list->text) - used, "%s%s", glue, word);
}

static struct evidence_kind_list names_or(const char *last, bool asked)
{
	struct evidence_kind_list list = { "" };

	for (size_t i = 0; i < EVIDENCE_HARDWARE_COUNT; i++)
		if (!asked || evidence_kind_rows[i].type >= 0)
			add(&list, i ? ", " : "", evidence_kind_rows[i].name);
	add(&list, " or ", last);
	return list;
}

struct evidence_kind_list evidence_kind_names_or(const char *last)
{
	return names_or(last, false);
}

struct evidence_kind_list evidence_kind_asked_or(const char *last)
{
	return names_or(last, true);
}

struct evidence_kind_list evidence_kind_platforms(void)
{
	const char *words[EVIDENCE_HARDWARE_COUNT];
	struct evidence_kind_list list = { "" };
	size_t count = 0;

	for (size_t i = 0; i < EVIDENCE_HARDWARE_COUNT; i++)
		if (evidence_kind_rows[i].platform)
			words[count++] = evidence_kind_rows[i].platform;
	for (size_t i = 0; i < count; i++)
		add(&list, i == 0 ? "" : i + 1 == count ? " or " : ", ", words[i]);
	return list;
}
