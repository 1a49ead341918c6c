/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/core/revision.h"

#include "common/base/encode.h"
#include "common/base/log.h"
#include "common/base/writer.h"
#include "common/crypto/digest.h"
#include "computations/people/asset.h"
#include "computations/people/role.h"
#include "computations/people/workspace_member.h"
#include "computations/store/store.h"
#include "computations/store/store_machine.h"

#include <string.h>

enum { TEXT_MAX = 256 << 10 }; /* of all roles and members */

static int take(struct writer *w, char revision[REVISION_LEN + 1], struct err *e)
{
	uint8_t sha[SHA256_LEN];

	if (writer_check(w, "a revision", e) < 0 ||
	    digest(DIGEST_SHA256, w->bytes, w->len, sha, e) < 0)
		return err_code(e);
	hex_encode(sha, REVISION_LEN / 2, revision);
	revision[REVISION_LEN] = 0;
	return 0;
}

/* With its zero byte: no two lists of texts are the same bytes. */
static void put(struct writer *w, const char *text)
{
	writer_bytes(w, text, strlen(text) + 1);
}

int revision_of(const struct computation *c, char revision[REVISION_LEN + 1], struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(TEXT_MAX);

	put(&w, c->id);
	put(&w, c->cvm_id);
	put(&w, c->name);
	put(&w, c->description);
	writer_printf(&w, "%d %d %d %lld %lld %lld", (int)c->state, c->stopping, c->finished,
		      (long long)c->created, (long long)c->sent, (long long)c->ended);
	/* An owner may have put another key into it, or an editor another certificate, which no digest is of. */
	writer_bytes(&w, c->digest, sizeof(c->digest));
	writer_printf(&w, " %lld", (long long)c->revision);
	return take(&w, revision, e);
}

int revision_of_roles(const struct role_list *list, char revision[REVISION_LEN + 1], struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(TEXT_MAX);

	for (size_t i = 0; i < list->own_count; i++) {
		put(&w, list->own[i].name);
		writer_printf(&w, "%u ", list->own[i].actions);
	}
	for (size_t i = 0; i < list->member_count; i++) {
		put(&w, list->members[i].role);
		put(&w, list->members[i].user);
	}
	return take(&w, revision, e);
}

/* Who was removed and came again is another one; and who was something else meanwhile, so that no old form does again what it
 * did before. */
static void put_member(struct writer *w, const struct workspace_member *m)
{
	put(w, m->user);
	writer_printf(w, "%lld %d %d %lld %lld", (long long)m->person, (int)m->membership,
		      m->suspended, (long long)m->joined, (long long)m->changed);
}

int revision_of_member(const struct workspace_member *m, char revision[REVISION_LEN + 1],
		       struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(TEXT_MAX);

	put_member(&w, m);
	return take(&w, revision, e);
}

int revision_of_transfer(const struct workspace_member *members, size_t count,
			 char revision[REVISION_LEN + 1], struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(TEXT_MAX);

	put(&w, "transfer"); /* with nobody to lose it, too, it is no member's */
	for (size_t i = 0; i <= count; i++)
		put_member(&w, &members[i]);
	return take(&w, revision, e);
}

int revision_of_asset(const struct asset_row *a, char revision[REVISION_LEN + 1], struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(TEXT_MAX);

	put(&w, a->name);
	put(&w, a->mime);
	put(&w, a->description);
	writer_printf(&w, "%lld %lld", (long long)a->number, (long long)a->person);
	return take(&w, revision, e);
}

/* One of the same name is another one, and so is one that has got work. */
int revision_of_machine(const struct machine *m, char revision[REVISION_LEN + 1], struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(TEXT_MAX);

	put(&w, m->name);
	put(&w, m->computation_id);
	writer_printf(&w, "%lld %d", (long long)m->number, machine_is_gone(m->phase));
	return take(&w, revision, e);
}

/* Whose its name is. */
int revision_of_cvm(const struct cvm *c, char revision[REVISION_LEN + 1], struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(TEXT_MAX);

	put(&w, c->id);
	put(&w, c->key);
	return take(&w, revision, e);
}

static int now_of_roles(struct store *store, const char *id, char revision[REVISION_LEN + 1],
			struct err *e)
{
	CLEANUP(role_list_free) struct role_list *list = NULL;

	if (role_list(&store->db, id, &list, e) < 0)
		return err_code(e);
	return revision_of_roles(list, revision, e);
}

int revision_check(struct store *store, const char *id, bool of_roles, const char *revision,
		   struct err *e)
{
	struct computation c CLEANUP_COMPUTATION = { .id = NULL };
	char now[REVISION_LEN + 1];

	if (store_computation(store, id, &c, e) < 0 || revision_of(&c, now, e) < 0 ||
	    (of_roles && now_of_roles(store, id, now, e) < 0))
		return err_code(e);
	if (strcmp(now, revision) == 0)
		return 0;
	if (of_roles)
		return err_set(e, ERR_ABORTED,
			       "roles of computation %s have changed since you looked: look again",
			       log_quote(id).text);
	return err_set(e, ERR_ABORTED,
		       "computation %s has changed since you looked, and is %s now: look again",
		       log_quote(id).text, state_words(c.state));
}

int revision_check_member(struct store *store, const char *workspace, const char *user,
			  const char *revision, struct err *e)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	struct workspace_member m CLEANUP_MEMBER = { .user = NULL };
	char now[REVISION_LEN + 1];

	if (workspace_find(&store->db, workspace, &w, e) < 0 ||
	    workspace_member_find(&store->db, &w, user, &m, e) < 0 ||
	    revision_of_member(&m, now, e) < 0)
		return err_code(e);
	if (strcmp(now, revision) == 0)
		return 0;
	return err_set(e, ERR_ABORTED,
		       "user %s has changed in workspace %s since you looked, and is %s%s now: "
		       "look again",
		       m.user, w.name, membership_rules[m.membership].name,
		       m.suspended ? ", suspended," : "");
}

/* Him, and whom it is taken from. */
static int now_of_transfer(struct db *db, const struct workspace *w, const char *user,
			   char now[2][REVISION_LEN + 1], struct err *e)
{
	struct workspace_member members[1 + REVISION_GOVERNORS] = { { .user = NULL } };
	size_t count = 0;
	int failed;

	if (workspace_member_find(db, w, user, &members[0], e) < 0)
		return err_code(e);
	failed = workspace_member_governors(db, w->number, members[0].person, "",
					    REVISION_GOVERNORS, &members[1], &count, e);
	if (!failed)
		failed = revision_of_member(&members[0], now[0], e);
	if (!failed)
		failed = revision_of_transfer(members, count, now[1], e);
	for (size_t i = 0; i <= count; i++)
		workspace_member_done(&members[i]);
	return failed;
}

int revision_check_transfer(struct store *store, const char *workspace, const char *user,
			    const char *revision, struct err *e)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	char now[2][REVISION_LEN + 1];

	if (workspace_find(&store->db, workspace, &w, e) < 0 ||
	    now_of_transfer(&store->db, &w, user, now, e) < 0)
		return err_code(e);
	if (strcmp(now[0], revision) == 0 || strcmp(now[1], revision) == 0)
		return 0;
	return err_set(e, ERR_ABORTED,
		       "user %s, or who administers workspace %s, has changed since you looked: "
		       "look again",
		       log_quote(user).text, w.name);
}

int revision_check_asset(struct store *store, const char *workspace, const char *name,
			 const char *revision, struct err *e)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	struct asset_row a CLEANUP_ASSET_ROW = { .name = NULL };
	char now[REVISION_LEN + 1];

	if (workspace_find(&store->db, workspace, &w, e) < 0 ||
	    asset_find(&store->db, w.number, name, &a, e) < 0 || revision_of_asset(&a, now, e) < 0)
		return err_code(e);
	if (strcmp(now, revision) == 0)
		return 0;
	return err_set(e, ERR_ABORTED, "asset %s has changed since you looked: look again",
		       log_quote(name).text);
}

int revision_check_machine(const struct machine *m, const char *revision, struct err *e)
{
	char now[REVISION_LEN + 1];

	if (revision_of_machine(m, now, e) < 0)
		return err_code(e);
	if (strcmp(now, revision) == 0)
		return 0;
	return err_set(e, ERR_ABORTED,
		       "CVM %s has changed since you looked, or is a newer one of that name: look "
		       "again",
		       m->name);
}

int revision_check_cvm(struct store *store, const char *id, const char *revision, struct err *e)
{
	struct cvm c CLEANUP_CVM = { .id = NULL };
	char now[REVISION_LEN + 1];

	if (store_cvm(store, id, &c, e) < 0 || revision_of_cvm(&c, now, e) < 0)
		return err_code(e);
	if (strcmp(now, revision) == 0)
		return 0;
	return err_set(e, ERR_ABORTED,
		       "the name of CVM %s belongs to another key than when you looked: look again",
		       log_quote(id).text);
}
