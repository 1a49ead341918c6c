/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/channel/ea_request.h"

enum {
	CLIENT_CERTIFICATE_REQUEST = 17, /* RFC 9261, section 4 */
	EXTENSION_SIGNATURE_ALGORITHMS = 0x000D,
	EXTENSION_ATTESTATION = 0xFF00,
};

void ea_request_write(const uint8_t context[EA_CONTEXT_LEN], struct writer *w)
{
	writer_u8(w, CLIENT_CERTIFICATE_REQUEST);
	size_t message = writer_reserve(w, 3);
	writer_u8(w, EA_CONTEXT_LEN);
	writer_bytes(w, context, EA_CONTEXT_LEN);
	size_t extensions = writer_reserve(w, 2);
	writer_be16(w, EXTENSION_SIGNATURE_ALGORITHMS);
	size_t body = writer_reserve(w, 2);
	size_t list = writer_reserve(w, 2);
	writer_be16(w, EA_ECDSA_P256_SHA256);
	writer_patch(w, list, 2);
	writer_patch(w, body, 2);
	writer_be16(w, EXTENSION_ATTESTATION);
	writer_be16(w, 0);
	writer_patch(w, extensions, 2);
	writer_patch(w, message, 3);
}

/* RFC 8446, section 4.2.3: a vector of at least one scheme. */
static int parse_schemes(struct reader *body, struct ea_request *request, struct err *e)
{
	struct reader list = reader_sub(body, reader_be16(body));

	while (reader_ok(&list) && reader_left(&list)) {
		if (request->scheme_count == EA_SCHEMES_MAX)
			return err_set(e, ERR_INVALID, "request: more than %d signature schemes",
				       EA_SCHEMES_MAX);
		request->schemes[request->scheme_count++] = reader_be16(&list);
	}
	if (!reader_done(&list) || !reader_done(body) || !request->scheme_count)
		return err_set(e, ERR_INVALID, "request: signature_algorithms is malformed");
	return 0;
}

static bool has_extension(const struct ea_request *request, uint16_t type)
{
	for (size_t i = 0; i < request->extension_count; i++)
		if (request->extensions[i] == type)
			return true;
	return false;
}

bool ea_request_allows(const struct ea_request *request, uint16_t extension)
{
	return extension != EXTENSION_SIGNATURE_ALGORITHMS && has_extension(request, extension);
}

static int parse_extensions(struct reader *r, struct ea_request *request, struct err *e)
{
	bool attestation = false;

	while (reader_ok(r) && reader_left(r)) {
		uint16_t type = reader_be16(r);
		uint16_t len = reader_be16(r);
		struct reader body = reader_sub(r, len);

		if (request->extension_count == EA_EXTENSIONS_MAX)
			return err_set(e, ERR_INVALID, "request: more than %d extensions",
				       EA_EXTENSIONS_MAX);
		if (has_extension(request, type))
			return err_set(e, ERR_INVALID, "request: extension 0x%04x twice", type);
		request->extensions[request->extension_count++] = type;
		if (type == EXTENSION_SIGNATURE_ALGORITHMS && reader_ok(&body) &&
		    parse_schemes(&body, request, e) < 0)
			return err_code(e);
		if (type == EXTENSION_ATTESTATION) {
			if (len)
				return err_set(e, ERR_INVALID,
					       "request: the offer of attestation is not empty");
			attestation = true;
		}
	}
	if (!reader_done(r))
		return err_set(e, ERR_INVALID, "request: extensions are malformed");
	if (!request->scheme_count || !attestation)
		return err_set(e, ERR_INVALID, "request: without %s",
			       attestation ? "signature_algorithms" : "an offer of attestation");
	return 0;
}

int ea_request_parse(const uint8_t *bytes, size_t len, struct ea_request *request, struct err *e)
{
	struct reader r = reader_over(bytes, len);
	struct ea_request read = { .scheme_count = 0 };

	uint8_t type = reader_u8(&r);
	uint32_t message_len = reader_be24(&r);
	if (len > EA_REQUEST_MAX || type != CLIENT_CERTIFICATE_REQUEST || !reader_ok(&r) ||
	    message_len != reader_left(&r))
		return err_set(e, ERR_INVALID, "request: %zu bytes are not one request message",
			       len);
	if (reader_u8(&r) != EA_CONTEXT_LEN)
		return err_set(e, ERR_INVALID, "request: the context has not %d bytes",
			       EA_CONTEXT_LEN);
	reader_copy(&r, read.context, EA_CONTEXT_LEN);
	struct reader extensions = reader_sub(&r, reader_be16(&r));
	if (!reader_done(&r))
		return err_set(e, ERR_INVALID, "request: lengths do not agree");
	if (parse_extensions(&extensions, &read, e) < 0)
		return err_code(e);
	*request = read;
	return 0;
}

bool ea_request_offers(const struct ea_request *request, uint16_t scheme)
{
	for (size_t i = 0; i < request->scheme_count; i++)
		if (request->schemes[i] == scheme)
			return true;
	return false;
}

void ea_frame_head(uint8_t type, size_t len, uint8_t head[EA_FRAME_HEAD])
{
	head[0] = type;
	for (int i = 0; i < 4; i++)
		head[1 + i] = (uint8_t)(len >> (24 - 8 * i));
}

int ea_frame_parse_head(const uint8_t head[EA_FRAME_HEAD], uint8_t wanted, size_t *len,
			struct err *e)
{
	struct reader r = reader_over(head, EA_FRAME_HEAD);
	uint8_t type = reader_u8(&r);
	uint32_t size = reader_be32(&r);

	if (type != wanted)
		return err_set(e, ERR_INVALID, "frame: type %u where %u is due", type, wanted);
	if (size > EA_FRAME_MAX)
		return err_set(e, ERR_INVALID, "frame: %u bytes announced; at most %d", size,
			       EA_FRAME_MAX);
	*len = size;
	return 0;
}

int ea_frame_take(const uint8_t *bytes, size_t len, const struct ea_frame_want *want,
		  struct reader *payload, size_t *used, struct err *e)
{
	size_t size;

	/* The type alone refuses what was meant for another protocol. */
	if (len && bytes[0] != want->type)
		return err_set(e, ERR_INVALID, "frame: type %u where %u is due", bytes[0],
			       want->type);
	*used = 0;
	if (len < EA_FRAME_HEAD)
		return 0;
	if (ea_frame_parse_head(bytes, want->type, &size, e) < 0)
		return err_code(e);
	if (size == 0 || size > want->max) /* nothing is no message */
		return err_set(e, ERR_INVALID, "frame: %zu bytes announced; 1 to %zu", size,
			       want->max);
	if (len - EA_FRAME_HEAD < size)
		return 0;
	*payload = reader_over(bytes + EA_FRAME_HEAD, size);
	*used = EA_FRAME_HEAD + size;
	return 0;
}
