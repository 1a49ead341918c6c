/* SPDX-License-Identifier: Apache-2.0 */
/* make_calls_keeper.c — the corpus of what the agent hears from its keeper. */
#include "tests/fuzz/make_calls.h"

#include <stdio.h>

static struct writer begin(void)
{
	return writer_up_to(CALLS_INPUT_MAX);
}

enum { ASK = 0, ANSWER = 6, PACKET = 11, RUN = 12, CANCEL = 13, RESET = 14, CLOSE = 15 };
#define SNP_REPORT "snp_report/milan-v2"
#define TDX_QUOTE  "tdx_quote/v4"
enum { MORE = 1, WRONG_NUMBER = 2, LARGE = 4 };
enum { SNP = 0, SNP_VTPM = 2 }; /* as AttestationRequest.type: a question for a TPM needs one */
enum {
	CHECK = 0,
	MEASURE = 2,
	LOG = 5,
	EVIDENCE = 6,
	IMA = 9,
	CHANNEL_TOKEN = 12,
	NONCE_TOKEN,
	IMA_TOKEN = 15,
	ACTIVATE_TOKEN = 17
};

static void ask(struct writer *w, uint8_t what)
{
	writer_u8(w, ASK);
	writer_u8(w, what);
}

static void answer(struct writer *w, uint8_t flags, uint8_t code, const struct writer *content)
{
	writer_u8(w, ANSWER);
	writer_u8(w, flags);
	writer_u8(w, code);
	writer_be16(w, content ? (uint16_t)content->len : 0);
	if (content)
		writer_bytes(w, content->bytes, content->len);
}

static void answer_done(struct writer *w, struct writer *content)
{
	answer(w, 0, 0, content);
	writer_done(content);
}

static struct writer check_content(uint8_t type)
{
	struct writer c = begin();

	writer_u8(&c, 1);
	writer_u8(&c, type);
	writer_text(&c, "a machine");
	return c;
}

/* Raw evidence is the named input of another target; "" for bytes that are none. */
static struct writer evidence_content(uint8_t type, const char *raw, size_t log)
{
	const size_t parts[] = { 8, 32, log, 82 };
	struct writer c = begin();

	writer_u8(&c, type);
	if (*raw) {
		calls_put_corpus(&c, raw);
	} else {
		writer_be32(&c, 4);
		writer_text(&c, "none");
	}
	for (size_t i = 0; i < 4; i++) {
		writer_be32(&c, (uint32_t)parts[i]);
		writer_zeros(&c, parts[i]);
	}
	return c;
}

static struct writer parts_content(size_t count)
{
	struct writer c = begin();

	for (size_t i = 0; i < count; i++) {
		writer_be32(&c, 4);
		writer_be32(&c, 7);
	}
	return c;
}

static void save_boot(void)
{
	struct writer w = begin(), c = check_content(SNP_VTPM);

	writer_u8(&w, 1);
	ask(&w, CHECK);
	answer_done(&w, &c);
	for (uint8_t i = 1; i < 5; i++) {
		c = begin();
		writer_u8(&c, 1);
		writer_u8(&c, 1);
		ask(&w, i);
		answer_done(&w, &c);
	}
	ask(&w, LOG);
	c = begin();
	writer_zeros(&c, 2 * 82);
	answer_done(&w, &c);
	for (uint8_t i = EVIDENCE; i < IMA; i++) {
		ask(&w, i);
		c = evidence_content(0, SNP_REPORT, 100);
		answer_done(&w, &c);
	}
	for (uint8_t i = IMA; i < CHANNEL_TOKEN; i++) {
		ask(&w, i);
		c = parts_content((size_t)i - 8);
		answer_done(&w, &c);
	}
	writer_u8(&w, RUN);
	for (uint8_t i = CHANNEL_TOKEN; i <= ACTIVATE_TOKEN; i++) {
		ask(&w, i);
		c = i < IMA_TOKEN ? evidence_content(0, SNP_REPORT, 4000) : parts_content(2);
		answer_done(&w, &c);
	}
	/* Other platforms; bytes that are no report; a log that needs two packets. */
	ask(&w, NONCE_TOKEN);
	c = evidence_content(4, TDX_QUOTE, 100);
	answer_done(&w, &c);
	ask(&w, NONCE_TOKEN);
	c = evidence_content(1, "", 100);
	answer_done(&w, &c);
	ask(&w, NONCE_TOKEN);
	c = evidence_content(4, "", 100);
	answer_done(&w, &c);
	ask(&w, NONCE_TOKEN);
	c = evidence_content(0, "", 100);
	answer_done(&w, &c);
	for (int i = 0; i < 2; i++) {
		struct writer rest = begin();

		c = evidence_content(i ? 1 : 0, SNP_REPORT, 45000);
		writer_bytes(&rest, c.bytes + 20000, c.len - 20000);
		c.len = 20000;
		ask(&w, CHANNEL_TOKEN);
		answer(&w, MORE, 0, &c);
		writer_done(&c);
		answer_done(&w, &rest);
	}
	ask(&w, NONCE_TOKEN);
	ask(&w, NONCE_TOKEN + 1);
	writer_u8(&w, CANCEL);
	writer_u8(&w, 24);
	answer(&w, 0, 5, NULL);
	ask(&w, NONCE_TOKEN);
	writer_u8(&w, RESET);
	ask(&w, ACTIVATE_TOKEN);
	calls_save("keeper_answers/boot", &w);
}

/* One question, and an answer that is none. */
static void save_wrong(const char *name, uint8_t question, uint8_t flags, uint8_t code,
		       struct writer *content)
{
	struct writer w = begin();
	char path[64];

	writer_u8(&w, 1);
	ask(&w, question);
	answer(&w, flags, code, content);
	ask(&w, CHECK);
	writer_done(content);
	snprintf(path, sizeof(path), "keeper_answers/%s", name);
	calls_save(path, &w);
}

static void save_bytes(const char *name, uint8_t question, const char *bytes, size_t len)
{
	struct writer c = begin();

	writer_bytes(&c, bytes, len);
	save_wrong(name, question, 0, 0, &c);
}

void calls_keeper_answers(void)
{
	struct writer w, c;

	save_boot();
	save_bytes("check-short", CHECK, "\1", 1);
	save_bytes("check-type", CHECK, "\1\x77", 2);
	save_bytes("check-measured", CHECK, "\2\0", 2);
	save_bytes("measured-long", MEASURE, "\1\1\1", 3);
	save_bytes("measured-fixed", MEASURE, "\1\2", 2);
	save_bytes("log-part", LOG, "abc", 3);
	save_bytes("parts-none", IMA, "", 0);
	save_bytes("parts-length", IMA, "\xff\xff\xff\xff", 4);
	c = parts_content(5);
	save_wrong("parts-five", IMA, 0, 0, &c);
	c = evidence_content(0, "", 0);
	save_wrong("evidence-empty", EVIDENCE, 0, 0, &c);
	c = evidence_content(9, "", 9);
	save_wrong("evidence-type", EVIDENCE, 0, 0, &c);
	c = evidence_content(0, SNP_REPORT, 9);
	save_wrong("wrong-number", EVIDENCE, WRONG_NUMBER, 0, &c);
	c = evidence_content(0, SNP_REPORT, 9);
	save_wrong("error", EVIDENCE, 0, 7, &c);
	c = evidence_content(0, SNP_REPORT, 9);
	save_wrong("more", EVIDENCE, MORE, 0, &c);
	/* More pieces than any answer has. */
	w = begin();
	writer_u8(&w, 0);
	ask(&w, IMA);
	for (int i = 0; i < 48; i++)
		answer(&w, MORE | LARGE, 0, NULL);
	calls_save("keeper_answers/endless", &w);
	w = begin();
	writer_u8(&w, 0);
	writer_u8(&w, PACKET);
	writer_be16(&w, 3);
	writer_text(&w, "abc");
	calls_save("keeper_answers/unasked", &w);
	w = begin();
	writer_u8(&w, 0);
	c = check_content(SNP);
	ask(&w, CHECK);
	answer_done(&w, &c);
	for (int i = 0; i < 20; i++) {
		ask(&w, CHECK);
		ask(&w, NONCE_TOKEN);
	}
	writer_u8(&w, CLOSE);
	ask(&w, NONCE_TOKEN);
	ask(&w, CHANNEL_TOKEN);
	ask(&w, CHECK);
	calls_save("keeper_answers/crowd", &w);
	w = begin();
	writer_u8(&w, 0);
	for (int i = 0; i < 20; i++)
		ask(&w, CHECK);
	calls_save("keeper_answers/full", &w);
	w = begin();
	writer_u8(&w, 0);
	ask(&w, CHANNEL_TOKEN);
	c = check_content(SNP_VTPM);
	ask(&w, CHECK);
	answer_done(&w, &c);
	ask(&w, CHANNEL_TOKEN);
	for (int i = 0; i < 20; i++)
		ask(&w, IMA_TOKEN);
	calls_save("keeper_answers/others", &w);
}
