/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may change in a TPM's event log, a CC log and IMA's log, whose registers are quoted: the rows
 * of tests/uncovered.def that name this file, no others.
 */
#include "attestation/logs/event_log.h"
#include "attestation/logs/ima_log.h"
#include "common/base/bytes.h"
#include "common/base/writer.h"
#include "tests/sample.h"
#include "tests/uncovered.h"

enum { STEP = 3, UNKNOWN_BANK = 0x1234, UNKNOWN_SIZE = 7, DATA_MAX = 64, EVENTS_MAX = 24 };
enum { SPEC_ID_HEAD = 32, SPEC_ID_CLASS = SPEC_ID_HEAD + 16 };

/* An event: of its data the digest covers `covers_len` bytes from `covers` on. */
struct made {
	uint32_t pcr, type;
	const void *data;
	size_t len, covers, covers_len;
	int open; /* its data, where the digest does not cover them */
};

#define WHOLE(text) text, sizeof(text) - 1, 0, sizeof(text) - 1, UNCOVERED_NONE

/* UEFI_VARIABLE_DATA: GUID, 2 characters of name, 3 bytes of data. */
#define VARIABLE                                               \
	"GUID of variable\x02\0\0\0\0\0\0\0\x03\0\0\0\0\0\0\0" \
	"B\0o\0var"
enum { VARIABLE_GUID = 16, VARIABLE_NAME = 32, VARIABLE_DATA = 36, VARIABLE_LEN = 39 };

static const struct made events[] = {
	{ 0, EVENT_NO_ACTION, "says nothing", 12, 0, 0, UNCOVERED_LOG_NO_ACTION },
	{ 0, EVENT_EFI_ACTION, WHOLE("Start") },
	{ 1, EVENT_EFI_VARIABLE_BOOT, VARIABLE, VARIABLE_LEN, VARIABLE_DATA, 3,
	  UNCOVERED_LOG_BOOT_NAME },
	{ 1, EVENT_EFI_VARIABLE_BOOT2, VARIABLE, VARIABLE_LEN, 0, VARIABLE_LEN, UNCOVERED_NONE },
	{ 4, EVENT_IPL, "kernel", 6, 0, 3, UNCOVERED_LOG_HINT },
	{ 7, EVENT_EFI_VARIABLE_AUTHORITY, "SbatLevel", 9, 0, 8, UNCOVERED_LOG_AUTHORITY },
	{ 8, EVENT_IPL, "grub_cmd: boot", 15, 10, 4, UNCOVERED_LOG_GRUB },
	{ 0, EVENT_SEPARATOR, WHOLE("\0\0\0\0") },
	{ 1, EVENT_SEPARATOR, WHOLE("\0\0\0\0") },
	{ 2, EVENT_SEPARATOR, WHOLE("\0\0\0\0") },
	{ 3, EVENT_SEPARATOR, WHOLE("\0\0\0\0") },
	{ 4, EVENT_SEPARATOR, WHOLE("\0\0\0\0") },
	{ 5, EVENT_SEPARATOR, WHOLE("\0\0\0\0") },
	{ 6, EVENT_SEPARATOR, WHOLE("\0\0\0\0") },
	{ 7, EVENT_SEPARATOR, WHOLE("\0\0\0\0") },
	{ 9, EVENT_IPL, "initrd", 6, 0, 2, UNCOVERED_LOG_HINT },
};

static const struct made cc_events[] = {
	{ 1, EVENT_EFI_ACTION, WHOLE("Start") },
	{ 2, EVENT_IPL, "kernel", 6, 0, 3, UNCOVERED_LOG_HINT },
};

/* TCG's numbers of the banks that a log of ours has. */
static const struct {
	uint16_t algorithm, size;
	int kind; /* -1: unknown */
} banks[] = {
	{ 0x000b, SHA256_LEN, DIGEST_SHA256 },
	{ 0x000c, SHA384_LEN, DIGEST_SHA384 },
	{ UNKNOWN_BANK, UNKNOWN_SIZE, -1 },
};

/* Where each event of the log that was made last begins. */
static size_t starts[EVENTS_MAX + 1];
static const struct made *placed;
static size_t placed_count;

static void put_digest(struct writer *w, const struct made *event, size_t bank)
{
	uint8_t value[DIGEST_MAX] = { 0 };
	struct err e;

	writer_le16(w, banks[bank].algorithm);
	if (event->type != EVENT_NO_ACTION && banks[bank].kind >= 0)
		assert_ok(digest((enum digest_kind)banks[bank].kind,
				 (const uint8_t *)event->data + event->covers, event->covers_len,
				 value, &e),
			  e);
	writer_bytes(w, value, banks[bank].size);
}

static void put_event(struct writer *w, const struct made *event, bool backwards)
{
	writer_le32(w, event->pcr);
	writer_le32(w, event->type);
	writer_le32(w, ARRAY_LEN(banks));
	for (size_t i = 0; i < ARRAY_LEN(banks); i++)
		put_digest(w, event, backwards ? ARRAY_LEN(banks) - 1 - i : i);
	writer_le32(w, (uint32_t)event->len);
	writer_bytes(w, event->data, event->len);
}

static void put_spec_id(struct writer *w, uint32_t pcr)
{
	writer_le32(w, pcr);
	writer_le32(w, EVENT_NO_ACTION);
	writer_zeros(w, 20);
	writer_le32(w, 16 + 8 + 4 + 4 * ARRAY_LEN(banks) + 1 + 2);
	writer_bytes(w, "Spec ID Event03", 16);
	writer_zeros(w, 8);
	writer_le32(w, ARRAY_LEN(banks));
	for (size_t i = 0; i < ARRAY_LEN(banks); i++) {
		writer_le16(w, banks[i].algorithm);
		writer_le16(w, banks[i].size);
	}
	writer_u8(w, 2);
	writer_bytes(w, "us", 2);
}

static void put_log(struct writer *w, uint32_t pcr, const struct made *made, size_t count)
{
	*w = writer_up_to(1 << 16);
	put_spec_id(w, pcr);
	placed = made;
	placed_count = count;
	for (size_t i = 0; i < count; i++) {
		starts[i] = w->len;
		put_event(w, &made[i], false);
	}
	starts[count] = w->len;
	assert_false(w->bad);
}

static struct span bytes_of(const struct writer *w)
{
	return (struct span){ w->bytes, w->len };
}

/* ---- judging: of a TPM SHA-256 is quoted, of a TD the registers have SHA-384 ---- */

static struct event_replay quoted;
static bool cc;

static bool replay(struct span bytes, struct event_replay *found)
{
	CLEANUP_EVENT_LOG struct event_log log = { 0 };
	struct err e;

	return event_log_parse(bytes, (struct event_log_form){ .cc = cc }, &log, &e) == 0 &&
	       event_log_replay(&log, cc ? DIGEST_SHA384 : DIGEST_SHA256, found, &e) == 0;
}

static bool takes_log(struct span bytes)
{
	struct event_replay found;

	return replay(bytes, &found) && memcmp(&found, &quoted, sizeof(found)) == 0;
}

/* ---- where what is open ---- */

static int spec_id_open(size_t at)
{
	const size_t vendor = starts[0] - 2;

	if ((at >= SPEC_ID_CLASS && at < SPEC_ID_CLASS + 8) || at >= vendor)
		return UNCOVERED_LOG_SPEC_ID | UNCOVERED_EVERY;
	return cc && at == 0 ? UNCOVERED_LOG_SPEC_ID : UNCOVERED_NONE;
}

/* The data of that event are hashed in every bank that we know. */
static bool is_covered(const struct made *event)
{
	return event->open != UNCOVERED_LOG_HINT;
}

static int digests_open(const struct made *event, size_t at)
{
	size_t bank = 0;

	while (at >= (size_t)(2 + banks[bank].size))
		at -= (size_t)(2 + banks[bank++].size);
	if (at < 2 || event->type == EVENT_NO_ACTION ||
	    banks[bank].kind == (cc ? DIGEST_SHA384 : DIGEST_SHA256))
		return UNCOVERED_NONE;
	return banks[bank].kind < 0 || !is_covered(event) ? UNCOVERED_LOG_BANK | UNCOVERED_EVERY
							  : UNCOVERED_NONE;
}

static int data_open(const struct made *event, size_t at)
{
	if (at >= event->covers && at < event->covers + event->covers_len &&
	    event->open != UNCOVERED_LOG_HINT)
		return UNCOVERED_NONE;
	if (event->open == UNCOVERED_LOG_BOOT_NAME && at >= VARIABLE_GUID && at < VARIABLE_NAME)
		return UNCOVERED_NONE; /* the two lengths */
	if (event->open == UNCOVERED_LOG_GRUB && at >= event->covers)
		return UNCOVERED_LOG_GRUB; /* the zero may go, and not become another byte */
	return event->open == UNCOVERED_NONE ? UNCOVERED_NONE : event->open | UNCOVERED_EVERY;
}

static int log_open(struct span original, size_t at)
{
	const size_t digests = 6 + SHA256_LEN + SHA384_LEN + UNKNOWN_SIZE;
	size_t i = 0;

	if (at < starts[0])
		return spec_id_open(at);
	if (at == original.len)
		return cc ? UNCOVERED_LOG_CC_PADDING : UNCOVERED_NONE;
	while (at >= starts[i + 1])
		i++;
	at -= starts[i];
	if (at < 4)
		return placed[i].type == EVENT_NO_ACTION ? UNCOVERED_LOG_NO_ACTION : UNCOVERED_NONE;
	if (at < 8)
		return UNCOVERED_LOG_TYPE;
	if (at >= 12 && at < 12 + digests)
		return digests_open(&placed[i], at - 12);
	return at >= 16 + digests ? data_open(&placed[i], at - 16 - digests) : UNCOVERED_NONE;
}

/* ---- the tests ---- */

/* The log with some of its events in other places or forms, through `change`. */
static struct writer with(void (*change)(struct made *made, size_t *count))
{
	struct made changed[EVENTS_MAX];
	size_t count = ARRAY_LEN(events);
	struct writer w = writer_up_to(1 << 16);

	memcpy(changed, events, sizeof(events));
	change(changed, &count);
	put_spec_id(&w, 0);
	for (size_t i = 0; i < count; i++)
		put_event(&w, &changed[i], false);
	return w;
}

static void exchange_two(struct made *made, size_t *count)
{
	const struct made kernel = made[4];

	made[4] = made[5];
	made[5] = kernel;
}

static void leave_out_the_first(struct made *made, size_t *count)
{
	memmove(made, made + 1, --*count * sizeof(*made));
}

static void change_grub_s_prefix(struct made *made, size_t *count)
{
	made[6].data = "kernel_cmdline: boot";
	made[6].len = 20; /* and no zero at its end */
	made[6].covers = 16;
}

static void tell_another_action(struct made *made, size_t *count)
{
	made[1].type = EVENT_ACTION;
}

static void a_tpm_s_log_is_covered(void **state)
{
	static const struct {
		enum uncovered place;
		void (*change)(struct made *made, size_t *count);
	} changes[] = {
		{ UNCOVERED_LOG_ORDER, exchange_two },
		{ UNCOVERED_LOG_NO_ACTION, leave_out_the_first },
		{ UNCOVERED_LOG_GRUB, change_grub_s_prefix },
		{ UNCOVERED_LOG_TYPE, tell_another_action },
	};
	struct writer w, other;

	cc = false;
	put_log(&w, 0, events, ARRAY_LEN(events));
	assert_true(replay(bytes_of(&w), &quoted));
	const struct uncovered_subject s = { "event log", bytes_of(&w), takes_log, log_open };

	uncovered_mutate(&s, sample_step(STEP));
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		other = with(changes[i].change);
		uncovered_accepts(&s, changes[i].place, bytes_of(&other));
		writer_done(&other);
	}
	other = writer_up_to(1 << 16);
	put_spec_id(&other, 0);
	for (size_t i = 0; i < ARRAY_LEN(events); i++)
		put_event(&other, &events[i], true);
	uncovered_accepts(&s, UNCOVERED_LOG_ORDER, bytes_of(&other));
	writer_done(&other);
	writer_done(&w);
}

static void a_cc_log_is_covered(void **state)
{
	struct writer w;

	cc = true;
	put_log(&w, 1, cc_events, ARRAY_LEN(cc_events));
	assert_true(replay(bytes_of(&w), &quoted));
	struct uncovered_subject s = { "CC log", bytes_of(&w), takes_log, log_open };

	uncovered_mutate(&s, sample_step(STEP));
	for (int byte = 0; byte <= 0xff; byte += 0xff) {
		uint8_t *longer = malloc(w.len + 100);

		assert_non_null(longer);
		memcpy(longer, w.bytes, w.len);
		memset(longer + w.len, byte, 100);
		uncovered_accepts(&s, UNCOVERED_LOG_CC_PADDING,
				  (struct span){ longer, w.len + 100 });
		longer[w.len + 99] ^= 1;
		assert_false(takes_log((struct span){ longer, w.len + 100 }));
		free(longer);
	}
	s.original.bytes = NULL;
	writer_done(&w);
}

/* ---- IMA ---- */

enum { IMA_COVERED = 4, IMA_ENTRIES = 5 };

static uint8_t ima_value[SHA256_LEN];
static size_t ima_starts[IMA_ENTRIES + 1];

static void put_field(struct writer *w, const void *bytes, size_t len)
{
	writer_le32(w, (uint32_t)len);
	writer_bytes(w, bytes, len);
}

static void put_entry(struct writer *w, uint32_t pcr, const char *name, const char *path,
		      bool violation)
{
	CLEANUP_WRITER struct writer data = writer_up_to(1 << 10), d_ng = writer_up_to(256);
	uint8_t logged[20] = { 0 };
	struct err e;

	writer_bytes(&d_ng, "sha256:", 8);
	for (unsigned i = 0; i < 32; i++)
		writer_u8(&d_ng, (uint8_t)(violation ? 0 : i + 1));
	put_field(&data, d_ng.bytes, d_ng.len);
	put_field(&data, path, strlen(path) + 1);
	if (strcmp(name, "ima-ng") != 0)
		put_field(&data, "\x03\x02\x04", 3);
	if (!violation)
		assert_ok(digest(DIGEST_SHA1, data.bytes, data.len, logged, &e), e);
	writer_le32(w, pcr);
	writer_bytes(w, logged, sizeof(logged));
	put_field(w, name, strlen(name));
	put_field(w, data.bytes, data.len);
}

/* A program, a violation, another register's, a signed file; behind the quoted value one more. */
static void put_ima(struct writer *w, const char *template_name, const char *other, bool more)
{
	*w = writer_up_to(1 << 12);
	for (size_t i = 0; i < IMA_ENTRIES; i++) {
		ima_starts[i] = w->len;
		if (i == 0)
			put_entry(w, IMA_PCR, "ima-ng", "boot_aggregate", false);
		else if (i == 1)
			put_entry(w, IMA_PCR, "ima-ng", "/log", true);
		else if (i == 2)
			put_entry(w, 11, "ima-ng", other, false);
		else if (i == 3)
			put_entry(w, IMA_PCR, template_name, "/usr/bin/true", false);
		else if (more)
			put_entry(w, IMA_PCR, "ima-ng", "/later", false);
	}
	ima_starts[IMA_ENTRIES] = w->len;
	assert_false(w->bad);
}

/* What the kernel's PCR 10 is after the first four, computed here by the kernel's own rule. */
static void quote_ima(void)
{
	static const size_t own[] = { 0, 1, 3 };
	struct writer w;
	struct err e;

	put_ima(&w, "ima-sig", "/other", true);
	memset(ima_value, 0, sizeof(ima_value));
	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		uint8_t measured[SHA256_LEN];
		const uint8_t *entry = w.bytes + ima_starts[own[i]];
		const size_t name = (size_t)bytes_le(entry + 24, 4);
		const uint8_t *data = entry + 28 + name;
		const struct digest_part pieces[] = { { ima_value, SHA256_LEN },
						      { measured, SHA256_LEN } };

		assert_ok(digest(DIGEST_SHA256, data + 4, (size_t)bytes_le(data, 4), measured, &e),
			  e);
		if (own[i] == 1)
			memset(measured, 0xff, sizeof(measured));
		assert_ok(digest_parts(DIGEST_SHA256, pieces, 2, ima_value, &e), e);
	}
	writer_done(&w);
}

static bool takes_ima(struct span bytes)
{
	struct ima_log log CLEANUP_IMA_LOG = { .count = 0 };
	size_t count;
	struct err e;

	return ima_log_parse(bytes.bytes, bytes.len, &log, &e) == 0 &&
	       ima_log_replay(&log, DIGEST_SHA256, IMA_PCR, ima_value, &count, &e) == 0 &&
	       count == IMA_COVERED;
}

static int ima_open(struct span original, size_t at)
{
	size_t i = 0;

	while (i + 1 < IMA_ENTRIES && at >= ima_starts[i + 1])
		i++;
	at -= ima_starts[i];
	if (i == 2 || i == 4)
		return UNCOVERED_LOG_IMA_REST; /* its SHA-1 holds its data together */
	return i == 1 && at >= 28 + strlen("ima-ng") ? UNCOVERED_LOG_IMA_VIOLATION : UNCOVERED_NONE;
}

static void the_kernel_s_log_is_covered(void **state)
{
	struct writer w, other;

	quote_ima();
	put_ima(&w, "ima-sig", "/other", true);
	const struct uncovered_subject s = { "IMA's log", bytes_of(&w), takes_ima, ima_open };

	uncovered_mutate(&s, sample_step(STEP));
	put_ima(&other, "ima-buf", "/other", true);
	uncovered_accepts(&s, UNCOVERED_LOG_IMA_TEMPLATE, bytes_of(&other));
	writer_done(&other);
	put_ima(&other, "ima-sig", "/quite/another", true);
	uncovered_accepts(&s, UNCOVERED_LOG_IMA_REST, bytes_of(&other));
	writer_done(&other);
	put_ima(&other, "ima-sig", "/other", false);
	uncovered_accepts(&s, UNCOVERED_LOG_IMA_REST, bytes_of(&other));
	writer_done(&other);
	writer_done(&w);
}

/* Comes last. */
static void each_place_of_the_list_is_open(void **state)
{
	uncovered_all_found(__FILE__);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tpm_s_log_is_covered),
		cmocka_unit_test(a_cc_log_is_covered),
		cmocka_unit_test(the_kernel_s_log_is_covered),
		cmocka_unit_test(each_place_of_the_list_is_open),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
