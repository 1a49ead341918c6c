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
#define _GNU_SOURCE
#include <cocos/attestation.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FILE_LIMIT = 1 << 20, REPORT_DATA_LEN = 64, YES = 0, NO = 1, TROUBLE = 2 };

/* Everything that one call needs, and what it makes. */
struct call {
	struct cocos_request *request;
	struct cocos_endorsements *endorsements;
	struct cocos_policy *policy;
	struct cocos_verdict *verdict;
	struct cocos_error error;
};

/* A file's bytes, in memory that the next call uses again: the library copies what it is given. */
static struct cocos_bytes file_bytes(const char *path)
{
	static unsigned char bytes[FILE_LIMIT];
	FILE *file = fopen(path, "rb");
	struct cocos_bytes read = { NULL, 0 };

	if (!file) {
		perror(path);
		exit(TROUBLE);
	}
	read.data = bytes;
	read.len = fread(bytes, 1, sizeof(bytes), file);
	if (ferror(file) || !feof(file)) {
		fprintf(stderr, "%s: can't be read, or more than a mebibyte\n", path);
		exit(TROUBLE);
	}
	fclose(file);
	return read;
}

static int read_report_data(const char *hex, unsigned char *bytes)
{
	if (strlen(hex) != 2 * REPORT_DATA_LEN ||
	    strspn(hex, "0123456789abcdefABCDEF") != 2 * REPORT_DATA_LEN)
		return -1;
	for (size_t i = 0; i < REPORT_DATA_LEN; i++) {
		char pair[3] = { hex[2 * i], hex[2 * i + 1], '\0' };

		bytes[i] = (unsigned char)strtoul(pair, NULL, 16);
	}
	return 0;
}

static int read_time(const char *text, time_t *at)
{
	struct tm parts = { 0 };
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &parts);

	*at = timegm(&parts);
	return end && !*end ? 0 : -1;
}

/* The evidence, and the two things that keep an old or foreign answer from being taken: what the
 * evidence is bound to, and the moment. */
static int ask(struct call *c, char **args)
{
	unsigned char report_data[REPORT_DATA_LEN];
	time_t at = time(NULL);
	struct cocos_bytes report = file_bytes(args[0]);

	if (read_report_data(args[4], report_data) < 0 ||
	    (args[5] && read_time(args[5], &at) < 0)) {
		snprintf(c->error.text, sizeof(c->error.text), "REPORT_DATA or AT is malformed");
		return -1;
	}
	if (cocos_request_new(COCOS_SNP, &c->request, &c->error) < 0 ||
	    cocos_request_set(c->request, COCOS_EVIDENCE, report.data, report.len, &c->error) < 0 ||
	    cocos_request_set(c->request, COCOS_REPORT_DATA, report_data, sizeof(report_data),
			      &c->error) < 0)
		return -1;
	return cocos_request_at(c->request, at, 0, &c->error);
}

static int endorse(struct call *c, enum cocos_endorsement which, const char *path)
{
	struct cocos_bytes bytes = file_bytes(path);

	return cocos_endorsements_add(c->endorsements, which, bytes.data, bytes.len, &c->error);
}

/* Whose key signed the report, and what is expected of the machine. A program that judges often makes
 * both once, for all its threads. */
static int prepare(struct call *c, char **args)
{
	struct cocos_bytes policy;

	if (cocos_endorsements_new(&c->endorsements, &c->error) < 0 ||
	    endorse(c, COCOS_SNP_VCEK, args[1]) < 0 || endorse(c, COCOS_SNP_CHAIN, args[2]) < 0)
		return -1;
	policy = file_bytes(args[3]);
	return cocos_policy_parse(&policy, 1, &c->policy, &c->error);
}

static int answer(const struct call *c)
{
	char *text = cocos_verdict_text(c->verdict);

	printf("%s", text ? text : cocos_verdict_word(c->verdict));
	cocos_text_free(text);
	return cocos_verdict_ok(c->verdict) ? YES : NO;
}

int main(int argc, char **argv)
{
	struct call c = { NULL, NULL, NULL, NULL, { 0, "" } };
	int status = TROUBLE;

	if (argc != 6 && argc != 7) {
		fprintf(stderr, "usage: %s REPORT VCEK CHAIN POLICY.json REPORT_DATA [AT]\n",
			argv[0]);
		return TROUBLE;
	}
	if (prepare(&c, argv + 1) == 0 && ask(&c, argv + 1) == 0 &&
	    cocos_verify(c.request, c.endorsements, c.policy, &c.verdict, &c.error) == 0)
		status = answer(&c);
	else
		fprintf(stderr, "no verdict: %s\n", c.error.text);
	cocos_verdict_free(c.verdict);
	cocos_request_free(c.request);
	cocos_endorsements_free(c.endorsements);
	cocos_policy_free(c.policy);
	return status;
}
