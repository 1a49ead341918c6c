/* SPDX-License-Identifier: Apache-2.0 */
/* check_idblock.c — an ID block and its authentication, and a report if there is one. */
#include "attestation/snp/idblock.h"
#include "cli/check/check.h"
#include "common/base/json.h"
#include "common/base/writer.h"

static int run(const struct check_input *in, struct verdict *v, struct writer *show, struct err *e)
{
	struct snp_report report;
	struct err why;
	bool author = false;

	verdict_require(v, CHECK_IDBLOCK_SIGNATURE);
	if (in->count == 3) {
		if (snp_report_parse(in->files[2].bytes, in->files[2].len, &report, &why) < 0)
			verdict_err(v, CHECK_PARSE_REPORT, &why);
		else
			idblock_judge(in->files[0], in->files[1], &report, v);
		return 0;
	}
	if (idblock_verify(in->files[0], in->files[1], &author, &why) < 0) {
		verdict_err(v, CHECK_IDBLOCK_SIGNATURE, &why);
		return 0;
	}
	verdict_check(v, CHECK_IDBLOCK_SIGNATURE, true, NULL, NULL);
	json_put_key(show, "author_key");
	writer_text(show, author ? "true" : "false");
	return 0;
}

const struct check_kind check_idblock = {
	.name = "idblock",
	.help = "ID block, ID authentication, and a report to compare with",
	.takes = (const char *const[]){ NULL },
	.files_min = 2,
	.files_max = 3,
	.run = run,
};
