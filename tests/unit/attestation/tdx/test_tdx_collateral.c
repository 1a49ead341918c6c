/* SPDX-License-Identifier: Apache-2.0 */
/* Intel's documents, read strictly: one member changed, and from a folder. */
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/writer.h"
#include "tests/forge/tdx_forge.h"
#include "tests/unit.h"

#include <ctype.h>
#include <stdio.h>

static struct tdx_forge forge;

static int setup(void **state)
{
	tdx_forge_init(&forge);
	return 0;
}

static int teardown(void **state)
{
	tdx_forge_done(&forge);
	return 0;
}

struct change {
	const char *from, *to; /* `from` NULL: `to` is the whole document */
	const char *fault;     /* NULL: it is read */
};

/* The document with the first `from` replaced. */
static char *changed(const char *document, const struct change *c)
{
	const char *at = c->from ? strstr(document, c->from) : NULL;
	struct err e;
	char *text;

	if (!c->from)
		return strdup(c->to);
	if (!at)
		fail_msg("no '%s' there", c->from);
	assert_ok(text_format(&text, &e, "%.*s%s%s", (int)(at - document), document, c->to,
			      at + strlen(c->from)),
		  e);
	return text;
}

#define SPELLING "not written as Intel writes it"

static const struct change tcb_info_changes[] = {
	{ "", "", NULL },
	{ "{\"tcbInfo\":", " \r\n\t{\"tcbInfo\":", NULL },
	{ "{\"tcbInfo\":", "{\"tcb\\u0049nfo\":", SPELLING },
	{ "{\"tcbInfo\":", "{ \"tcbInfo\":", SPELLING },
	{ "{\"tcbInfo\":", "{\"tcbInfo\" :", SPELLING },
	{ "{\"tcbInfo\":", "{\"tcbInfo\": ", SPELLING },
	{ ",\"signature\":\"", ",\"signatur\\u0065\":\"", SPELLING },
	{ ",\"signature\":\"", " ,\"signature\":\"", SPELLING },
	{ ",\"signature\":\"", ",\n\"signature\":\"", SPELLING },
	{ ",\"signature\":\"", ",\"signature\": \"", SPELLING },
	{ NULL, "", "json" },
	{ NULL, "[]", "not an object" },
	{ NULL, "{}", "'tcbInfo' is missing" },
	{ "{\"tcbInfo\":", "{\"x\":1,\"tcbInfo\":", "unknown key 'x'" },
	{ "\"signature\":\"", "\"signature\":\"0", "signature" },
	{ "\"signature\":\"", "\"signature\":1,\"s\":\"", "unknown key" },
	{ "2026-06-01T00:00:00Z", "2026-06-01", "issueDate" },
	{ "2026-07-01T00:00:00Z", "never", "nextUpdate" },
	{ "\"tcbEvaluationDataNumber\":18", "\"tcbEvaluationDataNumber\":4294967296", "more than" },
	{ "\"tcbEvaluationDataNumber\":18", "\"tcbEvaluationDataNumber\":-1", "whole number" },
	{ "\"tcbEvaluationDataNumber\":18", "\"unknown\":{}", "tcbEvaluationDataNumber" },
	{ "\"tcbType\":0", "\"tcbType\":0,\"unknown\":[{}]", NULL },
	{ "\"id\":\"TDX\"", "\"id\":7", "id" },
	{ "\"version\":3", "\"version\":4", "version is 4" },
	{ "A1B2C3D4E5F6", "A1B2C3D4E5", "fmspc" },
	{ "A1B2C3D4E5F6", "A1B2C3D4E5FX", "fmspc" },
	{ "\"pceId\":\"0000\"", "\"pceId\":null", "pceId" },
	{ "\"tdxModule\":{", "\"tdxModule\":[],\"y\":{", "tdxModule" },
	{ "\"attributes\":\"0000000000000000\"", "\"attributes\":\"00\"", "attributes" },
	{ "\"tdxModuleIdentities\":[", "\"tdxModuleIdentities\":[1,", "not an object" },
	{ "\"tdxModuleIdentities\":[", "\"tdxModuleIdentities\":0,\"y\":[", "tdxModuleIdentities" },
	{ "TDX_01", "TDX_1", "TDX_01" },
	{ "TDX_01", "TDY_01", "TDX_01" },
	{ "TDX_01", "TDX_0a", NULL },
	{ "\"isvsvn\":5", "\"isvsvn\":255", NULL },
	{ "\"isvsvn\":5", "\"isvsvn\":256", "more than 255" },
	{ "{\"tcb\":{\"isvsvn\":5}", "7,{\"tcb\":{\"isvsvn\":5}", "not an object" },
	{ "{\"isvsvn\":5}", "5", "tcb" },
	{ "\"tcbStatus\":\"UpToDate\"", "\"tcbStatus\":\"SWHardeningNeeded\"", "by ISVSVN" },
	{ "\"tcbStatus\":\"UpToDate\"", "\"tcbStatus\":\"TDRelaunchAdvised\"", "no level has" },
	{ "\"tcbStatus\":\"UpToDate\"", "\"tcbStatus\":1", "tcbStatus" },
	{ "\"tcbDate\":\"2025", "\"tcbDate\":\"1925", "tcbDate" },
	{ "[\"TEST-SA-00002\"", "[2", "advisoryIDs[0]" },
	{ "[\"TEST-SA-00002\"", "[\"\"", "advisoryIDs[0]" },
	{ "\"advisoryIDs\":[", "\"advisoryIDs\":1,\"y\":[", "advisoryIDs" },
	{ "TEST-SA-00002", "TEST-SA-00000000000000000000000000000000000000000000000",
	  "no text of 1" },
	{ "[{\"svn\":3}", "[{\"svn\":256}", "more than 255" },
	{ "[{\"svn\":3}", "[3", "is no object" },
	{ "[{\"svn\":3},", "[", "15 components" },
	{ "\"pcesvn\":11", "\"pcesvn\":65536", "more than 65535" },
	{ "\"pcesvn\":11", "\"pcesvn\":1e1", "whole number" },
	{ "{\"tcb\":{\"sgx", "0,{\"tcb\":{\"sgx", "not an object" },
};

static void tcb_info_is_read_strictly(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(tcb_info_changes); i++) {
		const struct change *c = &tcb_info_changes[i];
		struct tdx_tcb_info *info = NULL;
		char *text = changed(forge.tcb_info, c);
		struct span bytes = { (const uint8_t *)text, strlen(text) };
		struct err e;

		if (c->fault)
			assert_refused(tdx_tcb_info_parse(bytes, &info, &e), e, ERR_INVALID,
				       c->fault);
		else
			assert_ok(tdx_tcb_info_parse(bytes, &info, &e), e);
		tdx_tcb_info_free(info);
		free(text);
	}
}

static const struct change qe_identity_changes[] = {
	{ "", "", NULL },
	{ "{\"enclaveIdentity\":", "{\"\\u0065nclaveIdentity\":", SPELLING },
	{ ",\"signature\":\"", ",\"\\u0073ignature\":\"", SPELLING },
	{ NULL, "{\"enclaveIdentity\":1,\"signature\":\"\"}", "enclaveIdentity" },
	{ "TD_QE", "QE", "'QE', wanted 'TD_QE'" },
	{ "\"version\":2", "\"version\":1", "version is 1" },
	{ "\"miscselect\":\"00000000\"", "\"miscselect\":\"0\"", "miscselect" },
	{ "\"miscselectMask\":\"FFFFFFFF\"", "\"miscselectMask\":1", "miscselectMask" },
	{ "\"attributes\":\"11", "\"attributes\":\"", "attributes" },
	{ "\"mrsigner\":\"55", "\"mrsigner\":\"", "mrsigner" },
	{ "\"isvprodid\":2", "\"isvprodid\":65536", "more than 65535" },
	{ "\"isvsvn\":4", "\"isvsvn\":65535", NULL },
	{ "\"isvsvn\":4", "\"isvsvn\":65536", "more than 65535" },
	{ "\"tcbLevels\":[", "\"tcbLevels\":[],\"y\":[", "0 of them" },
	{ "\"tcbStatus\":\"OutOfDate\"", "\"tcbStatus\":\"Revoked\"", NULL },
};

static void qe_identity_is_read_strictly(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(qe_identity_changes); i++) {
		const struct change *c = &qe_identity_changes[i];
		struct tdx_qe_identity *identity = NULL;
		char *text = changed(forge.qe_identity, c);
		struct span bytes = { (const uint8_t *)text, strlen(text) };
		struct err e;

		if (c->fault)
			assert_refused(tdx_qe_identity_parse(bytes, &identity, &e), e, ERR_INVALID,
				       c->fault);
		else
			assert_ok(tdx_qe_identity_parse(bytes, &identity, &e), e);
		tdx_qe_identity_free(identity);
		free(text);
	}
}

/* Nothing signs the envelope: each other spelling is another document that says the same. */
static void the_envelope_has_one_spelling(void **state)
{
	const char *body = forge.tcb_info + strlen("{\"tcbInfo\":");
	const char *signature = strstr(forge.tcb_info, ",\"signature\":\"");
	const char *digits = signature + strlen(",\"signature\":\"");
	char *texts[4];
	struct err e;

	/* The members in another order; a digit as an escape; refused; in capitals, and with space behind it. */
	assert_ok(text_format(&texts[0], &e, "{%.*s,\"tcbInfo\":%.*s}",
			      (int)strlen(signature + 1) - 1, signature + 1,
			      (int)(signature - body), body),
		  e);
	assert_ok(text_format(&texts[1], &e, "%.*s\\u00%02x%s", (int)(digits - forge.tcb_info),
			      forge.tcb_info, (unsigned)digits[0], digits + 1),
		  e);
	assert_ok(text_format(&texts[2], &e, "%s", forge.tcb_info), e);
	for (char *at = texts[2] + (digits - forge.tcb_info); *at != '"'; at++)
		*at = (char)toupper((unsigned char)*at);
	assert_ok(text_format(&texts[3], &e, "%s \n", forge.tcb_info), e);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct span bytes = { (const uint8_t *)texts[i], strlen(texts[i]) };
		struct tdx_tcb_info *info = NULL;

		if (i < 2)
			assert_refused(tdx_tcb_info_parse(bytes, &info, &e), e, ERR_INVALID,
				       SPELLING);
		else
			assert_ok(tdx_tcb_info_parse(bytes, &info, &e), e);
		free(texts[i]);
		tdx_tcb_info_free(info);
	}
}

/* `count` copies of one level, after `head` and before `tail`. */
static int parse_levels(const char *head, const char *level, size_t count, const char *tail,
			struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(1 << 20);
	struct tdx_tcb_info *info = NULL;
	int rc;

	writer_text(&w, head);
	for (size_t i = 0; i < count; i++)
		writer_printf(&w, "%s%s", i ? "," : "", level);
	writer_text(&w, tail);
	rc = tdx_tcb_info_parse((struct span){ w.bytes, w.len }, &info, e);
	tdx_tcb_info_free(info);
	return rc;
}

static void there_are_only_so_many_levels(void **state)
{
	const char *levels = strstr(forge.tcb_info, "\"tcbLevels\":[{\"tcb\":{\"sgx") + 13;
	const char *end = strstr(levels, "},{\"tcb\":") + 1; /* of the first one */
	const char *signature = strstr(levels, "},\"signature\"");
	struct err e;
	char *head, *level, *tail;

	assert_ok(text_format(&head, &e, "%.*s", (int)(levels - forge.tcb_info), forge.tcb_info),
		  e);
	assert_ok(text_format(&level, &e, "%.*s", (int)(end - levels), levels), e);
	assert_ok(text_format(&tail, &e, "]%s", signature), e);
	assert_ok(parse_levels(head, level, 1, tail, &e), e);
	assert_ok(parse_levels(head, level, TDX_LEVELS_MAX, tail, &e), e);
	assert_refused(parse_levels(head, level, TDX_LEVELS_MAX + 1, tail, &e), e, ERR_INVALID,
		       "65 of them");
	assert_refused(parse_levels(head, level, 0, tail, &e), e, ERR_INVALID, "0 of them");
	free(head);
	free(level);
	free(tail);
}

static void a_folder_holds_what_it_holds(void **state)
{
	char folder[] = "/tmp/cocos-collateral-XXXXXX", path[64];
	struct tdx_collateral c;
	struct err e;

	assert_non_null(mkdtemp(folder));
	assert_ok(tdx_collateral_load(folder, &c, &e), e);
	assert_int_equal(c.tcb_info.len + c.root_crl.len, 0);
	snprintf(path, sizeof(path), "%s/tcb_info.json", folder);
	assert_ok(file_write(path, "{}", 2, 0600, &e), e);
	assert_ok(tdx_collateral_load(folder, &c, &e), e);
	assert_int_equal(c.tcb_info.len, 2);
	tdx_collateral_done(&c);
	snprintf(path, sizeof(path), "%s/root_ca_crl.der", folder);
	assert_ok(dir_make(path, 0700, &e), e);
	assert_true(tdx_collateral_load(folder, &c, &e) < 0);
	assert_ok(dir_remove(folder, &e), e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcb_info_is_read_strictly),
		cmocka_unit_test(qe_identity_is_read_strictly),
		cmocka_unit_test(the_envelope_has_one_spelling),
		cmocka_unit_test(there_are_only_so_many_levels),
		cmocka_unit_test(a_folder_holds_what_it_holds),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
