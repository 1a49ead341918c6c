/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_words_new.h — what the form of a new computation says (web_words.h has all others).
 */
#pragma once

#define WEB_NEW                                                                                         \
	"What everybody will agree to. Each party compares the manifest that it makes before anything " \
	"is sent; files stay with those who have them."
#define WEB_NEW_CLONE                                                                                 \
	"As the other one is, under an id of its own. Caches and options that this form has no room " \
	"for are not copied."
#define WEB_A_MANIFEST \
	"a manifest, as cocos-cli takes it: user:NAME may stand for a key, asset:NAME for a digest"
#define WEB_EDIT                                                                                         \
	"Another manifest in place of this one, under the same id, until the first run. It has another " \
	"digest then: whoever has confirmed this one compares anew."
#define WEB_NEW_FILES "To be given again, for this service shows it nobody or does not have it:"
#define WEB_NEW_NOWHERE \
	"You are in no workspace where you may create computations. Whoever administers one can invite you."
#define WEB_NEW_WHAT        "A name for people. Name and description are part of the manifest."
#define WEB_NEW_DESCRIPTION "In one line; a longer one takes cocos-cli or a file"
#define WEB_NEW_ALGORITHM   "Its digest is what counts: no other file is accepted."
#define WEB_NEW_DIGEST                                                                              \
	"A registered asset’s name, or the file’s SHA3-256 in 64 hexadecimal digits, as cocos-cli " \
	"checksum prints it"
#define WEB_NEW_USER      "A user’s name: the manifest gets the key that is registered"
#define WEB_NEW_ARGUMENTS "Separated by spaces; one with a space in it stands in double quotes"
#define WEB_NEW_LEFT_OUT                                                                      \
	"of its result consumers have keys that no user has registered here, and are not in " \
	"this form: name who is to get results."
#define WEB_NEW_DATASETS_HINT                                                                                                \
	"The name is the one under which the algorithm finds the file; an asset’s is not taken for it, and without one its " \
	"owner chooses. Rows that are empty do not count; more than these take cocos-cli or a file."
#define WEB_NEW_RESULTS        "Each fetches the results once, with the key that the manifest names."
#define WEB_NEW_CONSUMERS_HINT "Users’ names, separated by spaces"
#define WEB_NEW_LEVEL          "Which lines it sends, and what is worse; debug sends all."
#define WEB_NEW_SECURITY                                                                   \
	"How parties reach the agent. Files are checked now, and by the agent once more. " \
	"They are no part of the manifest’s digest; evidence shows what the agent took."
#define WEB_MODE_NONE \
	"Everybody on the way reads and changes what is sent: for a network that is yours alone."
#define WEB_MODE_TLS                                                                                     \
	"Parties see that they speak with who has this certificate’s key, which this service has, too. " \
	"It does not show what machine that is."
#define WEB_MODE_MTLS                                                                                   \
	"As TLS, and only who has a certificate of the clients’ authority is let in. It does not show " \
	"what machine the agent is in."
#define WEB_MODE_ATTESTED                                                                              \
	"The agent proves on the very connection what it is, before anything is sent; what it has to " \
	"prove says each party’s own policy. It needs no files. It does not show who a client is."
#define WEB_MODE_MUTUAL                                                                              \
	"As attested TLS, and only who has a certificate of the clients’ authority is let in. Each " \
	"party has a policy of its own, and a certificate."
#define WEB_FILE_CERT \
	"PEM; behind it, in order, those above it. With attested TLS it may be left out, and needs a P-256 key."
#define WEB_FILE_KEY                                                                                      \
	"PEM, without a password. This service keeps it, gives it to the agent, and shows it to nobody; " \
	"attested TLS needs none."
#define WEB_FILE_AGAIN     "A private key is not shown again: give it once more."
#define WEB_FILE_CLIENT_CA "PEM: who has signed the certificates of those who may connect"
#define WEB_FILE_SERVER_CA \
	"PEM, may be left out: the authorities between the agent’s certificate and its root"
#define WEB_NEW_ROLES \
	"Algorithm and dataset providers and result consumers see it then. You own it."
