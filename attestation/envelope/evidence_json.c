/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/envelope/evidence_json.h"

#include "attestation/envelope/tpm_attestation.h"
#include "attestation/formats/pb.h"
#include "common/base/cleanup.h"
#include "common/base/encode.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/writer.h"

#include <string.h>

DEFINE_CLEANUP(struct json *, json_free)

enum kind {
	BYTES,
	NUMBER,
	HASH, /* an algorithm, by name or number */
	MESSAGE,
	MESSAGES, /* an array of them */
	BYTES_LIST,
	PCRS, /* map<uint32, bytes> */
};

struct member {
	const char *name, *other; /* protojson's, and that of the .proto file where it differs */
	uint32_t number;
	enum kind kind;
	const struct member *inside;
};

/* ---- fields of sevsnp.proto, attest.proto and tpm.proto ---- */

static const struct member report_members[] = {
	{ "version", NULL, 1, NUMBER, NULL },
	{ "guestSvn", "guest_svn", 2, NUMBER, NULL },
	{ "policy", NULL, 3, NUMBER, NULL },
	{ "familyId", "family_id", 4, BYTES, NULL },
	{ "imageId", "image_id", 5, BYTES, NULL },
	{ "vmpl", NULL, 6, NUMBER, NULL },
	{ "signatureAlgo", "signature_algo", 7, NUMBER, NULL },
	{ "currentTcb", "current_tcb", 8, NUMBER, NULL },
	{ "platformInfo", "platform_info", 9, NUMBER, NULL },
	{ "signerInfo", "signer_info", 10, NUMBER, NULL },
	{ "reportData", "report_data", 11, BYTES, NULL },
	{ "measurement", NULL, 12, BYTES, NULL },
	{ "hostData", "host_data", 13, BYTES, NULL },
	{ "idKeyDigest", "id_key_digest", 14, BYTES, NULL },
	{ "authorKeyDigest", "author_key_digest", 15, BYTES, NULL },
	{ "reportId", "report_id", 16, BYTES, NULL },
	{ "reportIdMa", "report_id_ma", 17, BYTES, NULL },
	{ "reportedTcb", "reported_tcb", 18, NUMBER, NULL },
	{ "chipId", "chip_id", 19, BYTES, NULL },
	{ "committedTcb", "committed_tcb", 20, NUMBER, NULL },
	{ "currentBuild", "current_build", 21, NUMBER, NULL },
	{ "currentMinor", "current_minor", 22, NUMBER, NULL },
	{ "currentMajor", "current_major", 23, NUMBER, NULL },
	{ "committedBuild", "committed_build", 24, NUMBER, NULL },
	{ "committedMinor", "committed_minor", 25, NUMBER, NULL },
	{ "committedMajor", "committed_major", 26, NUMBER, NULL },
	{ "launchTcb", "launch_tcb", 27, NUMBER, NULL },
	{ "signature", NULL, 28, BYTES, NULL },
	{ "cpuid1eaxFms", "cpuid1eax_fms", 29, NUMBER, NULL },
	{ "launchMitVector", "launch_mit_vector", 30, NUMBER, NULL },
	{ "currentMitVector", "current_mit_vector", 31, NUMBER, NULL },
	{ .name = NULL },
};

static const struct member chain_members[] = {
	{ "vcekCert", "vcek_cert", 1, BYTES, NULL },
	{ "askCert", "ask_cert", 2, BYTES, NULL },
	{ "arkCert", "ark_cert", 3, BYTES, NULL },
	{ "vlekCert", "vlek_cert", 6, BYTES, NULL },
	{ .name = NULL },
};

static const struct member sevsnp_members[] = {
	{ "report", NULL, 1, MESSAGE, report_members },
	{ "certificateChain", "certificate_chain", 2, MESSAGE, chain_members },
	{ .name = NULL },
};

static const struct member pcrs_members[] = {
	{ "hash", NULL, 1, HASH, NULL },
	{ "pcrs", NULL, 2, PCRS, NULL },
	{ .name = NULL },
};

static const struct member quote_members[] = {
	{ "quote", NULL, 1, BYTES, NULL },
	{ "rawSig", "raw_sig", 2, BYTES, NULL },
	{ "pcrs", NULL, 3, MESSAGE, pcrs_members },
	{ .name = NULL },
};

static const struct member attest_members[] = {
	{ "akPub", "ak_pub", 1, BYTES, NULL },
	{ "quotes", NULL, 2, MESSAGES, quote_members },
	{ "eventLog", "event_log", 3, BYTES, NULL },
	{ "akCert", "ak_cert", 6, BYTES, NULL },
	{ "intermediateCerts", "intermediate_certs", 7, BYTES_LIST, NULL },
	{ "sevSnpAttestation", "sev_snp_attestation", 8, MESSAGE, sevsnp_members },
	{ .name = NULL },
};

/* By kind; missing: it is no protobuf. */
static const struct member *const messages[EVIDENCE_KINDS] = {
	[EVIDENCE_SNP] = sevsnp_members,
	[EVIDENCE_VTPM] = attest_members,
	[EVIDENCE_SNP_VTPM] = attest_members,
	[EVIDENCE_TDX_VTPM] = attest_members,
};

/* TPM_ALG_ID, under the names of tpm.proto. */
static const struct {
	const char *name;
	uint64_t number;
} hashes[] = { { "SHA1", 0x4 }, { "SHA256", 0xb }, { "SHA384", 0xc }, { "SHA512", 0xd } };

/* ---- values ---- */

static int put_object(const struct json *object, const struct member *members, struct writer *w,
		      struct err *e);

static int wrong(const struct json *value, const char *wanted, struct err *e)
{
	return err_set(e, ERR_INVALID, "%s where %s is wanted", json_type_name(value->type),
		       wanted);
}

static int read_number(const struct json *value, uint64_t *number, struct err *e)
{
	struct json text = *value;

	if (value->type != JSON_NUMBER && value->type != JSON_STRING)
		return wrong(value, "a number", e);
	text.type = JSON_NUMBER; /* the same digits, with or without quotes */
	return json_u64(&text, number, e);
}

static int put_bytes(const struct json *value, uint32_t field, struct writer *w, struct err *e)
{
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;

	if (value->type != JSON_STRING)
		return wrong(value, "base64", e);
	if (base64_decode(value->text, strlen(value->text), &bytes, &len, e) < 0)
		return err_code(e);
	pb_put_bytes(w, field, bytes, len);
	return 0;
}

static int put_hash(const struct json *value, uint32_t field, struct writer *w, struct err *e)
{
	uint64_t number = 0;

	if (value->type == JSON_NUMBER && json_u64(value, &number, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < ARRAY_LEN(hashes); i++)
		if (value->type == JSON_STRING && strcmp(value->text, hashes[i].name) == 0)
			number = hashes[i].number;
	if (!number)
		return err_set(e, ERR_INVALID, "an unknown hash");
	pb_put_number(w, field, number);
	return 0;
}

static int put_message(const struct json *value, uint32_t field, const struct member *inside,
		       struct writer *w, struct err *e)
{
	CLEANUP_WRITER struct writer message = writer_up_to(TPM_ATTESTATION_MAX);

	if (put_object(value, inside, &message, e) < 0 || writer_check(&message, "message", e) < 0)
		return err_code(e);
	pb_put_bytes(w, field, message.bytes, message.len);
	return 0;
}

static int put_pcr(const struct json *value, uint32_t field, struct writer *w, struct err *e)
{
	CLEANUP_WRITER struct writer entry = writer_up_to(1024);
	struct json index = { .type = JSON_NUMBER, .text = value->key };
	uint64_t number;

	if (json_u64(&index, &number, e) < 0)
		return err_wrap(e, "register %s", log_quote(value->key).text);
	if (number) /* zero is left out, as by every writer */
		pb_put_number(&entry, 1, number);
	if (put_bytes(value, 2, &entry, e) < 0 || writer_check(&entry, "register", e) < 0)
		return err_wrap(e, "register %s", log_quote(value->key).text);
	pb_put_bytes(w, field, entry.bytes, entry.len);
	return 0;
}

static int put_each(const struct json *value, const struct member *m, struct writer *w,
		    struct err *e)
{
	if (value->type != (m->kind == PCRS ? JSON_OBJECT : JSON_ARRAY))
		return wrong(value, m->kind == PCRS ? "an object" : "an array", e);
	for (size_t i = 0; i < value->count; i++) {
		const struct json *item = &value->items[i];
		int failed = m->kind == PCRS       ? put_pcr(item, m->number, w, e)
			     : m->kind == MESSAGES ? put_message(item, m->number, m->inside, w, e)
						   : put_bytes(item, m->number, w, e);

		if (failed < 0)
			return err_wrap(e, "value %zu", i + 1);
	}
	return 0;
}

static int put_member(const struct json *value, const struct member *m, struct writer *w,
		      struct err *e)
{
	uint64_t number;

	switch (m->kind) {
	case BYTES:
		return put_bytes(value, m->number, w, e);
	case NUMBER:
		if (read_number(value, &number, e) < 0)
			return err_code(e);
		pb_put_number(w, m->number, number);
		return 0;
	case HASH:
		return put_hash(value, m->number, w, e);
	case MESSAGE:
		return put_message(value, m->number, m->inside, w, e);
	case MESSAGES:
	case BYTES_LIST:
	case PCRS:
		return put_each(value, m, w, e);
	}
	return 0;
}

static const struct member *member_of(const struct member *members, const char *key)
{
	for (; members->name; members++)
		if (strcmp(key, members->name) == 0 ||
		    (members->other && strcmp(key, members->other) == 0))
			return members;
	return NULL;
}

static int put_object(const struct json *object, const struct member *members, struct writer *w,
		      struct err *e)
{
	if (object->type != JSON_OBJECT)
		return wrong(object, "an object", e);
	for (size_t i = 0; i < object->count; i++) {
		const struct json *value = &object->items[i];
		const struct member *m = member_of(members, value->key);

		if (m && value->type != JSON_NULL && put_member(value, m, w, e) < 0)
			return err_wrap(e, "%s", m->name);
	}
	return 0;
}

/* No white space before it: a protobuf may begin with a line feed, the head of its first field, and a
 * brace, that field's length. */
bool evidence_is_json(struct span bytes)
{
	return bytes.len && bytes.bytes[0] == '{';
}

bool evidence_has_json(enum evidence_kind kind)
{
	return kind < EVIDENCE_KINDS && messages[kind];
}

int evidence_from_json(struct span text, enum evidence_kind kind, uint8_t **bytes, size_t *len,
		       struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(TPM_ATTESTATION_MAX);
	CLEANUP(json_free) struct json *root = NULL;

	if (!evidence_has_json(kind))
		return err_set(e, ERR_INVALID, "evidence of kind %s has no form in JSON",
			       evidence_kind_name(kind));
	if (json_parse(text.bytes, text.len, &root, e) < 0 ||
	    put_object(root, messages[kind], &w, e) < 0 || writer_check(&w, "evidence", e) < 0)
		return err_wrap(e, "evidence in JSON");
	if (!w.len)
		return err_set(e, ERR_INVALID, "evidence in JSON: no field of it is known");
	*bytes = writer_take(&w, len);
	return *bytes ? 0 : err_nomem(e);
}
