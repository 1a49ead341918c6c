/* SPDX-License-Identifier: Apache-2.0 */
/* make_calls_certificate.c — an authority that is asked for certificates: the corpus of fuzz_certificate_calls. */
#include "tests/fuzz/make_calls.h"
#include "tests/fuzz/orders_certificate.h"

#include <stdio.h>

static void order(struct writer *w, unsigned fails, enum certificate_order what, uint8_t operand)
{
	writer_u8(w, (uint8_t)(what | fails << CERTIFICATE_FAILS_SHIFT));
	writer_u8(w, operand);
}

void calls_certificate_calls(void)
{
	for (uint8_t flags = 0; flags < 4; flags++) {
		char path[64];
		struct writer w = calls_begin(flags);

		for (uint8_t role = 0; role < 3; role++) {
			order(&w, 0, CERTIFICATE_TOKEN, role);
			for (unsigned wrong = 1; wrong < 256; wrong *= 2)
				order(&w, 0, CERTIFICATE_ISSUE, (uint8_t)wrong);
			for (uint8_t which = 0; which < 5; which++)
				order(&w, 0, CERTIFICATE_LONG, which);
			order(&w, 0, CERTIFICATE_ISSUE, 0);
			order(&w, 0, CERTIFICATE_ISSUE, 0); /* it worked once */
		}
		snprintf(path, sizeof(path), "certificate_calls/roles-%u", flags);
		calls_save(path, &w);
		w = calls_begin(flags);
		order(&w, 0, CERTIFICATE_ISSUE, 0);
		order(&w, 0, CERTIFICATE_TOKEN, 0);
		for (unsigned fails = 1; fails < 16; fails++) {
			order(&w, fails, CERTIFICATE_ISSUE, 0);
			order(&w, 0, CERTIFICATE_TOKEN, (uint8_t)(fails & 1));
		}
		snprintf(path, sizeof(path), "certificate_calls/failing-%u", flags);
		calls_save(path, &w);
	}
}
