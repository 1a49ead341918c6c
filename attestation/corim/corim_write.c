/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/corim/corim_write.h"

#include "attestation/corim/corim.h"
#include "attestation/formats/cose.h"
#include "common/base/bytes.h"
#include "common/base/encode.h"
#include "common/base/writer.h"

#include <stdio.h>
#include <string.h>

enum {
	ALG_SHA384 = 7,
	TAG_COMID = 506,
	TAG_UUID = 37,
	TAG_SVN = 552,
	TAG_MIN_SVN = 553,
	TAG_BYTES = 560,
	LABEL_META = 8,
	NAME_LEN = 48,
};

/* ---- UUIDs ---- */

static int uuid_random(uint8_t uuid[CORIM_UUID_LEN], struct err *e)
{
	if (random_bytes(uuid, CORIM_UUID_LEN, e) < 0)
		return err_code(e);
	corim_uuid_finish(uuid, 4);
	return 0;
}

static void put_uuid(struct writer *w, const uint8_t uuid[CORIM_UUID_LEN])
{
	datum_put_tag(w, TAG_UUID);
	datum_put_bytes(w, uuid, CORIM_UUID_LEN);
}

static int put_random_uuid(struct writer *w, struct err *e)
{
	uint8_t uuid[CORIM_UUID_LEN];

	if (uuid_random(uuid, e) < 0)
		return err_code(e);
	put_uuid(w, uuid);
	return 0;
}

/* "snp-tag-" and a UUID in its usual spelling. */
static int name_make(const char *prefix, char name[NAME_LEN], struct err *e)
{
	uint8_t uuid[CORIM_UUID_LEN];
	char hex[2 * CORIM_UUID_LEN + 1];

	if (uuid_random(uuid, e) < 0)
		return err_code(e);
	hex_encode(uuid, sizeof(uuid), hex);
	snprintf(name, NAME_LEN, "%s%.8s-%.4s-%.4s-%.4s-%s", prefix, hex, hex + 8, hex + 12,
		 hex + 16, hex + 20);
	return 0;
}

/* ---- measurements: {0: key, 1: {? 1: svn, ? 2: digests, ? 4: raw}} ---- */

static void put_svn(struct writer *w, const struct corim_svn *svn)
{
	datum_put_uint(w, 1);
	datum_put_tag(w, svn->at_least ? TAG_MIN_SVN : TAG_SVN);
	datum_put_uint(w, svn->number);
}

static void put_digest(struct writer *w, const struct corim_svn *svn, const uint8_t *bytes)
{
	datum_put_uint(w, 1);
	datum_put_map(w, svn->given ? 2 : 1);
	if (svn->given)
		put_svn(w, svn);
	datum_put_uint(w, 2);
	datum_put_array(w, 1);
	datum_put_array(w, 2);
	datum_put_uint(w, ALG_SHA384);
	datum_put_bytes(w, bytes, SHA384_LEN);
}

static void put_key(struct writer *w, uint64_t key)
{
	datum_put_map(w, 2);
	datum_put_uint(w, 0);
	datum_put_uint(w, key);
	datum_put_uint(w, 1);
	datum_put_map(w, 1);
}

static void put_raw(struct writer *w, uint64_t key, const uint8_t *bytes, size_t len)
{
	put_key(w, key);
	datum_put_uint(w, 4);
	datum_put_tag(w, TAG_BYTES);
	datum_put_bytes(w, bytes, len);
}

static int put_snp(const struct corim_entry *entry, struct writer *w, struct err *e)
{
	uint8_t policy[8];

	bytes_put_le(policy, entry->policy, sizeof(policy));
	datum_put_array(w, 1u + entry->has_policy + entry->has_host_data + entry->launch_tcb.given);
	datum_put_map(w, 2);
	datum_put_uint(w, 0);
	if (put_random_uuid(w, e) < 0)
		return err_code(e);
	put_digest(w, &entry->svn, entry->measurement);
	if (entry->has_policy)
		put_raw(w, CORIM_KEY_POLICY, policy, sizeof(policy));
	if (entry->has_host_data)
		put_raw(w, CORIM_KEY_HOST_DATA, entry->host_data, SNP_HOST_DATA_LEN);
	if (entry->launch_tcb.given) {
		put_key(w, CORIM_KEY_LAUNCH_TCB);
		put_svn(w, &entry->launch_tcb);
	}
	return 0;
}

static int put_tdx(const struct corim_entry *entry, struct writer *w, struct err *e)
{
	static const struct corim_svn none;
	size_t count = 0;

	for (size_t i = 0; i < CORIM_MRS; i++)
		count += entry->has_mr[i];
	datum_put_array(w, count);
	for (size_t i = 0; i < CORIM_MRS; i++) {
		if (!entry->has_mr[i])
			continue;
		datum_put_map(w, 2);
		datum_put_uint(w, 0);
		if (count < CORIM_MRS)
			datum_put_text(w, corim_mr_names[i]);
		else if (put_random_uuid(w, e) < 0)
			return err_code(e);
		put_digest(w, i ? &none : &entry->svn, entry->mr[i]);
	}
	return 0;
}

/* ---- the whole ---- */

static int put_environment(const struct corim_entry *entry, struct writer *w, struct err *e)
{
	uint8_t uuid[CORIM_UUID_LEN];

	datum_put_map(w, entry->tdx ? 1 : 2);
	datum_put_uint(w, 0);
	datum_put_map(w, 1);
	datum_put_uint(w, 0);
	if (put_random_uuid(w, e) < 0)
		return err_code(e);
	if (entry->tdx)
		return 0;
	if (corim_product_uuid(snp_product_name(entry->product), uuid, e) < 0)
		return err_code(e);
	datum_put_uint(w, 1);
	put_uuid(w, uuid);
	return 0;
}

static int put_comid(const struct corim_entry *entry, struct writer *w, struct err *e)
{
	char name[NAME_LEN];

	if (name_make(entry->tdx ? "tdx-tag-" : "snp-tag-", name, e) < 0)
		return err_code(e);
	datum_put_tag(w, TAG_COMID);
	datum_put_map(w, 2);
	datum_put_uint(w, 1);
	datum_put_map(w, 1);
	datum_put_uint(w, 0);
	datum_put_text(w, name);
	datum_put_uint(w, 4);
	datum_put_map(w, 1);
	datum_put_uint(w, 0);
	datum_put_array(w, 1);
	datum_put_array(w, 2);
	if (put_environment(entry, w, e) < 0)
		return err_code(e);
	return entry->tdx ? put_tdx(entry, w, e) : put_snp(entry, w, e);
}

static int put_corim(const struct corim_entry *entry, struct writer *w, struct err *e)
{
	CLEANUP_WRITER struct writer comid = writer_up_to(CORIM_MAX / 2);
	char name[NAME_LEN];

	if (put_comid(entry, &comid, e) < 0 || writer_check(&comid, "CoMID", e) < 0 ||
	    name_make(entry->tdx ? "tdx-corim-" : "snp-corim-", name, e) < 0)
		return err_code(e);
	datum_put_map(w, 2);
	datum_put_uint(w, 0);
	datum_put_text(w, name);
	datum_put_uint(w, 1);
	datum_put_array(w, 1);
	datum_put_bytes(w, comid.bytes, comid.len);
	return writer_check(w, "CoRIM", e);
}

/* corim-meta: {0: {0: signer}}; the signer's name is nobody's to believe: the key is. */
static int sign(const struct writer *payload, EVP_PKEY *key, struct writer *out, struct err *e)
{
	CLEANUP_WRITER struct writer meta = writer_up_to(64);

	datum_put_map(&meta, 1);
	datum_put_uint(&meta, 0);
	datum_put_map(&meta, 1);
	datum_put_uint(&meta, 0);
	datum_put_text(&meta, "cocos-cli");
	if (writer_check(&meta, "corim-meta", e) < 0)
		return err_code(e);
	const struct cose_content content = {
		.payload = payload->bytes,
		.payload_len = payload->len,
		.content_type = "application/rim+cbor",
		.extra_label = LABEL_META,
		.extra = meta.bytes,
		.extra_len = meta.len,
	};
	return cose_sign(&content, key, out, e);
}

int corim_write(const struct corim_entry *entry, EVP_PKEY *key, struct writer *out, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(CORIM_MAX);

	if (put_corim(entry, &w, e) < 0)
		return err_code(e);
	if (key)
		return sign(&w, key, out, e);
	writer_bytes(out, w.bytes, w.len);
	return writer_check(out, "CoRIM", e);
}
