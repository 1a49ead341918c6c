/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/policy/policy_show.h"

#include "attestation/policy/policy_fields.h"
#include "common/base/encode.h"
#include "common/base/writer.h"

#include <string.h>

DEFINE_CLEANUP(struct json *, json_free)

static void show_members(const struct json *object, struct writer *w);

/* "minimumTcb" as "minimum_tcb". */
static void show_key(const char *key, struct writer *w)
{
	writer_text(w, "\"");
	for (; *key; key++)
		if (*key >= 'A' && *key <= 'Z')
			writer_printf(w, "_%c", *key - 'A' + 'a');
		else
			writer_u8(w, (uint8_t)*key);
	writer_text(w, "\":");
}

/* Which members of the older form are bytes, and which are 64-bit numbers; all others are shown as
 * they stand. */
static bool is_one_of(const char *key, const char *const names[])
{
	char snake[128];
	size_t n = 0;

	for (; *key && n + 2 < sizeof(snake); key++) {
		bool upper = *key >= 'A' && *key <= 'Z';

		if (upper)
			snake[n++] = '_';
		snake[n++] = (char)(upper ? *key - 'A' + 'a' : *key);
	}
	snake[n] = '\0';
	for (size_t i = 0; names[i]; i++)
		if (strcmp(names[i], snake) == 0)
			return true;
	return false;
}

/* clang-format off */
static const char *const byte_keys[] = {
	"family_id", "image_id", "report_data", "measurement", "host_data", "report_id",
	"report_id_ma", "chip_id", "qe_vendor_id", "minimum_tee_tcb_svn", "mr_seam",
	"td_attributes", "xfam", "mr_td", "mr_config_id", "mr_owner", "mr_owner_config", "rtmrs",
	"any_mr_td", "trusted_author_key_hashes", "trusted_id_key_hashes", NULL,
};

static const char *const wide_keys[] = {
	"policy", "minimum_tcb", "minimum_launch_tcb", "minimum_tcb_turin",
	"minimum_launch_tcb_turin", "platform_info", NULL,
};
/* clang-format on */

static const char *const product_names[] = { "SEV_PRODUCT_UNKNOWN", "SEV_PRODUCT_MILAN",
					     "SEV_PRODUCT_GENOA", "SEV_PRODUCT_TURIN" };

static void show_bytes(const struct json *value, struct writer *w)
{
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;
	struct err ignored; /* the file was accepted, so this is base64 */

	if (base64_decode(value->text, strlen(value->text), &bytes, &len, &ignored) < 0)
		return;
	json_quote_hex(w, bytes, len);
}

static void show_string(const struct json *value, struct writer *w)
{
	if (value->key && strcmp(value->key, "name") == 0)
		for (size_t i = 0; i < ARRAY_LEN(product_names); i++)
			if (strcmp(value->text, product_names[i]) == 0) {
				writer_printf(w, "%zu", i);
				return;
			}
	json_quote_shown(w, value->text, strlen(value->text));
}

static void show_value(const struct json *value, const char *key, struct writer *w)
{
	bool wide = is_one_of(key, wide_keys);

	switch (value->type) {
	case JSON_OBJECT:
		show_members(value, w);
		break;
	case JSON_ARRAY:
		writer_text(w, "[");
		for (size_t i = 0; i < value->count; i++) {
			writer_text(w, i ? "," : "");
			show_value(&value->items[i], key, w);
		}
		writer_text(w, "]");
		break;
	case JSON_STRING:
		if (is_one_of(key, byte_keys))
			show_bytes(value, w);
		else
			show_string(value, w);
		break;
	case JSON_NUMBER:
		writer_printf(w, wide ? "\"%s\"" : "%s", value->text);
		break;
	case JSON_BOOL:
		writer_text(w, value->boolean ? "true" : "false");
		break;
	case JSON_NULL:
		break;
	}
}

static void show_members(const struct json *object, struct writer *w)
{
	bool first = true;

	writer_text(w, "{");
	for (size_t i = 0; i < object->count; i++) {
		const struct json *member = &object->items[i];

		if (member->type == JSON_NULL)
			continue;
		writer_text(w, first ? "" : ",");
		first = false;
		show_key(member->key, w);
		show_value(member, member->key, w);
	}
	writer_text(w, "}");
}

int policy_show(const struct policy_file *file, struct writer *w, struct err *e)
{
	CLEANUP(json_free) struct json *root = NULL;
	struct policy policy;

	if (policy_parse(file, 1, &policy, e) < 0 ||
	    json_parse(file->bytes, file->len, &root, e) < 0)
		return err_code(e);
	const char *kind = json_get(root, "cocos") ? "cocos"
			   : policy.has_snp        ? "SNP"
			   : policy.has_tdx        ? "TDX"
						   : "TPM";
	writer_printf(w, "{\"kind\":\"%s\",\"fields\":", kind);
	if (json_get(root, "cocos"))
		writer_bytes(w, (const uint8_t *)file->bytes + root->start,
			     root->end - root->start);
	else
		show_members(root, w);
	writer_text(w, "}");
	policy_done(&policy);
	return writer_check(w, "policy", e);
}
