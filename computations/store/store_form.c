/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store/store_form.h"

#include "computations/ca/ca_form.h"
#include "computations/hook/hook_form.h"
#include "computations/list/list_form.h"
#include "computations/mail/mail_form.h"
#include "computations/people/people_form.h"
#include "computations/seal/secret_form.h"
#include "computations/store/audit_form.h"
#include "computations/store/billing_form.h"
#include "computations/store/evidence_form.h"
#include "computations/store/lease_form.h"
#include "computations/store/look_form.h"
#include "computations/store/machine_form.h"
#include "computations/store/once_form.h"
#include "computations/store/usage_form.h"
#include "computations/transfer/note_form.h"
#include "computations/workflow/workflow_form.h"

#define SIGNED_JOURNALS                                        \
	"CREATE TABLE entries ("                               \
	" computation TEXT NOT NULL,"                          \
	" run {integer} NOT NULL,"                             \
	" sequence {integer} NOT NULL,"                        \
	" bytes {bytes} NOT NULL,"                             \
	" PRIMARY KEY (computation, run, sequence)) {by key};" \
	"CREATE TABLE signed_journals ("                       \
	" computation TEXT NOT NULL,"                          \
	" run {integer} NOT NULL,"                             \
	" count {integer} NOT NULL,"                           \
	" bytes {integer} NOT NULL,"                           \
	" head {bytes} NOT NULL,"                              \
	" PRIMARY KEY (computation, run)) {by key};"

/* The digest of the first entry, by which its agent names a run; NULL where an older program kept it. */
#define NAMES_OF_RUNS "ALTER TABLE signed_journals ADD COLUMN name {bytes};"

/* Which CVM began it, and in which attempt: nobody else goes on with it. What an older program kept is known to be the
 * present CVM's where there was no other. */
#define JOURNALS_BEGUN                                                         \
	"ALTER TABLE signed_journals ADD COLUMN cvm TEXT NOT NULL DEFAULT '';" \
	"ALTER TABLE signed_journals ADD COLUMN attempt {integer} NOT NULL DEFAULT 0;"
#define JOURNALS_BEGUN_FILL                                                            \
	"UPDATE signed_journals SET attempt = 1, cvm ="                                \
	" (SELECT c.cvm FROM computations c WHERE c.id = signed_journals.computation)" \
	" WHERE computation IN (SELECT id FROM computations WHERE attempt = 1);"

/* The log of journals' heads. Leaves and nodes outlive their computations: a log only grows. */
#define WITNESS                                                           \
	"CREATE TABLE witness_leaves ("                                   \
	" number {numbered}," /* from 0, without gaps */                  \
	" computation TEXT NOT NULL,"                                     \
	" run {integer} NOT NULL,"                                        \
	" count {integer} NOT NULL,"                                      \
	" digest {bytes} NOT NULL);"                                      \
	"CREATE INDEX witness_leaves_run"                                 \
	" ON witness_leaves (computation, run, count);"                   \
	"CREATE TABLE witness_nodes (" /* complete subtrees (merkle.h) */ \
	" level {integer} NOT NULL,"                                      \
	" number {integer} NOT NULL,"                                     \
	" hash {bytes} NOT NULL,"                                         \
	" PRIMARY KEY (level, number)) {by key};"

/* One row: the digest of the key that signs the log. */
#define WITNESS_KEY "CREATE TABLE witness_key (digest {bytes} NOT NULL);"

/* Which CVMs were ever given a computation: their names are no strangers' (store_cvm_room.h). */
#define CVMS_USED                                                        \
	"ALTER TABLE cvms ADD COLUMN used {integer} NOT NULL DEFAULT 0;" \
	"UPDATE cvms SET used = 1 WHERE computation <> ''"               \
	" OR id IN (SELECT cvm FROM computations);"

/* How often the computation was begun: a retry is the next. Agents name it in what they say. */
#define ATTEMPTS "ALTER TABLE computations ADD COLUMN attempt {integer} NOT NULL DEFAULT 1;"

/* What there was before there were workspaces is in the first one, and so is everybody. */
#define WORKSPACES_FILL                                                                  \
	"INSERT INTO workspace_members (workspace, person, role, joined)"                \
	" SELECT w.number, u.number,"                                                    \
	" CASE u.administrator WHEN 1 THEN 'administrator' ELSE 'member' END, u.created" \
	" FROM workspaces w CROSS JOIN users u;"                                         \
	"INSERT INTO workspace_computations (computation, workspace)"                    \
	" SELECT c.id, w.number FROM computations c CROSS JOIN workspaces w;"

static const char schema[] =
	"CREATE TABLE computations ("
	" number {counted},"
	" id TEXT NOT NULL UNIQUE,"
	" name TEXT NOT NULL,"
	" description TEXT NOT NULL,"
	" manifest {bytes} NOT NULL,"
	" digest {bytes} NOT NULL,"
	" datasets {integer} NOT NULL,"
	" consumers {integer} NOT NULL,"
	" state {integer} NOT NULL DEFAULT 0,"
	" agent_state TEXT NOT NULL DEFAULT '',"
	" cvm TEXT NOT NULL DEFAULT '',"         /* the one it was given to, also afterwards */
	" reached {integer} NOT NULL DEFAULT 0," /* the agent has spoken of it */
	" stopping {integer} NOT NULL DEFAULT 0,"
	" finished {integer} NOT NULL DEFAULT 0,"
	" failure TEXT NOT NULL DEFAULT '',"
	" notice TEXT NOT NULL DEFAULT '',"
	" unverified {integer} NOT NULL DEFAULT 0," /* may go to a CVM that has proven nothing */
	" created {integer} NOT NULL,"
	" sent {integer} NOT NULL DEFAULT 0,"
	" ended {integer} NOT NULL DEFAULT 0);"
	"CREATE TABLE cvms ("
	" number {counted},"
	" id TEXT NOT NULL UNIQUE,"
	" computation TEXT NOT NULL DEFAULT ''," /* the one that it holds now */
	" agent_state TEXT NOT NULL DEFAULT '',"
	" peer TEXT NOT NULL,"
	" first_seen {integer} NOT NULL,"
	" last_seen {integer} NOT NULL,"
	" verified {integer} NOT NULL DEFAULT 0,"
	" verdict TEXT NOT NULL DEFAULT '',"
	" judged {integer} NOT NULL DEFAULT 0,"
	" key TEXT NOT NULL DEFAULT '');" /* of the client certificate that its name belongs to */
	"CREATE INDEX cvms_computation ON cvms (computation);"
	/* One journal for each computation, and for each CVM what belongs to none. */
	"CREATE TABLE journals ("
	" number {numbered},"
	" owner TEXT NOT NULL UNIQUE,"
	" records {integer} NOT NULL DEFAULT 0,"
	" bytes {integer} NOT NULL DEFAULT 0,"
	" dropped {integer} NOT NULL DEFAULT 0);"
	"CREATE TABLE records ("
	" number {counted},"
	" journal {integer} NOT NULL REFERENCES journals (number) ON DELETE CASCADE,"
	" seconds {integer} NOT NULL,"
	" nanos {integer} NOT NULL,"
	" received {integer} NOT NULL,"
	" event {integer} NOT NULL,"
	" level TEXT NOT NULL,"
	" text TEXT NOT NULL,"
	" type TEXT NOT NULL,"
	" status TEXT NOT NULL,"
	" originator TEXT NOT NULL,"
	" size {integer} NOT NULL);"
	"CREATE INDEX records_journal ON records (journal, number);"
	/* What agents sign: entries, and the last head over them (store_journal.h). */
	SIGNED_JOURNALS NAMES_OF_RUNS JOURNALS_BEGUN WITNESS WITNESS_KEY ATTEMPTS
		/* Who may do what. */
		PEOPLE_FORM ACCOUNTS_FORM WORKSPACES_FORM
			/* What documents said of assets. */
			NOTE_FORM
				/* Who changed what. */
				AUDIT_FORM
					/* Keys of users. */
					USER_KEYS_FORM
						/* Who is about to come in. */
						DEVICES_FORM
							/* Who has compared what. */
							CONFIRMATIONS_FORM
								/* Assets by name. */
								ASSETS_FORM
									/* CVMs that managers make. */
									MACHINES_FORM
										/* What some owe beside the password. */
										FACTORS_FORM
											/* Who is about to be a member. */
											INVITATIONS_FORM
												/* What CVMs ran. */
												USAGE_FORM IDENTITIES_FORM TRIPS_FORM
													/* What some sign in with. */
													PASSKEYS_FORM
														/* CVMs of one run. */
														MACHINE_RUNS_FORM
															/* Who is to have a certificate. */
															CERTIFICATES_FORM
																/* What agents gave as evidence. */
																EVIDENCE_FORM LINES_FORM
																	/* Who is told of what. */
																	HOOKS_FORM
																		/* What was made by which key. */
																		ONCE_FORM HOOKS_WAITING_FORM
																			/* Sums of old months. */
																			USAGE_MONTHS_FORM
																				/* What runs elsewhere. */
																				WORKFLOWS_FORM
																					/* What is mailed to whom. */
																					MAILS_FORM
																						/* Who serves. */
																						LEASE_FORM
																							/* Who pays. */
																							BILLING_FORM LEASE_PLACE_FORM SECRETS_FORM SECRETS_ALL_FORM
																								/* By what lists are ordered. */
																								LIST_FORM LIST_PEOPLE_FORM MAILS_SEALED_FORM CVMS_USED
																									/* Whose room they take. */
																									CREATORS_FORM TRAFFIC_FORM
																										KEPT_FORM
																											LOOKS_FORM;

/* What each older form lacks: 1 had no verdicts, 2 no keys, 3 no signed journals, 4 no names of their
 * runs, 5 no log of heads, 6 not the name of its key, 7 no attempts, 8 no people, 9 no way for them
 * to sign in, 10 no notes, 11 no audit log, 12 no keys of users, 13 no command lines that ask to be
 * let in, 14 no workspaces, 15 nobody who confirms, 16 no assets, 17 no CVMs that managers make,
 * 18 no second factors, 19 no invitations, 20 nothing of what CVMs ran,
 * 21 no accounts elsewhere, 22 not which networks those on their way there are of,
 * 23 no passkeys, 24 no CVMs for one run,
 * 25 no certificates, 26 none of the evidence that agents gave,
 * 27 no certificates that renew others,
 * 28 no webhooks, 29 no keys of creations,
 * 30 no index of what waits for webhooks, 31 no sums of months, 32 no workflows, 33 no mails,
 * 34 no lease of instances, 35 nobody who pays, 36 not where an instance is,
 * 37 nothing that is sealed, 38 no key of a second factor and no secret of a webhook that is,
 * 39 no order of computations but by their numbers, 40 none of assets and members but by name,
 * 41 no mail that is sealed,
 * 42 not which CVM began a journal, 43 not which CVMs were ever given any,
 * 44 not who created a computation, 45 nothing of bytes in and out,
 * 46 nothing of what is kept of computations, 47 few of the indexes by which things are looked for. */
static const char *const upgrades[STORE_FORM] = {
	[1] = "ALTER TABLE computations ADD COLUMN unverified {integer} NOT NULL DEFAULT 0;"
	      "ALTER TABLE cvms ADD COLUMN verified {integer} NOT NULL DEFAULT 0;"
	      "ALTER TABLE cvms ADD COLUMN verdict TEXT NOT NULL DEFAULT '';"
	      "ALTER TABLE cvms ADD COLUMN judged {integer} NOT NULL DEFAULT 0;",
	[2] = "ALTER TABLE cvms ADD COLUMN key TEXT NOT NULL DEFAULT '';",
	[3] = SIGNED_JOURNALS,
	[4] = NAMES_OF_RUNS,
	[5] = WITNESS,
	[6] = WITNESS_KEY,
	[7] = ATTEMPTS,
	[8] = PEOPLE_FORM,
	[9] = ACCOUNTS_FORM,
	[10] = NOTE_FORM,
	[11] = AUDIT_FORM,
	[12] = USER_KEYS_FORM,
	[13] = DEVICES_FORM,
	[14] = WORKSPACES_FORM WORKSPACES_FILL,
	[15] = CONFIRMATIONS_FORM,
	[16] = ASSETS_FORM,
	[17] = MACHINES_FORM,
	[18] = FACTORS_FORM,
	[19] = INVITATIONS_FORM,
	[20] = USAGE_FORM,
	[21] = IDENTITIES_FORM,
	[22] = TRIPS_FORM,
	[23] = PASSKEYS_FORM,
	[24] = MACHINE_RUNS_FORM,
	[25] = CERTIFICATES_FORM,
	[26] = EVIDENCE_FORM,
	[27] = LINES_FORM,
	[28] = HOOKS_FORM,
	[29] = ONCE_FORM,
	[30] = HOOKS_WAITING_FORM,
	[31] = USAGE_MONTHS_FORM,
	[32] = WORKFLOWS_FORM,
	[33] = MAILS_FORM,
	[34] = LEASE_FORM,
	[35] = BILLING_FORM,
	[36] = LEASE_PLACE_FORM,
	[37] = SECRETS_FORM,
	[38] = SECRETS_ALL_FORM,
	[39] = LIST_FORM,
	[40] = LIST_PEOPLE_FORM,
	[41] = MAILS_SEALED_FORM,
	[42] = JOURNALS_BEGUN JOURNALS_BEGUN_FILL,
	[43] = CVMS_USED,
	[44] = CREATORS_FORM,
	[45] = TRAFFIC_FORM,
	[46] = KEPT_FORM,
	[47] = LOOKS_FORM,
};

const struct db_forms store_forms = { "cocos-computations", STORE_FORM, schema, upgrades };
