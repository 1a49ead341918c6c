/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tdx_bench.c — how long one TDX judgement takes, beside the ECDSA verifications it can't do without,
 * measured in the same run: tdx_bench [ROUNDS]
 */
#include <stdio.h>
#include <time.h>

#include "attestation/ecdsa.h"
#include "tests/forge/tdx_forge.h"
#include "tests/unit.h"

/* Quote, QE report; PCK, intermediate and root; TCB signer; two CRLs, two documents. */
enum { VERIFICATIONS = 10, ROUNDS = 500 };

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

int main(int argc, char **argv)
{
	static struct tdx_forge forge;
	static struct verdict verdict;
	static struct tdx_result result;
	static uint8_t quote[FORGE_QUOTE_MAX];
	int rounds = argc > 1 ? (int)strtol(argv[1], NULL, 10) : ROUNDS;
	struct tdx_policy policy;
	struct tdx_input in;
	struct err e;

	tdx_forge_init(&forge);

	size_t len = tdx_forge_quote(&forge, &forge.good, quote);

	tdx_forge_policy(&forge.good.body, &policy);
	tdx_forge_input(&forge, quote, len, &forge.good.body, &policy, &in);

	double start = now();

	for (int i = 0; i < rounds; i++) {
		verdict_init(&verdict, VERDICT_SCOPE_FULL);
		assert_ok(tdx_appraise(&in, &result, &verdict, &e), e);
	}

	double whole = (now() - start) / rounds;

	start = now();
	for (int i = 0; i < rounds; i++)
		assert_ok(ecdsa_verify(forge.keys[FORGE_ATTESTATION], ECDSA_P256, DIGEST_SHA256,
				       result.quote.signed_bytes, result.quote.signature, &e),
			  e);

	double sum = VERIFICATIONS * (now() - start) / rounds;

	printf("tdx_appraise %.3f ms, its %d ECDSA verifications %.3f ms, ratio %.2f\n", whole,
	       VERIFICATIONS, sum, whole / sum);
	tdx_forge_done(&forge);
	return 0;
}
