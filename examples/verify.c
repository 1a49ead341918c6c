/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify.c — a program of somebody else's that judges an SEV-SNP report with the installed library:
 *
 *     cc verify.c $(pkg-config --cflags --libs cocos-attestation) -o verify
 *     ./verify REPORT VCEK CHAIN POLICY.json REPORT_DATA [2026-06-15T00:00:00Z]
 *
 * CHAIN is the ASK and the ARK as PEM, in that order; REPORT_DATA 128 hexadecimal digits. Exit status:
 * 0 verified, 1 refused, 2 called wrongly or an input that can't be read.
 */
#include <attestation/verify/verify.h>
#include <common/base/encode.h>
#include <common/base/file.h>
#include <common/base/timestamp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { FILE_LIMIT = 1 << 20, YES = 0, NO = 1, TROUBLE = 2 };

struct file {
	uint8_t *bytes;
	size_t len;
};

static struct span span_of(const struct file *f)
{
	return (struct span){ f->bytes, f->len };
}

/* Everything that was read or made, and the input that points into it. */
struct call {
	struct file report, vcek, chain, policy;
	struct x509_chain certs;
	struct policy rules;
	uint8_t report_data[64];
	struct verify_input input;
};

static void call_done(struct call *c)
{
	policy_done(&c->rules);
	x509_chain_done(&c->certs);
	free(c->report.bytes);
	free(c->vcek.bytes);
	free(c->chain.bytes);
	free(c->policy.bytes);
}

static int call_read(struct call *c, char **args, struct err *e)
{
	struct file *const files[] = { &c->report, &c->vcek, &c->chain, &c->policy };

	for (size_t i = 0; i < 4; i++)
		if (file_read(args[i], FILE_LIMIT, &files[i]->bytes, &files[i]->len, e) < 0)
			return -1;
	if (x509_chain_from_pem(c->chain.bytes, c->chain.len, &c->certs, e) < 0)
		return -1;
	if (c->certs.count != 2)
		return err_set(e, ERR_INVALID, "'%s': wanted two certificates", args[2]);

	const struct policy_file file = { args[3], c->policy.bytes, c->policy.len };
	if (policy_parse(&file, 1, &c->rules, e) < 0 ||
	    hex_decode(args[4], c->report_data, sizeof(c->report_data), e) < 0)
		return -1;
	c->input.at = time(NULL);
	return args[5] ? timestamp_parse(args[5], &c->input.at, e) : 0;
}

/* The report says nothing by itself: the certificates say whose key signed it, the policy what is
 * expected, the report data that it is the answer to our question and no older one. */
static void call_fill(struct call *c)
{
	struct verify_input *in = &c->input;

	in->mode = VERIFY_SNP;
	in->evidence = span_of(&c->report);
	in->binding.report_data = c->report_data;
	in->snp.vek = span_of(&c->vcek);
	in->snp.intermediate = (struct span){ c->certs.certs[0]->der, c->certs.certs[0]->len };
	in->snp.ark = (struct span){ c->certs.certs[1]->der, c->certs.certs[1]->len };
	in->policy = &c->rules;
}

static int judge(const struct call *c)
{
	static struct verdict v; /* large: not on the stack */
	struct err e;
	int rc = verify(&c->input, &v, NULL, &e);

	for (size_t i = 0; i < v.note_count; i++)
		printf("note: %s\n", v.notes[i]);
	if (rc == 0) {
		printf("verified: %zu checks\n", v.count);
		return YES;
	}
	printf("%s: %s\n", rc == -ERR_DENIED ? "refused" : "no verdict", e.text);
	return rc == -ERR_DENIED ? NO : TROUBLE;
}

int main(int argc, char **argv)
{
	static struct call c;
	struct err e;
	int status = TROUBLE;

	if (argc != 6 && argc != 7) {
		fprintf(stderr, "usage: %s REPORT VCEK CHAIN POLICY.json REPORT_DATA [AT]\n",
			argv[0]);
		return TROUBLE;
	}
	policy_init(&c.rules);
	if (call_read(&c, argv + 1, &e) == 0) {
		call_fill(&c);
		status = judge(&c);
	} else {
		fprintf(stderr, "%s: %s\n", argv[0], e.text);
	}
	call_done(&c);
	return status;
}
