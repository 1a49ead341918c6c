/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/admin/admin_calls.h"

#include "billing.pb-c.h"
#include "billing_paths.h"
#include "certificates.pb-c.h"
#include "certificates_paths.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/crypto/keyed_rate.h"
#include "common/rpc/call_local.h"
#include "computations.pb-c.h"
#include "computations/admin/admin_audit.h"
#include "computations/core/admin_access.h"
#include "computations/core/call_rate.h"
#include "computations/core/ending_call.h"
#include "computations/people/credential.h"
#include "computations/people/token.h"
#include "computations/store/store_queue.h"
#include "computations_paths.h"
#include "people.pb-c.h"
#include "people_paths.h"
#include "webhooks.pb-c.h"
#include "webhooks_paths.h"
#include "workflows.pb-c.h"
#include "workflows_paths.h"

#include <stdlib.h>
#include <string.h>

#define READS(path_) { .path = path_, .reads = true }
#define CHANGES(path_, ...)                              \
	{                                                \
		.path = path_, .fields = { __VA_ARGS__ } \
	}
#define PROVEN(path_, ...)                                                  \
	{                                                                   \
		.path = path_, .is_proven = true, .fields = { __VA_ARGS__ } \
	}
#define TEXT   CALL_AUDIT_TEXT
#define FLAG   CALL_AUDIT_FLAG
#define NUMBER CALL_AUDIT_NUMBER
#define WEBHOOK                                              \
	NUMBER("webhook", Webhooks__WebhookRequest, number), \
		TEXT("workspace", Webhooks__WebhookRequest, workspace)
#define BILLING_PLACE                                 \
	TEXT("account", Billing__PlaceRequest, name), \
		TEXT("workspace", Billing__PlaceRequest, workspace)
#define WORKSPACE_MEMBER                                              \
	TEXT("workspace", People__WorkspaceMemberRequest, workspace), \
		TEXT("user", People__WorkspaceMemberRequest, user)

const struct call_audit_method admin_calls_methods[] = {
	CHANGES(PROTO_COMPUTATIONS_CREATE,
		CALL_AUDIT_INNER("id", Computations__CreateRequest, manifest,
				 Cvms__ComputationRunReq, id),
		TEXT("workspace", Computations__CreateRequest, workspace)),
	CHANGES(PROTO_COMPUTATIONS_IMPORT, FLAG("preview", Computations__ImportRequest, preview),
		TEXT("workspace", Computations__ImportRequest, workspace)),
	CHANGES(PROTO_COMPUTATIONS_RUN, TEXT("id", Computations__RunRequest, id),
		TEXT("cvm", Computations__RunRequest, cvm_id),
		FLAG("unverified", Computations__RunRequest, unverified),
		FLAG("again", Computations__RunRequest, again),
		FLAG("new_cvm", Computations__RunRequest, new_cvm)),
	CHANGES(PROTO_COMPUTATIONS_STOP, TEXT("id", Computations__ComputationRequest, id)),
	CHANGES(PROTO_COMPUTATIONS_REMOVE, TEXT("id", Computations__RemoveRequest, id),
		FLAG("force", Computations__RemoveRequest, force)),
	CHANGES(PROTO_COMPUTATIONS_RENAME, TEXT("id", Computations__RenameRequest, id),
		TEXT("to", Computations__RenameRequest, name),
		FLAG("keep_description", Computations__RenameRequest, keep_description)),
	CHANGES(PROTO_COMPUTATIONS_UPDATE, CALL_AUDIT_INNER("id", Computations__UpdateRequest,
							    manifest, Cvms__ComputationRunReq, id)),
	CHANGES(PROTO_COMPUTATIONS_RELEASE_CVM, TEXT("id", Computations__CvmRequest, id)),
	CHANGES(PROTO_COMPUTATIONS_CREATE_CVM, TEXT("name", Computations__CreateCvmRequest, name),
		TEXT("workspace", Computations__CreateCvmRequest, workspace),
		TEXT("manager", Computations__CreateCvmRequest, manager)),
	CHANGES(PROTO_COMPUTATIONS_REMOVE_CVM, TEXT("name", Computations__RemoveCvmRequest, name),
		TEXT("workspace", Computations__RemoveCvmRequest, workspace),
		FLAG("force", Computations__RemoveCvmRequest, force)),
	READS(PROTO_COMPUTATIONS_CONSOLE),
	READS(PROTO_COMPUTATIONS_LIST_MACHINES),
	READS(PROTO_COMPUTATIONS_SHOW_MACHINE),
	READS(PROTO_COMPUTATIONS_USAGE),
	READS(PROTO_COMPUTATIONS_EXPORT),
	READS(PROTO_COMPUTATIONS_LIST),
	READS(PROTO_COMPUTATIONS_SHOW),
	READS(PROTO_COMPUTATIONS_MANIFEST),
	READS(PROTO_COMPUTATIONS_LOGS),
	READS(PROTO_COMPUTATIONS_JOURNAL),
	READS(PROTO_COMPUTATIONS_WITNESS),
	READS(PROTO_COMPUTATIONS_WITNESS_LEAVES),
	READS(PROTO_COMPUTATIONS_AUDIT),
	CHANGES(PROTO_COMPUTATIONS_TRIM_AUDIT,
		TEXT("through", Computations__TrimAuditRequest, through)),
	READS(PROTO_COMPUTATIONS_LIST_CVMS),
	READS(PROTO_COMPUTATIONS_SHOW_CVM),
	CHANGES(PROTO_PEOPLE_ADD_USER, TEXT("user", People__AddUserRequest, name),
		FLAG("administrator", People__AddUserRequest, administrator),
		FLAG("auditor", People__AddUserRequest, auditor),
		TEXT("workspace", People__AddUserRequest, workspace)),
	CHANGES(PROTO_PEOPLE_SUSPEND_USER, TEXT("user", People__SuspendUserRequest, name),
		FLAG("resume", People__SuspendUserRequest, resume)),
	CHANGES(PROTO_PEOPLE_SET_AUDITOR, TEXT("user", People__SetAuditorRequest, name),
		FLAG("end", People__SetAuditorRequest, end)),
	CHANGES(PROTO_PEOPLE_REMOVE_USER, TEXT("user", People__UserRequest, name)),
	CHANGES(PROTO_PEOPLE_ADD_TOKEN, TEXT("user", People__AddTokenRequest, user),
		TEXT("token", People__AddTokenRequest, name)),
	CHANGES(PROTO_PEOPLE_REVOKE_TOKEN, TEXT("user", People__TokenRequest, user),
		TEXT("token", People__TokenRequest, name)),
	CHANGES(PROTO_PEOPLE_END_TOKEN, ),
	CHANGES(PROTO_PEOPLE_ASK_LOGIN, TEXT("about", People__AskLoginRequest, about)),
	PROVEN(PROTO_PEOPLE_TAKE_LOGIN, ),
	CHANGES(PROTO_PEOPLE_SET_PASSWORD, TEXT("user", People__SetPasswordRequest, user)),
	CHANGES(PROTO_PEOPLE_ADD_LINK, TEXT("user", People__UserRequest, name)),
	CHANGES(PROTO_PEOPLE_REMOVE_FACTOR, TEXT("user", People__UserRequest, name)),
	CHANGES(PROTO_PEOPLE_REMOVE_PASSKEYS, TEXT("user", People__UserRequest, name)),
	CHANGES(PROTO_PEOPLE_REMOVE_IDENTITY, TEXT("user", People__IdentityRequest, user)),
	CHANGES(PROTO_PEOPLE_END_SESSION, TEXT("user", People__SessionRequest, user)),
	CHANGES(PROTO_PEOPLE_REGISTER_KEY, TEXT("id", People__RegisterKeyRequest, computation_id)),
	CHANGES(PROTO_PEOPLE_RETIRE_KEY, TEXT("user", People__RetireKeyRequest, user)),
	CHANGES(PROTO_PEOPLE_CONFIRM, TEXT("id", People__ConfirmRequest, computation_id)),
	CHANGES(PROTO_PEOPLE_DEFINE_ROLE, TEXT("id", People__DefineRoleRequest, computation_id),
		TEXT("role", People__DefineRoleRequest, role)),
	CHANGES(PROTO_PEOPLE_GIVE_ROLE, TEXT("id", People__MemberRequest, computation_id),
		TEXT("role", People__MemberRequest, role),
		TEXT("user", People__MemberRequest, user)),
	CHANGES(PROTO_PEOPLE_TAKE_ROLE, TEXT("id", People__MemberRequest, computation_id),
		TEXT("role", People__MemberRequest, role),
		TEXT("user", People__MemberRequest, user)),
	READS(PROTO_PEOPLE_POLL_LOGIN),
	CHANGES(PROTO_PEOPLE_REGISTER_ASSET,
		TEXT("workspace", People__RegisterAssetRequest, workspace),
		TEXT("asset", People__RegisterAssetRequest, name)),
	CHANGES(PROTO_PEOPLE_UPDATE_ASSET, TEXT("workspace", People__UpdateAssetRequest, workspace),
		TEXT("asset", People__UpdateAssetRequest, name),
		TEXT("to", People__UpdateAssetRequest, to)),
	CHANGES(PROTO_PEOPLE_REMOVE_ASSET, TEXT("workspace", People__AssetRequest, workspace),
		TEXT("asset", People__AssetRequest, name)),
	CHANGES(PROTO_PEOPLE_LINK_ASSET, TEXT("workspace", People__LinkAssetRequest, workspace),
		TEXT("asset", People__LinkAssetRequest, name),
		TEXT("id", People__LinkAssetRequest, computation_id)),
	READS(PROTO_PEOPLE_LIST_ASSETS),
	READS(PROTO_PEOPLE_SHOW_ASSET),
	CHANGES(PROTO_PEOPLE_ADD_WORKSPACE, TEXT("workspace", People__WorkspaceRequest, name)),
	CHANGES(PROTO_PEOPLE_RENAME_WORKSPACE,
		TEXT("workspace", People__RenameWorkspaceRequest, name),
		TEXT("to", People__RenameWorkspaceRequest, to)),
	CHANGES(PROTO_PEOPLE_REMOVE_WORKSPACE, TEXT("workspace", People__WorkspaceRequest, name)),
	CHANGES(PROTO_PEOPLE_LEAVE_WORKSPACE, TEXT("workspace", People__WorkspaceRequest, name)),
	CHANGES(PROTO_PEOPLE_TRANSFER_WORKSPACE, WORKSPACE_MEMBER),
	CHANGES(PROTO_PEOPLE_ADD_MEMBER, WORKSPACE_MEMBER,
		TEXT("role", People__WorkspaceMemberRequest, role)),
	CHANGES(PROTO_PEOPLE_SET_MEMBER, WORKSPACE_MEMBER,
		TEXT("role", People__WorkspaceMemberRequest, role)),
	CHANGES(PROTO_PEOPLE_SUSPEND_MEMBER, WORKSPACE_MEMBER,
		FLAG("resume", People__WorkspaceMemberRequest, resume)),
	CHANGES(PROTO_PEOPLE_REMOVE_MEMBER, WORKSPACE_MEMBER),
	CHANGES(PROTO_PEOPLE_INVITE, TEXT("workspace", People__InviteRequest, workspace),
		TEXT("role", People__InviteRequest, role),
		TEXT("mail", People__InviteRequest, mail)),
	CHANGES(PROTO_PEOPLE_REVOKE_INVITATION,
		TEXT("workspace", People__InvitationRequest, workspace)),
	CHANGES(PROTO_PEOPLE_TAKE_INVITATION, ),
	READS(PROTO_PEOPLE_LIST_INVITATIONS),
	READS(PROTO_PEOPLE_LIST_WORKSPACES),
	READS(PROTO_PEOPLE_SHOW_WORKSPACE),
	READS(PROTO_PEOPLE_LIST_MEMBERS),
	READS(PROTO_PEOPLE_LIST_USERS),
	READS(PROTO_PEOPLE_LIST_TOKENS),
	READS(PROTO_PEOPLE_LIST_IDENTITIES),
	READS(PROTO_PEOPLE_LIST_SESSIONS),
	READS(PROTO_PEOPLE_CHALLENGE_KEY),
	READS(PROTO_PEOPLE_LIST_KEYS),
	READS(PROTO_PEOPLE_FIND_KEY),
	READS(PROTO_PEOPLE_LIST_KEY_OWNERS),
	READS(PROTO_PEOPLE_LIST_CONFIRMATIONS),
	READS(PROTO_PEOPLE_LIST_ROLES),
	READS(PROTO_PEOPLE_WHOAMI),
	CHANGES(PROTO_CERTIFICATES_ADD_TOKEN, TEXT("name", Certificates__TokenRequest, name),
		TEXT("role", Certificates__TokenRequest, role)),
	PROVEN(PROTO_CERTIFICATES_ISSUE, ),
	PROVEN(PROTO_CERTIFICATES_RENEW, TEXT("serial", Certificates__RenewRequest, serial)),
	CHANGES(PROTO_CERTIFICATES_REVOKE, TEXT("serial", Certificates__RevokeRequest, serial)),
	READS(PROTO_CERTIFICATES_AUTHORITY),
	READS(PROTO_CERTIFICATES_LIST),
	CHANGES(PROTO_WEBHOOKS_CREATE, TEXT("workspace", Webhooks__CreateRequest, workspace)),
	CHANGES(PROTO_WEBHOOKS_ENABLE, WEBHOOK),
	CHANGES(PROTO_WEBHOOKS_DISABLE, WEBHOOK),
	CHANGES(PROTO_WEBHOOKS_ROTATE, WEBHOOK),
	CHANGES(PROTO_WEBHOOKS_DELETE, WEBHOOK),
	CHANGES(PROTO_WEBHOOKS_REDELIVER, NUMBER("webhook", Webhooks__RedeliverRequest, number),
		NUMBER("delivery", Webhooks__RedeliverRequest, delivery),
		TEXT("workspace", Webhooks__RedeliverRequest, workspace)),
	READS(PROTO_WEBHOOKS_LIST),
	READS(PROTO_WEBHOOKS_SHOW),
	READS(PROTO_WEBHOOKS_DELIVERIES),
	CHANGES(PROTO_WORKFLOWS_SUBMIT, TEXT("workspace", Workflows__SubmitRequest, workspace),
		TEXT("name", Workflows__SubmitRequest, name)),
	READS(PROTO_WORKFLOWS_LIST),
	READS(PROTO_WORKFLOWS_GET),
	CHANGES(PROTO_WORKFLOWS_CANCEL, TEXT("workflow", Workflows__WorkflowRequest, id)),
	READS(PROTO_WORKFLOWS_GET_OUTPUT),
	CHANGES(PROTO_WORKFLOWS_REGISTER_EXECUTOR,
		TEXT("workspace", Workflows__RegisterExecutorRequest, workspace),
		TEXT("type", Workflows__RegisterExecutorRequest, type)),
	READS(PROTO_WORKFLOWS_LIST_EXECUTORS),
	CHANGES(PROTO_WORKFLOWS_REMOVE_EXECUTOR, ),
	/* Asked every few seconds; what it leads to is said when the node ends. */
	READS(PROTO_WORKFLOWS_TAKE_NODE),
	READS(PROTO_WORKFLOWS_GET_NODE_INPUT),
	READS(PROTO_WORKFLOWS_RENEW_NODE),
	CHANGES(PROTO_WORKFLOWS_FINISH_NODE, TEXT("workflow", Workflows__FinishNodeRequest, id)),
	CHANGES(PROTO_BILLING_CREATE, TEXT("account", Billing__CreateRequest, name),
		TEXT("plan", Billing__CreateRequest, plan)),
	CHANGES(PROTO_BILLING_SET_PLAN, TEXT("account", Billing__SetPlanRequest, name),
		TEXT("plan", Billing__SetPlanRequest, plan)),
	CHANGES(PROTO_BILLING_GIVE, BILLING_PLACE),
	CHANGES(PROTO_BILLING_TAKE, BILLING_PLACE),
	CHANGES(PROTO_BILLING_REMOVE, TEXT("account", Billing__AccountRequest, name)),
	READS(PROTO_BILLING_LIST),
	READS(PROTO_BILLING_SHOW),
	READS(PROTO_BILLING_PLANS),
};
const size_t admin_calls_methods_count = ARRAY_LEN(admin_calls_methods);

/* Of the token or session that the call shows; false: it shows none that could be one. */
static bool hash_of(const struct rpc_call *call, uint8_t hash[SHA256_LEN])
{
	const char *word = rpc_metadata_text(rpc_call_metadata(call), "authorization", 0);
	const struct admin_given *given = rpc_call_given(call);
	const char *token = word ? admin_access_bearer(word) : NULL;
	struct err ignored;

	if (given) {
		memcpy(hash, given->caller.hash, SHA256_LEN);
		return given->caller.has_token || given->caller.has_login;
	}
	return token && token_hash(token, hash, &ignored) == 0;
}

/* Whom the listener has let in with nothing to show. */
static bool is_stranger(struct admin_calls *calls, const struct rpc_call *call)
{
	const struct rpc_identity who = rpc_call_identity(call);
	const struct admin_given *given = rpc_call_given(call);
	uint8_t hash[SHA256_LEN];

	/* A page's listener lets everybody of this machine in. */
	if (given ? given->is_proven : !calls->sign_in)
		return false;
	if (who.has_uid || who.key)
		return false;
	return !hash_of(call, hash) || !known_hash_is(&calls->known, hash);
}

/* `by` is noted of a token that is somebody's. */
static void learn(struct admin_calls *calls, const struct rpc_call *call, const struct err *e)
{
	size_t count;
	const struct rpc_fact *facts = rpc_call_facts(call, &count);
	uint8_t hash[SHA256_LEN];

	if (!hash_of(call, hash))
		return;
	if (e && e->code == ERR_UNAUTHENTICATED) {
		known_hash_forget(&calls->known, hash);
		return;
	}
	for (size_t i = 0; i < count; i++)
		if (strcmp(facts[i].key, "by") == 0)
			known_hash_learn(&calls->known, hash, facts[i].value);
}

/* A login that a stranger begins: how many wait is shared out (device.h), so that one from elsewhere always finds a place. Other
 * calls of strangers take nothing from it. */
static int admit_login(struct admin_calls *calls, struct rpc_call *call,
		       const ProtobufCMessage *message, struct err *e)
{
	const struct rpc_source source = rpc_call_source(call);
	int64_t wait;

	if (keyed_rate_take(calls->logins, source.bytes, RPC_SOURCE_LEN, clock_ms(CLOCK_BOOTTIME),
			    &wait, e) < 0)
		return err_code(e);
	if (!wait)
		return call_audit_admit_open(&calls->audit, call, message, e);
	return err_set(e, ERR_EXHAUSTED,
		       "too many logins were begun from your address: try again in a minute");
}

/* The page's own calls were counted as its requests. What takes away what others could do with what is one's is never put off
 * by these. */
static int check_rate(struct admin_calls *calls, const struct rpc_call *call, struct err *e)
{
	uint8_t hash[SHA256_LEN];
	uint64_t account;
	int64_t seconds;

	if (rpc_call_given(call) || ending_call_is(rpc_call_method(call)->path) ||
	    !hash_of(call, hash))
		return 0;
	account = known_hash_account(&calls->known, hash);
	if (!account)
		return 0;
	return call_rate_take(calls->rate, account, rpc_call_peer(call), call_rate_now(), &seconds,
			      e);
}

static int admit(void *data, struct rpc_call *call, const ProtobufCMessage *message, struct err *e)
{
	const struct admin_given *given = rpc_call_given(call);
	struct admin_calls *calls = data;

	if (check_rate(calls, call, e) < 0)
		return err_code(e);
	if (given && !rpc_call_note(call, "via", given->via))
		return err_nomem(e);
	if (is_stranger(calls, call) &&
	    strcmp(rpc_call_method(call)->path, PROTO_PEOPLE_ASK_LOGIN) == 0)
		return admit_login(calls, call, message, e);
	if (is_stranger(calls, call))
		return call_audit_admit_stranger(&calls->audit, call, message, e);
	return call_audit_admit(&calls->audit, call, message, e);
}

static int enter(void *data, struct rpc_call *call, struct err *e)
{
	struct admin_calls *calls = data;

	return call_audit_enter(&calls->audit, call, e);
}

static void ended(void *data, const struct rpc_call *call, bool admitted, const struct err *e)
{
	struct admin_calls *calls = data;

	learn(calls, call, e);
	call_audit_ended(&calls->audit, call, admitted, e);
	if (calls->metrics)
		call_metrics_ended(calls->metrics, call, e);
}

const struct rpc_observer admin_calls_observer = { .admit = admit, .enter = enter, .ended = ended };

/* Of one address as many as have entries of its refusals; of all as many as come. */
static const struct keyed_rate_form login_rate = {
	.each = { AUDIT_LIMIT_MS, AUDIT_LIMIT_BURST },
	.sets = ADMIN_CALLS_LOGIN_SETS,
	.ways = ADMIN_CALLS_LOGIN_WAYS,
};

int admin_calls_open(struct admin_calls *calls, const struct config *config, struct err *e)
{
	*calls = (struct admin_calls){ .audit = { .methods = admin_calls_methods,
						  .count = admin_calls_methods_count },
				       .sign_in = config->admin_sign_in };
	if (keyed_rate_new(&login_rate, &calls->logins, e) < 0 ||
	    call_rate_new(config->max_calls, &calls->rate, e) < 0)
		return err_code(e);
	return call_audit_open(&calls->audit, "cocos-computations", config->audit_log, e);
}

/* Whoever showed a token before this program was started is no stranger at his first call. */
struct known_load {
	struct admin_calls *calls;
	size_t count;
	struct credential_hash hashes[KNOWN_HASH_WAYS * KNOWN_HASH_SETS];
};

static int run_load(struct store *store, void *data, struct err *e)
{
	struct known_load *load = data;

	return credential_newest(&store->db, store_now(), ARRAY_LEN(load->hashes), load->hashes,
				 &load->count, e);
}

/* The one that was used last is learned last, and so gives way last. */
static void loaded(void *data, const struct err *e)
{
	struct known_load *load = data;

	if (e)
		log_warn("whose tokens there are is not known before they are shown: %s", e->text);
	for (size_t i = e ? 0 : load->count; i > 0; i--)
		known_hash_learn(&load->calls->known, load->hashes[i - 1].bytes,
				 load->hashes[i - 1].user);
	free(load);
}

static void load_known(struct admin_calls *calls, struct store_queue *queue)
{
	struct known_load *load = calloc(1, sizeof(*load));
	struct err e;

	if (!load) {
		log_warn("whose tokens there are is not known before they are shown: no memory");
		return;
	}
	load->calls = calls;
	if (store_queue_add(queue, &(struct store_queue_op){ run_load, loaded, load }, &e) < 0)
		loaded(load, &e);
}

void admin_calls_keep(struct admin_calls *calls, struct store_queue *queue)
{
	calls->audit.keep_data = queue;
	calls->audit.keep = admin_audit_keep;
	load_known(calls, queue);
}

void admin_calls_keep_no_more(struct admin_calls *calls)
{
	call_audit_flush(&calls->audit);
	calls->audit.keep = NULL;
}

void admin_calls_close(struct admin_calls *calls)
{
	call_audit_close(&calls->audit);
	keyed_rate_free(TAKE_PTR(calls->logins));
	call_rate_free(TAKE_PTR(calls->rate));
}
