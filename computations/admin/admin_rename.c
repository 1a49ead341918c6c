/* SPDX-License-Identifier: Apache-2.0 */
/* admin_rename.c — what a computation is called: the name and description that people see, not those of its manifest. */
#include "common/base/log.h"
#include "common/base/utf8.h"
#include "computations/admin/admin.h"
#include "computations/store/store_rename.h"

#include <string.h>

void admin_naming_free(struct store_naming *naming)
{
	if (!naming)
		return;
	free(naming->name);
	free(naming->description);
	free(naming);
}

static int check_text(const char *what, const char *text, size_t max, struct err *e)
{
	size_t len = strlen(text);

	if (len > max)
		return err_set(e, ERR_INVALID, "%s: %zu bytes, the limit is %zu", what, len, max);
	return utf8_valid(text, len) ? 0 : err_set(e, ERR_INVALID, "%s: no valid UTF-8", what);
}

/* A name is one line; a description may be more. */
static int check(const Computations__RenameRequest *m, struct err *e)
{
	if (!*m->name)
		return err_set(e, ERR_INVALID, "name is missing: what it is called from now on");
	if (check_text("name", m->name, MANIFEST_NAME_MAX, e) < 0 ||
	    check_text("description", m->description, MANIFEST_DESCRIPTION_MAX, e) < 0)
		return err_code(e);
	if (utf8_has_control(m->name, strlen(m->name)))
		return err_set(e, ERR_INVALID, "name: a control character in it");
	if (m->keep_description && *m->description)
		return err_set(e, ERR_INVALID,
			       "description: there is one, and it is to stay as it is: leave one "
			       "of them out");
	return 0;
}

static int take(struct request *r, const Computations__RenameRequest *m, struct err *e)
{
	if (check(m, e) < 0)
		return err_code(e);
	r->naming = calloc(1, sizeof(*r->naming));
	if (!r->naming)
		return err_nomem(e);
	r->naming->name = strdup(m->name);
	if (!m->keep_description)
		r->naming->description = strdup(m->description);
	return r->naming->name && (m->keep_description || r->naming->description) ? 0
										  : err_nomem(e);
}

static int run(struct store *store, struct request *r, struct err *e)
{
	const struct store_naming *to = r->naming;
	struct computation before CLEANUP_COMPUTATION = { .id = NULL };

	if (store_computation(store, r->id, &before, e) < 0 ||
	    store_rename(store, r->id, to, e) < 0 ||
	    store_computation(store, r->id, &r->computation, e) < 0)
		return err_code(e);
	request_was(r, "name %s", log_quote(before.name).text);
	request_is(r, "name %s%s", log_quote(r->computation.name).text,
		   strcmp(before.description, r->computation.description) != 0
			   ? ", another description"
			   : "");
	return 0;
}

static void reply(struct request *r)
{
	rpc_call_is_about(r->call, LOG_COMPUTATION, r->id);
	log_info("computation %s renamed", log_quote(r->id).text);
	request_reply_computation(r);
}

void admin_rename(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Computations__RenameRequest *m = (const Computations__RenameRequest *)message;
	struct request *r = request_new(call, m->id);
	struct err e;

	if (!r)
		return;
	if (take(r, m, &e) < 0) {
		request_refuse(r, &e);
		return;
	}
	r->run = run;
	r->reply = reply;
	request_start(r);
}
