/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lifecycle.h — the steps of creating and of removing one CVM, in order, each recorded before it is
 * taken.
 *
 * Functions block and run in the pool, for different CVMs at the same time. Where the parts of a
 * CVM are:
 *   <state>/cvms/<id>/console.log    what the guest prints
 *   <state>/cvms/<id>/record.db      its record as it was when it ran, for a lost registry
 *   <secrets>/<id>/env/environment   the boot configuration, on tmpfs, for QEMU's user alone
 *   <secrets>/<id>/certs/…           cert.pem, key.pem, ca.pem
 *   domain cocos-<tag>-<slot>        UUID: the CVM's id
 *   a port of MANAGER_PORTS
 * On another host than this one, no file of this one is there: the boot configuration is a volume of its storage
 * pool, and the console is libvirt's to show.
 */
#pragma once

#include "manager/launch/cvm_request.h"
#include "manager/launch/images.h"
#include "manager/launch/ports.h"
#include "manager/launch/vm_hosts.h"
#include "manager/registry/registry.h"
#include "manager/settings/config.h"

#include <pthread.h>

enum {
	LIFECYCLE_AGENT_PORT = 7002, /* in the guest */
	LIFECYCLE_FORWARD_TRIES = 8,
	LIFECYCLE_NAME_MAX = 32,
};

/* What the domains of every manager begin with, and the copy of a CVM's record in its folder. */
#define LIFECYCLE_ANY_PREFIX "cocos-"
#define LIFECYCLE_RECORD     "record.db"
#define LIFECYCLE_CONSOLE    "console.log"

struct lifecycle {
	const struct config *config;
	struct registry *registry;
	struct vm_hosts *hosts;
	struct ports *ports;

	struct images images; /* with a lock of their own */

	pthread_mutex_t disk; /* for this one */
	unsigned creating;    /* that were promised room on it, and have not used it yet */
};

/* MANAGER_IMAGE_DIR's image, of several the default, if CVMs have the memory that it needs. */
int lifecycle_open_image(const struct config *config, struct image **image,
			 struct err *e) MUST_CHECK;

/* All arguments are borrowed. The image is opened here, so that a broken one is noticed before a
 * client asks. */
int lifecycle_init(struct lifecycle *l, const struct config *config, struct registry *registry,
		   struct vm_hosts *hosts, struct ports *ports, struct err *e) MUST_CHECK;
void lifecycle_done(struct lifecycle *l);

/* "cocos-<tag>-" and the domain's whole name. */
void lifecycle_prefix(const struct lifecycle *l, char name[LIFECYCLE_NAME_MAX]);
void lifecycle_name(const struct lifecycle *l, unsigned slot, char name[LIFECYCLE_NAME_MAX]);

/* The images, for operators (lifecycle_images.c). Blocking. */
enum { LIFECYCLE_IMAGES_MAX = IMAGES_MAX + 1 };
struct lifecycle_image {
	char folder[IMAGES_FOLDER_MAX + 1]; /* empty: the single one */
	char name[IMAGE_NAME_MAX];          /* flavour and digest; empty: it can't be read */
	bool is_default;
	unsigned cvms;              /* that were launched from it and are there */
	char problem[ERR_TEXT_MAX]; /* why none can be launched from it; empty: none */
};
/* The last row is of those that are left out, if there are such. */
int lifecycle_images(struct lifecycle *l, struct lifecycle_image rows[LIFECYCLE_IMAGES_MAX],
		     size_t *count, struct err *e) MUST_CHECK;

/* CVMs from now on are of that one, unless they ask for another. One that can't be launched is refused, and at
 * every moment the old or the new one is the default. */
int lifecycle_set_default_image(struct lifecycle *l, const char *folder, struct err *e) MUST_CHECK;

/* Takes its folder away. Never the default, and none from which a CVM was launched that is there, or is being
 * launched: ERR_PRECONDITION names one of these. */
int lifecycle_remove_image(struct lifecycle *l, const char *folder, struct err *e) MUST_CHECK;

/* It is read, checked, and small enough for MANAGER_MEMORY. */
int lifecycle_check_memory(const struct config *config, const struct image *image,
			   struct err *e) MUST_CHECK;

/* The image, of several the default, as it was last read: left as it is while that is being looked at. Does not block. */
void lifecycle_image_name(struct lifecycle *l, char name[IMAGE_NAME_MAX]);

/* The image can be launched, as it is on disk now; reads it again if it was changed. Blocking. */
int lifecycle_check_image(struct lifecycle *l, struct err *e) MUST_CHECK;

/* Creates the CVM: `cvm` comes with id, host, slot, times, cpus and memory, the rest is filled in. On failure
 * everything is undone; if even that failed, cvm->step says how far it got, and
 * lifecycle_remove() must be tried again; it is 0 if nothing is left. */
int lifecycle_create(struct lifecycle *l, const struct cvm_request *request, struct cvm *cvm,
		     struct err *e) MUST_CHECK;

/* Removes the CVM, from whatever step it is in. Repeatable until it succeeds; cvm->step follows.
 * When libvirt can't be reached, a running CVM stays as it is, unless its end is to be recorded
 * anyway (`insist`). */
int lifecycle_remove(struct lifecycle *l, struct cvm *cvm, bool insist, struct err *e) MUST_CHECK;

/* Removes the folders of that id; they may be missing. */
int lifecycle_remove_folders(const struct lifecycle *l, const char *id, struct err *e) MUST_CHECK;

/* The copy of its record in its folder, of one that another manager has made (lifecycle_keep.c). */
int lifecycle_keep_record(const struct lifecycle *l, const struct cvm *cvm,
			  struct err *e) MUST_CHECK;

/* Where that CVM's console is written to; malloc'ed. */
int lifecycle_console(const struct lifecycle *l, const char *id, char **path,
		      struct err *e) MUST_CHECK;

/* The last line on the CVM's console, as far as there is room; empty if there is none. The guest wrote it:
 * any bytes, so quote it. Never blocks, and reads no more than the file's end. */
void lifecycle_last_words(const struct lifecycle *l, const struct cvm *cvm, char *out, size_t room);
