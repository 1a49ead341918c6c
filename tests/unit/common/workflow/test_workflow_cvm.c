/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/json.h"
#include "common/workflow/workflow_manifest.h"
#include "tests/unit.h"

#define DIGEST "a100000000000000000000000000000000000000000000000000000000000001"
#define KEY    "b200000000000000000000000000000000000000000000000000000000000002"

/* A workflow of nodes a and b and one in a CVM that depends on both; what is NULL is as it should be. */
struct wish {
	const char *type, *dependencies, *agent, *policy, *algorithm, *kind, *args, *requirements,
		*launcher, *owners, *more, *outer, *retries, *other;
};

static const char *or_else(const char *text, const char *otherwise)
{
	return text ? text : otherwise;
}

static void put_node(struct writer *w, const char *name, const char *type, const char *dependencies)
{
	writer_printf(w,
		      "{\"nodename\":\"%s\",\"conditions\":{\"executortype\":\"%s\","
		      "\"dependencies\":[%s]},\"funcname\":\"f\",\"maxexectime\":1,",
		      name, type, dependencies);
}

static void put_spec(struct writer *w, const struct wish *x)
{
	writer_text(w, "[");
	put_node(w, "a", "t", "");
	writer_text(w, "\"maxretries\":0,\"kwargs\":{}},");
	put_node(w, "b", "t", "");
	writer_text(w, "\"maxretries\":0,\"kwargs\":{}},");
	put_node(w, "sum", or_else(x->type, "cvm:x"), or_else(x->dependencies, "\"b\",\"a\""));
	writer_printf(w, "\"maxretries\":%s,\"kwargs\":{\"cvm\":{", or_else(x->retries, "0"));
	writer_printf(w, "\"agent\":%s,\"policy\":%s,\"algorithm\":%s,\"type\":%s,\"args\":%s,",
		      or_else(x->agent, "\"h:7002\""), or_else(x->policy, "\"{}\""),
		      or_else(x->algorithm, "\"" DIGEST "\""), or_else(x->kind, "\"bin\""),
		      or_else(x->args, "[\"<x>\"]"));
	writer_printf(w, "%s\"launcher\":%s,\"owners\":%s%s}%s}}%s]", or_else(x->requirements, ""),
		      or_else(x->launcher, "\"" KEY "\""),
		      or_else(x->owners, "{\"a\":\"" DIGEST "\",\"b\":\"" KEY "\"}"),
		      or_else(x->more, ""), or_else(x->outer, ""), or_else(x->other, ""));
}

static int read_wish(const struct wish *x, struct workflow_spec *s, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WORKFLOW_SPEC_MAX);

	put_spec(&w, x);
	assert_ok(writer_check(&w, "test", e), *e);
	return workflow_spec_read(w.bytes, w.len, s, e);
}

static void one_is_read(void **state)
{
	static const struct wish python = { .kind = "\"python\"",
					    .requirements = "\"requirements\":\"" KEY "\",",
					    .agent = "\"[::1]:65535\"",
					    .retries = "16",
					    .type = "cvm" };
	struct workflow_spec s CLEANUP_WORKFLOW_SPEC = { .bytes = NULL };
	struct workflow_cvm cvm CLEANUP_WORKFLOW_CVM = { .json = NULL };
	size_t place = 9;
	struct err e;

	assert_ok(read_wish(&python, &s, &e), e);
	assert_false(workflow_cvm_is(&s.nodes[0]));
	assert_true(workflow_cvm_is(&s.nodes[2]));
	assert_ok(workflow_cvm_read(&s, &s.nodes[2], &cvm, &e), e);
	assert_string_equal(cvm.agent, "[::1]:65535");
	assert_string_equal(cvm.policy, "{}");
	assert_string_equal(cvm.type, "python");
	assert_true(cvm.has_requirements);
	assert_int_equal(cvm.requirements[0], 0xb2);
	assert_int_equal(cvm.algorithm[0], 0xa1);
	assert_int_equal(cvm.arg_count, 1);
	assert_string_equal(cvm.args[0], "<x>");
	assert_int_equal(cvm.owners[0][0], 0xa1); /* as the dependencies, which rise */
	assert_int_equal(cvm.owners[1][0], 0xb2);
	assert_ptr_equal(workflow_cvm_after(&s, 1, &place), &s.nodes[2]);
	assert_int_equal(place, 1);
	assert_null(workflow_cvm_after(&s, 2, &place));
}

#define LONG_HOST                                                           \
	"hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh" \
	"hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh" \
	"hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh" \
	"hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh" /* 257 */

static const struct {
	struct wish wish;
	const char *words;
} refused[] = {
	{ { .agent = "1" }, "'agent'" },
	{ { .agent = "\"h\"" }, "'agent' 'h': it is HOST:PORT" },
	{ { .agent = "\":1\"" }, "HOST:PORT" },
	{ { .agent = "\"h:\"" }, "HOST:PORT" },
	{ { .agent = "\"h:0\"" }, "HOST:PORT" },
	{ { .agent = "\"h:65536\"" }, "HOST:PORT" },
	{ { .agent = "\"h:123456\"" }, "HOST:PORT" },
	{ { .agent = "\"h:1x\"" }, "HOST:PORT" },
	{ { .agent = "\"h/x:1\"" }, "HOST:PORT" },
	{ { .agent = "\"unix:1\"" }, "HOST:PORT" },
	{ { .agent = "\"" LONG_HOST ":1\"" }, "HOST:PORT" },
	{ { .policy = "\"\"" }, "'policy' has 0 bytes" },
	{ { .policy = "{}" }, "'policy'" },
	{ { .algorithm = "\"00\"" }, "'algorithm'" },
	{ { .kind = "\"perl\"" }, "'type' 'perl'" },
	{ { .kind = "null" }, "'type'" },
	{ { .kind = "\"python\"" }, "'requirements' is missing" },
	{ { .requirements = "\"requirements\":\"" KEY "\"," }, "for type python alone" },
	{ { .kind = "\"python\"", .requirements = "\"requirements\":\"00\"," }, "'requirements'" },
	{ { .args = "{}" }, "'args'" },
	{ { .args = "[1]" }, "'args' has a number" },
	{ { .launcher = "\"" KEY "00\"" }, "'launcher'" },
	{ { .owners = "[]" }, "'owners'" },
	{ { .owners = "{}" }, "'owners' has 0 keys: it depends on 2 nodes" },
	{ { .owners = "{\"a\":\"" KEY "\",\"c\":\"" KEY "\"}" }, "'owners': 'b' is missing" },
	{ { .more = ",\"kbs\":1" }, "'cvm': unknown" },
	{ { .more = ",\"consumer\":\"" KEY "\"" }, "the results are the submitter's" },
	{ { .outer = ",\"x\":1" }, "'kwargs': unknown" },
	{ { .retries = "17" }, "'maxretries'" },
	{ { .dependencies = "" }, "it depends on 0 nodes" },
};

static void what_it_is_not_is_said(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct workflow_spec s CLEANUP_WORKFLOW_SPEC = { .bytes = NULL };
		struct err e;

		assert_refused(read_wish(&refused[i].wish, &s, &e), e, ERR_INVALID,
			       "workflow: node sum: ");
		if (!strstr(e.text, refused[i].words))
			fail_msg("%zu: %s", i, e.text);
		assert_null(s.bytes);
	}
}

#define AFTER(name, on)                                                                            \
	",{\"nodename\":\"" name "\",\"conditions\":{\"executortype\":\"t\",\"dependencies\":[" on \
	"]},\"funcname\":\"f\",\"kwargs\":{},\"maxexectime\":1,\"maxretries\":0}"

static void what_goes_in_goes_nowhere_else(void **state)
{
	struct workflow_spec s CLEANUP_WORKFLOW_SPEC = { .bytes = NULL };
	struct err e;

	assert_refused(read_wish(&(struct wish){ .other = AFTER("c", "\"b\"") }, &s, &e), e,
		       ERR_INVALID,
		       "node sum: the output of b is for its CVM: node c can't depend on that");
	/* Not a dot: it is the name of a dataset. */
	assert_refused(read_wish(&(struct wish){ .dependencies = "\".c\"",
						 .owners = "{\".c\":\"" KEY "\"}",
						 .other = AFTER(".c", "") },
				 &s, &e),
		       e, ERR_INVALID, "an input's name begins with a dot");
	/* Almost: who orders it means a CVM, and inputs would be sealed for who starts that. */
	assert_refused(
		read_wish(&(struct wish){ .type = "Cvm:x" }, &s, &e), e, ERR_INVALID,
		"node sum: 'executortype' Cvm:x: of what is computed in a CVM it is cvm, or");
	assert_refused(read_wish(&(struct wish){ .type = "CVM" }, &s, &e), e, ERR_INVALID, "CVM");
	/* No CVM: kwargs are whatever they are. */
	assert_ok(read_wish(&(struct wish){ .type = "cvmx", .agent = "1", .retries = "3" }, &s, &e),
		  e);
}

#define CONSUMER ",\"consumer\":\"" KEY "\""
#define AGAIN(name, retries)                                                                    \
	",{\"nodename\":\"" name "\",\"conditions\":{\"executortype\":\"t\",\"dependencies\":"  \
	"[\"sum\"]},\"funcname\":\"f\",\"kwargs\":{},\"maxexectime\":1,\"maxretries\":" retries \
	"}"

static void one_node_may_go_on_with_what_it_computes(void **state)
{
	static const struct {
		struct wish wish;
		const char *words;
	} bad[] = {
		{ { .other = AFTER("c", "\"sum\"") }, "'consumer' is missing" },
		{ { .more = ",\"consumer\":1", .other = AFTER("c", "\"sum\"") }, "'consumer'" },
		{ { .more = ",\"consumer\":\"" KEY "00\"", .other = AFTER("c", "\"sum\"") },
		  "'consumer'" },
		{ { .more = CONSUMER CONSUMER, .other = AFTER("c", "\"sum\"") }, "same key twice" },
		{ { .more = CONSUMER, .other = AFTER("c", "\"sum\"") AFTER("d", "\"sum\"") },
		  "handed out once: c and d can't both depend on it" },
		{ { .more = CONSUMER, .other = AGAIN("c", "1") }, "'maxretries' of node c is 1" },
	};
	static const struct wish good = { .more = CONSUMER,
					  .other = AFTER("c", "\"sum\"") AFTER("d", "\"c\"") };
	struct workflow_spec s CLEANUP_WORKFLOW_SPEC = { .bytes = NULL };
	struct workflow_cvm cvm CLEANUP_WORKFLOW_CVM = { .json = NULL };
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_refused(read_wish(&bad[i].wish, &s, &e), e, ERR_INVALID, "workflow: ");
		if (!strstr(e.text, bad[i].words))
			fail_msg("%zu: %s", i, e.text);
		assert_null(s.bytes);
	}
	assert_ok(read_wish(&good, &s, &e), e);
	assert_ok(workflow_cvm_read(&s, &s.nodes[2], &cvm, &e), e);
	assert_true(cvm.has_consumer);
	assert_int_equal(cvm.consumer[0], 0xb2);
	assert_true(workflow_cvm_before(&s, &s.nodes[3]));
	assert_false(workflow_cvm_before(&s, &s.nodes[4]));
	assert_false(workflow_cvm_before(&s, &s.nodes[2]));
}

/* It would take somebody's leave who is neither: between two there is a node at home. */
static void no_cvm_is_behind_another(void **state)
{
	struct workflow_spec s CLEANUP_WORKFLOW_SPEC = { .bytes = NULL };
	CLEANUP_WRITER struct writer w = writer_up_to(WORKFLOW_SPEC_MAX);
	struct err e;

	put_node(&w, "next", "cvm", "\"sum\"");
	writer_printf(
		&w, "\"maxretries\":0,\"kwargs\":{\"cvm\":{\"agent\":\"h:1\",\"policy\":\"{}\","
		    "\"algorithm\":\"" DIGEST "\",\"type\":\"bin\",\"args\":[],\"launcher\":\"" KEY
		    "\",\"owners\":{\"sum\":\"" KEY "\"}}}}");
	writer_u8(&w, 0);
	{
		CLEANUP_WRITER struct writer other = writer_up_to(WORKFLOW_SPEC_MAX);

		writer_printf(&other, ",%s", (const char *)w.bytes);
		writer_u8(&other, 0);
		assert_refused(read_wish(&(struct wish){ .more = CONSUMER,
							 .other = (const char *)other.bytes },
					 &s, &e),
			       e, ERR_INVALID,
			       "node sum: its results can't go into another CVM at once");
	}
}

static void put_many(struct writer *w, const char *text, size_t count)
{
	for (size_t i = 0; i < count; i++)
		writer_printf(w, "%s%s", i ? "," : "", text);
}

static int read_args(size_t count, struct err *e)
{
	struct workflow_spec s CLEANUP_WORKFLOW_SPEC = { .bytes = NULL };
	CLEANUP_WRITER struct writer w = writer_up_to(4096);

	writer_text(&w, "[");
	put_many(&w, "\"\"", count);
	writer_text(&w, "]");
	writer_u8(&w, 0);
	return read_wish(&(struct wish){ .args = (const char *)w.bytes }, &s, e);
}

/* With funcname, "f", and a zero byte behind each, as a manifest counts them. */
static int read_long_args(size_t len, struct err *e)
{
	struct workflow_spec s CLEANUP_WORKFLOW_SPEC = { .bytes = NULL };
	CLEANUP(free) char *text = malloc(len + 8);

	memset(text, 'x', len + 8);
	memcpy(text, "[\"a\",\"", 6);
	memcpy(text + len, "\"]", 3);
	return read_wish(&(struct wish){ .args = text }, &s, e);
}

static int read_policy(size_t len, struct err *e)
{
	struct workflow_spec s CLEANUP_WORKFLOW_SPEC = { .bytes = NULL };
	CLEANUP(free) char *text = malloc(len + 3);

	memset(text, 'p', len + 2);
	text[0] = text[len + 1] = '"';
	text[len + 2] = '\0';
	return read_wish(&(struct wish){ .policy = text }, &s, e);
}

static int read_inputs(size_t count, struct err *e)
{
	struct workflow_spec s CLEANUP_WORKFLOW_SPEC = { .bytes = NULL };
	CLEANUP_WRITER struct writer names = writer_up_to(1 << 16), owners = writer_up_to(1 << 16),
				     nodes = writer_up_to(1 << 16);

	writer_text(&owners, "{");
	for (size_t i = 0; i < count; i++) {
		writer_printf(&names, "%s\"n%zu\"", i ? "," : "", i);
		writer_printf(&owners, "%s\"n%zu\":\"" KEY "\"", i ? "," : "", i);
		writer_printf(&nodes,
			      ",{\"nodename\":\"n%zu\",\"conditions\":{\"executortype\":\"t\","
			      "\"dependencies\":[]},\"funcname\":\"f\",\"kwargs\":{},"
			      "\"maxexectime\":1,\"maxretries\":0}",
			      i);
	}
	writer_text(&owners, "}");
	writer_u8(&names, 0);
	writer_u8(&owners, 0);
	writer_u8(&nodes, 0);
	return read_wish(&(struct wish){ .dependencies = (const char *)names.bytes,
					 .owners = (const char *)owners.bytes,
					 .other = (const char *)nodes.bytes },
			 &s, e);
}

static void there_are_limits(void **state)
{
	struct err e;

	assert_ok(read_args(WORKFLOW_CVM_ARGS_MAX, &e), e);
	assert_refused(read_args(WORKFLOW_CVM_ARGS_MAX + 1, &e), e, ERR_INVALID, "'args' has 65");
	/* 2 for f, 2 for a, and what is between the last quotes with its zero byte. */
	assert_ok(read_long_args(WORKFLOW_CVM_ARG_BYTES_MAX - 5 + 6, &e), e);
	assert_refused(read_long_args(WORKFLOW_CVM_ARG_BYTES_MAX - 4 + 6, &e), e, ERR_INVALID,
		       "'args' has 65537 bytes with funcname");
	assert_ok(read_policy(1, &e), e);
	assert_ok(read_policy(WORKFLOW_CVM_POLICY_MAX, &e), e);
	assert_refused(read_policy(WORKFLOW_CVM_POLICY_MAX + 1, &e), e, ERR_INVALID,
		       "'policy' has 65537 bytes");
	assert_ok(read_inputs(WORKFLOW_CVM_INPUTS_MAX, &e), e);
	assert_refused(read_inputs(WORKFLOW_CVM_INPUTS_MAX + 1, &e), e, ERR_INVALID,
		       "it depends on 65 nodes");
}

static void cut_anywhere_it_is_refused(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WORKFLOW_SPEC_MAX);

	put_spec(&w, &(struct wish){ .type = NULL });
	for (size_t len = 0; len < w.len; len++) {
		struct workflow_spec s = { .bytes = NULL };
		struct err e;

		assert_refused(workflow_spec_read(w.bytes, len, &s, &e), e, ERR_INVALID,
			       "workflow");
	}
}

/* Word for word: whoever compares digests arrives at these bytes' meaning. */
static void the_manifest_follows(void **state)
{
	static const char wanted[] =
		"{\"id\":\"0700000000000000000000000000000000000000000000000000000000000000.2\","
		"\"name\":\"0700000000000000000000000000000000000000000000000000000000000000.2\","
		"\"datasets\":[{\"hash\":\"0100000000000000000000000000000000000000000000000000000000000000\","
		"\"user_key\":\"MCowBQYDK2VwAyEAoQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=\","
		"\"filename\":\"a\"},"
		"{\"hash\":\"0200000000000000000000000000000000000000000000000000000000000000\","
		"\"user_key\":\"MCowBQYDK2VwAyEAsgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAI=\","
		"\"filename\":\"b\"}],"
		"\"algorithm\":{\"hash\":\"" DIGEST "\","
		"\"user_key\":\"MCowBQYDK2VwAyEAsgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAI=\","
		"\"algo_type\":\"python\",\"algo_args\":[\"f\",\"\\u003cx\\u003e\"]},"
		"\"result_consumers\":[{\"user_key\":\"c3Br\"}],"
		"\"agent_config\":{\"attested_tls\":true},"
		"\"cocos\":{\"layout\":\"folders\",\"logs\":\"consumers\","
		"\"requirements_hash\":\"" KEY "\"}}";
	static const struct wish python = { .kind = "\"python\"",
					    .requirements = "\"requirements\":\"" KEY "\"," };
	static const uint8_t digests[2][SHA3_256_LEN] = { { 1 }, { 2 } };
	struct workflow_order order CLEANUP_WORKFLOW_ORDER = { .id = { 7 },
							       .submitter = "spk",
							       .submitter_len = 3 };
	struct workflow_cvm cvm CLEANUP_WORKFLOW_CVM = { .json = NULL };
	CLEANUP_WRITER struct writer w = writer_up_to(WORKFLOW_MANIFEST_MAX),
				     small = writer_up_to(sizeof(wanted) - 2);
	struct err e;

	assert_ok(read_wish(&python, &order.spec, &e), e);
	assert_ok(workflow_cvm_read(&order.spec, &order.spec.nodes[2], &cvm, &e), e);
	assert_ok(workflow_manifest_write(&order, &order.spec.nodes[2], &cvm, digests, &w, &e), e);
	assert_int_equal(w.len, strlen(wanted));
	assert_memory_equal(w.bytes, wanted, w.len);
	assert_refused(
		workflow_manifest_write(&order, &order.spec.nodes[2], &cvm, digests, &small, &e), e,
		ERR_EXHAUSTED, "manifest");
}

/* All but who results are for is the same. */
static void the_manifests_consumer_is_who_goes_on(void **state)
{
	static const char
		submitters[] = "\"result_consumers\":[{\"user_key\":\"c3Br\"}]",
		others[] = "\"result_consumers\":[{\"user_key\":\"MCowBQYDK2VwAyEAsgAAAAAAAAAA"
			   "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAI=\"}]";
	static const struct wish wishes[] = {
		{ .type = NULL }, { .more = CONSUMER, .other = AFTER("c", "\"sum\"") }
	};
	static const uint8_t digests[2][SHA3_256_LEN] = { { 1 }, { 2 } };
	const char *const wanted[] = { submitters, others };
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(wishes); i++) {
		struct workflow_order order CLEANUP_WORKFLOW_ORDER = { .submitter = "spk",
								       .submitter_len = 3 };
		struct workflow_cvm cvm CLEANUP_WORKFLOW_CVM = { .json = NULL };
		CLEANUP_WRITER struct writer w = writer_up_to(WORKFLOW_MANIFEST_MAX);

		assert_ok(read_wish(&wishes[i], &order.spec, &e), e);
		assert_ok(workflow_cvm_read(&order.spec, &order.spec.nodes[2], &cvm, &e), e);
		assert_ok(workflow_manifest_write(&order, &order.spec.nodes[2], &cvm, digests, &w,
						  &e),
			  e);
		writer_u8(&w, 0);
		assert_non_null(strstr((const char *)w.bytes, wanted[i]));
		assert_null(strstr((const char *)w.bytes, wanted[1 - i]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_is_read),
		cmocka_unit_test(what_it_is_not_is_said),
		cmocka_unit_test(what_goes_in_goes_nowhere_else),
		cmocka_unit_test(one_node_may_go_on_with_what_it_computes),
		cmocka_unit_test(no_cvm_is_behind_another),
		cmocka_unit_test(there_are_limits),
		cmocka_unit_test(cut_anywhere_it_is_refused),
		cmocka_unit_test(the_manifest_follows),
		cmocka_unit_test(the_manifests_consumer_is_who_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
