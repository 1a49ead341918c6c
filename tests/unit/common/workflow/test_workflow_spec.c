/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/writer.h"
#include "common/workflow/workflow_spec.h"
#include "tests/unit.h"

/* The guide's, with the key's text as it stands there. */
static const char guide[] =
	"[{\"nodename\": \"r1:get_patent_data\", \"conditions\": {\"executortype\": "
	"\"r1-hospital_executor\", \"dependencies\": []}, \"funcname\": \"get_patient_data\", "
	"\"kwargs\": {\"paillier-pubkey\": \"eyJuIjogIjQwNDI....\"}, \"maxexectime\": 600, "
	"\"maxretries\": 3},\n"
	"{\"nodename\": \"r2:get_patent_data\", \"conditions\": {\"executortype\": "
	"\"r2-hospital_executor\", \"dependencies\": []}, \"funcname\": \"get_patient_data\", "
	"\"kwargs\": {\"paillier-pubkey\": \"eyJuIjogIjQwNDI....\"}, \"maxexectime\": 600, "
	"\"maxretries\": 3},\n"
	"{\"nodename\": \"cloud:sum_patent_data\", \"conditions\": {\"executortype\": "
	"\"cloud-hospital-executor\", \"dependencies\": [\"r2:get_patent_data\", "
	"\"r1:get_patent_data\"]}, \"funcname\": \"sum_patient_data\", \"kwargs\": "
	"{\"paillier-pubkey\": \"eyJuIjogIjQwNDI....\"}, \"maxexectime\": 600, \"maxretries\": 3}]";

static void the_guides_is_read(void **state)
{
	struct workflow_spec s CLEANUP_WORKFLOW_SPEC = { .bytes = NULL };
	struct err e;

	assert_ok(workflow_spec_read(guide, strlen(guide), &s, &e), e);
	assert_int_equal(s.count, 3);
	assert_string_equal(s.nodes[0].name, "r1:get_patent_data");
	assert_string_equal(s.nodes[1].type, "r2-hospital_executor");
	assert_string_equal(s.nodes[2].function, "sum_patient_data");
	assert_int_equal(s.nodes[2].kwargs_len,
			 strlen("{\"paillier-pubkey\": \"eyJuIjogIjQwNDI....\"}"));
	assert_memory_equal(s.nodes[2].kwargs, "{\"paillier", 10);
	assert_int_equal(s.nodes[0].seconds, 600);
	assert_int_equal(s.nodes[0].retries, 3);
	assert_int_equal(s.nodes[0].dependencies_count, 0);
	assert_int_equal(s.nodes[2].dependencies_count, 2);
	assert_int_equal(s.nodes[2].dependencies[0], 0); /* rising, however they stand there */
	assert_int_equal(s.nodes[2].dependencies[1], 1);
	assert_false(s.nodes[0].is_end);
	assert_false(s.nodes[1].is_end);
	assert_true(s.nodes[2].is_end);
	assert_ptr_equal(workflow_node_find(&s, "r2:get_patent_data"), &s.nodes[1]);
	assert_null(workflow_node_find(&s, "r2"));
}

static void cut_anywhere_it_is_refused(void **state)
{
	for (size_t len = 0; len < strlen(guide); len++) {
		struct workflow_spec s = { .bytes = NULL };
		struct err e;

		assert_refused(workflow_spec_read(guide, len, &s, &e), e, ERR_INVALID, "workflow");
		assert_null(s.bytes);
	}
}

#define NODE(name, deps)                                                    \
	"{\"nodename\":\"" name                                             \
	"\",\"conditions\":{\"executortype\":\"t\",\"dependencies\":[" deps \
	"]},\"funcname\":\"f\",\"kwargs\":{},\"maxexectime\":1,\"maxretries\":0}"

static const struct refused {
	const char *text, *words;
} refused[] = {
	{ "{}", "is an object, not an array" },
	{ "[]", "0 nodes" },
	{ "[1]", "node 1 is a number" },
	{ "[{}]", "node 1: 'nodename' is missing" },
	{ "[" NODE("a b", "") "]", "node 1: nodename 'a b'" },
	{ "[" NODE("", "") "]", "node 1: nodename ''" },
	{ "[" NODE("a", "") "," NODE("b", "") "," NODE("a", "") "]", "node a is there twice" },
	{ "[" NODE("a", "\"b\"") "]", "node a: it depends on 'b', which is no node" },
	{ "[" NODE("a", "1") "]", "node a: a dependency is a number" },
	{ "[" NODE("a", "null") "]", "node a: a dependency is null" },
	{ "[" NODE("a", "") "," NODE("b", "\"a\",\"a\"") "]", "node b: it depends on a twice" },
	{ "[" NODE("a", "\"a\"") "]", "node a: it can never run" },
	{ "[" NODE("a", "") "," NODE("b", "\"a\",\"c\"") "," NODE("c", "\"b\"") "]",
	  "node b: it can never run" },
	{ "[{\"nodename\":\"a\"}]", "node a: 'conditions' is missing" },
	{ "[{\"nodename\":\"a\",\"more\":1}]", "node a: " },
	{ "[{\"nodename\":\"a\",\"nodename\":\"b\"}]", "twice" },
	{ "[{\"nodename\":\"a\",\"conditions\":[]}]", "node a: 'conditions' is an array" },
	{ "[{\"nodename\":\"a\",\"conditions\":{}}]", "node a: 'conditions': 'executortype'" },
	{ "[{\"nodename\":\"a\",\"conditions\":{\"executortype\":\"t\"}}]",
	  "node a: 'conditions': 'dependencies' is missing" },
	{ "[{\"nodename\":\"a\",\"conditions\":{\"executortype\":\"t\",\"dependencies\":[],"
	  "\"colonyname\":\"c\"}}]",
	  "node a: 'conditions': " },
	{ "[{\"nodename\":\"a\",\"conditions\":{\"executortype\":\"t/\",\"dependencies\":[]}}]",
	  "executortype 't/'" },
#define ONE(function, kwargs, seconds, retries)                                             \
	"[{\"nodename\":\"a\",\"conditions\":{\"executortype\":\"t\",\"dependencies\":[]}," \
	"\"funcname\":" function ",\"kwargs\":" kwargs ",\"maxexectime\":" seconds          \
	",\"maxretries\":" retries "}]"
	{ ONE("1", "{}", "1", "0"), "node a: 'funcname' is a number" },
	{ ONE("\"f g\"", "{}", "1", "0"), "node a: funcname 'f g'" },
	{ ONE("\"f\"", "[]", "1", "0"), "node a: 'kwargs' is an array" },
	{ ONE("\"f\"", "null", "1", "0"), "node a: 'kwargs' is null" },
	{ ONE("\"f\"", "{}", "0", "0"), "node a: 'maxexectime' is 0" },
	{ ONE("\"f\"", "{}", "604801", "0"), "node a: 'maxexectime' is 604801" },
	{ ONE("\"f\"", "{}", "-1", "0"), "node a: 'maxexectime'" },
	{ ONE("\"f\"", "{}", "1.5", "0"), "node a: 'maxexectime'" },
	{ ONE("\"f\"", "{}", "\"1\"", "0"), "node a: 'maxexectime' is a string" },
	{ ONE("\"f\"", "{}", "1", "17"), "node a: 'maxretries' is 17" },
	{ ONE("\"f\"", "{}", "1", "18446744073709551616"), "node a: 'maxretries'" },
};

static void what_it_is_not_is_said_with_the_node(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct workflow_spec s = { .bytes = NULL };
		struct err e;

		assert_refused(workflow_spec_read(refused[i].text, strlen(refused[i].text), &s, &e),
			       e, ERR_INVALID, refused[i].words);
	}
}

static void numbers_at_their_limits_are_fine(void **state)
{
	static const char *const fine[] = {
		ONE("\"f\"", "{}", "1", "0"),
		ONE("\"f\"", "{\"a\":[1,{\"b\":null}]}", "604800", "16"),
	};

	for (size_t i = 0; i < ARRAY_LEN(fine); i++) {
		struct workflow_spec s CLEANUP_WORKFLOW_SPEC = { .bytes = NULL };
		struct err e;

		assert_ok(workflow_spec_read(fine[i], strlen(fine[i]), &s, &e), e);
	}
}

/* `count` nodes, each depending on the `each` before it, in a spec of `len` bytes (0: as many as it takes). */
static int read_many(size_t count, size_t each, size_t name, size_t len, struct err *e)
{
	struct workflow_spec s CLEANUP_WORKFLOW_SPEC = { .bytes = NULL };
	CLEANUP_WRITER struct writer w = writer_up_to(4 << 20);

	writer_text(&w, "[");
	for (size_t i = 0; i < count; i++) {
		writer_printf(&w,
			      "%s{\"nodename\":\"%0*zu\",\"conditions\":{\"executortype\":\"t\","
			      "\"dependencies\":[",
			      i ? "," : "", (int)name, i);
		for (size_t k = i > each ? i - each : 0; k < i; k++)
			writer_printf(&w, "%s\"%0*zu\"", k == (i > each ? i - each : 0) ? "" : ",",
				      (int)name, k);
		writer_text(&w, "]},\"funcname\":\"f\",\"kwargs\":{},\"maxexectime\":1,"
				"\"maxretries\":0}");
	}
	while (w.len + 1 < len)
		writer_text(&w, " ");
	writer_text(&w, "]");
	assert_ok(writer_check(&w, "test", e), *e);
	return workflow_spec_read(w.bytes, w.len, &s, e);
}

static void there_are_limits(void **state)
{
	struct err e;

	assert_ok(read_many(WORKFLOW_NODES_MAX, 1, 3, 0, &e), e);
	assert_refused(read_many(WORKFLOW_NODES_MAX + 1, 1, 3, 0, &e), e, ERR_INVALID, "257 nodes");
	assert_ok(read_many(2, 1, WORKFLOW_NAME_MAX, 0, &e), e);
	assert_refused(read_many(2, 1, WORKFLOW_NAME_MAX + 1, 0, &e), e, ERR_INVALID,
		       "node 1: nodename");
	assert_ok(read_many(1, 0, 3, WORKFLOW_SPEC_MAX, &e), e);
	assert_refused(read_many(1, 0, 3, WORKFLOW_SPEC_MAX + 1, &e), e, ERR_INVALID,
		       "262145 bytes; the limit is 262144");
	/* 16 × 17 / 2 fewer than 256 × 16 */
	assert_ok(read_many(WORKFLOW_NODES_MAX, 16, 3, 0, &e), e);
	assert_refused(read_many(WORKFLOW_NODES_MAX, 17, 3, 0, &e), e, ERR_INVALID,
		       "dependencies; the limit is 4096");
}

static int read_kwargs(size_t count, struct err *e)
{
	struct workflow_spec s CLEANUP_WORKFLOW_SPEC = { .bytes = NULL };
	CLEANUP_WRITER struct writer w = writer_up_to(1 << 16);

	writer_text(&w, "[{\"nodename\":\"a\",\"conditions\":{\"executortype\":\"t\","
			"\"dependencies\":[]},\"funcname\":\"f\",\"maxexectime\":1,"
			"\"maxretries\":0,\"kwargs\":{");
	for (size_t i = 0; i < count; i++)
		writer_printf(&w, "%s\"%zu\":%zu", i ? "," : "", i, i);
	writer_text(&w, "}}]");
	return workflow_spec_read(w.bytes, w.len, &s, e);
}

static void kwargs_have_a_limit(void **state)
{
	struct err e;

	assert_ok(read_kwargs(WORKFLOW_KWARGS_MAX, &e), e);
	assert_refused(read_kwargs(WORKFLOW_KWARGS_MAX + 1, &e), e, ERR_INVALID,
		       "node a: 'kwargs' has 65 members");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_guides_is_read),
		cmocka_unit_test(cut_anywhere_it_is_refused),
		cmocka_unit_test(what_it_is_not_is_said_with_the_node),
		cmocka_unit_test(numbers_at_their_limits_are_fine),
		cmocka_unit_test(there_are_limits),
		cmocka_unit_test(kwargs_have_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
