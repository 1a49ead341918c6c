/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/channel/authenticator_extension.h"

#include "common/base/encode.h"
#include "common/base/json.h"

#include <string.h>

#define MEDIA_TYPE "application/eat+cwt"

DEFINE_CLEANUP(struct json *, json_free)

int authenticator_extension_write(const struct binding_binder *binder, const uint8_t *evidence,
				  size_t evidence_len, struct writer *w, struct err *e)
{
	CLEANUP(free) char *evidence_text = base64_encode(evidence, evidence_len);
	CLEANUP(free) char *hash_text = base64_encode(binder->aik_pub_hash, binder->len);
	CLEANUP(free) char *binding_text = base64_encode(binder->binding, binder->len);

	if (!evidence_text || !hash_text || !binding_text)
		return err_nomem(e);
	writer_printf(w,
		      "{\"version\":1,\"media_type\":\"" MEDIA_TYPE "\",\"evidence\":\"%s\","
		      "\"binder\":{\"exporter_label\":\"" BINDING_EXPORTER_LABEL
		      "\",\"aik_pub_hash\":\"%s\",\"binding\":\"%s\"}}",
		      evidence_text, hash_text, binding_text);
	return 0;
}

static int check_text(const struct json *object, const char *key, const char *wanted, struct err *e)
{
	const char *text;

	if (json_get_string(object, key, &text, e) < 0)
		return err_code(e);
	if (strcmp(text, wanted) != 0)
		return err_set(e, ERR_INVALID, "'%s' is not '%s'", key, wanted);
	return 0;
}

static int check_digest(const struct json *binder, const char *key, const uint8_t *wanted,
			size_t wanted_len, struct err *e)
{
	CLEANUP(free) uint8_t *found = NULL;
	const char *text;
	size_t len;

	if (json_get_string(binder, key, &text, e) < 0 ||
	    base64_decode(text, strlen(text), &found, &len, e) < 0)
		return err_wrap(e, "'%s'", key);
	if (len != wanted_len || !bytes_equal(found, wanted, len))
		return err_set(e, ERR_DENIED, "'%s' is not of this session and key", key);
	return 0;
}

static int read_members(const struct json *root, const struct binding_binder *wanted,
			uint8_t **evidence, size_t *evidence_len, struct err *e)
{
	static const char *const keys[] = { "version", "media_type", "evidence", "binder", NULL };
	static const char *const binder_keys[] = { "exporter_label", "aik_pub_hash", "binding",
						   NULL };
	const struct json *binder;
	const char *text;
	uint64_t version;

	if (root->type != JSON_OBJECT)
		return err_set(e, ERR_INVALID, "not an object");
	if (json_only_keys(root, keys, e) < 0 || json_get_u64(root, "version", &version, e) < 0)
		return err_code(e);
	if (version != 1)
		return err_set(e, ERR_INVALID, "version %llu", (unsigned long long)version);
	if (check_text(root, "media_type", MEDIA_TYPE, e) < 0 ||
	    json_get_object(root, "binder", &binder, e) < 0 ||
	    json_only_keys(binder, binder_keys, e) < 0 ||
	    check_text(binder, "exporter_label", BINDING_EXPORTER_LABEL, e) < 0 ||
	    check_digest(binder, "aik_pub_hash", wanted->aik_pub_hash, wanted->len, e) < 0 ||
	    check_digest(binder, "binding", wanted->binding, wanted->len, e) < 0 ||
	    json_get_string(root, "evidence", &text, e) < 0)
		return err_code(e);
	if (!*text)
		return err_set(e, ERR_INVALID, "'evidence' is empty");
	return base64_decode(text, strlen(text), evidence, evidence_len, e);
}

int authenticator_extension_parse(struct reader *body, const struct binding_binder *wanted,
				  uint8_t **evidence, size_t *evidence_len, struct err *e)
{
	CLEANUP(json_free) struct json *root = NULL;
	uint16_t len = reader_be16(body);
	const uint8_t *text = reader_take(body, len);

	if (!reader_done(body) || !len)
		return err_set(e, ERR_INVALID, "authenticator: lengths of extension 0xff00");
	if (json_parse(text, len, &root, e) < 0 ||
	    read_members(root, wanted, evidence, evidence_len, e) < 0)
		return err_wrap(e, "authenticator: extension 0xff00");
	return 0;
}
