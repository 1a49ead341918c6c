/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry.h — which CVMs there are: what a restart relies on. In SQLite on disk, or on a PostgreSQL server.
 *
 * Each step of creating or removing a CVM is recorded before it is taken, and the record is removed
 * last. So whatever a killed manager left over belongs to a record, and everything before
 * CVM_RUNNING is undone, everything after it finished, by the same idempotent removal.
 *
 * Functions block and may be called from any thread but the loop's. ERR_UNAVAILABLE: the server can't be asked now,
 * and nothing was changed; ERR_UNKNOWN: the answer to a change got lost, and it may have been made (db.h).
 */
#pragma once

#include "attestation/measure/reference.h"
#include "common/access/access_table.h"
#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/crypto/digest.h"
#include "manager/registry/cvm_labels.h"
#include "manager/virt/domain_xml.h"

#include <stdint.h>

enum {
	CVM_ID_LEN = 36, /* a UUID in text */
	CVM_TEXT_MAX = 256,
	CVM_HOST_MAX = 64, /* a host's name, with its end */
	REGISTRY_TAG_LEN = 8,
	REGISTRY_VERSION = 7, /* of the tables' form */
	REGISTRY_ROWS_MAX =
		16384, /* slots are below it: CONFIG_VMS_MAX, and room for a limit that was higher */
	REGISTRY_GONE_MAX =
		1024, /* CVMs that were removed: the last ones, a share for each owner */
	REGISTRY_EPOCH_MAX = (1 << 23) - 1,
	REGISTRY_HOSTS_MAX = 128, /* added ones, and others of which something is said */
	REGISTRY_HOST_URI_MAX = 256,
	REGISTRY_HOST_WORDS_MAX = 1024,
};

/* The step that is being taken, or was when the manager ended. The numbers are on disk. */
enum cvm_step {
	CVM_FILES = 1,    /* folders and secrets are written */
	CVM_DOMAIN = 2,   /* libvirt is asked for the domain */
	CVM_FORWARD = 3,  /* its port is forwarded */
	CVM_RUNNING = 4,  /* nothing more to do */
	CVM_STOPPING = 5, /* libvirt is asked to end the domain */
	CVM_CLEANING = 6, /* folders and secrets are removed */
};

/* Why a CVM is not there any more. The numbers are on disk. */
enum cvm_why {
	CVM_WHY_NONE = 0,
	CVM_REMOVED = 1,     /* somebody asked for it */
	CVM_EXPIRED = 2,     /* its time was up */
	CVM_ENDED = 3,       /* its machine ended by itself */
	CVM_FAILED = 4,      /* it could not be created */
	CVM_ABANDONED = 5,   /* nobody waited for it any more */
	CVM_INTERRUPTED = 6, /* an earlier manager was stopped while it made or removed it */
	CVM_WHYS,
};

/* One CVM. Nothing secret is in it. */
struct cvm {
	char id[CVM_ID_LEN + 1];
	char name[CVM_NAME_MAX + 1];     /* its owner's, or empty */
	char labels[CVM_LABELS_MAX + 1]; /* cvm_labels.h */
	char owner[ACCESS_NAME_MAX + 1]; /* the tenant whose it is; empty: an operator's */
	char host[CVM_HOST_MAX];         /* where it runs (vm_hosts.h) */
	enum cvm_step step;
	unsigned slot;                  /* 0 to max_vms - 1: gives the domain its name */
	uint16_t port;                  /* on the host, forwarded to the agent's */
	int64_t created_ms, expires_ms; /* since 1970; expires_ms 0: never */

	/* What it was launched with. */
	enum domain_tee tee;
	bool kvm;
	unsigned cpus;
	uint64_t memory; /* bytes; 0: recorded by a manager that did not say */
	char cpu_type[CVM_TEXT_MAX];
	char firmware[CVM_TEXT_MAX];
	char image[IMAGE_NAME_MAX];
	char cmdline[IMAGE_CMDLINE_MAX + 64];
	uint8_t boot_sha3_256[SHA3_256_LEN], boot_sha3_384[SHA3_384_LEN];
	char expected[REFERENCE_POLICY_MAX]; /* the policy, JSON; or why there is none */

	/* Of one that goes; not in its record, but in what is remembered of it. */
	enum cvm_why why;
	int64_t exited_ms;
};

/* What is remembered of a CVM that is gone. */
struct cvm_gone {
	char id[CVM_ID_LEN + 1];
	char name[CVM_NAME_MAX + 1];
	char labels[CVM_LABELS_MAX + 1];
	char owner[ACCESS_NAME_MAX + 1];
	enum domain_tee tee;
	bool kvm;
	enum cvm_why why;
	int64_t created_ms, exited_ms; /* 0: not known */
	uint64_t revision;             /* the fleet's */
};

/* No TEE works without KVM, so the TEE of a CVM without KVM is simulated. */
static inline bool cvm_simulated(const struct cvm *cvm)
{
	return cvm->tee != DOMAIN_PLAIN && !cvm->kvm;
}

/* Whether it has the form of a CVM's id: a UUID in lower case, so that it names a folder and nothing
 * outside of it. */
bool cvm_id_is_valid(const char *id);

struct registry;

/* registry.db in that folder, or the database at a place of PostgreSQL's (db_postgres.h; NULL: none); and the file
 * `tag` in the folder. Creates what is missing. A newer form is ERR_PRECONDITION, and so is a server's database that
 * another manager uses, or has made; a damaged one is ERR_DATA_LOSS or what SQLite says of it; nothing is repaired by guessing.
 * Who had it open before can change nothing any more. */
int registry_open(const char *dir, const char *database, struct registry **registry,
		  struct err *e) MUST_CHECK;
void registry_close(struct registry *registry);
DEFINE_CLEANUP(struct registry *, registry_close)

/* Eight hexadecimal digits, made with the tables: they distinguish this manager's domains from
 * another's. */
const char *registry_tag(const struct registry *registry);

/* ERR_EXISTS if id, slot or port is taken. */
int registry_add(struct registry *registry, const struct cvm *cvm, struct err *e) MUST_CHECK;
int registry_set_step(struct registry *registry, const char *id, enum cvm_step step,
		      struct err *e) MUST_CHECK;
int registry_set_port(struct registry *registry, const char *id, uint16_t port,
		      struct err *e) MUST_CHECK;

/* It is remembered among those that are gone, with the why and exited_ms of `cvm`. */
int registry_delete(struct registry *registry, const struct cvm *cvm, struct err *e) MUST_CHECK;

/* REGISTRY_GONE_MAX that were deleted, the oldest of them first; beyond that, the oldest of the owner who has most
 * was forgotten. A domain that appears under
 * one of their ids is one whose start libvirt had not given up. What of a row has not the form that we
 * write is left out, the whole row if it is the id. */
int registry_gone(struct registry *registry, struct cvm_gone gone[REGISTRY_GONE_MAX], size_t *count,
		  struct err *e) MUST_CHECK;

/* How often this registry was opened, this time included: what is counted in memory begins anew each
 * time, and is told apart by it. From 1 to REGISTRY_EPOCH_MAX. */
uint64_t registry_epoch(const struct registry *registry);

/* A copy of one record as a registry of its own at `path`, where nothing may be yet; and back, which
 * checks it as registry_list() does. */
int registry_save(const struct registry *registry, const char *path, const struct cvm *cvm,
		  struct err *e) MUST_CHECK;
int registry_saved(const char *path, const char *id, struct cvm *cvm, struct err *e) MUST_CHECK;

/* A host that was added while the manager ran; or, with an empty `uri`, what was said of one that the settings have. */
struct registry_host {
	char name[CVM_HOST_MAX];
	char uri[REGISTRY_HOST_URI_MAX],
		words[REGISTRY_HOST_WORDS_MAX]; /* as MANAGER_HOSTS has them */
	bool draining;
};

/* In the order in which they were added, malloc'ed. ERR_DATA_LOSS if a row has not the form of those that we write; what its
 * words mean is not looked at here (vm_hosts.h). */
int registry_hosts(struct registry *registry, struct registry_host **hosts, size_t *count,
		   struct err *e) MUST_CHECK;

/* ERR_EXISTS if there is another one of that name; fine if it is the same. */
int registry_host_add(struct registry *registry, const struct registry_host *host,
		      struct err *e) MUST_CHECK;

/* Whatever is known of it; whether it drains, if nothing is. */
int registry_host_drain(struct registry *registry, const char *name, bool draining,
			struct err *e) MUST_CHECK;

/* The same of one that drains no more, where several managers share the registry: what is said of it by their settings and
 * what was added are told apart there. */
int registry_host_undrain(struct registry *registry, const char *name, struct err *e) MUST_CHECK;

/* One that was added is the settings' by now: all that is kept is whether it drains. */
int registry_host_settle(struct registry *registry, const char *name, struct err *e) MUST_CHECK;

/* Fine if nothing is known of it. Where the registry is shared, of a host that this manager holds, and that has no CVM
 * (ERR_PRECONDITION): its lease goes with it. */
int registry_host_drop(struct registry *registry, const char *name, struct err *e) MUST_CHECK;

/* All CVMs by slot, malloc'ed. ERR_DATA_LOSS if a row has not the form of those that we write: ids
 * become folders that are removed. */
int registry_list(struct registry *registry, struct cvm **cvms, size_t *count,
		  struct err *e) MUST_CHECK;
