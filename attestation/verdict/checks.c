/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/verdict/checks.h"

#include "common/base/cleanup.h"

#include <assert.h>
#include <string.h>

enum { INDEX_MAX = 999 };

#define CHECK(id, name, section, fault, ...) \
	[CHECK_##id] = { name, section, FAULT_##fault, __VA_ARGS__ },
static const struct check_row rows[CHECK_COUNT] = {
#include "attestation/verdict/checks_receipt.def"
#include "attestation/verdict/checks_snp.def"
#include "attestation/verdict/checks_snp_policy.def"
#include "attestation/verdict/checks_tdx.def"
#include "attestation/verdict/checks_token.def"
#include "attestation/verdict/checks_tpm.def"
};
#undef CHECK

const struct check_row *checks_row(enum check_id id)
{
	assert((unsigned)id < CHECK_COUNT);
	return &rows[id];
}

const char *check_fault_word(enum check_fault fault)
{
	static const char *const words[] = {
		[FAULT_NONE] = "",
		[FAULT_UNWANTED] = "unwanted",
		[FAULT_NOT_GENUINE] = "not genuine",
		[FAULT_MALFORMED] = "malformed",
	};

	assert((unsigned)fault < ARRAY_LEN(words));
	return words[fault];
}

/* Digits without a leading zero, or nothing. */
static bool read_index(const char *text, unsigned *index)
{
	unsigned made = 0;

	if (text[0] == '0' && text[1])
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' || made > INDEX_MAX)
			return false;
		made = 10 * made + (unsigned)(*text - '0');
	}
	*index = made;
	return true;
}

bool checks_find(const char *name, enum check_id *id, unsigned *index)
{
	for (unsigned i = 0; i < CHECK_COUNT; i++) {
		size_t len = strlen(rows[i].name);

		if (strncmp(name, rows[i].name, len) != 0)
			continue;
		*index = 0;
		if (rows[i].attributes & CHECK_FAMILY ? !read_index(name + len, index)
						      : name[len] != '\0')
			continue;
		*id = (enum check_id)i;
		return true;
	}
	return false;
}
