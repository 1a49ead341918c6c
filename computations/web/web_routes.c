/* SPDX-License-Identifier: Apache-2.0 */
/* web_routes.c — what can be asked for, and what the API's document says of it. */
#include "computations/ca/ocsp_request.h"
#include "computations/core/ending_call.h"
#include "computations/people/user_key.h"
#include "computations/store/store_machine.h"
#include "computations/web/web.h"
#include "computations/web/web_access.h"
#include "computations/web/web_asset.h"
#include "computations/web/web_billing.h"
#include "computations/web/web_certificate.h"
#include "computations/web/web_free.h"
#include "computations/web/web_guard.h"
#include "computations/web/web_import.h"
#include "computations/web/web_machine.h"
#include "computations/web/web_new.h"
#include "computations/web/web_oidc.h"
#include "computations/web/web_passkey.h"
#include "computations/web/web_place.h"
#include "computations/web/web_progress.h"
#include "computations/web/web_role.h"
#include "computations/web/web_route_row.h"
#include "computations/web/web_second.h"
#include "computations/web/web_sign_in.h"
#include "computations/web/web_status.h"
#include "computations/web/web_token.h"
#include "computations/web/web_webhook.h"
#include "computations/web/web_words.h"
#include "computations/web/web_work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ASSET(name)                                                  \
	static void asset_##name(struct http_request *r, void *data) \
	{                                                            \
		http_asset_serve(r, &web_asset_##name);              \
	}
ASSET(css)
ASSET(js)
ASSET(passkey)
ASSET(sha3)
ASSET(import)
ASSET(icons)
ASSET(mark)

static const char *const list_query[] = { "q", "state", "sort", "before", NULL };
static const char *const sort_query[] = { "q", "sort", "after", NULL };
static const char *const keys_query[] = { "sort", "before", NULL };
static const char *const after_query[] = { "after", NULL };
static const char *const before_query[] = { "before", NULL };
static const char *const from_query[] = { "from", NULL };
static const char *const workspace_query[] = { "workspace", NULL };
static const char *const usage_query[] = { "month", "after", NULL };
static const char *const month_query[] = { "month", NULL };
static const char *const force_query[] = { "force", NULL };

const struct web_route web_routes[] = {
	API_LIST("/api/computations", DEED_BE, list_query, web_list_json, store_list, COMPUTATIONS,
		 "Computations, newest first unless “sort” says otherwise. "
		 "The next page is behind “next”."),
	MAKE("/api/computations", WEB_MANIFEST_MAX, workspace_query, web_new_api, WEB_A_MANIFEST,
	     NEW_COMPUTATION, "Creates one."),
	API("/api/computations/{id}", DEED_SEE, NULL, web_one_json,
	    "One computation: its state, its participants' keys, its assets.", TELLS(COMPUTATION)),
	API("/api/computations/{id}/manifest", DEED_SEE, NULL, web_manifest,
	    "The manifest, byte for byte what its digest is of.", TELLS(MANIFEST)),
	PUTS("/api/computations/{id}/manifest", WEB_MANIFEST_MAX, web_edit_api, WEB_A_MANIFEST,
	     web_edit_action,
	     "Puts another one in its place, until the first run; what was confirmed of the one before is out of date."),
	API("/api/computations/{id}/export", DEED_SEE, NULL, web_export,
	    "A document that an import takes: manifest, roles, what is known of assets.",
	    TELLS(EXPORT)),
	API("/api/computations/{id}/progress", DEED_SEE, NULL, web_progress_json,
	    "What its run has had and who has fetched, by the agent’s journal; and by its agent’s word, which nobody signs, what is still coming, and in “usage” what the run uses.",
	    TELLS(PROGRESS)),
	API("/api/computations/{id}/events", DEED_SEE, after_query, web_events,
	    "Log lines and events as they come, from behind “after” or Last-Event-ID; “journal” when that goes on; and “progress”: what is still coming and what the run uses.",
	    BARE("text/event-stream")),
	API("/api/computations/{id}/confirmations", DEED_SEE, NULL, web_confirmations_json,
	    "Who has signed that they compared its manifest’s digest.", TELLS(CONFIRMATIONS)),
	API("/api/computations/{id}/evidence", DEED_SEE, NULL, web_evidence_json,
	    "The evidence that its run's agent gave last, this service’s verdict, and the command that judges it.",
	    TELLS(EVIDENCE_LAST)),
	API("/api/computations/{id}/evidence/{file}", DEED_SEE, NULL, web_evidence_file,
	    "One of its files, byte for byte.", BARE(WEB_BYTES_TYPE)),
	API("/api/computations/{id}/roles", DEED_SEE, NULL, web_roles_json,
	    "Its roles: what they allow, and who has them.", TELLS(ROLES)),
	SEND(HTTP_PUT, "/api/computations/{id}", web_api_rename, WEB_BODY_MAX, NULL, DEED_SEE,
	     "Gives it another name and description; what is left out is emptied. Its manifest stays."),
	SEND(HTTP_DELETE, "/api/computations/{id}", web_api_remove, 0, force_query, DEED_SEE,
	     "Removes it, for good."),
	SEND(HTTP_POST, "/api/computations/{id}/run", web_api_run, WEB_BODY_MAX, NULL, DEED_SEE,
	     "Gives it to a CVM. The answer is what it is now."),
	SEND(HTTP_POST, "/api/computations/{id}/stop", web_api_stop, 0, NULL, DEED_SEE,
	     "Stops it; its agent wipes what it holds. The answer is what it is now."),
	SEND(HTTP_PUT, "/api/computations/{id}/roles/{role}", web_api_define, WEB_BODY_MAX, NULL,
	     DEED_SEE, "Makes a role of its own, or changes one."),
	SEND(HTTP_DELETE, "/api/computations/{id}/roles/{role}", web_api_undefine, 0, NULL,
	     DEED_SEE, "Removes a role of its own."),
	SEND(HTTP_PUT, "/api/computations/{id}/roles/{role}/members/{user}", web_api_give, 0, NULL,
	     DEED_SEE, "Gives a user that role."),
	SEND(HTTP_DELETE, "/api/computations/{id}/roles/{role}/members/{user}", web_api_take, 0,
	     NULL, DEED_SEE, "Takes it."),
	API("/api/me", DEED_BE, NULL, web_me_json, "Who you are, and your tokens and sessions.",
	    TELLS(ME)),
	SEND(HTTP_POST, "/api/me/tokens", web_api_token, WEB_BODY_MAX, NULL, DEED_BE,
	     "Makes a token, which is shown once. Its name makes sure that there is one only."),
	SEND(HTTP_DELETE, "/api/me/tokens/{name}", web_api_revoke, 0, NULL, DEED_BE,
	     "Revokes one of your tokens."),
	SEND(HTTP_DELETE, "/api/me/sessions/{number}", web_api_end, 0, NULL, DEED_BE,
	     "Ends one of your sessions."),
	API_LIST(
		"/api/me/keys", DEED_BE, keys_query, web_keys_json, user_key_orders, KEYS,
		"Your public keys, oldest first unless “sort” says otherwise, and what names them in the newest "
		"computations that you see. The next page of these is behind “next”."),
	SEND(HTTP_DELETE, "/api/me/keys/{fingerprint}", web_api_key_retire, 0, NULL, DEED_BE,
	     "Retires one of your keys."),
	SEND(HTTP_POST, "/api/invitations", web_api_join, WEB_BODY_MAX, NULL, DEED_BE,
	     "Takes an invitation: you are a member of its workspace."),
	API_LIST(
		"/api/cvms", DEED_OPERATE, sort_query, web_cvms_json, store_cvm_orders, CVMS,
		"CVMs whose agents have connected, oldest first unless “sort” says otherwise. The next page is "
		"behind “next”."),
	API("/api/cvms/{cvm}", DEED_OPERATE, NULL, web_cvm_json, "One CVM.", TELLS(CVM)),
	API("/api/cvms/{cvm}/evidence", DEED_OPERATE, NULL, web_evidence_json,
	    "The evidence that its agent gave before it had a manifest, and this service’s verdict.",
	    TELLS(EVIDENCE_LAST)),
	API("/api/cvms/{cvm}/evidence/{file}", DEED_OPERATE, NULL, web_evidence_file,
	    "One of its files, byte for byte.", BARE(WEB_BYTES_TYPE)),
	SEND(HTTP_POST, "/api/cvms/{cvm}/release", web_api_release, 0, NULL, DEED_OPERATE,
	     "Releases its name: the next agent that comes by it has it."),
	API("/api/workspaces/{workspace}/free", DEED_MACHINE, NULL, web_free_json,
	    "How much room managers have for new CVMs, by TEE, as each says when it is asked: on all its hosts "
	    "together, and for one CVM; null: without a limit that it knows.",
	    TELLS(FREE)),
	API_LIST(
		"/api/workspaces/{workspace}/cvms", DEED_LOOK, sort_query, web_machines_json,
		store_machine_orders, MACHINES,
		"CVMs that managers make for a workspace, oldest first unless “sort” says otherwise. The next page "
		"is behind “next”."),
	API("/api/workspaces/{workspace}/cvms/{name}", DEED_LOOK, NULL, web_machine_json,
	    "One of them: its state, and where owners reach its agent.", TELLS(MACHINE)),
	API("/api/workspaces/{workspace}/cvms/{name}/evidence", DEED_LOOK, NULL, web_evidence_json,
	    "The evidence that its agent gave before it had a manifest, and this service’s verdict.",
	    TELLS(EVIDENCE_LAST)),
	API("/api/workspaces/{workspace}/cvms/{name}/evidence/{file}", DEED_LOOK, NULL,
	    web_evidence_file, "One of its files, byte for byte.", BARE(WEB_BYTES_TYPE)),
	API("/api/workspaces/{workspace}/cvms/{name}/policy", DEED_LOOK, NULL, web_machine_policy,
	    "What its manager publishes as its policy, byte for byte: JSON, or a CoRIM. The operator’s word: compare it with your own.",
	    BARE(WEB_BYTES_TYPE)),
	API("/api/workspaces/{workspace}/cvms/{name}/console/events", DEED_CONSOLE, NULL,
	    web_console_events,
	    "Its serial console: “begin”, “text” as it comes from the last lines on, “end”. The host may write there what it likes.",
	    BARE("text/event-stream")),
	SEND(HTTP_PUT, "/api/workspaces/{workspace}/cvms/{name}", web_api_machine, WEB_BODY_MAX,
	     NULL, DEED_LOOK, "Has one made. Its name makes sure that there is one only."),
	SEND(HTTP_DELETE, "/api/workspaces/{workspace}/cvms/{name}", web_api_machine_remove, 0,
	     force_query, DEED_LOOK, "Has it removed. The answer is what it is now."),
	API("/api/workspaces/{workspace}/usage", DEED_LOOK, usage_query, web_usage_json,
	    "What its CVMs ran in a month, and may, bytes in and out, as agents said, and storage. The next page is behind “next”.",
	    TELLS(USAGE)),
	API("/api/workspaces/{workspace}/usage.csv", DEED_LOOK, month_query, web_usage_csv,
	    "The same, for spreadsheets.", BARE(WEB_CSV_TYPE)),
	API("/api/workspaces/{workspace}/usage.html", DEED_LOOK, month_query, web_usage_html,
	    "The same, to print.", BARE(WEB_HTML_TYPE)),
	API("/api/billing", DEED_OPERATE, after_query, web_billing_json,
	    "Accounts that pay for workspaces, by name, and the plans that there are. The next page is "
	    "behind “next”.",
	    TELLS(BILLING)),
	API("/api/billing/{account}", DEED_OPERATE, NULL, web_billing_one_json,
	    "One account: what its workspaces ran this month, and may.", TELLS(ACCOUNT)),
	SEND(HTTP_PUT, "/api/billing/{account}", web_api_billing, WEB_BODY_MAX, NULL, DEED_OPERATE,
	     "Makes one. Its name makes sure that there is one only."),
	SEND(HTTP_POST, "/api/billing/{account}/plan", web_api_billing_plan, WEB_BODY_MAX, NULL,
	     DEED_OPERATE, "Gives it another plan, which holds at once."),
	SEND(HTTP_DELETE, "/api/billing/{account}", web_api_billing_remove, 0, NULL, DEED_OPERATE,
	     "Removes one that has never paid."),
	SEND(HTTP_PUT, "/api/billing/{account}/workspaces/{workspace}", web_api_billing_give, 0,
	     NULL, DEED_OPERATE, "Has it pay for a workspace, from this month on."),
	SEND(HTTP_DELETE, "/api/billing/{account}/workspaces/{workspace}", web_api_billing_take, 0,
	     NULL, DEED_OPERATE, "Has it pay no more, from this month on."),
	API("/api/billing/{account}/usage", DEED_OPERATE, usage_query, web_usage_json,
	    "What all its workspaces ran in a month, and may, bytes in and out, as agents said, and storage. The next page is behind “next”.",
	    TELLS(USAGE)),
	API("/api/billing/{account}/usage.csv", DEED_OPERATE, month_query, web_usage_csv,
	    "Its statement, for spreadsheets.", BARE(WEB_CSV_TYPE)),
	API("/api/billing/{account}/usage.html", DEED_OPERATE, month_query, web_usage_html,
	    "The same, to print.", BARE(WEB_HTML_TYPE)),
	API("/api/certificates", DEED_OPERATE, after_query, web_issued_json,
	    "The service’s authority, and the certificates and tokens of it, oldest first. The next page is "
	    "behind “next”.",
	    TELLS(CERTIFICATES)),
	API("/api/certificates/{serial}", DEED_OPERATE, NULL, web_issued_one_json,
	    "One of them, by its serial number.", TELLS(CERTIFICATE)),
	SEND(HTTP_DELETE, "/api/certificates/{serial}", web_api_certificate_revoke, 0, NULL,
	     DEED_OPERATE,
	     "Revokes it with all of its line, or ends its token. The answer is what it is now."),
	API("/api/users", DEED_OPERATE, after_query, web_users_json,
	    "Users, oldest first. The next page is behind “next”.", TELLS(USERS)),
	API("/api/users/{user}/identities", DEED_OPERATE, NULL, web_identities_json,
	    "Accounts at providers of identities that sign a user in, oldest first.",
	    TELLS(IDENTITIES)),
	SEND(HTTP_DELETE, "/api/users/{user}/identities/{number}", web_api_identity_remove, 0, NULL,
	     DEED_OPERATE, "Removes one of somebody else, whose sessions end, too."),
	API("/api/workspaces", DEED_BE, after_query, web_workspaces_json,
	    "Workspaces that you are in, by name. The next page is behind “next”.",
	    TELLS(WORKSPACES)),
	SEND(HTTP_POST, "/api/workspaces", web_api_workspace, WEB_BODY_MAX, NULL, DEED_BE,
	     "Makes one. Its name makes sure that there is one only."),
	API("/api/workspaces/{workspace}", DEED_LOOK, NULL, web_workspace_json,
	    "One workspace: what you are there, how many members and computations you see.",
	    TELLS(WORKSPACE)),
	SEND(HTTP_PUT, "/api/workspaces/{workspace}", web_api_workspace_rename, WEB_BODY_MAX, NULL,
	     DEED_LOOK,
	     "Gives it another name. “default”, and names that this service’s settings have, are for who administers it."),
	API_LIST("/api/workspaces/{workspace}/members", DEED_LOOK, sort_query, web_members_json,
		 workspace_member_orders, MEMBERS,
		 "Its members, by name unless “sort” says otherwise. "
		 "The next page is behind “next”."),
	API("/api/workspaces/{workspace}/members/{user}", DEED_LOOK, NULL, web_member_json,
	    "One member: role, suspension.", TELLS(MEMBER)),
	SEND(HTTP_PUT, "/api/workspaces/{workspace}/members/{user}", web_api_member_role,
	     WEB_BODY_MAX, NULL, DEED_LOOK, "Gives a member another role there."),
	SEND(HTTP_POST, "/api/workspaces/{workspace}/members/{user}/suspend",
	     web_api_member_suspend, WEB_BODY_MAX, NULL, DEED_LOOK,
	     "Suspends a membership, or ends that."),
	SEND(HTTP_DELETE, "/api/workspaces/{workspace}/members/{user}", web_api_member_remove, 0,
	     NULL, DEED_LOOK, "Removes a member, with his roles in its computations."),
	SEND(HTTP_POST, "/api/workspaces/{workspace}/members/{user}/transfer",
	     web_api_workspace_transfer, 0, NULL, DEED_LOOK,
	     "Hands the workspace over to a member, who administers it alone from then on; who did is a member."),
	SEND(HTTP_POST, "/api/workspaces/{workspace}/leave", web_api_workspace_leave, 0, NULL,
	     DEED_LOOK,
	     "Leaves it, with one’s roles in its computations. What was seen is one’s own member."),
	API("/api/workspaces/{workspace}/invitations", DEED_GOVERN, NULL, web_invitations_json,
	    "Invitations that are open, or were taken within a day, oldest first.",
	    TELLS(INVITATIONS)),
	SEND(HTTP_POST, "/api/workspaces/{workspace}/invitations", web_api_invite, WEB_BODY_MAX,
	     NULL, DEED_LOOK, "Makes an invitation, whose link is told once."),
	SEND(HTTP_DELETE, "/api/workspaces/{workspace}/invitations/{number}", web_api_withdraw, 0,
	     NULL, DEED_LOOK, "Withdraws one that is open."),
	API("/api/workspaces/{workspace}/webhooks", DEED_WEBHOOKS, NULL, web_webhooks_json,
	    "Its webhooks, oldest first.", TELLS(WEBHOOKS)),
	SEND(HTTP_POST, "/api/workspaces/{workspace}/webhooks", web_api_webhook, WEB_BODY_MAX, NULL,
	     DEED_LOOK, "Makes one, whose secret is told once."),
	API("/api/workspaces/{workspace}/webhooks/{number}", DEED_WEBHOOKS, NULL, web_webhook_json,
	    "One webhook.", TELLS(WEBHOOK)),
	SEND(HTTP_DELETE, "/api/workspaces/{workspace}/webhooks/{number}", web_api_webhook_delete,
	     0, NULL, DEED_LOOK, "Deletes it with its deliveries."),
	SEND(HTTP_POST, "/api/workspaces/{workspace}/webhooks/{number}/enable",
	     web_api_webhook_enable, 0, NULL, DEED_LOOK, "Goes on with one that is disabled."),
	SEND(HTTP_POST, "/api/workspaces/{workspace}/webhooks/{number}/disable",
	     web_api_webhook_disable, 0, NULL, DEED_LOOK, "Sends it nothing."),
	SEND(HTTP_POST, "/api/workspaces/{workspace}/webhooks/{number}/rotate",
	     web_api_webhook_rotate, 0, NULL, DEED_LOOK,
	     "Gives it another secret, which is told once."),
	API("/api/workspaces/{workspace}/webhooks/{number}/deliveries", DEED_WEBHOOKS, before_query,
	    web_deliveries_json, "What it was told, newest first. The next page is behind “next”.",
	    TELLS(DELIVERIES)),
	SEND(HTTP_POST, "/api/workspaces/{workspace}/webhooks/{number}/deliveries/{delivery}",
	     web_api_redeliver, 0, NULL, DEED_LOOK, "Sends one again, under its old id."),
	MAKES("/api/workspaces/{workspace}/imports", WEB_IMPORT_MAX, web_import_api, web_api_import,
	      "Creates what a document has, each computation whole or not at all; or says what would be."),
	API_LIST("/api/workspaces/{workspace}/assets", DEED_ASSETS, sort_query, web_assets_json,
		 asset_orders, ASSETS,
		 "Its assets, by name unless “sort” says otherwise. "
		 "The next page is behind “next”."),
	SEND(HTTP_POST, "/api/workspaces/{workspace}/assets", web_api_asset, WEB_BODY_MAX, NULL,
	     DEED_ASSETS, "Registers a file by its digest."),
	API("/api/workspaces/{workspace}/assets/{asset}", DEED_ASSETS, NULL, web_asset_json,
	    "One asset, and which computations that you see name it.", TELLS(ASSET)),
	SEND(HTTP_DELETE, "/api/workspaces/{workspace}/assets/{asset}", web_api_asset_remove, 0,
	     NULL, DEED_ASSETS, "Removes one that no computation names."),
	API("/api/workspaces/{workspace}/workflows", DEED_WORKFLOWS, after_query,
	    web_workflows_json, "Its workflows, newest first. The next page is behind “next”.",
	    TELLS(WORKFLOWS)),
	API("/api/workspaces/{workspace}/workflows/{workflow}", DEED_WORKFLOWS, NULL,
	    web_workflow_json, "One workflow: its nodes, and what became of each.",
	    TELLS(WORKFLOW)),
	API("/api/audit", DEED_AUDIT, before_query, web_audit_json,
	    "The audit log's rows as it has them, newest first, and its head. The next page is behind "
	    "“next”.",
	    TELLS(AUDIT)),
	API("/api/openapi.json", DEED_BE, NULL, web_openapi, "This document.", BARE(WEB_JSON_TYPE)),
	PAGE("/api", DEED_BE, NULL, web_reference),
	PAGE_LIST("/", DEED_BE, list_query, web_list, store_list), /* those that he may see */
	PAGE("/new", DEED_BE, from_query, web_new),
	LONG_FORM("/new", web_guard_change, web_new_try),
	PAGE("/c/{id}", DEED_SEE, NULL, web_one),
	PAGE("/c/{id}/manifest", DEED_SEE, NULL, web_manifest_page),
	PAGE("/c/{id}/edit", DEED_UPDATE, NULL, web_edit),
	LONG_FORM("/c/{id}/edit", web_guard_change, web_edit_try),
	PAGE("/c/{id}/evidence", DEED_SEE, NULL, web_evidence),
	PAGE("/c/{id}/evidence/{file}", DEED_SEE, NULL, web_evidence_file),
	PAGE("/c/{id}/roles", DEED_SEE, NULL, web_roles),
	PAGE("/c/{id}/run", DEED_SEE, NULL, web_ask_run), /* then one of two deeds */
	CHANGE("/c/{id}/run", web_page_run),
	PAGE("/c/{id}/run-new", DEED_SEE, NULL, web_ask_run_new),
	CHANGE("/c/{id}/run-new", web_page_run_new),
	PAGE("/c/{id}/stop", DEED_STOP, NULL, web_ask_stop),
	CHANGE("/c/{id}/stop", web_page_stop),
	PAGE("/c/{id}/remove", DEED_REMOVE, NULL, web_ask_remove),
	CHANGE("/c/{id}/remove", web_page_remove),
	PAGE("/c/{id}/rename", DEED_RENAME, NULL, web_ask_rename),
	CHANGE("/c/{id}/rename", web_page_rename),
	CHANGE("/c/{id}/roles/give", web_page_give),
	CHANGE("/c/{id}/roles/take", web_page_take),
	CHANGE("/c/{id}/roles/own", web_page_define),
	PAGE("/c/{id}/roles/own/{role}", DEED_MEMBERS, NULL, web_role_own),
	CHANGE("/c/{id}/roles/own/{role}", web_page_redefine),
	CHANGE("/c/{id}/roles/own/{role}/remove", web_page_undefine),
	PAGE("/workspaces", DEED_BE, after_query, web_workspaces),
	CHANGE("/workspaces", web_page_workspace),
	PAGE("/w/{workspace}/import", DEED_CREATE, NULL, web_import_page),
	PAGE("/w/{workspace}/settings", DEED_GOVERN, NULL, web_workspace_settings),
	CHANGE("/w/{workspace}/settings", web_page_workspace_rename),
	PAGE_LIST("/w/{workspace}/assets", DEED_ASSETS, sort_query, web_assets, asset_orders),
	CHANGE("/w/{workspace}/assets", web_page_asset),
	PAGE("/w/{workspace}/assets/{asset}", DEED_ASSETS, NULL, web_asset_page),
	CHANGE("/w/{workspace}/assets/{asset}/remove", web_page_asset_remove),
	PAGE("/w/{workspace}/workflows", DEED_WORKFLOWS, after_query, web_workflows),
	PAGE("/w/{workspace}/workflows/{workflow}", DEED_WORKFLOWS, NULL, web_workflow),
	PAGE_LIST("/w/{workspace}/members", DEED_LOOK, sort_query, web_members,
		  workspace_member_orders),
	PAGE("/w/{workspace}/members/{user}", DEED_LOOK, NULL, web_member),
	CHANGE("/w/{workspace}/members/{user}/role", web_page_member_role),
	CHANGE("/w/{workspace}/members/{user}/suspend", web_page_member_suspend),
	CHANGE("/w/{workspace}/members/{user}/remove", web_page_member_remove),
	PAGE("/w/{workspace}/members/{user}/transfer", DEED_GOVERN, NULL, web_workspace_transfer),
	CHANGE("/w/{workspace}/members/{user}/transfer", web_page_workspace_transfer),
	PAGE("/w/{workspace}/leave", DEED_LEAVE, NULL, web_workspace_leave),
	CHANGE("/w/{workspace}/leave", web_page_workspace_leave),
	CHANGE("/w/{workspace}/invite", web_page_invite),
	CHANGE("/w/{workspace}/invitations/{number}", web_page_withdraw),
	PAGE("/w/{workspace}/webhooks", DEED_WEBHOOKS, NULL, web_webhooks),
	CHANGE("/w/{workspace}/webhooks", web_page_webhook),
	PAGE("/w/{workspace}/webhooks/{number}", DEED_WEBHOOKS, before_query, web_webhook),
	CHANGE("/w/{workspace}/webhooks/{number}/enable", web_page_webhook_enable),
	CHANGE("/w/{workspace}/webhooks/{number}/disable", web_page_webhook_disable),
	CHANGE("/w/{workspace}/webhooks/{number}/rotate", web_page_webhook_rotate),
	CHANGE("/w/{workspace}/webhooks/{number}/delete", web_page_webhook_delete),
	CHANGE("/w/{workspace}/webhooks/{number}/deliveries/{delivery}", web_page_redeliver),
	PAGE_LIST("/cvms", DEED_OPERATE, sort_query, web_cvms, store_cvm_orders),
	PAGE("/cvms/{cvm}", DEED_OPERATE, NULL, web_cvm),
	PAGE("/cvms/{cvm}/evidence", DEED_OPERATE, NULL, web_evidence),
	PAGE("/cvms/{cvm}/evidence/{file}", DEED_OPERATE, NULL, web_evidence_file),
	PAGE("/cvms/{cvm}/release", DEED_OPERATE, NULL, web_ask_release),
	CHANGE("/cvms/{cvm}/release", web_page_release),
	PAGE_LIST("/w/{workspace}/cvms", DEED_LOOK, sort_query, web_machines, store_machine_orders),
	PAGE("/w/{workspace}/usage", DEED_LOOK, usage_query, web_usage),
	PAGE("/w/{workspace}/new-cvm", DEED_MACHINE, NULL, web_machine_ask),
	CHANGE("/w/{workspace}/new-cvm", web_page_machine),
	PAGE("/w/{workspace}/cvms/{name}", DEED_LOOK, NULL, web_machine),
	PAGE("/w/{workspace}/cvms/{name}/evidence", DEED_LOOK, NULL, web_evidence),
	PAGE("/w/{workspace}/cvms/{name}/evidence/{file}", DEED_LOOK, NULL, web_evidence_file),
	PAGE("/w/{workspace}/cvms/{name}/policy", DEED_LOOK, NULL, web_machine_policy),
	PAGE("/w/{workspace}/cvms/{name}/console", DEED_CONSOLE, NULL, web_console),
	PAGE("/w/{workspace}/cvms/{name}/console.sse", DEED_CONSOLE, NULL, web_console_events),
	PAGE("/w/{workspace}/cvms/{name}/remove", DEED_MACHINE, NULL, web_machine_ask_remove),
	CHANGE("/w/{workspace}/cvms/{name}/remove", web_page_machine_remove),
	PAGE("/billing", DEED_OPERATE, after_query, web_billing),
	CHANGE("/billing", web_page_billing),
	PAGE("/billing/{account}", DEED_OPERATE, NULL, web_billing_one),
	CHANGE("/billing/{account}/plan", web_page_billing_plan),
	CHANGE("/billing/{account}/workspaces", web_page_billing_give),
	CHANGE("/billing/{account}/workspaces/{workspace}/take", web_page_billing_take),
	CHANGE("/billing/{account}/remove", web_page_billing_remove),
	PAGE("/certificates", DEED_OPERATE, after_query, web_issued),
	PAGE("/certificates/{serial}", DEED_OPERATE, NULL, web_issued_one),
	CHANGE("/certificates/{serial}/revoke", web_page_certificate_revoke),
	PAGE("/users", DEED_OPERATE, after_query, web_users),
	PAGE("/users/{user}/identities", DEED_OPERATE, NULL, web_identities),
	CHANGE("/users/{user}/identities/{number}", web_page_identity_remove),
	PAGE("/audit", DEED_AUDIT, before_query, web_audit),
	PAGE("/audit.jsonl", DEED_AUDIT, NULL, web_audit_file),
	PAGE("/c/{id}/manifest.json", DEED_SEE, NULL, web_manifest),
	PAGE("/c/{id}/export.json", DEED_SEE, NULL, web_export),
	PAGE("/c/{id}/events.sse", DEED_SEE, after_query, web_events),
	PAGE("/me", DEED_BE, NULL, web_me),
	PAGE("/me/password", DEED_BE, NULL, web_me_password),
	FORM("/me/change", web_guard_change, web_me_password_try),
	PAGE("/me/factor", DEED_BE, NULL, web_factor),
	FORM("/me/factor", web_guard_change, web_factor_begin),
	FORM("/me/factor/confirm", web_guard_change, web_factor_confirm),
	PAGE("/me/factor/codes", DEED_BE, NULL, web_factor_codes),
	FORM("/me/factor/codes", web_guard_change, web_factor_renew),
	PAGE("/me/factor/remove", DEED_BE, NULL, web_factor_off),
	FORM("/me/factor/remove", web_guard_change, web_factor_remove),
	PAGE_LIST("/me/keys", DEED_BE, keys_query, web_keys, user_key_orders),
	CHANGE("/me/keys/{fingerprint}", web_page_key_retire),
	PAGE("/me/passkey", DEED_BE, NULL, web_passkey_ask),
	FORM("/me/passkey", web_guard_change, web_passkey_begin),
	FORM("/me/passkey/fresh", web_guard_change, web_passkey_fresh),
	PAGE("/me/passkeys/{number}", DEED_BE, NULL, web_passkey_name),
	FORM("/me/passkeys/{number}", web_guard_change, web_passkey_remove),
	FORM("/me/passkeys/{number}/name", web_guard_change, web_passkey_rename),
	PAGE("/me/token", DEED_BE, NULL, web_token_ask),
	FORM("/me/token", web_guard_change, web_token_try),
	CHANGE("/me/sessions/{number}", web_page_end),
	CHANGE("/me/others", web_page_end_others),
	CHANGE("/me/tokens/{name}", web_page_revoke),
	FORM("/me/identities/{number}", web_guard_change, web_oidc_unlink),
	PAGE(WEB_DEVICE_PATH, DEED_BE, NULL, web_device),
	FORM(WEB_DEVICE_PATH, web_guard_change, web_device_see),
	FORM(WEB_DEVICE_PATH "/let-in", web_guard_change, web_device_let_in),
	FORM(WEB_DEVICE_PATH "/passkey", web_guard_change, web_device_passkey),
	FORM(WEB_DEVICE_PATH "/refuse/{code}", web_guard_change, web_device_refuse),
	FORM("/sign-out", web_guard_change, web_sign_out),
	{ .http = { HTTP_POST, "/link", web_guard_link, 0, NULL, NULL, web_give_link },
	  .deed = DEED_OPERATE },
	/* Nothing of these is about a computation, and the page that says how to get in looks as all do. */
	OPEN("/in/{secret}", web_arrive),
	OPEN("/sign-in", web_sign_in),
	FORM("/sign-in", web_guard_try, web_sign_in_try),
	FORM("/sign-in/code", web_guard_try, web_second_try),
	OPEN("/sign-in/with/{provider}", web_oidc_begin),
	/* Providers say more to browsers than we know of (RFC 6749, 4.1.2). */
	OPEN_WITH("/sign-in/with/{provider}/back", http_any_query, web_oidc_back),
	FORM("/sign-in/with/{provider}/link", web_guard_try, web_oidc_link),
	BRING("/sign-in/passkey", web_passkey_sign_in),
	BRING("/sign-in/code/passkey", web_passkey_second),
	OPEN("/passkey/{secret}", web_passkey_begun),
	BRING("/passkey/{secret}", web_passkey_add),
	BRING("/passkey/{secret}/use", web_device_passkey_use),
	OPEN("/password/{secret}", web_choose),
	FORM("/password/{secret}", web_guard_try, web_choose_try),
	OPEN("/invite/{secret}", web_invited),
	FORM("/invite/{secret}", web_guard_try, web_invited_register),
	OPEN("/invite/{secret}/sign-in", web_invited_known),
	FORM("/invite/{secret}/sign-in", web_guard_try, web_invited_sign_in),
	CHANGE("/invite/{secret}/join", web_page_join),
	OPEN(WEB_CERTIFICATE_PATH, web_certificate),
	OPEN(WEB_CERTIFICATE_LIST_PATH, web_certificate_list),
	OPEN(CERTIFICATE_LISTS_PATH "{name}", web_certificate_list),
	OPEN(WEB_STATUS_TAIL "{request}", web_status_get),
	{ .http = { HTTP_POST, WEB_STATUS_PATH, http_anybody, OCSP_REQUEST_MAX, WEB_STATUS_TYPE,
		    NULL, web_status_post } },
	OPEN("/page.css", asset_css),
	OPEN("/page.js", asset_js),
	OPEN("/passkey.js", asset_passkey),
	OPEN("/sha3.js", asset_sha3),
	OPEN("/import.js", asset_import),
	OPEN("/icons.svg", asset_icons),
	OPEN("/mark.svg", asset_mark),
};
const size_t web_routes_count = ARRAY_LEN(web_routes);

bool web_route_is_counted(const struct web_route *row)
{
	return row->http.may != http_anybody && row->http.may != web_guard_try &&
	       row->http.serve != web_sign_out &&
	       !(row->action && row->action->method && ending_call_is(row->action->method));
}
static_assert(ARRAY_LEN(web_routes) <= WEB_ROUTES_MAX, "they are copied");

const struct web_route *web_row_of(const struct web *web, const struct http_request *r)
{
	return &web_routes[http_request_route(r) - web->rows];
}

enum deed web_deed_of(const struct web *web, const struct http_request *r)
{
	return web_row_of(web, r)->deed;
}
