/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/answers.h"

#include "common/base/cleanup.h"
#include "common/base/writer.h"
#include "common/rpc/message.h"

#include <assert.h>
#include <string.h>

enum { MESSAGE_MAX = 1 << 20, DEPTH_MAX = 5, REPEATED_MAX = 3 };
enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_TEXT = 2, WIRE_32 = 5 };

/* Of what a field is made; `how` as in the header. */
struct source {
	struct reader *r;
	enum answer_how how;
};

static const uint64_t numbers[] = {
	1,
	0,
	UINT64_MAX, /* -1 */
	INT64_MAX,
	UINT64_C(1) << 63, /* the smallest */
	UINT64_MAX / 1000,
	INT64_MAX / 1000 + 1,
	INT32_MAX,
	UINT32_MAX,
	1700000000,             /* seconds */
	UINT64_C(253402300800), /* the year 10000 */
};

static const char *const texts[] = {
	"a",
	"",
	"2026-11",
	"2026-11-25T09:00:00Z",
	"\x1b[2J\x07",
	"two\nlines\ttab\r",
	"{\"error\":\"\\u001b[2J\"}",
	"\xe2\x80\xae"
	"reversed \xc2\x9b"
	"1m",
	"<script>&\"'",
	"=1+1,\"x\"",
	"fc42b2bb5e0a8f5e5e8f0fe4c5dbd8c36b1d2f3a4a5b6c7d8e9f0a1b2c3d4e5f",
};

static void put_varint(struct writer *w, uint64_t value)
{
	for (; value > 0x7f; value >>= 7)
		writer_u8(w, (uint8_t)(value | 0x80));
	writer_u8(w, (uint8_t)value);
}

static void put_tag(struct writer *w, uint32_t id, unsigned wire)
{
	put_varint(w, (uint64_t)id << 3 | wire);
}

static uint64_t number_of(struct source *s)
{
	uint8_t which;

	switch (s->how) {
	case ANSWER_SAID:
		which = reader_u8(s->r);
		return which < ARRAY_LEN(numbers) ? numbers[which] : which;
	case ANSWER_LARGE:
		return INT64_MAX;
	case ANSWER_SMALL:
		return UINT64_C(1) << 63;
	default:
		return 1;
	}
}

/* Some fields say what has to be there before the others count. */
static const char *text_of(const struct source *s, const char *name)
{
	if (strcmp(name, "next") == 0)
		return "";
	if (strcmp(name, "month") == 0)
		return "2026-11";
	return s->how == ANSWER_STRANGE ? "\x1b[2J\x07" : "a";
}

static void put_text(struct writer *w, struct source *s, const char *name)
{
	const char *text = text_of(s, name);
	uint8_t which;
	size_t len;

	if (s->how == ANSWER_SAID) {
		which = reader_u8(s->r);
		text = texts[which % ARRAY_LEN(texts)];
		if (which >= UINT8_MAX / 2) {
			len = reader_u8(s->r);
			len = len < reader_left(s->r) ? len : reader_left(s->r);
			put_varint(w, len);
			writer_bytes(w, reader_take(s->r, len), len);
			return;
		}
	}
	put_varint(w, strlen(text));
	writer_text(w, text);
}

static void put_bytes(struct writer *w, struct source *s)
{
	size_t len = s->how == ANSWER_SAID ? reader_u8(s->r) : 32;

	put_varint(w, len);
	for (size_t i = 0; i < len; i++)
		writer_u8(w, s->how == ANSWER_SAID ? reader_u8(s->r) : 7);
}

static void put_message(struct writer *w, const ProtobufCMessageDescriptor *type, struct source *s,
			int depth);

static void put_value(struct writer *w, const ProtobufCFieldDescriptor *f, struct source *s,
		      int depth)
{
	CLEANUP_WRITER struct writer inner = writer_up_to(MESSAGE_MAX);

	switch (f->type) {
	case PROTOBUF_C_TYPE_STRING:
		put_tag(w, f->id, WIRE_TEXT);
		put_text(w, s, f->name);
		break;
	case PROTOBUF_C_TYPE_BYTES:
		put_tag(w, f->id, WIRE_TEXT);
		put_bytes(w, s);
		break;
	case PROTOBUF_C_TYPE_MESSAGE:
		put_message(&inner, f->descriptor, s, depth + 1);
		put_tag(w, f->id, WIRE_TEXT);
		put_varint(w, inner.len);
		writer_bytes(w, inner.bytes, inner.len);
		w->bad |= inner.bad;
		break;
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		put_tag(w, f->id, WIRE_64);
		writer_be64(w, number_of(s));
		break;
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_FLOAT:
		put_tag(w, f->id, WIRE_32);
		writer_be32(w, (uint32_t)number_of(s));
		break;
	default:
		put_tag(w, f->id, WIRE_VARINT);
		put_varint(w, number_of(s));
	}
}

static unsigned count_of(const ProtobufCFieldDescriptor *f, struct source *s)
{
	unsigned said = s->how == ANSWER_SAID ? reader_u8(s->r) : 1;

	if (f->label == PROTOBUF_C_LABEL_REPEATED)
		return s->how == ANSWER_STRANGE ? 2 : said % (REPEATED_MAX + 1);
	return said & 1;
}

/* Of alternatives all may be there: the last one counts. */
static void put_message(struct writer *w, const ProtobufCMessageDescriptor *type, struct source *s,
			int depth)
{
	for (unsigned i = 0; i < type->n_fields && depth < DEPTH_MAX; i++) {
		const ProtobufCFieldDescriptor *f = &type->fields[i];

		for (unsigned n = count_of(f, s); n > 0; n--)
			put_value(w, f, s, depth);
	}
}

int answer_make(const ProtobufCMessageDescriptor *type, struct reader *r,
		ProtobufCMessage **message, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(MESSAGE_MAX);
	struct source s = { r, reader_u8(r) % ANSWERS };
	size_t len;

	if (s.how == ANSWER_RAW) {
		len = reader_be16(r);
		len = len < reader_left(r) ? len : reader_left(r);
		writer_bytes(&w, reader_take(r, len), len);
	} else {
		put_message(&w, type, &s, 0);
	}
	if (w.bad)
		return err_set(e, ERR_INTERNAL, "a message that is too large");
	return rpc_message_decode(type, w.len ? w.bytes : (const uint8_t *)"", w.len, message, e);
}

ProtobufCMessage *answer_copy(const ProtobufCMessage *message)
{
	CLEANUP(free) uint8_t *packed = malloc(protobuf_c_message_get_packed_size(message) + 1);
	ProtobufCMessage *copy;

	assert(packed);
	copy = protobuf_c_message_unpack(message->descriptor, NULL,
					 protobuf_c_message_pack(message, packed), packed);
	assert(copy);
	return copy;
}
