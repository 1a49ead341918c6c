/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/measure/snp_launch.h"

#include "common/base/bytes.h"

#include <string.h>

enum { PAGE_INFO_LEN = 2 * SNP_DIGEST_LEN + 16 };

const char *snp_page_type_name(enum snp_page_type type)
{
	static const char *const names[] = {
		[SNP_PAGE_NORMAL] = "normal",   [SNP_PAGE_VMSA] = "vmsa",
		[SNP_PAGE_ZERO] = "zero",       [SNP_PAGE_UNMEASURED] = "unmeasured",
		[SNP_PAGE_SECRETS] = "secrets", [SNP_PAGE_CPUID] = "cpuid",
	};

	return names[type];
}

static int sha384(struct snp_launch *launch, const void *bytes, size_t len, uint8_t *out,
		  struct err *e)
{
	if (!launch->stream && !(launch->stream = digest_new(DIGEST_SHA384, e)))
		return err_code(e);
	digest_restart(launch->stream);
	digest_add(launch->stream, bytes, len);
	return digest_finish(launch->stream, out, e);
}

int snp_launch_contents(struct snp_launch *launch, enum snp_page_type type, uint64_t gpa,
			const uint8_t contents[SNP_DIGEST_LEN], struct err *e)
{
	uint8_t info[PAGE_INFO_LEN] = { 0 };
	uint8_t *rest = info + 2 * SNP_DIGEST_LEN;

	memcpy(info, launch->digest, SNP_DIGEST_LEN);
	memcpy(info + SNP_DIGEST_LEN, contents, SNP_DIGEST_LEN);
	rest[0] = PAGE_INFO_LEN; /* LENGTH, 16 bits */
	rest[2] = (uint8_t)type; /* then IMI_PAGE and the permissions of VMPL 3 to 1: zero */
	bytes_put_le(rest + 8, gpa, 8);
	if (sha384(launch, info, sizeof(info), launch->digest, e) < 0)
		return err_code(e);
	if (launch->trace)
		launch->trace(launch->trace_data, &(struct snp_step){ .number = launch->steps,
								      .type = type,
								      .gpa = gpa,
								      .contents = contents,
								      .digest = launch->digest });
	launch->steps++;
	return 0;
}

int snp_launch_page(struct snp_launch *launch, enum snp_page_type type, uint64_t gpa,
		    const uint8_t *page, struct err *e)
{
	uint8_t contents[SNP_DIGEST_LEN] = { 0 };

	if ((type == SNP_PAGE_NORMAL || type == SNP_PAGE_VMSA) &&
	    sha384(launch, page, SNP_PAGE_LEN, contents, e) < 0)
		return err_code(e);
	return snp_launch_contents(launch, type, gpa, contents, e);
}

int snp_launch_range(struct snp_launch *launch, enum snp_page_type type, uint64_t gpa,
		     const uint8_t *bytes, uint64_t len, struct err *e)
{
	if (len % SNP_PAGE_LEN || gpa % SNP_PAGE_LEN)
		return err_set(
			e, ERR_INVALID, "%s pages at 0x%llx: 0x%llx bytes are not whole pages",
			snp_page_type_name(type), (unsigned long long)gpa, (unsigned long long)len);
	for (uint64_t at = 0; at < len; at += SNP_PAGE_LEN)
		if (snp_launch_page(launch, type, gpa + at, bytes ? bytes + at : NULL, e) < 0)
			return err_code(e);
	return 0;
}

void snp_launch_done(struct snp_launch *launch)
{
	digest_free(launch->stream);
	launch->stream = NULL;
}
