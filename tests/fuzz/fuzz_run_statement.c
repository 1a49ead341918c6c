/* SPDX-License-Identifier: Apache-2.0 */
/* Run statements: there is one encoding of each. */
#include "attestation/token/run_statement.h"
#include "common/base/writer.h"
#include "tests/forge/must.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	CLEANUP_WRITER struct writer w = writer_up_to(RUN_STATEMENT_MAX);
	struct run_statement s;
	struct err e;

	if (run_statement_parse(bytes, len, &s, &e) < 0)
		return 0;
	MUST(run_statement_write(&s, &w, &e) == 0);
	MUST(w.len == len && memcmp(w.bytes, bytes, len) == 0);
	run_statement_done(&s);
	return 0;
}
