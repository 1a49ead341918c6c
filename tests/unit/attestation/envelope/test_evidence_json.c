/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence in JSON becomes its protobuf, member by member, or is refused with the member's name. */
#include "attestation/envelope/evidence_json.h"
#include "attestation/envelope/tpm_attestation.h"
#include "common/base/encode.h"
#include "common/base/writer.h"
#include "tests/unit.h"

static struct span text_of(const char *text)
{
	return (struct span){ (const uint8_t *)text, strlen(text) };
}

static void add_bytes(struct writer *w, const char *name, size_t len, int fill)
{
	CLEANUP(free) uint8_t *bytes = malloc(len);

	memset(bytes, fill, len);
	CLEANUP(free) char *text = base64_encode(bytes, len);
	writer_printf(w, ",\"%s\":\"%s\"", name, text);
}

/* A report of version 3; `number` is how its 64-bit numbers are written. */
static void write_report(struct writer *w, bool camel, const char *tcb)
{
	static const struct {
		const char *camel, *snake;
		size_t len;
	} fields[] = { { "familyId", "family_id", 16 },
		       { "imageId", "image_id", 16 },
		       { "reportData", "report_data", 64 },
		       { "measurement", "measurement", 48 },
		       { "hostData", "host_data", 32 },
		       { "idKeyDigest", "id_key_digest", 48 },
		       { "authorKeyDigest", "author_key_digest", 48 },
		       { "reportId", "report_id", 32 },
		       { "reportIdMa", "report_id_ma", 32 },
		       { "chipId", "chip_id", 64 },
		       { "signature", "signature", 512 } };

	writer_printf(w, "{\"version\":3,\"policy\":\"196639\",\"%s\":%s,\"cpuid1eaxFms\":10489617",
		      camel ? "currentTcb" : "current_tcb", tcb);
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		add_bytes(w, camel ? fields[i].camel : fields[i].snake, fields[i].len,
			  (int)(i + 1));
	writer_text(w, "}");
}

static void a_report_is_the_same_in_every_spelling(void **state)
{
	static const char *const tcbs[] = { "15352208179752599555", "\"15352208179752599555\"" };

	for (size_t i = 0; i < 4; i++) {
		CLEANUP_WRITER struct writer w = writer_up_to(65536);
		CLEANUP(free) struct sevsnp_attestation *a = calloc(1, sizeof(*a));
		CLEANUP(free) uint8_t *bytes = NULL;
		size_t len;
		struct err e;

		writer_text(&w, "{\"report\":");
		write_report(&w, i & 1, tcbs[i / 2]);
		writer_text(&w, ",\"certificateChain\":{\"vcekCert\":\"AQID\",\"askCert\":null},"
				"\"product\":{\"name\":1}}");
		assert_true(evidence_is_json((struct span){ w.bytes, w.len }));
		assert_ok(evidence_from_json((struct span){ w.bytes, w.len }, EVIDENCE_SNP, &bytes,
					     &len, &e),
			  e);
		assert_ok(sevsnp_attestation_parse((struct span){ bytes, len }, a, &e), e);
		assert_int_equal(a->report[0], 3);
		assert_int_equal(a->report[0x188], 0x19);
		assert_int_equal(a->report[0x50], 3);
		assert_int_equal(a->report[0x90 + 47], 4);
		assert_int_equal(a->report[0x1a0], 10);
		/* 15352208179752599555 to the last bit */
		assert_memory_equal(a->report + 0x38, "\x03\x00\x00\x00\x00\x00\x0e\xd5", 8);
		assert_int_equal(a->vcek.len, 3);
		assert_int_equal(a->ask.len, 0);
	}
}

static const char attest[] =
	"{\"akPub\":\"AAE=\",\"quotes\":[{\"quote\":\"AQ==\",\"rawSig\":\"Ag==\",\"pcrs\":{\"hash\":"
	"\"SHA256\",\"pcrs\":{\"0\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\",\"16\":"
	"\"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"}}}],\"event_log\":\"Aw==\","
	"\"intermediateCerts\":[\"BA==\",\"BQ==\"]}";

static void an_attestation_keeps_its_quotes(void **state)
{
	CLEANUP(free) struct tpm_evidence *a = calloc(1, sizeof(*a));
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;
	struct err e;

	assert_ok(evidence_from_json(text_of(attest), EVIDENCE_VTPM, &bytes, &len, &e), e);
	assert_ok(tpm_attestation_parse((struct span){ bytes, len }, a, &e), e);
	assert_int_equal(a->ak_public.len, 2);
	assert_int_equal(a->quote_count, 1);
	assert_int_equal(a->quotes[0].signature.bytes[0], 2);
	assert_int_equal(a->event_log.bytes[0], 3);
	assert_int_equal(a->intermediate_count, 2);
	assert_int_equal(a->intermediates[1].bytes[0], 5);
}

static void what_is_no_evidence_is_refused_by_name(void **state)
{
	static const struct {
		const char *text, *said;
	} cases[] = {
		{ "{}", "no field" },
		{ "{\"other\":1}", "no field" },
		{ "{\"akPub\":null}", "no field" },
		{ "[]", "object" },
		{ "{\"akPub\":1}", "akPub" },
		{ "{\"akPub\":\"AA\"}", "akPub" },
		{ "{\"akPub\":\"AB==\"}", "akPub" }, /* stray bits */
		{ "{\"akPub\":\"AA==\",\"akPub\":\"AA==\"}", "json" },
		{ "{\"quotes\":{}}", "quotes" },
		{ "{\"quotes\":[1]}", "quotes: value 1" },
		{ "{\"quotes\":[{\"pcrs\":{\"hash\":\"MD5\"}}]}", "hash" },
		{ "{\"quotes\":[{\"pcrs\":{\"pcrs\":{\"-1\":\"\"}}}]}", "-1" },
		{ "{\"quotes\":[{\"pcrs\":{\"pcrs\":[]}}]}", "pcrs" },
		{ "{\"sevSnpAttestation\":{\"report\":{\"vmpl\":\"x\"}}}", "vmpl" },
		{ "{\"sevSnpAttestation\":{\"report\":{\"policy\":18446744073709551616}}}",
		  "policy" },
		{ "{\"akPub\":\"AA==\"} x", "json" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint8_t *bytes = NULL;
		size_t len;
		struct err e;

		assert_refused(
			evidence_from_json(text_of(cases[i].text), EVIDENCE_VTPM, &bytes, &len, &e),
			e, ERR_INVALID, cases[i].said);
	}
}

/* Two spellings of one field are two fields: the protobuf's reader says so. */
static void a_field_in_two_spellings_is_refused(void **state)
{
	static const char twice[] =
		"{\"akPub\":\"AAE=\",\"ak_pub\":\"AAE=\",\"quotes\":[{\"quote\":\"AQ==\"}]}";
	CLEANUP(free) struct tpm_evidence *a = calloc(1, sizeof(*a));
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;
	struct err e;

	assert_ok(evidence_from_json(text_of(twice), EVIDENCE_VTPM, &bytes, &len, &e), e);
	assert_int_equal(tpm_attestation_parse((struct span){ bytes, len }, a, &e), -ERR_INVALID);
}

static void every_truncation_is_refused(void **state)
{
	for (size_t len = 0; len < sizeof(attest) - 1; len++) {
		uint8_t *bytes = NULL;
		size_t got;
		struct err e;

		assert_int_equal(evidence_from_json((struct span){ (const uint8_t *)attest, len },
						    EVIDENCE_VTPM, &bytes, &got, &e),
				 -ERR_INVALID);
	}
}

static void binary_evidence_never_looks_like_it(void **state)
{
	for (int first = 0; first < 256; first++) {
		uint8_t byte = (uint8_t)first;

		assert_int_equal(evidence_is_json((struct span){ &byte, 1 }), byte == '{');
	}
	assert_false(evidence_is_json((struct span){ NULL, 0 }));
	/* Field 1 of 123 bytes: an attestation key's public area may have that length. */
	assert_false(evidence_is_json(text_of("\n{")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_report_is_the_same_in_every_spelling),
		cmocka_unit_test(an_attestation_keeps_its_quotes),
		cmocka_unit_test(what_is_no_evidence_is_refused_by_name),
		cmocka_unit_test(a_field_in_two_spellings_is_refused),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(binary_evidence_never_looks_like_it),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
