/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tsm.h — what configfs-tsm does (drivers/virt/coco/guest/report.c): entries with attributes, two
 * generations each, and a report that is made when it is first read after a write.
 *
 * Everything here follows the kernel's rules and returns its errors, negative errno; fs.c makes a
 * file system of it.
 */
#pragma once

#include "tests/teesim/device.h"

#include <sys/queue.h>
#include <sys/types.h>

enum { TSM_ENTRIES_MAX = 256, TSM_ATTRIBUTES_MAX = 16, TSM_INBLOB_MAX = 64, TSM_PRIVLEVEL_MAX = 3 };

struct tsm_entry {
	LIST_ENTRY(tsm_entry) link;
	char *name;
	unsigned int uses; /* held by the folder and by each open file */
	unsigned long write_generation, read_generation;
	uint8_t inblob[TSM_INBLOB_MAX];
	size_t inblob_len;
	unsigned int privlevel;
	struct device_answer answer;
	uid_t owner, owners[TSM_ATTRIBUTES_MAX]; /* of it and its attributes: root, until chown() */
};

struct tsm {
	struct device *device;
	LIST_HEAD(tsm_entries, tsm_entry) entries;
	size_t count;
};

void tsm_init(struct tsm *tsm, struct device *device);
void tsm_done(struct tsm *tsm);

int tsm_mkdir(struct tsm *tsm, const char *name);
int tsm_rmdir(struct tsm *tsm, const char *name);
struct tsm_entry *tsm_find(struct tsm *tsm, const char *name, size_t len);
void tsm_entry_release(struct tsm_entry *entry);

struct tsm_attribute {
	const char *name;
	mode_t mode;
	bool binary; /* kept until its file is closed, and of size 0 until then */
	size_t max;  /* of what is written */
	bool tdx;    /* sev_guest has all of them */
	/* Fills the writer, which has room for all. */
	int (*show)(struct tsm *tsm, struct tsm_entry *entry, struct writer *w);
	int (*store)(struct tsm_entry *entry, const char *bytes, size_t len);
};
/* By index; NULL at the end. */
const struct tsm_attribute *tsm_attribute(const struct tsm *tsm, size_t i);
const struct tsm_attribute *tsm_attribute_named(const struct tsm *tsm, const char *name);
