/* SPDX-License-Identifier: Apache-2.0 */
/* orders_service_answers.h — numbers in the input of fuzz_service_answers, for the target and for make_calls. */
#pragma once

/* The first byte: --witness-key (of 4), and where what was seen is kept (of 4) above it. Then commands, each a byte and an
 * operand, and behind it what the service answers meanwhile: words, and what they need. */
enum sva_wanted { SVA_WANTS_ANY, SVA_WANTS_LOGS, SVA_WANTS_ANOTHERS, SVA_WANTS_UNREADABLE };
enum sva_place { SVA_PLACE_STATE, SVA_PLACE_HOME, SVA_PLACE_NONE, SVA_PLACES };
enum { SVA_WANTED_BITS = 2 };

enum sva_order {
	SVA_WITNESS, /* id (of 4), run (of 4), SVA_COMPARED, SVA_SEEN_ONLY */
	SVA_KNOW,
	SVA_CONFIRMED, /* which computation (of 2), SVA_WHOLE */
	SVA_KEY,       /* whose */
	SVA_OWNERS,
	SVA_FILL, /* text (of SVA_TEXTS) with names; the last one is the input's, behind its length(1) */
	SVA_WORKFLOW, /* which id (of SVA_IDS) */
	SVA_REPLY,    /* whose key */
	SVA_FILE,     /* what becomes of what is kept */
	SVA_IS_KEPT,
	SVA_ORDERS
};
enum { SVA_COMPARED = 16, SVA_SEEN_ONLY = 64, SVA_COMPARISONS = 4, SVA_WHOLE = 2 };
enum { SVA_TEXTS = 7, SVA_IDS = 6, SVA_USERS = 5 };
enum sva_file {
	SVA_FILE_GONE,
	SVA_FILE_CUT,
	SVA_FILE_FLIPPED,
	SVA_FILE_FULL,
	SVA_FILE_OVERFULL,
	SVA_FILES
};

/* Of a call. */
enum sva_word {
	SVA_HONEST, /* by the method, as below */
	SVA_FAILS,  /* code(1) */
	SVA_LIES,   /* a message as answers.h has it */
	SVA_MEANWHILE, /* another call keeps a head: history(1), size(1), leaf(1; 0: none); then a word again */
	SVA_WORDS
};

/* Witness: key and history(1), size(1), leaf(1; 0: the one that is asked for), what is wrong with it(1). */
enum { SVA_HISTORIES = 3, SVA_LOG_KEYS = 2, SVA_LEAVES = 16, SVA_OF_KEY = 4 };
enum sva_head {
	SVA_HEAD_RIGHT,
	SVA_HEAD_KEY_OTHER, /* of the key that is shown, which did not sign */
	SVA_HEAD_KEY_JUNK,
	SVA_HEAD_FLIPPED,
	SVA_HEAD_NONE,
	SVA_PROOF_NONE,
	SVA_PROOF_FLIPPED,
	SVA_PROOF_OLDER, /* under the head before it */
	SVA_PROOF_INDEX,
	SVA_PATH_NONE,
	SVA_PATH_SHORT, /* a hash of 31 bytes */
	SVA_PATH_MANY,
	SVA_PATH_FLIPPED,
	SVA_HEADS
};

/* Confirmations: whose digest(1), revision(1), count(1); of each user(1), key(1), what is wrong with it(1). */
enum { SVA_CONFIRMATIONS = 4, SVA_SIGNERS = 3 };
enum sva_confirmation {
	SVA_CONF_RIGHT,
	SVA_CONF_USER_OTHER,
	SVA_CONF_COMPUTATION_OTHER,
	SVA_CONF_SERVICE_OTHER,
	SVA_CONF_DIGEST_OTHER,
	SVA_CONF_REVISION_OTHER,
	SVA_CONF_DIGEST_STALE,
	SVA_CONF_REVISION_STALE,
	SVA_CONF_DIGEST_SHORT,
	SVA_CONF_SIGNER_OTHER,
	SVA_CONF_FLIPPED,
	SVA_CONF_UNSIGNED,
	SVA_CONF_KEY_SHORT,
	SVA_CONF_RETIRED,
	SVA_CONFS
};
/* Manifest: which(1); the last is none. */
enum { SVA_MANIFESTS = 4, SVA_MANIFEST_ANOTHERS = 2, SVA_MANIFEST_NONE = 3 };
/* FindKey: which(1): the first ones are keys. */
enum { SVA_KEYS_GOOD = 3, SVA_KEYS = 7 };
/* ShowAsset: type(1), the digest's bytes(1), 31 of them if odd(1). */
enum { SVA_TYPES = 3 };
/* Workflow: which order(1): two that were signed, and the first one with a fault. */
enum sva_workflow {
	SVA_ORDER_FIRST,
	SVA_ORDER_SECOND,
	SVA_ORDER_FLIPPED,
	SVA_ORDER_SUBMITTER,
	SVA_ORDER_EXPIRES,
	SVA_ORDER_NONE,
	SVA_ORDERS_SHOWN
};
