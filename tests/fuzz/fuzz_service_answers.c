/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client of the computation service believes of what that answers: heads of its log, confirmations of a manifest, keys
 * and digests in place of names, orders of workflows. Input: as orders_service_answers.h has it; the service is
 * service_answering.h, its logs service_log.h, and what is held against the client of these service_kept.h.
 *
 * A confirmation is verified only if the key that the manifest names signed just that, for this service; what is filled in
 * is what was said, of that type; an order is the one that the id stands for. What is printed no terminal obeys.
 */
#include "cli/client/confirmed.h"
#include "cli/client/user_keys.h"
#include "cli/client/workflow_client.h"
#include "common/base/encode.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "tests/fuzz/printed.h"
#include "tests/fuzz/service_answering.h"
#include "tests/fuzz/service_kept.h"
#include "tests/fuzz/service_log.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { COMMANDS_MAX = 32 };

/* clang-format off */
static const struct cli_option options[] = {
	WITNESS_KEY_OPTION,
	{ .name = "workspace", .value = "NAME", .help = "where assets are" },
	SERVICE_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */
static const struct command command = { .name = "fuzz", .options = options };

static struct {
	struct reader *in;
	struct cli cli;
	struct client client;
	char *text; /* that was printed, and what of it before the command */
	size_t len, before;
} run;

/* ---- the log ---- */

static struct journal_head journal_of(const struct witness_leaf *leaf, unsigned how)
{
	struct journal_head head = leaf->head;

	head.count += how == 1;
	head.count -= how == 2;
	head.digest[5] ^= how == 3;
	return head;
}

/* A journal beside the leaf: it is the same one only if both end alike. */
static void compare(struct witness_seen *seen, unsigned how)
{
	static const uint8_t file[] = { 0xa0 };
	const struct journal_head head = journal_of(&seen->proof.leaf, how);
	struct err e;
	const enum cli_exit status =
		witness_compare(&seen->proof.leaf, (struct span){ file, sizeof(file) }, &head, &e);

	assert((status == CLI_OK) == (how == 0));
	assert(how != 1 || status == CLI_MALFORMED);
	seen->compared = status == CLI_OK;
}

/* A key is believed only if it is the one that was asked for, if one was. */
static void check_wanted(struct span spki)
{
	const int key = service_log_key(spki);

	assert(service_answering.wanted == SVA_WANTS_ANY ||
	       (int)service_answering.wanted == (int)SVA_WANTS_LOGS + key);
}

static enum cli_exit look(const char *id, uint64_t number, uint8_t operand, struct err *e)
{
	CLEANUP(free) struct witness_seen *seen = calloc(1, sizeof(*seen));
	enum cli_exit status;

	assert(seen);
	status = witness_ask(&run.client, id, number, seen, e);
	if (status == CLI_OK) {
		service_kept_check(seen, id, number);
		check_wanted((struct span){ seen->response->key.data, seen->response->key.len });
		if (id && operand & SVA_COMPARED)
			compare(seen, operand / (2 * SVA_COMPARED) % SVA_COMPARISONS);
	}
	assert(id || !service_answering.is_fine || status == CLI_OK);
	if (status == CLI_OK && !(operand & SVA_SEEN_ONLY)) {
		status = witness_keep(&run.client, seen, e);
		if (status == CLI_OK)
			service_kept_check_written(seen);
	}
	witness_seen_done(seen);
	return status;
}

static enum cli_exit witness(uint8_t operand, struct err *e)
{
	static const char *const ids[] = { NULL, "c", "d", "nobody's" };

	return look(ids[operand % 4], ids[operand % 4] ? operand / 4 % 4 : 0, operand, e);
}

static void check_service(const uint8_t service[KEY_FINGERPRINT_LEN])
{
	uint8_t fingerprint[KEY_FINGERPRINT_LEN];
	struct err e;

	service_kept_check_written(NULL);
	check_wanted(service_kept.now.key);
	assert(key_fingerprint(service_kept.now.key.bytes, service_kept.now.key.len, fingerprint,
			       &e) == 0);
	assert(memcmp(fingerprint, service, sizeof(fingerprint)) == 0);
}

static enum cli_exit know(struct err *e)
{
	uint8_t service[KEY_FINGERPRINT_LEN];
	const enum cli_exit status = witness_know(&run.client, service, e);

	if (status == CLI_OK)
		check_service(service);
	return status;
}

static enum cli_exit is_kept(struct err *e)
{
	bool kept = false;
	const int failed = witness_is_kept(&run.client, &kept, e);

	assert(!failed == !service_kept.is_broken);
	assert(kept == (service_kept.has_place && !failed && service_kept.now.bytes));
	return failed ? CLI_USAGE : CLI_OK;
}

/* ---- confirmations ---- */

static bool is_signed(const struct confirmed *seen, const People__Confirmation *c)
{
	for (size_t i = 0; i < service_answering.made_count; i++) {
		const struct answering_made *made = &service_answering.made[i];

		if (made->signature_len && made->signature_len == c->signature.len &&
		    memcmp(made->signature, c->signature.data, made->signature_len) == 0 &&
		    strcmp(made->of.user, c->user) == 0 &&
		    strcmp(made->of.computation, seen->id) == 0 &&
		    made->of.revision == c->revision &&
		    memcmp(made->of.service, seen->service, KEY_FINGERPRINT_LEN) == 0 &&
		    memcmp(made->of.digest, seen->digest, MANIFEST_HASH_LEN) == 0 &&
		    c->key.len == KEY_FINGERPRINT_LEN &&
		    memcmp(made->of.key, c->key.data, KEY_FINGERPRINT_LEN) == 0)
			return true;
	}
	return false;
}

static bool is_named(const People__Confirmation *c)
{
	for (size_t i = 0; i + 1 < SVA_SIGNERS; i++)
		if (c->key.len == KEY_FINGERPRINT_LEN &&
		    memcmp(c->key.data, service_answering.signers[i].fingerprint,
			   KEY_FINGERPRINT_LEN) == 0)
			return true;
	return false;
}

static enum confirmed_verdict verdict_of(const struct confirmed *seen,
					 const People__Confirmation *c)
{
	if (c->revision != seen->list->revision || c->manifest_digest.len != MANIFEST_HASH_LEN ||
	    memcmp(c->manifest_digest.data, seen->digest, MANIFEST_HASH_LEN) != 0)
		return CONFIRMED_STALE;
	if (!is_named(c) || !is_signed(seen, c))
		return CONFIRMED_WRONG;
	return c->retired ? CONFIRMED_RETIRED : CONFIRMED_VERIFIED;
}

static void check_confirmed(const struct confirmed *seen)
{
	size_t which = 0, wrong = 0;
	struct err e;

	while (which < SVA_MANIFESTS - 1 &&
	       memcmp(seen->digest, service_answering.digests[which], MANIFEST_HASH_LEN) != 0)
		which++;
	assert(which < SVA_MANIFESTS - 1 && seen->list->manifest_digest.len == MANIFEST_HASH_LEN);
	assert(memcmp(seen->digest, seen->list->manifest_digest.data, MANIFEST_HASH_LEN) == 0);
	assert(strcmp(seen->id, which == SVA_MANIFEST_ANOTHERS ? "d" : "c") == 0);
	for (size_t i = 0; i < seen->list->n_confirmations; i++) {
		const enum confirmed_verdict verdict =
			verdict_of(seen, seen->list->confirmations[i]);

		assert(seen->rows[i].verdict == verdict);
		assert(verdict == CONFIRMED_VERIFIED || seen->rows[i].why.text[0]);
		wrong += verdict == CONFIRMED_WRONG;
	}
	assert((confirmed_judge(seen, &e) == CLI_OK) == !wrong);
	check_service(seen->service);
}

static void print(const struct confirmed *seen)
{
	struct json_out out CLEANUP_JSON_OUT;
	struct err e;

	confirmed_print(stderr, seen);
	json_out_init(&out);
	json_out_object(&out, NULL);
	confirmed_to_json(&out, seen);
	json_out_end(&out);
	assert(json_out_print(&out, stderr, &e) == 0);
}

static enum cli_exit confirmed(uint8_t operand, struct err *e)
{
	struct confirmed seen CLEANUP_CONFIRMED = { .list = NULL };
	const char *id = operand & 1 ? "d" : "c";
	const bool whole = operand & SVA_WHOLE;
	const enum cli_exit status = whole ? confirmed_look_whole(&run.client, id, &seen, e)
					   : confirmed_look(&run.client, id, &seen, e);

	if (status != CLI_OK)
		return status;
	print(&seen);
	assert(!whole || seen.list);
	if (seen.list && (whole || seen.list->n_confirmations))
		check_confirmed(&seen);
	else
		assert(!seen.rows && confirmed_judge(&seen, e) == CLI_OK);
	return CLI_OK;
}

/* ---- names ---- */

/* What was printed since the command began has that in it. */
static bool is_told(const char *text)
{
	fflush(stderr);
	return strstr(run.text + run.before, text) != NULL;
}

static bool is_said(const char *type, const char *text)
{
	for (size_t i = 0; i < service_answering.named_count; i++) {
		const struct answering_named *n = &service_answering.named[i];

		if (!type == !n->type && (!type || strcmp(type, n->type) == 0) &&
		    strcmp(text, n->text) == 0)
			return true;
	}
	return false;
}

static enum cli_exit key(uint8_t operand, struct err *e)
{
	static const char *const names[SVA_USERS] = { "anna", "", "\x1b[2J", "\xff", "user:x" };
	CLEANUP(free) char *text = NULL;
	CLEANUP(free) uint8_t *spki = NULL;
	uint8_t fingerprint[KEY_FINGERPRINT_LEN];
	char hex[2 * KEY_FINGERPRINT_LEN + 1];
	size_t len;

	if (user_keys_get(&run.cli, names[operand % SVA_USERS], &spki, &len, e) < 0)
		return CLI_FAILED;
	text = base64_encode(spki, len);
	assert(text && is_said(NULL, text));
	assert(key_fingerprint(spki, len, fingerprint, e) == 0);
	hex_encode(fingerprint, sizeof(fingerprint), hex);
	assert(is_told(hex));
	return CLI_OK;
}

static enum cli_exit owners(struct err *e)
{
	People__KeyOwners *found = NULL;

	if (user_keys_owners(&run.cli, "c", &found, e) < 0) {
		assert(!found);
		return CLI_FAILED;
	}
	if (found)
		people__key_owners__free_unpacked(found, NULL);
	return CLI_OK;
}

static const char *const texts[SVA_TEXTS - 1] = {
	"{\"algorithm\":{\"hash\":\"asset:a\",\"user_key\":\"user:u\"},\"datasets\":["
	"{\"hash\":\"asset:a\",\"user_key\":\"user:u\"},{\"hash\":\"asset:b\",\"user_key\":\"user:v\"}],"
	"\"result_consumers\":[{\"user_key\":\"user:w\"}]}",
	"{\"algorithm\":{\"user_key\":\"user:u\"}}",
	"{\"datasets\":[{\"hash\":\"asset:a\"}]}",
	"{\"name\":\"user:u asset:a\"}",
	"{\"algorithm\":{\"hash\":\"asset:\\u0061\"}}",
	"{\"algorithm\":{\"hash\":\"asset:\x1b\"",
};

static void check_filled(const struct json *v, const char *type)
{
	if (v->key && strcmp(v->key, "datasets") == 0)
		type = "dataset";
	if (v->type == JSON_STRING && v->key && strcmp(v->key, "hash") == 0)
		assert(is_said(type, v->text));
	if (v->type == JSON_STRING && v->key && strcmp(v->key, "user_key") == 0)
		assert(is_said(NULL, v->text));
	for (size_t i = 0; i < v->count; i++)
		check_filled(&v->items[i], type);
}

/* Of the input's own text what was there before may still be there. */
static enum cli_exit fill(uint8_t operand, struct err *e)
{
	const bool is_inputs = operand % SVA_TEXTS == SVA_TEXTS - 1;
	const char *of = is_inputs ? NULL : texts[operand % SVA_TEXTS];
	size_t len = of ? strlen(of) : reader_u8(run.in), filled_len;
	const size_t left = reader_left(run.in);
	uint8_t *filled;
	struct json *json;

	len = of || len < left ? len : left;
	filled = malloc(len + 1);
	assert(filled);
	memcpy(filled, of ? (const void *)of : len ? reader_take(run.in, len) : filled, len);
	filled_len = len;
	if (user_keys_fill(&run.cli, operand & 0x80 ? "c" : "", &filled, &filled_len, e) < 0) {
		free(filled);
		return CLI_FAILED;
	}
	assert(service_answering.calls || filled_len == len);
	if (service_answering.calls) {
		assert(json_parse(filled, filled_len, &json, e) == 0);
		if (of)
			check_filled(json, "algorithm");
		json_free(json);
	}
	free(filled);
	return CLI_OK;
}

/* ---- workflows ---- */

static enum cli_exit workflow(uint8_t operand, struct err *e)
{
	struct workflow_order order CLEANUP_WORKFLOW_ORDER = { .nodes = NULL };
	const unsigned which = operand % SVA_IDS;
	char id[WORKFLOW_ID_TEXT_LEN + 2];
	Workflows__Workflow *said = NULL;
	bool is_another = false;
	int failed;

	snprintf(id, sizeof(id), "%s", service_answering.ids[which % 2]);
	if (which / 2 == 1)
		snprintf(id + (which == 2 ? 63 : 64), 2, which == 2 ? "" : "0");
	if (which / 2 == 2)
		id[which] = which == 4 ? 'A' : '\n';
	assert((workflow_id_check(id, e) == 0) == (which < 2));
	failed = workflow_fetch(&run.client, id, &said, &order, &is_another, e);
	assert(!failed == (service_answering.order >= 0 && (int)which == service_answering.order &&
			   which < 2));
	assert(failed || !is_another);
	assert(!failed || (!said && !order.nodes));
	assert(is_another || !failed || service_answering.order < 0);
	if (failed)
		return is_another ? CLI_NOT_GENUINE : CLI_FAILED;
	assert(memcmp(order.id, service_answering.orders[which].id, sizeof(order.id)) == 0 &&
	       order.expires == service_answering.orders[which].expires);
	workflows__workflow__free_unpacked(said, NULL);
	return CLI_OK;
}

/* Always the same of one key, and of no other; none of a public half. */
static enum cli_exit reply(uint8_t operand, struct err *e)
{
	static struct hpke_key known[SVA_SIGNERS + 1];
	static bool is_known[SVA_SIGNERS + 1];
	const unsigned which = operand % (SVA_SIGNERS + 1);
	const struct answering_key *of =
		which < SVA_SIGNERS ? &service_answering.signers[which] : &service_answering.rsa;
	CLEANUP(EVP_PKEY_free) EVP_PKEY *public = NULL;
	struct hpke_key made = { .public = { 0 } };

	assert(key_from_spki(of->spki, of->len, &public, e) == 0);
	assert(workflow_reply_key(public, &made, e) < 0);
	assert(workflow_reply_key(of->key, &made, e) == 0);
	for (unsigned i = 0; i <= SVA_SIGNERS; i++)
		assert(!is_known[i] ||
		       (i == which) == (memcmp(&known[i], &made, sizeof(made)) == 0));
	known[which] = made;
	is_known[which] = true;
	return CLI_OK;
}

/* ---- commands ---- */

static enum cli_exit command_of(enum sva_order order, uint8_t operand, struct err *e)
{
	switch (order) {
	case SVA_WITNESS:
		return witness(operand, e);
	case SVA_KNOW:
		return know(e);
	case SVA_CONFIRMED:
		return confirmed(operand, e);
	case SVA_KEY:
		return key(operand, e);
	case SVA_OWNERS:
		return owners(e);
	case SVA_FILL:
		return fill(operand, e);
	case SVA_WORKFLOW:
		return workflow(operand, e);
	case SVA_REPLY:
		return reply(operand, e);
	case SVA_FILE:
		service_kept_damage(operand % SVA_FILES, run.in);
		return CLI_OK;
	default:
		return is_kept(e);
	}
}

static void do_command(void)
{
	const enum sva_order order = reader_u8(run.in) % SVA_ORDERS;
	struct err e = { .code = ERR_OK };
	enum cli_exit status;

	service_answering_begin();
	run.cli.hint[0] = 0;
	fflush(stderr);
	run.before = run.len;
	status = command_of(order, reader_u8(run.in), &e);
	assert(status == CLI_OK || (e.code != ERR_OK && e.text[0]));
	printed_check(run.cli.hint, strlen(run.cli.hint));
	/* What succeeded has looked already. */
	if (status != CLI_OK)
		service_kept_check_same();
}

static void set_up(void)
{
	log_set(LOG_LEVEL_ERROR);
	assert(unsetenv("COMPUTATIONS_GRPC_TOKEN_FILE") == 0);
	service_log_open();
	service_kept_open();
	service_answering_open();
}

static void open_client(uint8_t how)
{
	const enum sva_wanted wanted = how % (SVA_WANTS_UNREADABLE + 1);
	struct err e;

	service_answering.in = run.in;
	service_answering.wanted = wanted;
	service_kept_begin((how >> SVA_WANTED_BITS) % SVA_PLACES);
	cli_init(&run.cli, &command);
	assert(cli_give(&run.cli, "grpc-url", SERVICE_ADDRESS, &e) == 0);
	if (wanted != SVA_WANTS_ANY)
		assert(cli_give(&run.cli, "witness-key", service_kept.pem[wanted], &e) == 0);
	assert(client_open(&run.client, CLIENT_COMPUTATIONS, NULL, &run.cli, &e) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_over(bytes, len);
	FILE *const said = stderr;
	static bool is_ready;

	if (!is_ready)
		set_up();
	is_ready = true;
	run.in = &r;
	stderr = open_memstream(&run.text, &run.len);
	assert(stderr);
	open_client(reader_u8(&r));
	for (int i = 0; i < COMMANDS_MAX && reader_left(&r); i++)
		do_command();
	client_close(&run.client);
	cli_done(&run.cli);
	fclose(stderr);
	stderr = said;
	printed_check(run.text, run.len);
	free(run.text);
	return 0;
}
