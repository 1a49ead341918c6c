/* SPDX-License-Identifier: Apache-2.0 */
/* admin_import_one.c — one computation of a document, in a savepoint: created whole, or not at all, and what is said of it. */
#include "common/base/file.h"
#include "common/base/log.h"
#include "computations/admin/admin_transfer.h"
#include "computations/people/role.h"
#include "computations/people/workspace_member.h"
#include "computations/store/store_create.h"
#include "computations/store/store_name.h"
#include "computations/transfer/note.h"

#include <stdlib.h>
#include <string.h>

/* ---- people ---- */

static const char *user_of(void *data, const char *id)
{
	const struct transfer_person *p = transfer_person(data, id);

	return p && *p->user ? p->user : id;
}

/* ---- what is said of one ---- */

static void add_text(char ***list, size_t *count, const char *text)
{
	char **longer = realloc(*list, (*count + 1) * sizeof(**list));
	char *copy = strdup(text);

	if (longer)
		*list = longer;
	if (longer && copy)
		longer[(*count)++] = copy;
	else
		free(copy); /* the report lacks a line; nothing depends on it */
}

static void warn(Computations__Imported *out, const char *text)
{
	add_text(&out->warnings, &out->n_warnings, text);
}

static void add_unknown(Computations__Imported *out, const char *id)
{
	for (size_t i = 0; i < out->n_unknown; i++)
		if (strcmp(out->unknown[i], id) == 0)
			return;
	add_text(&out->unknown, &out->n_unknown, id);
}

/* In place of what stood there. */
void transfer_set_text(char **text, const char *value)
{
	char *copy = strdup(value);

	if (!copy)
		return;
	if (*text != protobuf_c_empty_string)
		free(*text);
	*text = copy;
}

/* ---- roles ---- */

static int take_role(struct store *store, const char *id, const struct document_role *role,
		     struct err *e)
{
	const struct action_role *fixed = action_role_find(role->name);

	if (!fixed && !role->actions)
		return err_set(e, ERR_INVALID, "role %s: no actions", log_quote(role->name).text);
	if (!fixed)
		return role_define(&store->db, id, role->name, role->actions, e);
	if (role->actions && role->actions != fixed->actions)
		return err_set(e, ERR_INVALID,
			       "role %s: it has other actions in each computation; give these "
			       "another name",
			       role->name);
	return 0;
}

/* Who is not in the workspace is left out, and said, in the words of who is no user: an import must not tell who else
 * the service knows. */
static int take_member(struct store *store, struct transfer_request *t, const char *id,
		       const struct document_member *m, Computations__Imported *out, struct err *e)
{
	const char *name = user_of(t, m->user);
	struct user u CLEANUP_USER = { .name = NULL };
	enum membership membership = MEMBERSHIP_NONE;
	bool suspended;
	int failed = user_find(&store->db, name, &u, e);

	if (failed && !err_is(failed, ERR_NOT_FOUND))
		return failed;
	if (!failed &&
	    workspace_member_in(&store->db, t->workspace, u.number, &membership, &suspended, e) < 0)
		return err_code(e);
	if (membership != MEMBERSHIP_NONE)
		return role_give(&store->db, id, m->role, name, e);
	add_unknown(out, m->user);
	return 0;
}

/* Whoever creates a computation owns it, and says who else has a role: if his token is for that. It is asked with the first of
 * the document that is created, so that nothing of a document is if some of it may not be. */
static int take_roles(struct store *store, struct request *r, const char *id,
		      const struct document_item *item, Computations__Imported *out, struct err *e)
{
	if (admin_own(store, &r->caller, id, e) < 0)
		return err_code(e);
	if (r->caller.who.person && r->transfer->names_some &&
	    admin_access_check(store, &r->caller, DEED_MEMBERS, id, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < item->role_count; i++)
		if (take_role(store, id, &item->roles[i], e) < 0)
			return err_code(e);
	for (size_t i = 0; i < item->member_count; i++)
		if (take_member(store, r->transfer, id, &item->members[i], out, e) < 0)
			return err_code(e);
	return 0;
}

/* ---- one ---- */

static int keep_time(struct store *store, const char *id, const struct document_item *item,
		     Computations__Imported *out, struct err *e)
{
	if (item->started || item->ended)
		warn(out, "start_time and end_time are of where it ran: here it has not run");
	if (!item->created)
		return 0;
	if (item->created > store_now()) {
		warn(out, "created_at is in the future: it counts as created now");
		return 0;
	}
	return db_run(&store->db, e, "UPDATE computations SET created = ? WHERE id = ?", "it",
		      item->created, id);
}

static void note_item(const struct document_item *item, size_t left_out,
		      Computations__Imported *out)
{
	for (size_t i = 0; i < item->notice_count; i++)
		warn(out, item->notices[i]);
	if (left_out)
		warn(out, "no public key of an owner is known: he is no result consumer");
}

static void fill(struct transfer_request *t, const Cvms__ComputationRunReq *m,
		 const struct document_item *item, Computations__Imported *out)
{
	struct manifest_digests digests;
	struct err ignored;

	out->created = true;
	out->datasets = (uint32_t)m->n_datasets;
	out->consumers = (uint32_t)m->n_result_consumers;
	if (t->preview && (t->new_ids || !*item->id)) {
		transfer_set_text(&out->id, ""); /* it gets another one when it is created */
		return;
	}
	transfer_set_text(&out->id, m->id);
	if (manifest_digest(m, &digests, &ignored) < 0)
		return;
	out->manifest_digest.data = malloc(sizeof(digests.sha3_256));
	if (!out->manifest_digest.data)
		return;
	out->manifest_digest.len = sizeof(digests.sha3_256);
	memcpy(out->manifest_digest.data, digests.sha3_256, sizeof(digests.sha3_256));
}

/* The document's id is somebody's already. */
static int offer_another_id(struct err *e)
{
	struct err why = *e;

	return why.code == ERR_EXISTS
		       ? err_set(e, why.code,
				 "%s; --new-ids gives it another one, and so another digest",
				 why.text)
		       : err_code(e);
}

/* One whose name is taken gets another one to be called by, as if it was renamed: its digest is what owners have compared. */
static int keep(struct store *store, const struct transfer_request *t, struct transfer_item *judged,
		Computations__Imported *out, struct err *e)
{
	const Cvms__ComputationRunReq *m = judged->manifest;
	CLEANUP(free) char *text = NULL;

	if (store_name_free(&store->db, t->workspace, m->name, &judged->called, e) < 0)
		return err_code(e);
	if (store_create_called(store, t->workspace, m, judged->called, e) < 0)
		return offer_another_id(e);
	if (strcmp(judged->called, m->name) == 0)
		return 0;
	if (text_format(&text, e,
			"another computation of the workspace has its name: it is called %s here, "
			"until it is renamed; its manifest stays as it is",
			judged->called) < 0)
		return err_code(e);
	warn(out, text);
	return 0;
}

static int create(struct store *store, struct request *r, size_t i, Computations__Imported *out,
		  struct err *e)
{
	struct transfer_request *t = r->transfer;
	const struct document_item *item = &t->document->items[i];
	struct transfer_item *judged = &t->items[i];
	const Cvms__ComputationRunReq *m = judged->manifest;

	if (judged->why.code != ERR_OK) {
		*e = judged->why;
		return err_code(e);
	}
	if (keep(store, t, judged, out, e) < 0 || take_roles(store, r, m->id, item, out, e) < 0 ||
	    note_keep(&store->db, m, item, user_of, t, e) < 0 ||
	    keep_time(store, m->id, item, out, e) < 0)
		return err_code(e);
	note_item(item, judged->left_out, out);
	fill(t, m, item, out);
	return 0;
}

int transfer_take(struct store *store, struct request *r, size_t i, struct err *e)
{
	Computations__Imported *out = r->transfer->response->computations[i];
	struct err why;

	if (db_script(&store->db, "SAVEPOINT item", e) < 0)
		return err_code(e);
	if (create(store, r, i, out, &why) < 0) {
		if (!transfer_is_refusal(why.code)) {
			*e = why;
			return err_code(e);
		}
		transfer_set_text(&out->missing, why.text);
		if (db_script(&store->db, "ROLLBACK TO item", e) < 0)
			return err_code(e);
	}
	return db_script(&store->db, "RELEASE item", e);
}
