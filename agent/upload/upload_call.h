/* SPDX-License-Identifier: Apache-2.0 */
/*
 * upload_call.h — one call of Algo or Data, from its metadata to the asset in its place; for this
 * room only.
 *
 * uploads.c takes the bytes in, upload_call.c ends the call. What the two methods have of their own
 * stands in a row: upload_algorithm.c, upload_dataset.c.
 */
#pragma once

#include "agent/computation/access.h"
#include "agent/upload/upload.h"
#include "agent/upload/uploads.h"
#include "common/base/span.h"
#include "common/base/writer.h"
#include "common/python/requirements.h"

enum upload_stage {
	UPLOAD_BEGUN,     /* it is not known yet that an owner calls: nothing is on disk */
	UPLOAD_FLOWING,   /* bytes go to disk */
	UPLOAD_PAUSED,    /* the same, and the caller waits for room */
	UPLOAD_WHOLE,     /* the caller has sent all, and the lanes run out */
	UPLOAD_CUT,       /* the call broke off, and the lanes run out; then what came is kept */
	UPLOAD_UNPACKING, /* the pool is at it: unpacks a dataset, tries an algorithm */
	UPLOAD_OVER,      /* answered, or given up */
};

struct upload_call {
	const struct upload_kind *kind;
	enum upload_stage stage;
	unsigned refs; /* of the RPC until it is closed, and of the upload until it is over */
	LIST_ENTRY(upload_call) link;
	struct uploads *uploads;
	struct computation *computation; /* a reference */
	struct rpc_call *call;           /* a reference */
	struct access access;
	struct asset *asset;   /* the one it is, as soon as that is certain */
	struct upload *upload; /* NULL before UPLOAD_FLOWING and after UPLOAD_OVER */

	/* Data. */
	bool may_be[MANIFEST_DATASETS_MAX]; /* datasets whose owner signed this call */
	char *filename;                     /* NULL before the first message */
	bool decompress;
	enum manifest_keep keep;

	/* Algo. */
	enum runner_kind runner;
	const char *algo_type; /* lent by the call's metadata */
	const char *runtime;
	struct writer requirements; /* a text */
	struct upload *bundle;      /* or this; NULL: none, or it is in its place */
	bool is_bundle, bundle_ended, asset_ended;
	uint8_t bundle_digest[SHA3_256_LEN]; /* once it has ended */
};

/* What the two methods differ in. */
struct upload_kind {
	const char *method, *role;
	const ProtobufCMessage *response;
	enum upload_asset asset;
	/* Whose it is becomes clear with the first message (true); with the first byte of the asset,
	 * or the end (false). */
	bool first_message_tells;
	/* Reads what the metadata says beside who calls. */
	int (*read_metadata)(struct upload_call *u, struct err *e);
	/* The message's second field; empty where it has none. */
	int (*take_field)(struct upload_call *u, struct span field, bool with_asset, struct err *e);
	/* Which asset may this be, and did its owner sign? */
	int (*check_owner)(struct upload_call *u, struct err *e);
	/* All is here: sets u->asset to the one that has this content. */
	int (*settle)(struct upload_call *u, const uint8_t digest[SHA3_256_LEN], struct err *e);
	/* Puts it where the algorithm finds it, or begins to: then the stage is UPLOAD_UNPACKING, and
	 * upload_call_placed() or upload_call_finish() follows. */
	int (*place)(struct upload_call *u, struct err *e);
	/* It is there, and its owner has no answer yet; NULL where nothing follows. */
	void (*placed)(struct upload_call *u);
	/* Ends what is at UPLOAD_UNPACKING, or sees to it that it ends; NULL where nothing is. */
	void (*stop_placing)(struct uploads *uploads, const struct err *why);
};

extern const struct upload_kind upload_algorithm, upload_dataset;

/* A reference to computation and call, in no list yet. NULL: no memory. */
struct upload_call *upload_call_new(struct uploads *uploads, const struct upload_kind *kind,
				    struct computation *c, struct rpc_call *call);
void upload_call_unref(struct upload_call *u);

/* An owner calls: checks that, and makes the file or goes on with the one that is kept. */
int upload_call_open(struct upload_call *u, struct err *e) MUST_CHECK;

/* The same for a bundle of requirements, which comes before the asset. */
int upload_call_open_bundle(struct upload_call *u, struct err *e) MUST_CHECK;

/* The caller has to wait for the disk. */
bool upload_call_is_full(const struct upload_call *u);

/* Moves the upload's file to `name` in the computation's folder. */
int upload_call_move(const struct upload_call *u, const struct upload *upload, const char *name,
		     mode_t mode, struct err *e) MUST_CHECK;

/* The pool is at it, or no longer: a computation with such an asset does not go on. */
void upload_call_set_placing(struct upload_call *u, bool placing);

/* It is in its place. Answers the call, and tells. */
void upload_call_placed(struct upload_call *u);

/* Answers the call, with OK if `e` is NULL, and ends the upload; what is on disk of it goes. */
void upload_call_finish(struct upload_call *u, const struct err *e);

/* The RPC is closed. What came without its end is kept for a later call. */
void upload_call_cut(struct upload_call *u);

/* What the digest that a call claims says: may it be this asset? */
bool upload_call_is_hinted(const struct upload_call *u, const struct asset *a);

/* Metadata that has one value; NULL if there is none. Of two the second would be lost in silence. */
int upload_call_metadata(const struct upload_call *u, const char *key, const char **text,
			 struct err *e) MUST_CHECK;
