/* SPDX-License-Identifier: Apache-2.0 */
/* make_calls_cli.c — the corpus of what cocos-cli hears. */
#include "tests/fuzz/answers.h"
#include "tests/fuzz/make_calls.h"
#include "tests/fuzz/orders_cli.h"

#include <stdio.h>

enum { ANSWERS_OF_A_LINE = 4 };

/* Every line gets the same answers. */
static void save_all(const char *name, const uint8_t *answers, size_t len)
{
	struct writer w = writer_up_to(CALLS_INPUT_MAX);

	for (unsigned i = 0; i < CLI_LINES; i++) {
		writer_u8(&w, (uint8_t)i);
		writer_u8(&w, (uint8_t)len);
		writer_bytes(&w, answers, len);
	}
	calls_save_to("cli_answers", name, &w);
}

static void save_kind(const char *name, enum answer_how how)
{
	uint8_t answers[2 * ANSWERS_OF_A_LINE];

	for (size_t i = 0; i < sizeof(answers); i += 2) {
		answers[i] = ANSWER_OK;
		answers[i + 1] = (uint8_t)how;
	}
	save_all(name, answers, sizeof(answers));
}

/* Fields of the input's, from a row of numbers that is the same each time. */
static void save_said(unsigned number)
{
	uint8_t answers[UINT8_MAX];
	uint32_t state = number;
	char name[16];

	for (size_t i = 0; i < sizeof(answers); i++) {
		state = state * 1664525 + 1013904223;
		answers[i] = (uint8_t)(state >> 24) % 12;
	}
	answers[0] = ANSWER_OK;
	answers[1] = ANSWER_SAID;
	snprintf(name, sizeof(name), "said-%u", number);
	save_all(name, answers, sizeof(answers));
}

void calls_cli(void)
{
	static const struct {
		const char *name;
		enum answer_how how;
	} kinds[] = { { "plain", ANSWER_PLAIN },
		      { "large", ANSWER_LARGE },
		      { "small", ANSWER_SMALL },
		      { "strange", ANSWER_STRANGE } };
	const uint8_t raw[] = { ANSWER_OK, ANSWER_RAW, 0, 3, 0x0a, 1, 'x' };
	const uint8_t end[] = { ANSWER_OK, ANSWER_PLAIN, ANSWER_END };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		save_kind(kinds[i].name, kinds[i].how);
	for (unsigned i = 0; i < 6; i++)
		save_said(i);
	for (uint8_t i = 0; i < 20; i++) {
		const uint8_t failed[] = { (uint8_t)(ANSWER_FAILED | i) };
		char name[16];

		snprintf(name, sizeof(name), "failed-%u", i);
		save_all(name, failed, sizeof(failed));
	}
	save_all("raw", raw, sizeof(raw));
	save_all("end", end, sizeof(end));
	save_all("nothing", raw, 0);
}
