/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/logs/event_log.h"

#include "attestation/logs/event_data.h"
#include "common/base/bytes.h"

#include <stdlib.h>
#include <string.h>

enum { NO_REGISTER = UINT32_MAX, SEPARATED_PCRS = 8, SHA1_LEN = 20, SIGNATURE_LEN = 16 };

static const char spec_id_03[SIGNATURE_LEN] = "Spec ID Event03";
static const char locality_signature[SIGNATURE_LEN] = "StartupLocality";

/* TPM_ALG_ID (TCG Algorithm Registry); those without a kind have a size and are stepped over. */
static const struct {
	uint16_t algorithm, size;
	bool known;
	enum digest_kind kind;
} algorithms[] = {
	{ 0x0004, 20, true, DIGEST_SHA1 },     { 0x000b, 32, true, DIGEST_SHA256 },
	{ 0x000c, 48, true, DIGEST_SHA384 },   { 0x000d, 64, true, DIGEST_SHA512 },
	{ 0x0012, 32, false, 0 } /* SM3 */,    { 0x0027, 32, true, DIGEST_SHA3_256 },
	{ 0x0028, 48, true, DIGEST_SHA3_384 }, { 0x0029, 64, true, DIGEST_SHA3_512 },
};

/* One bank of the Spec ID event. */
static int bank_parse(struct reader *r, struct event_log *log, struct err *e)
{
	struct event_bank *bank = &log->banks[log->bank_count];

	*bank = (struct event_bank){ .algorithm = reader_le16(r), .known = false };
	bank->size = reader_le16(r);
	for (size_t i = 0; i < log->bank_count; i++)
		if (log->banks[i].algorithm == bank->algorithm)
			return err_set(e, ERR_INVALID, "Spec ID event: algorithm 0x%04x twice",
				       bank->algorithm);
	for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
		if (algorithms[i].algorithm != bank->algorithm)
			continue;
		if (algorithms[i].size != bank->size)
			return err_set(e, ERR_INVALID,
				       "Spec ID event: algorithm 0x%04x has digests of %u bytes, "
				       "wanted %u",
				       bank->algorithm, bank->size, algorithms[i].size);
		bank->known = algorithms[i].known;
		bank->kind = algorithms[i].kind;
	}
	if (bank->size == 0)
		return err_set(e, ERR_INVALID, "Spec ID event: digests of %u bytes", bank->size);
	log->bank_count++;
	return 0;
}

/* TCG_EfiSpecIdEvent, section 10.4.5.1. */
static int spec_id_parse(struct span data, struct event_log *log, struct err *e)
{
	struct reader r = span_reader(data);

	reader_skip(&r, SIGNATURE_LEN + 4 + 4); /* platformClass; versions and uintnSize */

	uint32_t count = reader_le32(&r);

	if (!reader_ok(&r) || count < 1 || count > EVENT_BANKS_MAX)
		return err_set(e, ERR_INVALID, "Spec ID event: %u algorithms, wanted 1 to %d",
			       count, EVENT_BANKS_MAX);
	for (uint32_t i = 0; i < count; i++)
		if (bank_parse(&r, log, e) < 0)
			return err_code(e);

	size_t vendor_len = reader_u8(&r);

	reader_skip(&r, vendor_len);
	if (!reader_done(&r))
		return err_set(e, ERR_INVALID, "Spec ID event: its %zu bytes do not hold one",
			       data.len);
	return 0;
}

/* TCG_PCClientPCREvent, section 10.2.1: the form of old logs, and of every log's first event. */
static int legacy_event_parse(struct reader *r, struct event *event, struct err *e)
{
	event->pcr = reader_le32(r);
	event->type = reader_le32(r);
	event->digests[0] = reader_take(r, SHA1_LEN);

	uint32_t size = reader_le32(r);

	event->data = span_take(r, size);
	if (!reader_ok(r))
		return err_set(e, ERR_INVALID, "an event that goes past the end of the log");
	return 0;
}

static int digest_parse(const struct event_log *log, struct reader *r, struct event *event,
			struct err *e)
{
	uint16_t algorithm = reader_le16(r);

	for (size_t i = 0; i < log->bank_count; i++) {
		if (log->banks[i].algorithm != algorithm)
			continue;
		if (event->digests[i])
			return err_set(e, ERR_INVALID, "two digests of algorithm 0x%04x",
				       algorithm);
		event->digests[i] = reader_take(r, log->banks[i].size);
		return reader_ok(r) ? 0 : err_set(e, ERR_INVALID, "a digest that is cut off");
	}
	return err_set(e, ERR_INVALID,
		       "a digest of algorithm 0x%04x, which the Spec ID event has "
		       "not",
		       algorithm);
}

/* TCG_PCR_EVENT2, section 10.2.2: exactly the banks of the Spec ID event. */
static int event_parse(const struct event_log *log, struct reader *r, struct event *event,
		       struct err *e)
{
	event->pcr = reader_le32(r);
	event->type = reader_le32(r);

	uint32_t count = reader_le32(r);

	if (!reader_ok(r))
		return err_set(e, ERR_INVALID, "an event that goes past the end of the log");
	if (count != log->bank_count)
		return err_set(e, ERR_INVALID, "%u digests, wanted one for each of %zu banks",
			       count, log->bank_count);
	for (uint32_t i = 0; i < count; i++)
		if (digest_parse(log, r, event, e) < 0)
			return err_code(e);

	uint32_t size = reader_le32(r);

	event->data = span_take(r, size);
	if (!reader_ok(r))
		return err_set(e, ERR_INVALID, "an event that goes past the end of the log");
	return 0;
}

/* A CC log lies in a buffer of the firmware's, which it fills with one byte to the end. */
static bool is_padding(const struct event_log *log, const struct reader *r)
{
	struct span rest = { r->pos, reader_left(r) };

	return log->cc &&
	       (bytes_are(rest.bytes, rest.len, 0) || bytes_are(rest.bytes, rest.len, 0xff));
}

static int event_check_register(const struct event_log *log, const struct event *event,
				struct err *e)
{
	if (event->pcr == NO_REGISTER && event->type == EVENT_NO_ACTION)
		return 0; /* Windows writes one; it says nothing */
	if (event->pcr >= (log->cc ? EVENT_CC_REGISTERS : EVENT_PCRS))
		return err_set(e, ERR_INVALID, "register %u, which there is not", event->pcr);
	return 0;
}

static int event_append(struct event_log *log, size_t *room, const struct event *event,
			struct err *e)
{
	if (log->count == EVENT_LOG_EVENTS_MAX)
		return err_set(e, ERR_INVALID, "more than %d events", EVENT_LOG_EVENTS_MAX);
	if (log->count == *room) {
		size_t wanted = *room ? *room * 2 : 64;
		struct event *grown = realloc(log->events, wanted * sizeof(*grown));

		if (!grown)
			return err_nomem(e);
		log->events = grown;
		*room = wanted;
	}
	log->events[log->count++] = *event;
	return 0;
}

static int events_parse(struct event_log *log, struct reader *r, struct err *e)
{
	size_t room = 0;
	const uint8_t *start = r->pos;

	while (reader_left(r) && !is_padding(log, r)) {
		struct event event = { 0 };

		if ((log->legacy ? legacy_event_parse(r, &event, e)
				 : event_parse(log, r, &event, e)) < 0 ||
		    event_check_register(log, &event, e) < 0 ||
		    event_append(log, &room, &event, e) < 0)
			return err_wrap(e, "event %zu", log->count + 1);
	}
	log->end = (size_t)(r->pos - start);
	return 0;
}

/* The first event says which form the log has. */
static int header_parse(struct reader *r, struct event_log *log, struct err *e)
{
	struct reader ahead = *r;
	struct event first = { 0 };

	if (legacy_event_parse(&ahead, &first, e) < 0)
		return err_code(e);
	if (first.type != EVENT_NO_ACTION || first.data.len < SIGNATURE_LEN ||
	    memcmp(first.data.bytes, spec_id_03, strlen("Spec ID Event")) != 0) {
		if (log->cc)
			return err_set(e, ERR_INVALID, "the first event is no Spec ID event");
		log->legacy = true;
		log->bank_count = 1;
		log->banks[0] = (struct event_bank){ 0x0004, SHA1_LEN, true, DIGEST_SHA1 };
		return 0;
	}
	if (memcmp(first.data.bytes, spec_id_03, SIGNATURE_LEN) != 0)
		return err_set(e, ERR_INVALID, "a Spec ID event of another version than 03");
	if (first.pcr > (log->cc ? 1 : 0))
		return err_set(e, ERR_INVALID, "the Spec ID event stands in register %u",
			       first.pcr);
	if (!bytes_are(first.digests[0], SHA1_LEN, 0))
		return err_set(e, ERR_INVALID, "the Spec ID event has a digest");
	*r = ahead;
	return spec_id_parse(first.data, log, e);
}

/* Section 10.4.5.3: the locality that TPM2_Startup came from, which PCR 0 begins with. */
static int locality_check(struct event_log *log, const struct event *event, bool extended,
			  struct err *e)
{
	if (event->data.len != SIGNATURE_LEN + 1)
		return err_set(e, ERR_INVALID, "StartupLocality of %zu bytes", event->data.len);
	if (log->startup_locality >= 0)
		return err_set(e, ERR_DENIED, "a second StartupLocality");
	if (event->pcr != 0 || extended)
		return err_set(e, ERR_DENIED,
			       "StartupLocality not in PCR 0, before PCR 0 is extended");

	int locality = event->data.bytes[SIGNATURE_LEN];

	if (locality != 0 && locality != 3 && locality != 4)
		return err_set(e, ERR_DENIED, "StartupLocality %d, wanted 0, 3 or 4", locality);
	log->startup_locality = locality;
	return 0;
}

/* Windows ends its log with what it knows of its attestation key: in no register, with the digest of
 * its own data. Nothing else of that form is written by anybody. */
static bool is_of_no_register(const struct event_bank *bank, const struct event *event,
			      const uint8_t *wanted)
{
	uint8_t found[DIGEST_MAX];
	struct err ignored;

	return event->pcr == NO_REGISTER && bank->known &&
	       digest(bank->kind, event->data.bytes, event->data.len, found, &ignored) == 0 &&
	       memcmp(found, wanted, bank->size) == 0;
}

static int no_action_check(struct event_log *log, const struct event *event, bool extended,
			   struct err *e)
{
	for (size_t i = 0; i < log->bank_count; i++)
		if (!bytes_are(event->digests[i], log->banks[i].size, 0) &&
		    !is_of_no_register(&log->banks[i], event, event->digests[i]))
			return err_set(e, ERR_DENIED,
				       "EV_NO_ACTION with a digest, though it is never extended");
	if (!log->cc && event->data.len >= SIGNATURE_LEN &&
	    memcmp(event->data.bytes, locality_signature, SIGNATURE_LEN) == 0)
		return locality_check(log, event, extended, e);
	return 0;
}

/* Section 10.4.4: 0 or 0xffffffff; 1 says that the firmware failed. */
static int separator_check(const struct event *event, uint32_t *separated, struct err *e)
{
	uint32_t bit = UINT32_C(1) << event->pcr;

	if (event->pcr >= SEPARATED_PCRS)
		return 0;
	if (event->data.len != 4 ||
	    (!bytes_are(event->data.bytes, 4, 0) && !bytes_are(event->data.bytes, 4, 0xff)))
		return err_set(e, ERR_DENIED, "a separator that is neither 0 nor 0xffffffff");
	if (*separated & bit)
		return err_set(e, ERR_DENIED, "a second separator in PCR %u", event->pcr);
	*separated |= bit;
	return 0;
}

/* Registers of a CC log stand for several PCRs, so that it may have several separators in each. */
static int cc_separator_check(const struct event *event, struct err *e)
{
	uint32_t separated = 0;

	return separator_check(event, &separated, e);
}

static int events_check(struct event_log *log, struct event_log_form form, struct err *e)
{
	uint32_t separated = 0;
	bool extended = false;

	for (size_t i = 0; i < log->count; i++) {
		const struct event *event = &log->events[i];
		int failed = 0;

		if (event->type == EVENT_NO_ACTION)
			failed = no_action_check(log, event, extended, e);
		else if (event->type == EVENT_SEPARATOR)
			failed = log->cc ? cc_separator_check(event, e)
					 : separator_check(event, &separated, e);
		if (failed == 0)
			failed = event_data_check(log, event, e);
		if (failed < 0)
			return err_wrap(e, "event %zu (register %u)", i + 1, event->pcr);
		extended |= event->pcr == 0 && event->type != EVENT_NO_ACTION;
	}
	if (!log->cc && !form.separators_optional && separated != (1 << SEPARATED_PCRS) - 1)
		return err_set(e, ERR_DENIED,
			       "no separator in every PCR from 0 to 7 (found in "
			       "set 0x%02x)",
			       separated);
	return 0;
}

int event_log_parse(struct span bytes, struct event_log_form form, struct event_log *log,
		    struct err *e)
{
	CLEANUP_EVENT_LOG struct event_log l = { .cc = form.cc, .startup_locality = -1 };
	struct reader r = span_reader(bytes);

	if (bytes.len > EVENT_LOG_MAX)
		return err_set(e, ERR_INVALID, "event log: %zu bytes are more than %d", bytes.len,
			       EVENT_LOG_MAX);
	if (header_parse(&r, &l, e) < 0)
		return err_wrap(e, "event log");

	size_t header = (size_t)(r.pos - bytes.bytes);

	if (events_parse(&l, &r, e) < 0 || events_check(&l, form, e) < 0)
		return err_wrap(e, "event log");
	l.end += header;
	*log = l;
	l.events = NULL;
	return 0;
}

void event_log_done(struct event_log *log)
{
	free(log->events);
	log->events = NULL;
	log->count = 0;
}

int event_log_bank(const struct event_log *log, enum digest_kind kind)
{
	for (size_t i = 0; i < log->bank_count; i++)
		if (log->banks[i].known && log->banks[i].kind == kind)
			return (int)i;
	return -1;
}

int event_log_replay(const struct event_log *log, enum digest_kind kind,
		     struct event_replay *replay, struct err *e)
{
	struct event_replay r = { .len = digest_len(kind) };
	int bank = event_log_bank(log, kind);

	if (bank < 0)
		return err_set(e, ERR_NOT_FOUND, "event log: no bank of %s", digest_name(kind));
	if (log->startup_locality > 0)
		r.values[0][r.len - 1] = (uint8_t)log->startup_locality;
	for (size_t i = 0; i < log->count; i++) {
		const struct event *event = &log->events[i];

		if (event->type == EVENT_NO_ACTION)
			continue;

		uint8_t *value = r.values[event->pcr];
		struct digest_part parts[] = { { value, r.len }, { event->digests[bank], r.len } };

		if (digest_parts(kind, parts, ARRAY_LEN(parts), value, e) < 0)
			return err_code(e);
		r.touched |= UINT32_C(1) << event->pcr;
	}
	*replay = r;
	return 0;
}
