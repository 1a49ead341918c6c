/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_words.h — what the page says: all of its texts that are more than a label of a table.
 */
#pragma once

#include "common/base/err.h"
#include "computations/list/list_place.h"
#include "computations/store/state.h"
#include "computations/web/web_words_new.h"
#include "computations/web/web_words_place.h"

#define WEB_HTML_TYPE  "text/html; charset=utf-8"
#define WEB_CSV_TYPE   "text/csv; charset=utf-8"
#define WEB_BYTES_TYPE "application/octet-stream"
/* Its end may be added to. */
#define WEB_CSP                                                                     \
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " \
	"connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"

/* %s: the provider. */
#define WEB_OIDC_NOT_ASKED                                                                     \
	"%s can't be asked who you are at the moment: try again in some minutes, and tell an " \
	"administrator of this service if it stays so"
#define WEB_OIDC_NOT_BELIEVED                                                                      \
	"what %s said of you is not accepted: begin again at /sign-in, and tell an administrator " \
	"of this service if it stays so"
#define WEB_OIDC_LINK                                                                            \
	"Nobody here is linked with it. Give your name and password here once, and you sign in " \
	"with it from now on."
#define WEB_OIDC_CODE "If you have one; else leave it empty."
#define WEB_OIDC_NOBODY                                                                            \
	"You have no name and password here? An administrator of this service, or an invitation, " \
	"gives you one."
#define WEB_OIDC_HOW                                                                            \
	"Who signs in with one of these is you. To link one more, sign in with it at the page " \
	"where you sign in, and give your password there once."
#define WEB_OIDC_OFF "This service asks no provider any more; these let nobody in meanwhile."

#define WEB_EMPTY                                                                           \
	"A computation says which algorithm runs on which datasets, and who gets results. " \
	"Give this service a manifest:"
#define WEB_NONE_FOUND \
	"Nothing here has that state and that text in its name, id, description or digest."
#define WEB_FIND_COMPUTATIONS "Name, id, description, or a manifest’s digest"
#define WEB_FIND_ASSETS       "Name, description, MIME type, owner, or a file’s digest"
#define WEB_FIND_MACHINES     "Name, id, address, manager, image or reason"
#define WEB_FIND_CVMS         "Id, agent’s state, computation, peer or verdict"
#define WEB_FIND_MEMBERS      "Name or role"
#define WEB_NONE_LIKE         "Nothing here has that text."
#define WEB_FOOT              "You do not have to trust this page. Your keys and data never pass through it."
#define WEB_MANIFEST                                                                            \
	"What everybody agreed to: digests, keys, who gets results. The agent measures it, so " \
	"evidence shows this digest and no other."
#define WEB_COMPARE                                                                               \
	"Comparing here spares your eyes. What counts is that your terminal says what the other " \
	"parties' terminals say."
#define WEB_CONFIRMED                                                                            \
	"Who signed that this digest is the one that they agreed to. Here it is this service’s " \
	"word; your CLI verifies each signature by the key in the manifest:"
#define WEB_NOT_CONFIRMED "Nobody has signed that this digest is the one that they agreed to."
#define WEB_NO_EVIDENCE                                                                             \
	"No evidence of this is kept: no agent was asked for it yet, or its last answer had none. " \
	"Evidence goes with its run."
#define WEB_NO_POLICY                                                                                 \
	"This service has no policy, so it asks no agent for evidence. Your own client asks for it, " \
	"whatever this service does."
#define WEB_EVIDENCE_NO_FILE "the evidence has no file of that name: see what it has"
#define WEB_EVIDENCE_FILES                                                                           \
	"Hardware has signed the evidence. Policy, root and key are the operator’s choice: look at " \
	"them, or take your own."
#define WEB_EVIDENCE_CHECK                                                                         \
	"Save the files in one folder, and let your CLI judge them there: it believes nothing of " \
	"what this page says."
#define WEB_EVIDENCE_OLD                                                                              \
	"It says what was true at that moment, to the service that asked. What counts for your data " \
	"is what your own client is shown, by a nonce of its own, before it sends anything."
#define WEB_CONSOLE                                                                                    \
	"This comes from the host, through its manager and this service. The machine, its host, and "  \
	"whoever is in one of them can write here what they like: it proves nothing. It helps to see " \
	"why a machine does not start."
#define WEB_CONSOLE_OVER "The CVM is gone, and its console with it."
#define WEB_CONSOLE_GONE "This CVM is gone, and its console went with it."
#define WEB_STEPS                                                                                  \
	"Read it before you send anything: your file's digest stands beside your key, and nobody " \
	"whom you do not know may get results."
#define WEB_FROZEN \
	"It is frozen by the first run: neither keys nor digests change after it, whatever roles do."
#define WEB_OPERATOR \
	"You administer this service: all that does not need a party's key is yours to do."
#define WEB_NO_MEMBERS \
	"Nobody but this service's administrators sees it. Give somebody a role, by name."
#define WEB_NO_CVMS \
	"No agent has connected. Have the manager launch a machine, whose agent comes by itself:"
#define WEB_CVMS "The agents that this service knows. What it says of them is its operator's word."
#define WEB_NO_USERS                                                                                 \
	"With a link, or at the administrators' socket, everybody is the same operator. A user has " \
	"a name, tokens, and roles in computations:"
#define WEB_USERS                                                                                            \
	"A link that works once is where a new user chooses a password; a token is for programs, and shows " \
	"whose call it is. Roles in computations say what either may."
#define WEB_HOOK_NEW                                                                                \
	"A receiver is told what happens in this workspace: a POST with ids and states, signed as " \
	"Standard Webhooks has it, and tried again for a day."
#define WEB_HOOK_URL    "https://HOST[:PORT][/PATH], at a public address"
#define WEB_HOOK_EVENTS "None ticked: all of them."
#define WEB_HOOK_ONCE                                                                           \
	"Its receiver needs it to know what comes from here. It is shown once: lost, give the " \
	"webhook another one."
#define WEB_HOOK_DEEDS                                                                            \
	"With another secret deliveries are signed by both for a day. What waits for a disabled " \
	"one stays."
#define WEB_NO_HOOKS      "Nobody is told what happens in this workspace."
#define WEB_NO_DELIVERIES "It was told nothing yet."
#define WEB_INVITE                                                                                  \
	"A link that works once: whoever opens it makes an account, or signs in, and is a member. " \
	"Send it by a way that you trust."
#define WEB_INVITE_NOTE "For your own list; at most 64 bytes. It is not shown with the link."
#define WEB_INVITE_ONCE \
	"It is shown once, and kept nowhere. Whoever opens it first is in: lost, withdraw it and make another."
#define WEB_INVITE_MAIL \
	"Then nobody else is shown the link. Empty: it is shown to you, to give it on."
#define WEB_INVITE_MAILED                                                                           \
	"Its server is tried for a day; how it went stands with the invitation. Lost, withdraw it " \
	"and make another."
#define WEB_INVITATION_STALE "good for nothing: who made it may not any more"
#define WEB_IMPORT                                                                                     \
	"An export of this service or another one, in JSON or CSV; its Checksum is a SHA3-256. First " \
	"it is previewed, and nothing created. Contents of assets and private keys are taken out "     \
	"in this browser, before anything is sent; the command does the same without one."
#define WEB_YOUR_KEYS                                                                          \
	"Manifests name people by their public keys. The private ones stay with you: no page " \
	"and no service has them."
#define WEB_NO_KEYS \
	"No key yet. Who makes a computation can't name you in it before you have registered one."
#define WEB_KEY_RETIRE                                                                            \
	"A retired key does not come back, and no new manifest names it. Manifests that name it " \
	"keep it: in one that has not run yet, 'key register --computation' puts another in its place."
#define WEB_KEY_USES \
	"Manifests of computations that you see, newest first. What runs is signed for with these keys."
#define WEB_KEY_REGISTER                                                                              \
	"On your machine. The command signs a challenge of this service with the private key, which " \
	"stays there, and prints the fingerprint, to be read out to the others:"
#define WEB_EXPORT                                                                                \
	"A document that an import takes: its manifest, byte for byte, roles, and what is known " \
	"of assets; no contents, no private key."
#define WEB_IMPORT_FILE "JSON, or CSV of many; read in this browser"
#define WEB_IMPORT_IDS \
	"Where its ids are taken here: its manifests get other digests, to be compared again"
#define WEB_NO_ASSETS                                                                                   \
	"No asset yet. An asset is the name and digest of an algorithm or a dataset, whose file stays " \
	"with its owner; manifests are made with it."
#define WEB_NO_WORKFLOWS                                                                              \
	"No workflow yet. A workflow is a graph of functions, which executors at their owners’ run; " \
	"'cocos-cli workflow submit' signs the order for one."
#define WEB_WORKFLOW_CHECK                                                                        \
	"Outputs are sealed for executors and the submitter: nobody can open them here. Whoever " \
	"verifies the order does it with the CLI:"
#define WEB_EXECUTORS                                                                             \
	"Programs of members that take nodes. Compare a key with what its holder says before an " \
	"order names it."
#define WEB_NO_EXECUTORS \
	"None yet: 'cocos-cli executor run' is one, beside the data that it is about."
#define WEB_ASSET_NEW \
	"Its name and digest come to this service, and to everybody in the workspace. The file does not."
#define WEB_ASSET_NAME "What it is called here: no / in it; 255 bytes at most"
#define WEB_ASSET_FILE                                                                                    \
	"It is read in this browser alone, and not sent. You do not have to trust this page for it: the " \
	"command below computes the same."
#define WEB_ASSET_DIGEST "64 hexadecimal digits, as 'cocos-cli checksum FILE' prints them"
#define WEB_ASSET_CHECK  "Who has the file compares:"
#define WEB_ASSET_NO_LINKS \
	"None that you see: a computation is linked when its manifest names this digest."
#define WEB_ASSET_REMOVE                                                                                 \
	"Its name and digest go from the workspace; the file is not here. One that a computation names " \
	"stays until that is removed."
#define WEB_CVM_SILENT "Its agent has said nothing outside of computations."
#define WEB_AUDIT      "Who changed what, or was refused; newest first. It is this service's word."
#define WEB_AUDIT_NONE "There is no row before that one: the log begins behind it."
#define WEB_AUDIT_HEAD                                                                               \
	"Note it down somewhere else. Each row has the digest of the one before it, so whoever has " \
	"this can tell a log that was written anew:"
#define WEB_AUDIT_EMPTY "Nothing was changed since this log began. Whatever does is a row of it:"
#define WEB_KEYS                                                                                      \
	"Fingerprints are SHA3-256 of the public key. Ask each party for theirs by another way than " \
	"this page."
#define WEB_ASSETS          "Names and digests only: the files are not here."
#define WEB_VERDICT         "It keeps computations off machines that prove nothing. It is not your verdict."
#define WEB_WAITS_ALGORITHM "Everybody waits for the algorithm, from whoever holds this key:"
#define WEB_WAITS_DATASETS                                                                      \
	"Everybody waits for datasets. Which of them have come, the agent tells their owners: " \
	"these keys may send."
#define WEB_WAITS_CVM     "It waits for somebody who may run it to give it to a CVM:"
#define WEB_WAITS_NEW     "Nobody has to do anything: it waits for the CVM that is made for it:"
#define WEB_WAITS_STOP    "It waits for its agent to confirm the stop."
#define WEB_WAITS_RUN     "Nobody has to do anything: the algorithm runs."
#define WEB_WAITS_RESULTS "Results wait for those who may fetch them. Each fetches them once."
#define WEB_FAILED        "It failed. Its events say what came before."
#define WEB_CANCELLED     "It was stopped. A retry begins anew: all of it has to be sent again."
#define WEB_NO_EVENTS     "Nothing has happened yet."
#define WEB_NO_LINK \
	"Without an account a link that works once opens it. Whoever administers this service prints one:"
#define WEB_API                                                                                    \
	"The same as the page, for programs. Changes take JSON, and an If-Match with the ETag of " \
	"what you saw; the audit log has them. Refusals are RFC 9457 problems, which name the "    \
	"field and what to do."

#define WEB_WRONG       "This name and password do not belong together, or may not sign in."
#define WEB_NO_PASSWORD "No password yet, or forgotten? An administrator has links to choose one."
#define WEB_FIRST                                                                                    \
	"Nobody administers this service yet. Whoever sends this form does: he adds users, and may " \
	"see and run each computation. Owners of data need not trust him."
#define WEB_CHOOSE "This link works once. Your other sessions end when you have chosen."
#define WEB_PASSWORD_HINT                                                                          \
	"At least 12 characters; not your name, not what everybody tries. Some words that do not " \
	"belong together are easy to keep in mind."
#define WEB_NAME_HINT "At most 63 of a-z 0-9 . _ @ + - with a letter or digit first"
#define WEB_TOKENS \
	"With a token cocos-cli and programs are you. 'cocos-cli login' gets one here, too."
#define WEB_TOKEN_NAME "Such as laptop; at most 63 of a-z 0-9 . _ @ + -"
#define WEB_TOKEN_FOR \
	"None ticked: everything that you may do. What sees nothing can do nothing: tick view."
#define WEB_TOKEN_PASSWORD \
	"A token lasts longer than this session: so it takes more than the session to make one."
#define WEB_TOKEN_ONCE "It is shown once, and kept nowhere. Whoever has it is you."
#define WEB_CODE_HINT  "Six digits that your authenticator program shows now, or a recovery code"
#define WEB_CODE_LOST                                                                             \
	"No device, and no recovery code left? Whoever administers this service can remove your " \
	"second factor."
#define WEB_PASSKEYS_NONE                                                                        \
	"None. A passkey of your phone, computer or security key signs you in with a finger, a " \
	"face or a PIN: no name, no password, and nothing that a false page could take."
#define WEB_PASSKEYS_NOT_HERE                                                             \
	"Passkeys belong to one address, and this service was not told its own: whoever " \
	"administers it sets COMPUTATIONS_WEB_ORIGIN."
#define WEB_PASSKEY                                                                              \
	"It signs you in alone, without your password and a code: so it takes both to add one. " \
	"Tokens and sessions go on as before."
#define WEB_PASSKEY_FRESH                                                                          \
	"It signs you in alone. You have no password here: so you add one within five minutes of " \
	"signing in. Tokens and sessions go on as before."
#define WEB_DEVICE_NO_WAY                                                                         \
	"You have neither a password nor a passkey here to let it in with. Add a passkey first, " \
	"under You."
#define WEB_PASSKEY_NAME "To tell it from others, such as phone; at most 63 of a-z 0-9 . _ @ + -"
#define WEB_PASSKEY_NEW                                                                          \
	"Your device asks where to keep it, and for a finger, a face or a PIN. This page works " \
	"once, for ten minutes."
#define WEB_PASSKEY_WHOSE    "Whoever has it signs in here as"
#define WEB_PASSKEY_NOT_HERE "This browser has no passkeys here."
#define WEB_PASSKEY_NO_SCRIPT \
	"Passkeys need this page’s own script, which this browser does not run."
#define WEB_PASSKEY_WENT_BACK                                                                     \
	"Its count of signatures went back: there may be a copy of the device. Remove it unless " \
	"you know why."
#define WEB_FACTOR                                                                                      \
	"With a second factor your password alone opens nothing: who signs in, makes a token, "         \
	"changes the password or lets a command line in gives a code of your phone, too. Tokens go on " \
	"as before."
#define WEB_FACTOR_OFF "None: your password alone opens your account."
#define WEB_FACTOR_SCAN                                                                                \
	"Give this key to an authenticator program (time-based, six digits, 30 seconds). It is shown " \
	"once; nothing changes before you have given a code."
#define WEB_FACTOR_HINT  "Six digits that the program shows now"
#define WEB_FACTOR_AGAIN "Without the key: begin again, and it gives another one."
#define WEB_FACTOR_CODES                                                                              \
	"Each of these opens your account once in place of a code, if your device is lost. They are " \
	"shown once: print them, or keep them where your password is not."
#define WEB_FACTOR_TOKENS                                                                            \
	"These tokens were made before, with your password alone, and no code is asked of them. On " \
	"your page you can revoke those that you do not know."
#define WEB_FACTOR_LINKED                                                                              \
	"These accounts at providers were linked before, with your password alone, and go on signing " \
	"in as you. On your page you can remove those that you do not know."
#define WEB_FACTOR_IS_ON "It is on, and your other sessions have ended."
#define WEB_FACTOR_RENEW "Ten others. The ones that you have are good for nothing any more."
#define WEB_FACTOR_REMOVE \
	"Your password alone opens your account then, and your recovery codes are good for nothing."
#define WEB_RUN                                                                                       \
	"The CVM gets the manifest, which is frozen from then on. Its agent waits for the algorithm " \
	"and the datasets, from the keys that the manifest names."
#define WEB_RUN_AGAIN                                                                                                    \
	"The same manifest once more. The CVM where it ended may have kept what owners let it keep; in another one all " \
	"datasets are asked of their owners again. The algorithm is sent again in any."
#define WEB_RUN_CHOOSE    "Connected ones. Accepted is this service’s verdict, not yours."
#define WEB_RUN_CVM       "Its id; empty for the only one that is connected and free"
#define WEB_RUN_CVM_AGAIN "Its id; empty for the one where it ended"
#define WEB_RUN_CVM_FREE  " The list has those of its workspace that are free."
#define WEB_RUN_NEW                                                                                \
	"A manager makes one for this run. It gets the manifest as any CVM would, and is removed " \
	"behind the run."
#define WEB_RUN_KEEP "1 to 10080, which are 7 days. What nobody has fetched by then is gone"
#define WEB_RUN_UNVERIFIED \
	"Owners who check evidence with their CLI send nothing to such a machine."
#define WEB_PROGRESS                                                                                   \
	"Uploads that are whole, and who has fetched, as the agent’s signed journal says. Here it is " \
	"this service’s word; your CLI verifies the journal:"
#define WEB_NO_PROGRESS \
	"This run’s agent has given no journal, so this service does not know who has sent and fetched what."
#define WEB_PROGRESS_PART \
	"The journal is long, and of its middle nothing is shown here: your CLI shows all."
#define WEB_GOING_COMES  "Coming"
#define WEB_GOING_CUT    "Cut off"
#define WEB_GOING_OF     " of "
#define WEB_GOING_SO_FAR " so far"
#define WEB_GOING_KEPT   "; its owner’s same command goes on there"
/* Of numbers: MiB, MiB, seconds. */
#define WEB_GOING_RUN "Now %d MiB of memory, %d MiB at most so far, and %d s of processor time."
#define WEB_GOING                                                                                  \
	"What is still coming, and what the run uses, is the agent’s word of this moment: nobody " \
	"has signed it."
#define WEB_NO_MACHINES \
	"A CVM runs one computation at a time. Whoever administers this workspace has one made."
#define WEB_MACHINE_NEW \
	"Its manager launches it, and its agent connects by itself. Nobody has to trust either."
#define WEB_MACHINE_NO_MANAGER                                                                    \
	"This service knows no manager: whoever runs it names some in COMPUTATIONS_MANAGERS, or " \
	"launches CVMs by hand."
#define WEB_FREE                                                                                             \
	"As managers say now, on all their hosts together; a CVM is on one of them. Others may be quicker, " \
	"and a workspace has limits of its own."
#define WEB_FREE_NONE "no host has room for a new CVM now."
#define WEB_FREE_UNKNOWN \
	"what is free there is not known: it did not say, or tells its operators alone."
#define WEB_MACHINE_NAME    "a-z 0-9 - . with a letter or digit at both ends; 63 at most"
#define WEB_MACHINE_TEE     "What can vouch for the machine; with none nothing does"
#define WEB_MACHINE_DEFAULT "Of the manager’s; what is empty is as the manager is set"
#define WEB_MACHINE_HOURS   "It is removed then, whatever it does"
#define WEB_MACHINE_CHECK                                                                            \
	"Not this service, your own terminal says what this machine is. Compute from the image and " \
	"the manifest what it has to prove, and nothing is sent before it has:"
#define WEB_MACHINE_POLICY                                                                           \
	"Its manager publishes a policy, too. That is its operator’s word: compare it with the one " \
	"that you computed, before anything relies on it."
#define WEB_MACHINE_NO_TEE                                                                           \
	"What vouches for it was left to its manager, or nothing does: ask which TEE it has before " \
	"you send anything."
#define WEB_MACHINE_REMOVE                                                                             \
	"The machine ends, and all that its agent holds is gone: what was uploaded, and results that " \
	"nobody has fetched."
#define WEB_MACHINE_MADE_FOR "It is removed behind that run"
#define WEB_MACHINE_FORCE    "That computation fails, and its parties read why."
#define WEB_USAGE                                                                                     \
	"What its CVMs ran, as their managers said, times their CPUs and their memory. Time between " \
	"two computations is waiting. Months are in UTC; this is until"
#define WEB_USAGE_BYTES                                                                                   \
	"Bytes in and out are as each computation’s own agent said in its journal, by when this service " \
	"heard of it. An agent without one counts none, nor do results whose size the manifest hides."
#define WEB_USAGE_STORAGE \
	"Storage is what this service keeps of a computation: manifest, sealed key, evidence, log lines, events and journals, as it looks each hour."
#define WEB_NO_ACCOUNTS "No account pays for a workspace: each has its own limits alone."
#define WEB_BILLING_NEW                                                                                  \
	"An account pays for workspaces. Its plan limits what all of them together may run in a month, " \
	"beside what each of them may."
#define WEB_NO_PLANS \
	"There is no plan yet: add lines 'plan NAME cpu-hours=N' to COMPUTATIONS_MANAGERS."
#define WEB_PLAN_GONE                                                                                  \
	"COMPUTATIONS_MANAGERS has no such plan any more: no CVM is made for its workspaces until it " \
	"has another."
#define WEB_BILLING_PLAN \
	"Its limits hold at once, for this month too: if one is used up, CVMs are removed."
#define WEB_BILLING_MONTHS                                                                                   \
	"Whole months: this one, and those that follow. What a workspace ran before stays on the statement " \
	"of who paid then."
#define WEB_BILLING_REMOVE "One that has paid for a workspace stays, for its statements."
#define WEB_BILLING_ENDS   "At all of it the CVMs of its workspaces are removed, with what they hold."
#define WEB_NO_AUTHORITY                                                                                         \
	"This service issues no certificates. Make an authority with 'cocos-computations --make-ca NAME', name " \
	"its files in COMPUTATIONS_CA_CERT and COMPUTATIONS_CA_KEY, and start the service again."
#define WEB_NO_CERTIFICATES                                                                                  \
	"It has issued none yet. A token is for one certificate, and works once; whoever is given it makes " \
	"the key where it will be used."
#define WEB_AUTHORITY \
	"Before you trust it, compare this with what these commands print, and with who runs the service."
#define WEB_AUTHORITY_NO_URL                                                                         \
	"Certificates say neither address: COMPUTATIONS_CA_URL is not set. Both are on this page’s " \
	"own host."
#define WEB_AUTHORITY_BEFORE                                                                           \
	"It issues nothing more. What it has issued is valid to its own end: until then others trust " \
	"both, and need both lists."
#define WEB_AUTHORITY_OVER                                                                           \
	"It has ended, and nothing that it issued is valid any more: take COMPUTATIONS_CA_OLD_CERT " \
	"and COMPUTATIONS_CA_OLD_KEY out of the settings, and it off what others trust."
#define WEB_CERTIFICATE_NEW "A token for one more, and its certificate for whoever has the token:"
#define WEB_CERTIFICATE_REVOKE                                                                                 \
	"All certificates of its line are good for nothing then, those that renewed it or were renewed by it " \
	"as well, and this service ends the connections that were opened with them. Nothing takes that back."
#define WEB_CERTIFICATE_TOKEN \
	"Nobody gets a certificate for this token then. Nothing takes that back."
#define WEB_USAGE_SUMMED \
	"This month is long ago: its times are kept as sums, by computation and CVM, which its statements are made of."
#define WEB_USAGE_NEARLY "More than 80 % of a limit of this month is used."
#define WEB_USAGE_SPENT  "A limit of this month is used up: no CVM is made before the next one."
#define WEB_USAGE_ENDS                                                                                 \
	"When all is used, this workspace’s CVMs are removed, with what they hold. Whoever runs this " \
	"service can give it more."
#define WEB_NO_USAGE \
	"None of its CVMs ran in this month. Your terminal shows all workspaces that you are in:"
#define WEB_STOP       "Its agent ends it, and forgets what it holds. A retry begins anew. This wipes:"
#define WEB_STOP_EARLY "No CVM holds it: nothing is wiped. A retry runs it later."
#define WEB_IDENTITIES                                                                                  \
	"Whose account is removed signs in with it no more, and all sessions of that user end. Tokens " \
	"stay. One’s own are removed under You. Who has no other way in needs a link then:"
#define WEB_NO_IDENTITIES "No account at a provider signs this user in."
#define WEB_RENAME                                                                                     \
	"Here it is called so. Its manifest keeps the name that it has, and its digest, which others " \
	"compare; links go by its id, and stay. Its description stays, too:"
#define WEB_RENAME_NAME "Of no other computation in its workspace"
#define WEB_REMOVE                                                                                    \
	"Manifest, roles, events and its journal go from this service, for everybody who has a role " \
	"in it. Nobody can bring them back; save what you need first:"
#define WEB_REMOVE_HELD  "A CVM holds it. Stop it first, and its agent says when all is wiped."
#define WEB_REMOVE_FORCE "Its agent is told to stop when it comes; that it did, nobody will see."
#define WEB_RELEASE                                                                             \
	"The agent’s connection ends, and the next agent that comes by this name has it, with " \
	"whatever key. Do that when the machine’s key was lost or changed."
#define WEB_DEVICE \
	"'cocos-cli login' shows a code: give it here. You see who asks, and for what, before anything is let in."
#define WEB_DEVICE_HINT "Eight letters; it works once, within ten minutes"
#define WEB_DEVICE_WARNING                                                                                  \
	"Let it in only if you have just begun this yourself, at that machine: compare the code with what " \
	"it shows. Whoever sent you a code, or asks you for one, would act as you from then on."
#define WEB_DEVICE_DONE \
	"It is let in, and takes its token now. Among your tokens it has the name of its code; revoking it ends it."
#define WEB_ME       "You see the computations in which you have a role."
#define WEB_ME_CHIEF "You administer this service."
#define WEB_ME_NOBODY                                                                             \
	"You came with a link or a certificate of whoever administers this service, and have no " \
	"account here."
#define WEB_ME_TOKEN "With a token there is nothing to see here: sign in with a browser."
#define WEB_SIGN_IN_OR_LINK                                                                         \
	"sign in at /sign-in; or with a link that works once: the service's log names the command " \
	"that prints one; a program shows a token (Authorization: Bearer TOKEN)"

#define WEB_INVITED                                                                                \
	"Choose a name and a password: with these you sign in from then on. This service’s pages " \
	"never see your keys and data."
#define WEB_INVITED_TAKEN "This name can't be had: choose another one."
#define WEB_INVITED_KNOWN "Sign in, and you are a member there as well."
/* On loopback a session has a host name of its own: the link as it stands leads to another one. */
#define WEB_INVITED_FACTOR                                                                             \
	"You have a second factor: sign in first, at /sign-in, and open this link's path (/invite/…) " \
	"at the address where you are signed in then; or give the link to 'cocos-cli invitation "      \
	"accept'"
#define WEB_INVITED_IN "The invitation works once. You may leave the workspace again at any time."

#define WEB_ONCE_KEY                                                                               \
	"1 to 64 characters, a UUID is good: what you send again with it within 24 hours is made " \
	"once and answered as before, without a secret that was told then; something else with "   \
	"it is 422; while the first is under way, or if its end is not known, 409"
#define WEB_ONCE_LONG "it was made; the answer was longer than what is kept"
#define WEB_ONCE_BUSY "what this key was sent with is under way, or its end is not known"
#define WEB_ONCE_BUSY_DO                                                                         \
	"ask again in a moment; if this stays so, look whether it was made, and if it was not, " \
	"send it with another key"
#define WEB_ONCE_OTHER "you sent this key with something else within 24 hours"
#define WEB_ONCE_OTHER_DO \
	"use a key of its own for each creation; to repeat one, send exactly what you sent"

/* The word of a state in an address ("waiting-for-algorithm"), and back; NULL or "": any, -1. */
/* What an order is called: "Newest first". */
const char *web_order_words(const struct list_kind *list, struct list_sort sort);
const char *web_state_word(enum computation_state state);
int web_state_of(const char *word, int *state, struct err *e) MUST_CHECK;
/* Its class and icon. */
const char *web_state_class(enum computation_state state);
const char *web_state_icon(enum computation_state state);
/* Who has to do what. */
const char *web_state_waits(enum computation_state state);
