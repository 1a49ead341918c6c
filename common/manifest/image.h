/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image.h — the guest image that CVMs are launched from: image.json and the files it names.
 *
 * See docs/guest-image.md. Every file is checked against the digest in image.json before it is
 * used, and again when it has been changed on disk.
 */
#pragma once

#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/crypto/digest.h"

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

enum {
	IMAGE_JSON_MAX = 4 << 20, /* lists every package */
	IMAGE_CMDLINE_MAX = 2000, /* of 2048 that x86's boot protocol leaves */
	IMAGE_NAME_MAX = 128,
};

/* A file as it was when its digest was computed. */
struct image_file {
	char *path; /* NULL: the image has none */
	uint8_t sha256[SHA256_LEN];
	struct timespec modified;
	ino_t inode;
	off_t size;
};

struct image {
	char *dir, *flavour, *cmdline;
	struct image_file json, kernel, initrd, root;
	char **words; /* may be added to the command line; NULL at the end */
	uint64_t min_memory_mib;
	bool own_kernel; /* which runs no ACPI code of the host's */
	bool boot_disk; /* its boot configuration comes on a disk (bootdisk.h), else by 9p shares */
};

/* Reads and checks everything. Blocking: it hashes some 100 MB. */
int image_open(const char *dir, struct image **image, struct err *e) MUST_CHECK;
void image_free(struct image *image);
DEFINE_CLEANUP(struct image *, image_free)

/* No file has changed since image_open(). */
bool image_is_current(const struct image *image);

/* The command line with `word` added at its end, malloc'ed; `word` NULL for none. Refused if the
 * image does not know the word. */
int image_cmdline(const struct image *image, const char *word, char **cmdline,
		  struct err *e) MUST_CHECK;

/* "base 1f0a9b…": flavour and the digest of image.json, for people and records. */
void image_name(const struct image *image, char name[IMAGE_NAME_MAX]);
