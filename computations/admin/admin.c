/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin.c — computations.ComputationService, for administrators.
 *
 * A call becomes a request with copies, goes through the database's queue, and is answered from its row. The listeners
 * decide who may connect (daemon.c): socket's owner, this machine, client certificates; admin_access.h what he may do.
 */
#include "computations/admin/admin.h"

#include "common/base/encode.h"
#include "common/base/log.h"
#include "common/rpc/observer.h"
#include "computations/admin/admin_judge.h"
#include "computations/core/run_progress.h"
#include "computations/people/creator.h"
#include "computations/people/role.h"
#include "computations/store/store_update.h"
#include "computations_paths.h"
#include "google/protobuf/empty.pb-c.h"
#include "proto/descriptors.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <uuid/uuid.h>

/* Show */

static int run_show(struct store *store, struct request *r, struct err *e)
{
	return store_computation(store, r->id, &r->computation, e);
}

static void reply_show(struct request *r)
{
	request_reply_computation_with(r, run_progress_of(r->service, &r->computation, NULL));
}

static void on_show(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct request *r =
		request_new(call, ((const Computations__ComputationRequest *)message)->id);

	if (!r)
		return;
	r->run = run_show;
	r->reply = reply_show;
	request_start(r);
}

/* Create */

int admin_own(struct store *store, const struct admin_caller *caller, const char *id, struct err *e)
{
	const int64_t person = caller->who.person;

	if (!person)
		return 0;
	if (!caller->rights.operates &&
	    creator_keep(&store->db, id, person, (int64_t)store->limits.computations, e) < 0)
		return err_code(e);
	return role_own(&store->db, id, person, e);
}

static int run_create(struct store *store, struct request *r, struct err *e)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };

	if (admin_access_workspace(store, &r->caller, DEED_CREATE, r->workspace, &w, e) < 0 ||
	    store_create(store, w.number, r->manifest, e) < 0 ||
	    admin_own(store, &r->caller, r->manifest->id, e) < 0)
		return err_code(e);
	return store_computation(store, r->manifest->id, &r->computation, e);
}

static int judge_create(struct request *r, struct err *e)
{
	return judge_manifest(r, r->manifest, e);
}

static void reply_create(struct request *r)
{
	rpc_call_is_about(r->call, LOG_COMPUTATION, r->computation.id);
	log_info("computation %s created", log_quote(r->computation.id).text);
	request_reply_computation(r);
}

int admin_take_id(Cvms__ComputationRunReq *manifest, struct err *e)
{
	uuid_t fresh;
	char text[37], *id;

	for (const char *c = manifest->id; *c; c++)
		if (!isgraph((unsigned char)*c) || *c == '/')
			return err_set(e, ERR_INVALID,
				       "manifest: id %s: use printable characters without spaces "
				       "and '/', or leave it out to get one",
				       log_quote(manifest->id).text);
	if (strcmp(manifest->id, ".") == 0 || strcmp(manifest->id, "..") == 0)
		return err_set(
			e, ERR_INVALID,
			"manifest: id '%s' would name a folder: use another one, or leave it "
			"out to get one",
			manifest->id);
	if (*manifest->id)
		return 0;
	uuid_generate_random(fresh);
	uuid_unparse_lower(fresh, text);
	id = strdup(text);
	if (!id)
		return err_nomem(e);
	if (manifest->id != protobuf_c_empty_string)
		free(manifest->id);
	manifest->id = id;
	return 0;
}

/* The message is borrowed: we copy its bytes. */
static int copy_manifest(const Cvms__ComputationRunReq *manifest, Cvms__ComputationRunReq **copy,
			 size_t *size, struct err *e)
{
	uint8_t *bytes = NULL;
	size_t len;
	int failed;

	if (!manifest)
		return err_set(e, ERR_INVALID, "the request has no manifest");
	if (manifest_encode(manifest, &bytes, &len, e) < 0)
		return err_code(e);
	*size = len;
	failed = manifest_decode(bytes, len, copy, e);
	explicit_bzero(bytes, len); /* with the private key of its agent */
	free(bytes);
	return failed;
}

static void on_create(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Computations__CreateRequest *request = (const Computations__CreateRequest *)message;
	struct judge_way way = { .step = judge_create, .run = run_create, .reply = reply_create };
	struct request *r = request_new(call, "");
	struct err e;

	if (!r)
		return;
	if (request_in_workspace(r, request->workspace, &e) < 0 ||
	    copy_manifest(request->manifest, &r->manifest, &way.bytes, &e) < 0 ||
	    admin_take_id(r->manifest, &e) < 0)
		request_refuse(r, &e);
	else
		request_judge(r, &way);
}

/* Update */

static void hex_of(const struct computation *c, char hex[2 * MANIFEST_HASH_LEN + 1])
{
	hex_encode(c->digest, sizeof(c->digest), hex);
}

static int run_update(struct store *store, struct request *r, struct err *e)
{
	struct computation before CLEANUP_COMPUTATION = { .id = NULL };
	char was[2 * MANIFEST_HASH_LEN + 1], is[2 * MANIFEST_HASH_LEN + 1];

	if (store_computation(store, r->id, &before, e) < 0 ||
	    store_update(store, r->manifest, e) < 0 ||
	    store_computation(store, r->id, &r->computation, e) < 0)
		return err_code(e);
	hex_of(&before, was);
	hex_of(&r->computation, is);
	request_was(r, "manifest %s", was);
	/* How its agent's listener is set up is not in the digest. */
	request_is(r, "manifest %s, revision %lld", is, (long long)r->computation.revision);
	return 0;
}

static void reply_update(struct request *r)
{
	rpc_call_is_about(r->call, LOG_COMPUTATION, r->id);
	log_info("computation %s has another manifest", log_quote(r->id).text);
	request_reply_computation(r);
}

static void on_update(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Cvms__ComputationRunReq *manifest =
		((const Computations__UpdateRequest *)message)->manifest;
	struct judge_way way = { .step = judge_create, .run = run_update, .reply = reply_update };
	struct request *r = request_new(call, manifest ? manifest->id : "");
	struct err e;

	if (!r)
		return;
	if (copy_manifest(manifest, &r->manifest, &way.bytes, &e) < 0)
		request_refuse(r, &e);
	else
		request_judge(r, &way);
}

/* Manifest */

static int run_manifest(struct store *store, struct request *r, struct err *e)
{
	return store_manifest(store, r->id, &r->bytes, &r->len, e);
}

static void reply_manifest(struct request *r)
{
	Computations__ManifestResponse response = COMPUTATIONS__MANIFEST_RESPONSE__INIT;
	struct err e;

	if (manifest_decode(r->bytes, r->len, &r->manifest, &e) < 0) {
		rpc_call_finish(r->call, &e);
		return;
	}
	response.manifest = r->manifest;
	rpc_call_reply(r->call, &response.base);
}

static void on_manifest(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct request *r =
		request_new(call, ((const Computations__ComputationRequest *)message)->id);

	if (!r)
		return;
	r->run = run_manifest;
	r->reply = reply_manifest;
	request_start(r);
}

/* Stop */

static int run_stop(struct store *store, struct request *r, struct err *e)
{
	if (store_computation(store, r->id, &r->computation, e) < 0)
		return err_code(e);
	request_was(r, "%s", state_words(r->computation.state));
	computation_done(&r->computation);
	if (store_stop(store, r->id, &r->tell, e) < 0 ||
	    store_computation(store, r->id, &r->computation, e) < 0)
		return err_code(e);
	request_is(r, "%s", state_words(r->computation.state));
	return 0;
}

static void reply_stop(struct request *r)
{
	struct session *session = session_find(r->service, r->computation.cvm_id);

	rpc_call_is_about(r->call, LOG_COMPUTATION, r->id);
	log_info("computation %s is to stop", log_quote(r->id).text);
	if (r->tell && session)
		session_stop(session, r->id);
	logs_wake(r->service, r->id, "");
	request_reply_computation(r);
}

static void on_stop(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct request *r =
		request_new(call, ((const Computations__ComputationRequest *)message)->id);

	if (!r)
		return;
	r->run = run_stop;
	r->reply = reply_stop;
	request_start(r);
}

/* Remove */

static int run_remove(struct store *store, struct request *r, struct err *e)
{
	struct computation c CLEANUP_COMPUTATION = { .id = NULL };

	if (store_computation(store, r->id, &c, e) < 0)
		return err_code(e);
	request_was(r, "%s", state_words(c.state));
	return store_remove(store, r->id, r->force, &r->cvm_id, e);
}

static void reply_remove(struct request *r)
{
	Google__Protobuf__Empty empty = GOOGLE__PROTOBUF__EMPTY__INIT;

	struct session *session = r->cvm_id ? session_find(r->service, r->cvm_id) : NULL;

	if (r->cvm_id)
		rpc_call_note(r->call, "cvm", r->cvm_id);
	rpc_call_is_about(r->call, LOG_COMPUTATION, r->id);
	log_info("computation %s removed", log_quote(r->id).text);
	if (session)
		session_stop(session, r->id);
	logs_wake(r->service, r->id, "");
	rpc_call_reply(r->call, &empty.base);
}

static void on_remove(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Computations__RemoveRequest *request = (const Computations__RemoveRequest *)message;
	struct request *r = request_new(call, request->id);

	if (!r)
		return;
	r->force = request->force;
	r->run = run_remove;
	r->reply = reply_remove;
	request_start(r);
}

#define METHOD(path_, kind_, request_, response_, message_)                               \
	{ .method = { path_, kind_, &computations__##request_##__descriptor, response_ }, \
	  .message = message_ }
#define JUDGED(path_, request_, response_, message_)                                          \
	{ .method = { path_, RPC_UNARY, &computations__##request_##__descriptor, response_ }, \
	  .message = message_,                                                                \
	  .closed = judge_closed }
#define COMPUTATION &computations__computation__descriptor

static const struct rpc_handler handlers[] = {
	JUDGED(PROTO_COMPUTATIONS_CREATE, create_request, COMPUTATION, on_create),
	JUDGED(PROTO_COMPUTATIONS_IMPORT, import_request,
	       &computations__import_response__descriptor, admin_import),
	METHOD(PROTO_COMPUTATIONS_EXPORT, RPC_UNARY, export_request,
	       &computations__export_response__descriptor, admin_export),
	METHOD(PROTO_COMPUTATIONS_LIST, RPC_UNARY, list_request,
	       &computations__list_response__descriptor, list_computations),
	METHOD(PROTO_COMPUTATIONS_SHOW, RPC_UNARY, computation_request, COMPUTATION, on_show),
	METHOD(PROTO_COMPUTATIONS_MANIFEST, RPC_UNARY, computation_request,
	       &computations__manifest_response__descriptor, on_manifest),
	METHOD(PROTO_COMPUTATIONS_RUN, RPC_UNARY, run_request, COMPUTATION, admin_run),
	METHOD(PROTO_COMPUTATIONS_STOP, RPC_UNARY, computation_request, COMPUTATION, on_stop),
	METHOD(PROTO_COMPUTATIONS_REMOVE, RPC_UNARY, remove_request,
	       &google__protobuf__empty__descriptor, on_remove),
	METHOD(PROTO_COMPUTATIONS_RENAME, RPC_UNARY, rename_request, COMPUTATION, admin_rename),
	JUDGED(PROTO_COMPUTATIONS_UPDATE, update_request, COMPUTATION, on_update),
	METHOD(PROTO_COMPUTATIONS_JOURNAL, RPC_UNARY, journal_request,
	       &computations__journal_response__descriptor, admin_journal),
	METHOD(PROTO_COMPUTATIONS_WITNESS, RPC_UNARY, witness_request,
	       &computations__witness_response__descriptor, admin_witness),
	METHOD(PROTO_COMPUTATIONS_WITNESS_LEAVES, RPC_UNARY, witness_leaves_request,
	       &computations__witness_leaves_response__descriptor, admin_witness_leaves),
	METHOD(PROTO_COMPUTATIONS_AUDIT, RPC_UNARY, audit_request,
	       &computations__audit_response__descriptor, admin_audit_log),
	METHOD(PROTO_COMPUTATIONS_TRIM_AUDIT, RPC_UNARY, trim_audit_request,
	       &google__protobuf__empty__descriptor, admin_audit_trim),
	METHOD(PROTO_COMPUTATIONS_LIST_CVMS, RPC_UNARY, list_request,
	       &computations__list_cvms_response__descriptor, list_cvms),
	METHOD(PROTO_COMPUTATIONS_SHOW_CVM, RPC_UNARY, cvm_request, &computations__cvm__descriptor,
	       list_show_cvm),
	METHOD(PROTO_COMPUTATIONS_RELEASE_CVM, RPC_UNARY, cvm_request,
	       &computations__cvm__descriptor, list_release_cvm),
	METHOD(PROTO_COMPUTATIONS_CREATE_CVM, RPC_UNARY, create_cvm_request,
	       &computations__machine__descriptor, admin_create_cvm),
	METHOD(PROTO_COMPUTATIONS_REMOVE_CVM, RPC_UNARY, remove_cvm_request,
	       &computations__machine__descriptor, admin_remove_cvm),
	METHOD(PROTO_COMPUTATIONS_LIST_MACHINES, RPC_UNARY, list_request,
	       &computations__list_machines_response__descriptor, admin_list_machines),
	METHOD(PROTO_COMPUTATIONS_SHOW_MACHINE, RPC_UNARY, machine_request,
	       &computations__machine__descriptor, admin_show_machine),
	METHOD(PROTO_COMPUTATIONS_USAGE, RPC_UNARY, usage_request,
	       &computations__usage_response__descriptor, admin_usage),
	{
		.method = { PROTO_COMPUTATIONS_LOGS, RPC_SERVER_STREAM,
			    &computations__logs_request__descriptor,
			    &computations__record__descriptor },
		.message = logs_start,
		.writable = logs_writable,
		.closed = logs_closed,
	},
	{
		.method = { PROTO_COMPUTATIONS_CONSOLE, RPC_SERVER_STREAM,
			    &computations__console_request__descriptor,
			    &computations__console_part__descriptor },
		.message = admin_console,
		.writable = admin_console_writable,
		.closed = admin_console_closed,
	},
};

const struct rpc_service admin_rpc = {
	.name = PROTO_COMPUTATIONS_SERVICE,
	.handlers = handlers,
	.count = ARRAY_LEN(handlers),
	.descriptors = &proto_computations_set,
};
