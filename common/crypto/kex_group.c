/* SPDX-License-Identifier: Apache-2.0 */
#include "common/crypto/kex_group.h"

#include <stdio.h>
#include <string.h>

const struct kex_group kex_groups[KEX_GROUPS] = {
	{ "X25519MLKEM768", "X25519MLKEM768", 0x11ec, true },
	{ "x25519", "X25519", 0x001d, false },
	{ "secp256r1", "prime256v1", 0x0017, false },
	{ "secp384r1", "secp384r1", 0x0018, false },
	{ "secp521r1", "secp521r1", 0x0019, false },
};

struct kex_groups_text kex_groups_show(uint32_t set)
{
	struct kex_groups_text shown = { "" };
	size_t at = 0;

	for (size_t i = 0; i < KEX_GROUPS; i++)
		if (set & UINT32_C(1) << i)
			at += (size_t)snprintf(shown.text + at, sizeof(shown.text) - at, "%s%s",
					       at ? " or " : "", kex_groups[i].name);
	return shown;
}

int kex_groups_add(const char *name, size_t len, uint32_t *set, struct err *e)
{
	for (size_t i = 0; i < KEX_GROUPS; i++) {
		if (strlen(kex_groups[i].name) != len || memcmp(kex_groups[i].name, name, len) != 0)
			continue;
		if (*set & UINT32_C(1) << i)
			return err_set(e, ERR_INVALID, "%s stands there twice", kex_groups[i].name);
		*set |= UINT32_C(1) << i;
		return 0;
	}
	return err_set(e, ERR_INVALID, "unknown key exchange; there are %s",
		       kex_groups_show(KEX_GROUPS_ALL).text);
}

int kex_groups_parse(const char *text, uint32_t *set, struct err *e)
{
	uint32_t found = 0;

	for (;;) {
		size_t len = strcspn(text, ",");

		if (kex_groups_add(text, len, &found, e) < 0)
			return err_code(e);
		text += len;
		if (!*text)
			break;
		text++;
	}
	*set = found;
	return 0;
}

uint32_t kex_group_of(uint16_t id)
{
	for (size_t i = 0; i < KEX_GROUPS; i++)
		if (kex_groups[i].id == id)
			return UINT32_C(1) << i;
	return 0;
}
