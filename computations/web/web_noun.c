/* SPDX-License-Identifier: Apache-2.0 */
/* web_noun.c — the table of nouns: one with web_json.c and the others here that write JSON. */
#include "computations/web/web_noun.h"

#include "common/base/cleanup.h"
#include "computations/ca/ca_role.h"
#include "computations/hook/hook_delivery.h"
#include "computations/machines/machine_free.h"
#include "computations/mail/mail.h"
#include "computations/people/action.h"
#include "computations/people/asset.h"
#include "computations/people/membership.h"
#include "computations/store/state.h"
#include "computations/web/web_security.h"
#include "computations/workflow/workflow_row.h"

/* ---- words ---- */

#define OF_TABLE(name_, count, word)              \
	static const char *name_(unsigned k)      \
	{                                         \
		return k < (count) ? word : NULL; \
	}
/* Where who writes them has no table. */
#define OF_THESE(name_, ...)                                        \
	static const char *name_(unsigned k)                        \
	{                                                           \
		static const char *const words[] = { __VA_ARGS__ }; \
		return k < ARRAY_LEN(words) ? words[k] : NULL;      \
	}

OF_TABLE(action, ACTIONS, action_name((enum people_action)k))
OF_TABLE(asset_type, ASSET_TYPES, asset_type_name((enum asset_type)k))
OF_TABLE(ca_role, CA_ROLES, ca_roles[k].name)
OF_TABLE(computation_state, COMPUTATION_STATES, state_words((enum computation_state)k))
OF_TABLE(delivery_state, HOOK_STATES, hook_state_name((enum hook_state)k))
OF_TABLE(free_tee, MACHINE_FREE_TEES, machine_free_tees[k])
OF_TABLE(member_role, MEMBERSHIPS - 1, membership_rules[k + 1].name)
OF_TABLE(node_state, NODE_STATES, node_state_name((enum node_state)k))
OF_TABLE(seen_role, MEMBERSHIPS, membership_rules[k].name) /* "": who administers the service */
OF_TABLE(workflow_state, WORKFLOW_STATES, workflow_state_name((enum workflow_state)k))
OF_THESE(ca_state, "open", "issued", "revoked", "ended")                   /* ca_record_state() */
OF_THESE(key_as, "algorithm", "dataset", "results")                        /* web_key.c */
OF_THESE(machine_word, "Provisioning", "Ready", "Busy", "Lost", "Removed") /* machine_state() */
OF_THESE(usage_word, "computation", "others", "idle")                      /* usage_kind() */

static const char *mail_state(unsigned k)
{
	return mail_state_name(k);
}

static const char *security(unsigned k)
{
	return web_modes[k].word ? web_modes[k].label : NULL;
}

/* ---- members ---- */

#define IS(name_, kind_, ...)     { .name = name_, .kind = MEMBER_##kind_, ##__VA_ARGS__ }
#define TEXT(name_)               IS(name_, TEXT)
#define FLAG(name_)               IS(name_, FLAG)
#define COUNT(name_)              IS(name_, COUNT)
#define DIGEST(name_)             IS(name_, DIGEST)
#define TIME(name_)               IS(name_, TIME)
#define TIME_OR_NULL(name_)       IS(name_, TIME, .may_be_null = true)
#define COUNT_OR_NULL(name_)      IS(name_, COUNT, .may_be_null = true)
#define WORD(name_, word_)        IS(name_, WORD, .word = (word_))
#define WORDS(name_, word_)       IS(name_, WORD, .word = (word_), .is_list = true)
#define TEXTS(name_)              IS(name_, TEXT, .is_list = true)
#define ONE(name_, noun_)         IS(name_, NOUN, .noun = NOUN_##noun_)
#define ONE_OR_NULL(name_, noun_) IS(name_, NOUN, .noun = NOUN_##noun_, .may_be_null = true)
#define MANY(name_, noun_)        IS(name_, NOUN, .noun = NOUN_##noun_, .is_list = true)
#define MAYBE(name_, kind_)       IS(name_, kind_, .may_lack = true)
#define MAYBE_ONE(name_, noun_)   IS(name_, NOUN, .noun = NOUN_##noun_, .may_lack = true)
#define NEXT                      IS("next", TEXT, .may_be_null = true)

#define OF_COMPUTATION                                                                           \
	TEXT("id"), TEXT("name"), TEXT("workspace"), WORD("state", computation_state),           \
		TEXT("agent_state"), TEXT("cvm_id"), FLAG("cvm_connected"), TEXT("cvm_verdict"), \
		FLAG("stopping"), FLAG("finished"), TIME_OR_NULL("created"),                     \
		TIME_OR_NULL("changed"), TIME_OR_NULL("sent"), TIME_OR_NULL("ended"),            \
		DIGEST("manifest_digest"), COUNT("records"), COUNT("records_dropped"),           \
		COUNT("datasets_count"), COUNT("consumers_count")
#define OF_ACCOUNT                                                                          \
	TEXT("account"), TEXT("plan"), TEXT("maker"), TIME("created"), COUNT("workspaces"), \
		ONE_OR_NULL("limits", PLAN)
#define OF_ASSET                                                                               \
	TEXT("workspace"), TEXT("name"), WORD("type", asset_type), TEXT("mime_type"),          \
		TEXT("description"), DIGEST("digest"), TEXT("owner"), TIME_OR_NULL("created"), \
		TIME_OR_NULL("changed")
#define OF_WORKFLOW                                                                          \
	TEXT("id"), TEXT("name"), WORD("state", workflow_state), TEXT("reason"),             \
		TEXT("submitter"), DIGEST("key"), COUNT("nodes_total"), COUNT("nodes_done"), \
		MAYBE("created", TIME), MAYBE("ended", TIME), MAYBE("expires", TIME)
#define OF_PROCESSING COUNT("cvm_ms"), COUNT("cpu_ms"), COUNT("memory_mib_seconds")
#define OF_TRAFFIC    COUNT("bytes_in"), COUNT("bytes_out"), COUNT("storage_mib_seconds")
#define OF_HOURS \
	COUNT_OR_NULL("cvm_hours"), COUNT_OR_NULL("cpu_hours"), COUNT_OR_NULL("memory_gib_hours")
#define OF_PART MAYBE("at", TIME), MAYBE("size", COUNT), MAYBE("kept", FLAG)

#define NOUN(noun_, name_, ...)                                                      \
	[NOUN_##noun_] = { .name = name_,                                            \
			   .members = (const struct web_noun_member[]){ __VA_ARGS__, \
									{ .name = NULL } } }

const struct web_noun web_nouns[NOUNS] = {
	NOUN(ACCOUNT, "Account", OF_ACCOUNT, TEXT("month"), OF_PROCESSING, TEXTS("pays_for")),
	NOUN(ACCOUNT_ROW, "AccountRow", OF_ACCOUNT),
	NOUN(ALGORITHM, "Algorithm", TEXT("type"), DIGEST("digest"), DIGEST("provider_key")),
	NOUN(ASSET, "Asset", OF_ASSET, TEXTS("computations")),
	NOUN(ASSET_ROW, "AssetRow", OF_ASSET),
	NOUN(ASSETS, "Assets", MANY("assets", ASSET_ROW), NEXT),
	NOUN(AUDIT, "Audit", TEXT("head"), MANY("rows", AUDIT_ROW), NEXT),
	NOUN(AUDIT_ROW, "AuditRow", COUNT("number"), COUNT("time"), TEXT("who"), TEXT("from"),
	     TEXT("what"), TEXT("object"), TEXT("about"), TEXT("before"), TEXT("after"),
	     TEXT("outcome"), TEXT("cause"), DIGEST("digest")),
	NOUN(AUTHORITY, "Authority", TEXT("name"), TEXT("fingerprint"), TIME_OR_NULL("expires"),
	     TEXT("crl"), TEXT("ocsp")),
	NOUN(BILLING, "Billing", MANY("plans", PLAN), MANY("accounts", ACCOUNT_ROW), NEXT),
	NOUN(CERTIFICATE, "Certificate", COUNT("number"), TEXT("serial"), TEXT("name"),
	     WORD("role", ca_role), WORD("state", ca_state), TEXT("maker"), TEXT("key"),
	     TEXT("line"), COUNT("renewal"), TIME_OR_NULL("created"), TIME_OR_NULL("issued"),
	     TIME_OR_NULL("expires"), TIME_OR_NULL("revoked")),
	NOUN(CERTIFICATES, "Certificates", ONE_OR_NULL("authority", AUTHORITY),
	     ONE_OR_NULL("authority_before", AUTHORITY), MANY("certificates", CERTIFICATE), NEXT),
	NOUN(COMPUTATION, "Computation", OF_COMPUTATION, TEXT("description"), TEXT("failure"),
	     TEXT("notice"), TEXT("new_cvm"), MAYBE_ONE("algorithm", ALGORITHM),
	     MANY("datasets", DATASET), MANY("result_consumers", CONSUMER),
	     WORD("security", security)),
	NOUN(COMPUTATION_ROW, "ComputationRow", OF_COMPUTATION),
	NOUN(COMPUTATIONS, "Computations", MANY("computations", COMPUTATION_ROW), NEXT),
	NOUN(CONFIRMATION, "Confirmation", TEXT("user"), DIGEST("key"), DIGEST("manifest_digest"),
	     COUNT("revision"), IS("signature", BYTES), TIME_OR_NULL("confirmed"), FLAG("stale"),
	     FLAG("retired")),
	NOUN(CONFIRMATIONS, "Confirmations", DIGEST("manifest_digest"), COUNT("revision"),
	     MANY("confirmations", CONFIRMATION)),
	NOUN(CONSUMER, "Consumer", DIGEST("key")),
	NOUN(CVM, "Cvm", TEXT("id"), FLAG("connected"), TEXT("agent_state"), TEXT("computation_id"),
	     TEXT("peer"), TEXT("client_key"), FLAG("verified"), TEXT("verdict"),
	     TIME_OR_NULL("judged"), TIME_OR_NULL("first_seen"), TIME_OR_NULL("last_seen")),
	NOUN(CVMS, "Cvms", MANY("cvms", CVM), NEXT),
	NOUN(DATASET, "Dataset", TEXT("filename"), DIGEST("digest"), DIGEST("provider_key"),
	     FLAG("decompress")),
	NOUN(DELIVERIES, "Deliveries", MANY("deliveries", DELIVERY), NEXT),
	NOUN(DELIVERY, "Delivery", COUNT("number"), TEXT("id"), WORD("event", hook_event_name),
	     WORD("state", delivery_state), COUNT("tries"), COUNT("status"), TEXT("problem"),
	     TIME_OR_NULL("created"), TIME_OR_NULL("tried"), TIME_OR_NULL("due")),
	NOUN(EVIDENCE, "Evidence", TEXT("cvm_id"), COUNT("attempt"), FLAG("verified"),
	     TEXT("verdict"), TIME("judged"), IS("nonce", BYTES), MAYBE("manifest_digest", DIGEST),
	     MANY("files", EVIDENCE_FILE), TEXT("command")),
	NOUN(EVIDENCE_FILE, "EvidenceFile", TEXT("name"), COUNT("size"), DIGEST("sha256")),
	NOUN(EVIDENCE_LAST, "EvidenceLast", ONE_OR_NULL("evidence", EVIDENCE)),
	[NOUN_EXPORT] = { .name = "Export", .items = NOUN_EXPORTED },
	NOUN(EXPORTED, "Exported", ONE("computation", EXPORTED_HEAD), MANY("roles", EXPORTED_ROLE),
	     MANY("assets", EXPORTED_ASSET), MANY("asset_links", EXPORTED_LINK), TEXT("manifest")),
	NOUN(EXPORTED_ASSET, "ExportedAsset", TEXT("file_name"), TEXT("id"), TEXT("UserID"),
	     TEXT("description"), WORD("asset_type", asset_type), TEXT("asset"), TIME("created_at"),
	     DIGEST("Checksum"), TEXT("mime_type"),
	     IS("Computations", TEXT, .is_list = true, .may_be_null = true), TEXT("UserKey")),
	NOUN(EXPORTED_CONFIG, "ExportedConfig", TEXT("log_level"), TEXT("cert_file"),
	     TEXT("server_key"), TEXT("server_ca_file"), TEXT("client_ca_file"),
	     FLAG("attested_tls"), MAYBE("port", TEXT)),
	NOUN(EXPORTED_HEAD, "ExportedHead", TEXT("id"), TEXT("name"), TEXT("description"),
	     TIME("start_time"), TIME("end_time"), ONE("agent_config", EXPORTED_CONFIG),
	     TIME("created_at")),
	NOUN(EXPORTED_LINK, "ExportedLink", TEXT("asset_id"), TEXT("computation_id")),
	NOUN(EXPORTED_ROLE, "ExportedRole", TEXT("role_name"), WORDS("actions", action),
	     IS("members", TEXT, .is_list = true, .may_be_null = true)),
	NOUN(FETCH, "Fetch", MAYBE("key", DIGEST), FLAG("fetched"), OF_PART),
	NOUN(FREE, "Free", MANY("managers", FREE_MANAGER)),
	NOUN(FREE_MANAGER, "FreeManager", TEXT("manager"), TEXT("fleet"), FLAG("known"),
	     MANY("free", FREE_TEE)),
	NOUN(FREE_ROOM, "FreeRoom", COUNT_OR_NULL("cvms"), COUNT_OR_NULL("cpus"),
	     COUNT_OR_NULL("memory")),
	NOUN(FREE_TEE, "FreeTee", WORD("tee", free_tee), ONE("all", FREE_ROOM),
	     ONE("one", FREE_ROOM)),
	NOUN(IDENTITIES, "Identities", MANY("identities", IDENTITY)),
	NOUN(IDENTITY, "Identity", COUNT("number"), TEXT("provider"), TEXT("issuer"),
	     TEXT("subject"), TIME_OR_NULL("created"), TIME_OR_NULL("used")),
	NOUN(IMPORT, "Import", MANY("computations", IMPORTED), MANY("people", IMPORT_PERSON)),
	NOUN(IMPORTED, "Imported", TEXT("name"), TEXT("id"), FLAG("created"), FLAG("possible"),
	     TEXT("missing"), TEXTS("warnings"), TEXTS("unknown_users"),
	     IS("manifest_digest", DIGEST_OR_NONE), COUNT("datasets"), COUNT("consumers")),
	NOUN(IMPORT_PERSON, "ImportPerson", TEXT("id"), TEXT("user"), FLAG("has_key")),
	NOUN(INVITATION, "Invitation", COUNT("number"), WORD("role", member_role), TEXT("note"),
	     TEXT("inviter"), TIME_OR_NULL("created"), TIME_OR_NULL("expires"),
	     TIME_OR_NULL("taken"), TEXT("taker"), FLAG("stale"), MAYBE("mail", TEXT),
	     IS("mail_state", WORD, .word = mail_state, .may_lack = true),
	     MAYBE("mail_problem", TEXT)),
	NOUN(INVITATIONS, "Invitations", MANY("invitations", INVITATION)),
	NOUN(JOINED, "Joined", TEXT("workspace"), WORD("role", member_role)),
	NOUN(KEY, "Key", DIGEST("fingerprint"), TEXT("kind"), TEXT("computation"),
	     TIME_OR_NULL("created"), TIME_OR_NULL("retired")),
	NOUN(KEYS, "Keys", MANY("keys", KEY), MANY("uses", KEY_USE), NEXT),
	NOUN(KEY_USE, "KeyUse", TEXT("computation"), WORD("as", key_as), TEXT("name"),
	     DIGEST("fingerprint")),
	NOUN(LIMITS, "Limits", OF_HOURS),
	NOUN(MACHINE, "Machine", TEXT("name"), TEXT("workspace"), WORD("state", machine_word),
	     TEXT("reason"), FLAG("leaving"), TEXT("manager"), TEXT("id"), FLAG("connected"),
	     TEXT("agent_grpc_url"), TEXT("computation"), TEXT("made_for"), TEXT("image"),
	     TEXT("tee"), COUNT("cpus"), COUNT("memory"), COUNT("ttl_ms"), TIME_OR_NULL("created"),
	     TIME_OR_NULL("ended")),
	NOUN(MACHINES, "Machines", MANY("cvms", MACHINE), NEXT),
	[NOUN_MANIFEST] = { .name = "Manifest" },
	NOUN(ME, "Me", TEXT("user"), FLAG("administrator"), WORDS("actions", action),
	     TIME_OR_NULL("expires"), MANY("tokens", TOKEN), MANY("sessions", SESSION)),
	NOUN(MEMBER, "Member", TEXT("user"), WORD("role", member_role), FLAG("suspended"),
	     TIME_OR_NULL("joined"), TIME_OR_NULL("changed")),
	NOUN(MEMBERS, "Members", MANY("members", MEMBER), NEXT),
	NOUN(NEW_ASSET, "NewAsset", TEXT("workspace"), TEXT("name"), DIGEST("digest")),
	NOUN(NEW_COMPUTATION, "NewComputation", TEXT("id"), TEXT("name"), TEXT("workspace"),
	     WORD("state", computation_state), DIGEST("manifest_digest")),
	NOUN(NEW_INVITATION, "NewInvitation", COUNT("number"), MAYBE("link", TEXT),
	     MAYBE("mailed_to", TEXT), TIME("expires")),
	NOUN(NEW_TOKEN, "NewToken", TEXT("token"), TIME("expires")),
	NOUN(NEW_WEBHOOK, "NewWebhook", COUNT("number"), TEXT("secret")),
	NOUN(NODE, "Node", TEXT("name"), WORD("state", node_state), TEXT("executortype"),
	     TEXT("funcname"), IS("kwargs", JSON), TEXTS("dependencies"), COUNT("attempt"),
	     COUNT("attempts_max"), TEXT("executor_user"), MAYBE("executor", DIGEST),
	     TEXT("failure"), COUNT("output_bytes"), MAYBE("output_digest", DIGEST),
	     MAYBE("taken", TIME), MAYBE("ended", TIME)),
	NOUN(PLAN, "Plan", TEXT("plan"), OF_HOURS),
	NOUN(PROGRESS, "Progress", COUNT("run"), COUNT("entries"), FLAG("whole"),
	     MAYBE_ONE("algorithm", UPLOAD), MANY("datasets", UPLOAD),
	     MANY("result_consumers", FETCH), COUNT("memory_limit"),
	     COUNT("processor_limit_percent"), COUNT("time_limit_ms"),
	     MAYBE_ONE("usage", RUN_USAGE)),
	NOUN(ROLE, "Role", TEXT("role_name"), FLAG("own"), WORDS("actions", action),
	     TEXTS("members")),
	NOUN(ROLES, "Roles", MANY("roles", ROLE)),
	NOUN(RUN_USAGE, "RunUsage", COUNT("memory_mib"), COUNT("memory_peak_mib"),
	     COUNT("memory_limit_mib"), COUNT("processor_seconds")),
	NOUN(SESSION, "Session", COUNT("number"), TIME_OR_NULL("created"), TIME_OR_NULL("seen"),
	     TEXT("from"), TEXT("about")),
	NOUN(TOKEN, "Token", TEXT("name"), WORDS("actions", action), TIME_OR_NULL("created"),
	     TIME_OR_NULL("expires"), TIME_OR_NULL("used")),
	NOUN(UPLOAD, "Upload", MAYBE("key", DIGEST), FLAG("received"), OF_PART,
	     MAYBE("bytes_received", COUNT), MAYBE("bytes_expected", COUNT), MAYBE("waits", FLAG)),
	NOUN(USAGE, "Usage", TEXT("month"), TIME_OR_NULL("until"), FLAG("summed"), OF_PROCESSING,
	     OF_TRAFFIC, ONE("limits", LIMITS), MANY("usage", USAGE_ROW), NEXT),
	NOUN(USAGE_ROW, "UsageRow", MAYBE("workspace", TEXT), MAYBE("removed", FLAG),
	     WORD("kind", usage_word), TEXT("computation"), COUNT("cvms"), OF_PROCESSING,
	     OF_TRAFFIC),
	NOUN(USER, "User", TEXT("name"), FLAG("administrator"), FLAG("suspended"),
	     FLAG("second_factor"), COUNT("passkeys"), TIME_OR_NULL("created")),
	NOUN(USERS, "Users", MANY("users", USER), NEXT),
	NOUN(WEBHOOK, "Webhook", COUNT("number"), TEXT("url"), WORDS("events", hook_event_name),
	     TEXT("description"), FLAG("enabled"), TEXT("reason"), TEXT("maker"),
	     TIME_OR_NULL("created"), COUNT("waiting"), COUNT("taken"), COUNT("dropped")),
	NOUN(WEBHOOKS, "Webhooks", MANY("webhooks", WEBHOOK)),
	/* What an Idempotency-Key has again, without what is told once, or is too long to keep (web_once.c). */
	NOUN(WITHHELD, "Withheld", TEXT("withheld"), MAYBE("number", COUNT),
	     MAYBE("expires", TIME)),
	NOUN(WORKFLOW, "Workflow", OF_WORKFLOW, MANY("nodes", NODE)),
	NOUN(WORKFLOW_ROW, "WorkflowRow", OF_WORKFLOW),
	NOUN(WORKFLOWS, "Workflows", MANY("workflows", WORKFLOW_ROW), NEXT),
	NOUN(WORKSPACE, "Workspace", TEXT("name"), WORD("role", seen_role), COUNT("members"),
	     COUNT("computations"), TIME_OR_NULL("created")),
	NOUN(WORKSPACE_NAME, "WorkspaceName", TEXT("name")),
	NOUN(WORKSPACES, "Workspaces", MANY("workspaces", WORKSPACE), NEXT),
};
