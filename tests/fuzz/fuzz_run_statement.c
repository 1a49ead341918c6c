/* SPDX-License-Identifier: Apache-2.0 */
/* Run statements. */
#include "attestation/token/run_statement.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct run_statement s;
	struct err e;

	if (run_statement_parse(bytes, len, &s, &e) == 0)
		run_statement_done(&s);
	return 0;
}
