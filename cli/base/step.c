/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/base/step.h"

#include "common/base/encode.h"

#include <inttypes.h>

void step_print(void *data, const struct snp_step *step)
{
	struct cli *cli = data;
	char contents[2 * SNP_DIGEST_LEN + 1], after[2 * SNP_DIGEST_LEN + 1];

	hex_encode(step->contents, SNP_DIGEST_LEN, contents);
	hex_encode(step->digest, SNP_DIGEST_LEN, after);
	fprintf(cli->out, "%zu\t%s\t0x%" PRIx64 "\t%s\t%s\n", step->number,
		snp_page_type_name(step->type), step->gpa, contents, after);
}
