/* SPDX-License-Identifier: Apache-2.0 */
/* Values of a TPM's registers, by bank and number: `pcr_values` of the older form, `pcrs` of ours. */
#include "attestation/policy/policy_fields.h"
#include "common/base/encode.h"
#include "common/base/log.h"

#include <string.h>

static const struct {
	const char *name;
	enum digest_kind kind;
} banks[] = {
	{ "sha1", DIGEST_SHA1 },
	{ "sha256", DIGEST_SHA256 },
	{ "sha384", DIGEST_SHA384 },
};

/* "0" to "23", in one spelling. */
int policy_pcr_index(struct policy_reading *r, const char *key, unsigned *index)
{
	size_t len = strlen(key);
	unsigned v = 0;

	for (size_t i = 0; i < len && len <= 2; i++)
		v = v * 10 + (unsigned)(key[i] - '0');
	for (size_t i = 0; i < len; i++)
		if (key[i] < '0' || key[i] > '9')
			v = TPM_POLICY_PCRS_MAX;
	if (!len || len > 2 || v >= TPM_POLICY_PCRS_MAX || (len == 2 && key[0] == '0'))
		return err_set(r->e, ERR_INVALID, "%s is no register from 0 to %d",
			       log_quote(key).text, TPM_POLICY_PCRS_MAX - 1);
	*index = v;
	return 0;
}

/* One value, or in our form an array of those that are acceptable. */
static int read_pcr(struct policy_reading *r, enum digest_kind bank, unsigned index,
		    const struct json *value)
{
	struct tpm_policy *tpm = &r->policy->tpm;
	const struct json *values = value;
	size_t count = 1, len = digest_len(bank);

	if (value->type == JSON_ARRAY && r->encoding == POLICY_HEX) {
		values = value->items;
		count = value->count;
	}
	if (!count || count > POLICY_LIST_MAX)
		return err_set(r->e, ERR_INVALID, "%zu values; 1 to %d", count, POLICY_LIST_MAX);
	for (size_t i = 0; i < tpm->count; i++)
		if (tpm->pcrs[i].bank == bank && tpm->pcrs[i].index == index)
			return err_set(r->e, ERR_INVALID, "is said twice");
	uint8_t *bytes = policy_alloc(r, count * len);
	if (!bytes)
		return err_code(r->e);
	for (size_t i = 0; i < count; i++) {
		if (values[i].type != JSON_STRING)
			return policy_wrong(r, &values[i], "a string");
		if (hex_decode(values[i].text, bytes + i * len, len, r->e) < 0)
			return err_code(r->e);
	}
	tpm->pcrs[tpm->count++] = (struct tpm_policy_pcr){ bank, index, { bytes, count } };
	return 0;
}

static int read_bank(struct policy_reading *r, enum digest_kind bank, const struct json *value)
{
	unsigned index = 0;

	if (policy_object(r, value) < 0)
		return err_code(r->e);
	for (size_t i = 0; i < value->count; i++) {
		const struct json *pcr = &value->items[i];
		int said = policy_is_said(r, pcr);

		if (said < 0 || (said && (policy_pcr_index(r, pcr->key, &index) < 0 ||
					  read_pcr(r, bank, index, pcr) < 0)))
			return err_wrap(r->e, "%s", pcr->key);
	}
	return 0;
}

int policy_bank(struct policy_reading *r, const char *key, enum digest_kind *kind)
{
	for (size_t i = 0; i < ARRAY_LEN(banks); i++)
		if (strcmp(banks[i].name, key) == 0) {
			*kind = banks[i].kind;
			return 0;
		}
	return err_set(r->e, ERR_INVALID, "unknown bank %s", log_quote(key).text);
}

int policy_read_pcrs(struct policy_reading *r, const struct json *value)
{
	if (policy_object(r, value) < 0)
		return err_code(r->e);
	r->policy->has_tpm = true;
	for (size_t i = 0; i < value->count; i++) {
		const struct json *bank = &value->items[i];
		enum digest_kind kind;

		if (policy_bank(r, bank->key, &kind) < 0)
			return err_code(r->e);
		int said = policy_is_said(r, bank);
		if (said < 0 || (said && read_bank(r, kind, bank) < 0))
			return err_wrap(r->e, "%s", bank->key);
	}
	return 0;
}
