/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/writer.h"
#include "common/workflow/workflow_message.h"
#include "common/workflow/workflow_output.h"
#include "tests/unit.h"

#define NODE(name, deps)                                                    \
	"{\"nodename\":\"" name                                             \
	"\",\"conditions\":{\"executortype\":\"t\",\"dependencies\":[" deps \
	"]},\"funcname\":\"f\",\"kwargs\":{},\"maxexectime\":1,\"maxretries\":0}"

static const char two[] = "[" NODE("a", "") "," NODE("b", "\"a\"") "]";

enum { MOMENT = 1 };

/* Of two nodes, b behind a: `a` may run a, `b` and `c` may run b. */
static void fill(struct workflow_order *o, const struct hpke_key *a, const struct hpke_key *b,
		 const struct hpke_key *c, const struct hpke_key *reply)
{
	struct err e;

	assert_ok(workflow_spec_read(two, strlen(two), &o->spec, &e), e);
	assert_ok(workflow_order_room(o, &e), e);
	memcpy(o->nodes[0].keys[0], a->public, HPKE_KEY_LEN);
	memcpy(o->nodes[1].keys[0], b->public, HPKE_KEY_LEN);
	memcpy(o->nodes[1].keys[1], c->public, HPKE_KEY_LEN);
	o->nodes[0].count = 1;
	o->nodes[1].count = 2;
	memcpy(o->reply, reply->public, HPKE_KEY_LEN);
	o->expires = MOMENT;
}

struct world {
	struct hpke_key a, b, c, reply;
	EVP_PKEY *key;
	struct workflow_order order;
};

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct err e;

	assert_non_null(w);
	assert_ok(hpke_key_generate(&w->a, &e), e);
	assert_ok(hpke_key_generate(&w->b, &e), e);
	assert_ok(hpke_key_generate(&w->c, &e), e);
	assert_ok(hpke_key_generate(&w->reply, &e), e);
	assert_ok(key_generate(KEY_ED25519, &w->key, &e), e);
	fill(&w->order, &w->a, &w->b, &w->c, &w->reply);
	assert_ok(workflow_order_sign(&w->order, w->key, &e), e);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	workflow_order_done(&w->order);
	EVP_PKEY_free(w->key);
	free(w);
	return 0;
}

static void its_id_is_the_digest_of_the_definition(void **state)
{
	struct world *w = *state;
	CLEANUP_WRITER struct writer m = writer_up_to(4096);
	uint8_t spec[SHA3_256_LEN], id[SHA3_256_LEN];
	struct workflow_order *o = &w->order;
	struct err e;

	assert_ok(digest(DIGEST_SHA3_256, two, strlen(two), spec, &e), e);
	writer_bytes(&m, "cocos-workflow-order-v1\0\0\0\0\x20", 28);
	writer_bytes(&m, o->nonce, 32);
	writer_bytes(&m, "\0\0\0\10\0\0\0\0\0\0\0\1", 12);
	writer_be32(&m, (uint32_t)o->submitter_len);
	writer_bytes(&m, o->submitter, o->submitter_len);
	writer_bytes(&m, "\0\0\0\x20", 4);
	writer_bytes(&m, o->reply, 32);
	writer_bytes(&m, "\0\0\0\x20", 4);
	writer_bytes(&m, spec, sizeof(spec));
	writer_bytes(&m, "\0\0\0\4\0\0\0\2\0\0\0\x20", 12);
	writer_bytes(&m, w->a.public, 32);
	writer_bytes(&m, "\0\0\0\x40", 4);
	writer_bytes(&m, o->nodes[1].keys, 64);
	assert_true(memcmp(o->nodes[1].keys[0], o->nodes[1].keys[1], 32) < 0);
	assert_ok(digest(DIGEST_SHA3_256, m.bytes, m.len, id, &e), e);
	assert_memory_equal(o->id, id, sizeof(id));
	assert_ok(workflow_order_verify(o, &e), e);
}

/* What the service hands out is what was signed, or nothing. */
static void no_part_can_be_another(void **state)
{
	struct world *w = *state;
	Workflows__Order *m = NULL;
	ProtobufCBinaryData *parts[6];
	struct err e;

	assert_ok(workflow_order_message(&w->order, &m, &e), e);
	parts[0] = &m->nonce;
	parts[1] = &m->reply;
	parts[2] = &m->signature;
	parts[3] = &m->nodes[0]->keys[0];
	parts[4] = &m->nodes[1]->keys[1];
	parts[5] = &m->submitter;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		struct workflow_order got CLEANUP_WORKFLOW_ORDER = { .nodes = NULL };
		uint8_t *last = &parts[i]->data[parts[i]->len - 1];

		*last ^= 1;
		assert_true(workflow_order_open(m, &got, &e) < 0);
		if (i < 5)
			assert_int_equal(e.code, ERR_DENIED);
		*last ^= 1;
		parts[i]->len--;
		assert_true(workflow_order_open(m, &got, &e) < 0);
		assert_true(e.code == ERR_INVALID || e.code == ERR_DENIED);
		parts[i]->len++;
	}
	m->expires_ms++;
	{
		struct workflow_order got CLEANUP_WORKFLOW_ORDER = { .nodes = NULL };

		assert_refused(workflow_order_open(m, &got, &e), e, ERR_DENIED,
			       "not the submitter's");
		m->expires_ms--;
		m->spec.data[m->spec.len - 3] = '1'; /* a retry more */
		assert_refused(workflow_order_open(m, &got, &e), e, ERR_DENIED, "");
		m->spec.data[m->spec.len - 3] = '0';
		assert_ok(workflow_order_open(m, &got, &e), e);
		assert_memory_equal(got.id, w->order.id, sizeof(got.id));
	}
	workflows__order__free_unpacked(m, NULL);
}

static void messages_that_are_none_are_refused(void **state)
{
	struct world *w = *state;
	struct workflow_order got CLEANUP_WORKFLOW_ORDER = { .nodes = NULL };
	Workflows__Order *m = NULL;
	ProtobufCBinaryData key;
	struct err e;

	assert_refused(workflow_order_read(NULL, &got, &e), e, ERR_INVALID, "there is no");
	assert_ok(workflow_order_message(&w->order, &m, &e), e);
	m->n_nodes--;
	assert_refused(workflow_order_read(m, &got, &e), e, ERR_INVALID, "keys for 1 nodes");
	m->n_nodes++;
	m->nodes[1]->n_keys = 0;
	assert_refused(workflow_order_read(m, &got, &e), e, ERR_INVALID, "node b: 0 executors'");
	m->nodes[1]->n_keys = WORKFLOW_KEYS_MAX + 1; /* before any is looked at */
	assert_refused(workflow_order_read(m, &got, &e), e, ERR_INVALID, "node b: 9 executors'");
	m->nodes[1]->n_keys = 2;
	key = m->nodes[1]->keys[0];
	m->nodes[1]->keys[0] = m->nodes[1]->keys[1];
	assert_refused(workflow_order_read(m, &got, &e), e, ERR_INVALID, "node b: an executor's");
	m->nodes[1]->keys[0] = key;
	memset(m->nodes[0]->keys[0].data, 0, 32);
	assert_refused(workflow_order_read(m, &got, &e), e, ERR_INVALID, "node a: an executor's");
	memcpy(m->nodes[0]->keys[0].data, w->a.public, 32);
	memset(m->reply.data, 0, 32);
	assert_refused(workflow_order_read(m, &got, &e), e, ERR_INVALID, "results are for");
	memcpy(m->reply.data, w->reply.public, 32);
	m->expires_ms = 0;
	assert_refused(workflow_order_read(m, &got, &e), e, ERR_INVALID, "never was good");
	m->expires_ms = MOMENT;
	assert_ok(workflow_order_read(m, &got, &e), e);
	workflows__order__free_unpacked(m, NULL);
}

/* ---- what executors may run, and who gets outputs ---- */

static void outputs_are_for_those_behind(void **state)
{
	struct world *w = *state;
	uint8_t to[WORKFLOW_RECIPIENTS_MAX][HPKE_KEY_LEN];

	assert_int_equal(workflow_order_recipients(&w->order, 0, to), 2);
	assert_memory_equal(to, w->order.nodes[1].keys, 64);
	assert_int_equal(workflow_order_recipients(&w->order, 1, to), 1);
	assert_memory_equal(to, w->reply.public, 32);
	assert_true(workflow_order_accepts(&w->order, 0, w->a.public));
	assert_false(workflow_order_accepts(&w->order, 0, w->b.public));
	assert_true(workflow_order_accepts(&w->order, 1, w->c.public));
	assert_false(workflow_order_accepts(&w->order, 2, w->c.public));
}

/* One node, and `behind` that wait for it, each of which `keys` keys may run. */
static int check_wide(size_t behind, size_t keys, struct err *e)
{
	struct workflow_order o CLEANUP_WORKFLOW_ORDER = { .expires = MOMENT, .submitter_len = 1 };
	CLEANUP_WRITER struct writer w = writer_up_to(WORKFLOW_SPEC_MAX);

	writer_text(&w, "[" NODE("a", ""));
	for (size_t i = 0; i < behind; i++)
		writer_printf(&w, "," NODE("b%zu", "\"a\""), i);
	writer_text(&w, "]");
	assert_ok(workflow_spec_read(w.bytes, w.len, &o.spec, e), *e);
	assert_ok(workflow_order_room(&o, e), *e);
	o.reply[0] = 1;
	for (size_t i = 0; i < o.spec.count; i++) {
		o.nodes[i].count = keys;
		for (size_t k = 0; k < keys; k++) {
			o.nodes[i].keys[k][0] = (uint8_t)(i + 1);
			o.nodes[i].keys[k][1] = (uint8_t)(k + 1);
		}
	}
	return workflow_order_check(&o, e);
}

static void recipients_have_a_limit(void **state)
{
	struct err e;

	assert_ok(check_wide(8, WORKFLOW_KEYS_MAX, &e), e);
	assert_refused(check_wide(9, WORKFLOW_KEYS_MAX, &e), e, ERR_INVALID,
		       "node a: its output is for more than 64");
	assert_ok(check_wide(64, 1, &e), e);
	assert_refused(check_wide(65, 1, &e), e, ERR_INVALID, "node a: its output");
}

/* ---- outputs ---- */

static struct workflow_place place_of(const struct world *w, uint32_t node, uint32_t attempt)
{
	struct workflow_place p = { .node = node, .attempt = attempt };

	memcpy(p.id, w->order.id, sizeof(p.id));
	return p;
}

static void all_recipients_open_it(void **state)
{
	struct world *w = *state;
	const struct workflow_place p = place_of(w, 0, 1);
	const struct hpke_key *to[] = { &w->b, &w->c };
	CLEANUP(free) uint8_t *sealed = NULL;
	size_t len, sealed_len;
	struct err e;

	assert_ok(workflow_output_seal(&w->order, &p, &w->a, "5", 1, &sealed, &sealed_len, &e), e);
	assert_ok(workflow_output_check(&w->order, 0, sealed, sealed_len, &e), e);
	for (size_t i = 0; i < ARRAY_LEN(to); i++) {
		CLEANUP(free) uint8_t *bytes = NULL;

		assert_ok(workflow_output_open(&w->order, &p, w->a.public, to[i], sealed,
					       sealed_len, &bytes, &len, &e),
			  e);
		assert_int_equal(len, 1);
		assert_string_equal((char *)bytes, "5");
	}
}

static void the_submitter_opens_that_of_an_end_node(void **state)
{
	struct world *w = *state;
	const struct workflow_place p = place_of(w, 1, 3);
	CLEANUP(free) uint8_t *sealed = NULL, *bytes = NULL;
	size_t len, sealed_len;
	struct err e;

	assert_ok(workflow_output_seal(&w->order, &p, &w->c, NULL, 0, &sealed, &sealed_len, &e), e);
	assert_ok(workflow_output_open(&w->order, &p, w->c.public, &w->reply, sealed, sealed_len,
				       &bytes, &len, &e),
		  e);
	assert_int_equal(len, 0);
}

static void nobody_else_opens_it_nor_as_anything_else(void **state)
{
	struct world *w = *state;
	const struct workflow_place p = place_of(w, 0, 1), later = place_of(w, 0, 2),
				    other = place_of(w, 1, 1);
	struct workflow_place elsewhere = p;
	CLEANUP(free) uint8_t *sealed = NULL, *bytes = NULL, *forged = NULL;
	size_t len, sealed_len, forged_len;
	struct err e;

	elsewhere.id[0] ^= 1;
	assert_ok(workflow_output_seal(&w->order, &p, &w->a, "5", 1, &sealed, &sealed_len, &e), e);
#define OPEN(place, from, to, bytes_, len_) \
	workflow_output_open(&w->order, place, from, to, bytes_, len_, &bytes, &len, &e)
	assert_refused(OPEN(&p, w->a.public, &w->reply, sealed, sealed_len), e, ERR_DENIED,
		       "not for this key");
	assert_refused(OPEN(&later, w->a.public, &w->b, sealed, sealed_len), e, ERR_DENIED,
		       "was not sealed");
	assert_refused(OPEN(&elsewhere, w->a.public, &w->b, sealed, sealed_len), e, ERR_DENIED,
		       "was not sealed");
	assert_refused(OPEN(&other, w->b.public, &w->reply, sealed, sealed_len), e, ERR_INVALID,
		       "not for those");
	assert_refused(OPEN(&p, w->b.public, &w->c, sealed, sealed_len), e, ERR_DENIED,
		       "names another executor");
	/* Whoever has no executor's key seals for everybody, but as nobody. */
	assert_ok(workflow_output_seal(&w->order, &p, &w->reply, "6", 1, &forged, &forged_len, &e),
		  e);
	assert_refused(OPEN(&p, w->a.public, &w->b, forged, forged_len), e, ERR_DENIED,
		       "was not sealed");
	assert_null(bytes);
}

static void every_change_shows(void **state)
{
	struct world *w = *state;
	const struct workflow_place p = place_of(w, 0, 1);
	CLEANUP(free) uint8_t *sealed = NULL, *bytes = NULL;
	const size_t other = 25 + 2 + (memcmp(w->b.public, w->c.public, 32) < 0 ? 112 : 0);
	size_t len, sealed_len;
	struct err e;

	assert_ok(workflow_output_seal(&w->order, &p, &w->a, "5", 1, &sealed, &sealed_len, &e), e);
	for (size_t i = 0; i < sealed_len; i++) {
		/* What is another recipient's is for him to open, but who he is counts. */
		if (i >= other + 32 && i < other + 112)
			continue;
		sealed[i] ^= 1;
		if (OPEN(&p, w->a.public, &w->b, sealed, sealed_len) == 0)
			fail_msg("byte %zu", i);
		sealed[i] ^= 1;
	}
	for (size_t i = 0; i < sealed_len; i++)
		assert_true(OPEN(&p, w->a.public, &w->b, sealed, i) < 0);
	assert_null(bytes);
}

static void outputs_have_a_limit(void **state)
{
	struct world *w = *state;
	const struct workflow_place p = place_of(w, 0, 1), none = place_of(w, 2, 1);
	CLEANUP(free) uint8_t *much = calloc(1, WORKFLOW_OUTPUT_MAX + 1);
	CLEANUP(free) uint8_t *sealed = NULL, *bytes = NULL, *more = NULL;
	size_t len, sealed_len;
	struct err e;

	assert_non_null(much);
	assert_ok(workflow_output_seal(&w->order, &p, &w->a, much, WORKFLOW_OUTPUT_MAX, &sealed,
				       &sealed_len, &e),
		  e);
	assert_ok(OPEN(&p, w->a.public, &w->b, sealed, sealed_len), e);
	assert_int_equal(len, WORKFLOW_OUTPUT_MAX);
	more = calloc(1, sealed_len + 1);
	assert_non_null(more);
	memcpy(more, sealed, sealed_len);
	assert_refused(workflow_output_check(&w->order, 0, more, sealed_len + 1, &e), e,
		       ERR_INVALID, "no sealed one");
	assert_refused(workflow_output_seal(&w->order, &p, &w->a, much, WORKFLOW_OUTPUT_MAX + 1,
					    &sealed, &sealed_len, &e),
		       e, ERR_INVALID, "the limit is 1048576");
	assert_refused(
		workflow_output_seal(&w->order, &none, &w->a, "5", 1, &sealed, &sealed_len, &e), e,
		ERR_INVALID, "no node 2");
	assert_refused(workflow_output_check(&w->order, 2, sealed, sealed_len, &e), e, ERR_INVALID,
		       "no node 2");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(its_id_is_the_digest_of_the_definition),
		TEST(no_part_can_be_another),
		TEST(messages_that_are_none_are_refused),
		TEST(outputs_are_for_those_behind),
		TEST(recipients_have_a_limit),
		TEST(all_recipients_open_it),
		TEST(the_submitter_opens_that_of_an_end_node),
		TEST(nobody_else_opens_it_nor_as_anything_else),
		TEST(every_change_shows),
		TEST(outputs_have_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
