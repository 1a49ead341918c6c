/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What manifests and documents that are sent to the page bring is read and judged neither on the loop nor in a transaction; and
 * what they name by name is what it is when the computation is created.
 */
#include "common/base/encode.h"
#include "common/base/json.h"
#include "common/manifest/agent_config.h"
#include "computations/people/asset.h"
#include "computations/people/user_key.h"
#include "computations/people/workspace_member.h"
#include "computations/transfer/document.h"
#include "computations/web/web_input.h"
#include "tests/unit/computations/web_room.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define KEY "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="
#define OF(key, hash)                                                               \
	"{\"id\":\"one\",\"name\":\"sum\",\"algorithm\":{\"user_key\":\"" key "\"," \
	"\"hash\":\"" hash "\"},\"result_consumers\":[{\"user_key\":\"" key "\"}]}"
#define HASH  "0707070707070707070707070707070707070707070707070707070707070707"
#define NAMED OF("user:anna", "asset:train")
#define BARE  OF(KEY, HASH)

struct place {
	struct web_room page;
	struct user_key_claim claim; /* anna's */
	uint8_t spki[SPKI_MAX];
	pthread_t loop_thread;
	atomic_bool is_in_transaction;
	unsigned inputs, manifests, documents, configs; /* that were read, */
	unsigned misplaced;                /* and of these, on the loop or in a transaction */
	int failed;                        /* of it */
	int (*meanwhile)(struct place *p); /* done when a manifest is read; NULL: nothing */
};

static struct place *here;

/* ---- where it is done ---- */

int __real_db_begin(struct db *db, struct err *e);
int __wrap_db_begin(struct db *db, struct err *e);
int __wrap_db_begin(struct db *db, struct err *e)
{
	if (here)
		here->is_in_transaction = true;
	return __real_db_begin(db, e);
}

int __real_db_commit(struct db *db, struct err *e);
int __wrap_db_commit(struct db *db, struct err *e);
int __wrap_db_commit(struct db *db, struct err *e)
{
	int failed = __real_db_commit(db, e);

	if (here)
		here->is_in_transaction = false;
	return failed;
}

void __real_db_rollback(struct db *db);
void __wrap_db_rollback(struct db *db);
void __wrap_db_rollback(struct db *db)
{
	__real_db_rollback(db);
	if (here)
		here->is_in_transaction = false;
}

/* Nothing else goes on in these tests: a transaction that is open would be that of this call. In the pool nothing can be asserted. */
static void note_where(unsigned *count)
{
	if (here->is_in_transaction || pthread_equal(pthread_self(), here->loop_thread))
		here->misplaced++;
	++*count;
}

int __real_manifest_from_json(const void *text, size_t len, Cvms__ComputationRunReq **manifest,
			      struct err *e);
int __wrap_manifest_from_json(const void *text, size_t len, Cvms__ComputationRunReq **manifest,
			      struct err *e);
int __wrap_manifest_from_json(const void *text, size_t len, Cvms__ComputationRunReq **manifest,
			      struct err *e)
{
	note_where(&here->manifests);
	if (here->meanwhile)
		here->failed = here->meanwhile(here);
	return __real_manifest_from_json(text, len, manifest, e);
}

int __real_agent_config_check_shown(const Cvms__AgentConfig *m, const char *host, struct err *e);
int __wrap_agent_config_check_shown(const Cvms__AgentConfig *m, const char *host, struct err *e);
int __wrap_agent_config_check_shown(const Cvms__AgentConfig *m, const char *host, struct err *e)
{
	note_where(&here->configs);
	return __real_agent_config_check_shown(m, host, e);
}

int __real_web_input_take(const struct http_request *r, const struct web_action *action,
			  struct web_form *form, struct web_message *m, struct err *e);
int __wrap_web_input_take(const struct http_request *r, const struct web_action *action,
			  struct web_form *form, struct web_message *m, struct err *e);
int __wrap_web_input_take(const struct http_request *r, const struct web_action *action,
			  struct web_form *form, struct web_message *m, struct err *e)
{
	note_where(&here->inputs);
	return __real_web_input_take(r, action, form, m, e);
}

int __real_document_read(const void *bytes, size_t len, struct document **document, struct err *e);
int __wrap_document_read(const void *bytes, size_t len, struct document **document, struct err *e);
int __wrap_document_read(const void *bytes, size_t len, struct document **document, struct err *e)
{
	note_where(&here->documents);
	return __real_document_read(bytes, len, document, e);
}

/* ---- a page, without a connection ---- */

/* A user with a key, and an asset, to be named. */
static void fill(struct place *p)
{
	struct store_room *f = p->page.room;
	struct user u CLEANUP_USER = { .name = NULL };
	struct asset_row a = { .name = (char[]){ "train" },
			       .mime = (char[]){ "text/plain" },
			       .description = (char[]){ "" },
			       .type = ASSET_ALGORITHM };
	CLEANUP(free) uint8_t *spki = NULL;
	size_t len;

	memset(a.digest, 7, sizeof(a.digest));
	store_room_user(f, "anna");
	assert_ok(user_find(&f->store.db, "anna", &u, &f->e), f->e);
	assert_ok(base64_decode(KEY, strlen(KEY), &spki, &len, &f->e), f->e);
	memcpy(p->spki, spki, len);
	p->claim = (struct user_key_claim){
		.person = u.number, .computation = "", .spki = p->spki, .len = len
	};
	assert_ok(user_key_claim_check(&f->store.db, &p->claim, &f->e), f->e);
	assert_ok(user_key_add(&f->store.db, &p->claim, store_now(), &f->e), f->e);
	assert_ok(asset_add(&f->store.db, store_room_workspace(f), 0, &a, store_now(), &f->e),
		  f->e);
}

static int enter(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	if (!p || web_room_open(&p->page, &admin_rpc) < 0)
		return -1;
	fill(p);
	p->loop_thread = pthread_self();
	*state = here = p;
	return 0;
}

static int leave(void **state)
{
	struct place *p = *state;
	int failed = web_room_close(&p->page);

	here = NULL;
	free(p);
	return failed;
}

/* By who administers the service, on its socket. */
static void ask(struct place *p, const char *method, const char *target, const char *body)
{
	const struct rpc_web_request q = { .method = method,
					   .target = target,
					   .authority = "localhost",
					   .content_type = "application/json" };

	p->inputs = p->manifests = p->documents = p->configs = 0;
	web_room_ask(&p->page, &q, body, true);
	p->meanwhile = NULL;
	assert_int_equal(p->misplaced, 0);
	assert_ok(p->failed, p->page.room->e);
}

static void check(const struct place *p, unsigned status, const char *words)
{
	if (p->page.status != status || !strstr(p->page.said, words))
		print_error("%u %s\n", p->page.status, p->page.said);
	assert_int_equal(p->page.status, status);
	assert_non_null(strstr(p->page.said, words));
}

/* ---- where things are read ---- */

static void a_manifest_is_read_in_the_line(void **state)
{
	struct place *p = *state;
	int64_t named;

	ask(p, "POST", "/api/computations?workspace=default", NAMED);
	check(p, 201, "\"id\":\"one\"");
	assert_int_equal(p->manifests, 1);
	assert_int_equal(p->configs, 1);
	/* With names or with what they stand for it is the same computation. */
	named = web_room_number(&p->page, "SELECT count(*) FROM computations WHERE id = 'one'");
	assert_int_equal(named, 1);
	ask(p, "PUT", "/api/computations/one/manifest", BARE);
	check(p, 200, "\"id\":\"one\"");
	assert_int_equal(p->manifests, 1);
	assert_int_equal(p->configs, 1);
	assert_int_equal(
		web_room_number(&p->page, "SELECT count(DISTINCT digest) FROM computations"), 1);
	ask(p, "PUT", "/api/computations/one/manifest", NAMED);
	check(p, 200, "\"id\":\"one\"");
}

static void what_is_wrong_with_one_is_said(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{ "{", "json" },
		{ "[]", "array" },
		{ OF("user:bert", HASH), "user 'bert' has no key" },
		{ OF(KEY, "asset:none"), "none" },
		{ OF("user:an\\u006ea", HASH), "without escapes" },
		{ "{\"agent_config\":{\"port\":\"x\"}}", "port" },
	};
	struct place *p = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		ask(p, "POST", "/api/computations?workspace=default", cases[i].text);
		check(p, 400, cases[i].words);
	}
	ask(p, "PUT", "/api/computations/none/manifest", NAMED);
	check(p, 404, "none");
	assert_int_equal(p->manifests, 0); /* who may not is told before anything is read */
	assert_int_equal(web_room_number(&p->page, "SELECT count(*) FROM computations"), 0);
}

static void a_document_is_read_in_the_line(void **state)
{
	struct place *p = *state;

	ask(p, "POST", "/api/workspaces/default/imports",
	    "{\"document\":\"[{\\\"name\\\":\\\"sum\\\",\\\"id\\\":\\\"two\\\",\\\"algorithm\\\":{"
	    "\\\"provider\\\":\\\"anna\\\",\\\"hash\\\":\\\"" HASH "\\\"}}]\"}");
	check(p, 200, "{\"id\":\"anna\",\"user\":\"anna\",\"has_key\":true}");
	check(p, 200, "\"created\":true");
	assert_int_equal(p->inputs, 1);
	assert_int_equal(p->documents, 2); /* by Import, too */
	ask(p, "POST", "/api/workspaces/nix/imports", "{\"document\":\"[]\"}");
	check(p, 404, "nix");
	assert_int_equal(p->inputs, 0);
	ask(p, "POST", "/api/workspaces/default/imports", "{\"document\":1}");
	check(p, 400, "document");
}

/* ---- names ---- */

static int retire(struct place *p)
{
	return user_key_retire(web_room_db(&p->page), p->claim.person, p->claim.fingerprint,
			       store_now(), &p->page.room->e);
}

static int renew(struct place *p)
{
	return db_run(web_room_db(&p->page), &p->page.room->e, "UPDATE assets SET digest = ?", "b",
		      p->spki, (size_t)MANIFEST_HASH_LEN);
}

static int forget(struct place *p)
{
	return db_run(web_room_db(&p->page), &p->page.room->e, "DELETE FROM assets", "");
}

/* Between the transaction in which it was asked for and the one in which it is written. */
static void what_a_name_stands_for_is_asked_again(void **state)
{
	static const struct {
		int (*meanwhile)(struct place *p);
		const char *words;
	} cases[] = {
		{ renew, "asset 'train' has changed" },
		{ forget, "asset 'train' has changed" },
		{ retire, "user 'anna' has changed" },
	};
	struct place *p = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const bool is_key = cases[i].meanwhile == retire;
		const char *text = is_key ? OF("user:anna", HASH) : OF(KEY, "asset:train");

		p->meanwhile = cases[i].meanwhile;
		ask(p, "POST", "/api/computations?workspace=default", text);
		check(p, 409, cases[i].words);
		assert_int_equal(web_room_number(&p->page, "SELECT count(*) FROM computations"), 0);
	}
	ask(p, "POST", "/api/computations?workspace=default", BARE);
	check(p, 201, "one");
	/* Nothing was named, and nothing is compared. */
	p->meanwhile = forget;
	ask(p, "PUT", "/api/computations/one/manifest", BARE);
	check(p, 200, "one");
}

#define PLACE(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACE(a_manifest_is_read_in_the_line),
		PLACE(what_is_wrong_with_one_is_said),
		PLACE(a_document_is_read_in_the_line),
		PLACE(what_a_name_stands_for_is_asked_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
