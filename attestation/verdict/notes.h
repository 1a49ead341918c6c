/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notes.h — the table of notes: what a reader of a verdict has to know beside its word. A note never
 * changes the word; its text is made where the note is.
 */
#pragma once

#include <stdbool.h>

enum note_id {
	NOTE_POLICY,           /* which one it was */
	NOTE_CORIM,            /* which one it was, and who stands behind it */
	NOTE_RELAYABLE,        /* the agent vouches for whatever it is asked */
	NOTE_HOST_CODE,        /* the image's kernel runs it, as the policy says */
	NOTE_OWN_KERNEL,       /* which runs none, as the policy says */
	NOTE_OPERATOR_TRUSTED, /* a TPM alone says nothing against its host */
	NOTE_NO_MANIFEST_YET,  /* nothing is said about the run */
	NOTE_BOOT_UNCOMPARED,  /* what was fixed at launch, which only a run statement tells */
	NOTE_MANIFEST,         /* none was named: this is the agent's */
	NOTE_BOOT_NOT_FIXED,   /* at launch */
	NOTE_MODE,             /* which part of the policy it leaves out */
	NOTE_OWN_ROOT,         /* the caller's, not the vendor's */
	NOTE_NO_CHIP_LIST,     /* of a product whose reports can be forged */
	NOTE_NO_TCB_FLOOR,     /* any firmware's key will do */
	NOTE_PROVIDER,         /* whose key signed, that the policy does not name */
	NOTE_TCB,              /* what Intel says of the platform */
	NOTE_ADVISORIES,       /* of Intel's, about it */
	NOTE_AK_NAMED,         /* the operator of that TPM is trusted */
	NOTE_AK_CERTIFIED,     /* under which kind of root */
	NOTE_AK_OF_PARAVISOR,  /* the paravisor's word */
	NOTE_EK_ROOT,          /* to which the TPM's EK chains */
	NOTE_LEAVES_OPEN,      /* the policy, and its author may not have meant it */
	NOTE_ENDORSEMENTS,     /* that could not be had */
	NOTE_CLAIMS,           /* of the token, which nothing confirms */
	NOTE_STALE,            /* which were in the cache alone, and how old they are */
	NOTE_EVIDENCE,         /* what was found wrong with it before it was judged */
	NOTE_NO_RESULTS,       /* a receipt was judged without them */
	NOTE_RECEIPT_TIME,     /* when it says that it was made */
	NOTE_JOURNAL_TIME,     /* when it says that its evidence came */
	NOTE_COUNT,
};

/* It limits what a yes says: one who hears the word alone has to hear this too. */
bool notes_limit(enum note_id id);

/* It says which one it was, and asks for nothing: who hears a yes need not hear it. */
bool notes_inform(enum note_id id);
