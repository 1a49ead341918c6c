/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pe.h — a program for UEFI (PE32+, Microsoft PE format), as far as its Authenticode digest needs:
 * that is what firmware measures when it starts one, a Linux kernel for example.
 *
 * A file has one reading: sections follow the headers and each other without a gap, and a table of
 * certificates is at the very end. So the digest is of all but three fields and that table.
 */
#pragma once

#include "common/base/err.h"
#include "common/base/span.h"
#include "common/crypto/digest.h"

enum { PE_IMAGE_MAX = 256 << 20, PE_SECTIONS_MAX = 96 };

struct pe {
	struct span image;      /* lent */
	size_t checksum_at;     /* 4 bytes that are left out */
	size_t certificates_at; /* of the directory's entry, 8 bytes that are left out; 0: none */
	size_t end;             /* where the certificates begin */
};

int pe_parse(struct span image, struct pe *pe, struct err *e) MUST_CHECK;

/* The Authenticode digest (Windows Authenticode Portable Executable Signature Format). */
int pe_digest(const struct pe *pe, enum digest_kind kind, uint8_t *out, struct err *e) MUST_CHECK;
