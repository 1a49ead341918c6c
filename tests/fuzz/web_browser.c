/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/web_browser.h"

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/encode.h"
#include "computations/people/totp.h"
#include "tests/fuzz/grpc_peer.h"
#include "tests/unit.h"
#include "tests/unit/computations/soft_passkey.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct asked {
	struct http_request r; /* first */
	struct {
		const char *name, *value;
	} fields[BROWSER_FIELDS_MAX];
	size_t count;
	unsigned answers;
	bool may_hear; /* what is hidden */
	struct browser_said said;
};

/* What he knows, by its letter. */
static char known[26][BROWSER_TEXT_MAX];
static uint8_t ocsp[BROWSER_BYTES_MAX];
static size_t ocsp_len;
static struct soft_passkey passkey;
static const char *hidden; /* NULL: nothing */
static unsigned alive;     /* requests that are not freed */

static char *about(char letter)
{
	return known[letter - 'a'];
}

void browser_begin(const char *session, const uint8_t *request, size_t len)
{
	memset(known, 0, sizeof(known));
	snprintf(about('s'), BROWSER_TEXT_MAX, "%s", session);
	assert(len <= sizeof(ocsp));
	memcpy(ocsp, request, len);
	ocsp_len = len;
	if (!passkey.key)
		soft_passkey_init(&passkey, WEBAUTHN_EDDSA);
	hidden = NULL;
	passkey.count = 0;
	passkey.flags = SOFT_PRESENT | SOFT_VERIFIED;
}

void browser_know(char letter, const char *text)
{
	snprintf(about(letter), BROWSER_TEXT_MAX, "%s", text);
}

const char *browser_knows(char letter)
{
	return about(letter);
}

void browser_hides(const char *text)
{
	hidden = text;
}

void browser_count(uint32_t count)
{
	passkey.count = count;
}

/* ---- what he says ---- */

/* Of a passkey, whose device the letters C, O (a new one), G, D and S (one that is used) ask. */
static void put_passkey(struct writer *w, char letter)
{
	struct err ignored;

	if (hex_decode(about('q'), passkey.challenge, WEBAUTHN_CHALLENGE_LEN, &ignored) < 0)
		memset(passkey.challenge, 0, WEBAUTHN_CHALLENGE_LEN);
	if (letter == 'C' || letter == 'O')
		soft_passkey_make(&passkey);
	else if (letter != 'I')
		soft_passkey_use(&passkey);
	switch (letter) {
	case 'C':
	case 'G':
		writer_hex(w, passkey.client, passkey.client_len);
		break;
	case 'O':
		writer_hex(w, passkey.object, passkey.object_len);
		break;
	case 'D':
		writer_hex(w, passkey.data, passkey.data_len);
		break;
	case 'S':
		writer_hex(w, passkey.signature, passkey.signature_len);
		break;
	default:
		writer_hex(w, passkey.id, passkey.id_len);
		break;
	}
}

/* The code of the second factor whose key was shown last (RFC 4648, section 6). */
static void put_code(struct writer *w)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	uint8_t secret[TOTP_SECRET_LEN] = { 0 };
	char code[TOTP_DIGITS + 1];
	struct err e;

	for (size_t i = 0; i < TOTP_BASE32_LEN && about('z')[i]; i++) {
		const char *at = strchr(digits, about('z')[i]);
		unsigned value = at ? (unsigned)(at - digits) : 0;

		for (size_t bit = 0; bit < 5; bit++)
			if (value >> (4 - bit) & 1)
				secret[(5 * i + bit) / 8] |= (uint8_t)(0x80 >> (5 * i + bit) % 8);
	}
	assert(totp_code(secret, clock_ms(CLOCK_REALTIME) / TOTP_STEP_MS, code, &e) == 0);
	writer_text(w, code);
}

/* Seconds since 1970: now, or in five minutes. */
static void put_time(struct writer *w, uint8_t letter)
{
	writer_printf(w, "%lld",
		      (long long)(clock_ms(CLOCK_REALTIME) / 1000 + (letter == 'E' ? 300 : 0)));
}

static void put_known(struct writer *w, uint8_t letter, struct browser_request *of)
{
	CLEANUP(free) char *text = NULL;

	if (letter == 'R') {
		writer_bytes(w, ocsp, ocsp_len);
	} else if (letter == 'B') {
		text = base64_encode(ocsp, ocsp_len);
		assert(text);
		writer_text(w, text);
	} else if (letter == 'T') {
		put_code(w);
	} else if (letter == 'N' || letter == 'E') {
		put_time(w, letter);
	} else if (letter && strchr("COGDSI", letter)) {
		put_passkey(w, (char)letter);
	} else if (letter >= 'a' && letter <= 'z') {
		writer_text(w, about((char)letter));
		of->says_csrf |= letter == 'c';
		of->says_session |= letter == 's' || letter == 'k';
		of->says_token |= letter == 'a';
	}
}

void browser_put(struct writer *w, const uint8_t *bytes, size_t len, struct browser_request *of)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i] == BROWSER_SAYS && i + 1 < len)
			put_known(w, bytes[++i], of);
		else
			writer_u8(w, bytes[i]);
}

/* ---- what he hears ---- */

static void learn(char letter, const char *from, const char *ends)
{
	size_t len = strcspn(from, ends);

	if (len && len < BROWSER_TEXT_MAX)
		snprintf(about(letter), BROWSER_TEXT_MAX, "%.*s", (int)len, from);
}

/* Of a link that lets a browser in on loopback: where it leads to, too. */
static void learn_link(const char *url)
{
	const char *in = strncmp(url, "http://", 7) == 0 ? strstr(url, "/in/") : NULL;

	if (!in)
		return;
	learn('l', in + 4, "\n");
	learn('n', url + 7, "/");
}

static void learn_page(const char *page)
{
	static const struct {
		char letter;
		const char *before;
	} all[] = {
		{ 'c', "name=\"csrf\" value=\"" },
		{ 't', "name=\"ticket\" value=\"" },
		{ 'q', "data-challenge=\"" },
		{ 'h', "data-user=\"" },
		{ 'f', "name=\"half\" value=\"" },
		{ 'i', "name=\"id\" value=\"" },
		{ 'o', "name=\"proof\" value=\"" },
		{ 'z', "aria-label=\"key\"><code>" },
		{ 'r', "\"recovery codes\"><code>" },
		{ 'v', "/invite/" },
		{ 'u', "name=\"revision\" value=\"" },
		{ 'm', "/cvms/" },
		{ 'a', "{\"token\":\"" },
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		const char *at = strstr(page, all[i].before);

		if (at)
			learn(all[i].letter, at + strlen(all[i].before), "\"<\n/");
	}
	learn_link(page);
}

static void learn_location(const char *to)
{
	static const struct {
		char letter;
		const char *before;
	} all[] = { { 'p', "/passkey/" }, { 'x', "&nonce=" }, { 'y', "&state=" } };

	learn_link(to);
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		const char *at = strstr(to, all[i].before);

		if (at)
			learn(all[i].letter, at + strlen(all[i].before), "/&");
	}
}

static void learn_field(const struct rpc_web_field *f, struct browser_said *said)
{
	const char *at;

	if (strcmp(f->name, "idempotent-replayed") == 0)
		said->is_replayed = true;
	if (strcmp(f->name, "retry-after") == 0)
		said->is_put_off = true;
	if (strcmp(f->name, "location") == 0)
		learn_location(f->value);
	if (strcmp(f->name, "set-cookie") != 0)
		return;
	at = strchr(f->value, '=');
	assert(at);
	if (strstr(f->value, "cocos-browser="))
		learn('b', at + 1, ";");
	if (strstr(f->value, "cocos-trip="))
		learn('w', at + 1, ";");
	if (strstr(f->value, WEB_COOKIE "=") && at[1] != ';') {
		learn('k', at + 1, ";");
		said->is_in = true;
	}
}

/* No name or value could begin another field, or a body. */
static void check_field(const struct rpc_web_field *f)
{
	assert(*f->name && !f->name[strspn(f->name, "abcdefghijklmnopqrstuvwxyz0123456789-")]);
	for (const char *c = f->value; *c; c++)
		assert((unsigned char)*c >= 0x20 && *c != 0x7f);
}

static void hear(struct asked *own, const struct rpc_web_reply *reply)
{
	CLEANUP(free) uint8_t *body = reply->body;
	CLEANUP(free) char *page = reply->len ? strndup((const char *)body, reply->len) : NULL;

	assert(own->answers++ == 0 && (!reply->len || body));
	own->said.status = (unsigned)strtoul(reply->status, NULL, 10);
	assert(strlen(reply->status) == 3 && own->said.status >= 200 && own->said.status < 600);
	assert(reply->count <= RPC_WEB_FIELDS_MAX);
	for (size_t i = 0; i < reply->count; i++) {
		check_field(&reply->fields[i]);
		learn_field(&reply->fields[i], &own->said);
	}
	if (page) {
		assert(own->may_hear || !strstr(page, hidden));
		learn_page(page);
	}
}

/* ---- a request that nothing carries ---- */

static const char *get_header(const struct http_request *r, const char *name, size_t n)
{
	const struct asked *own = (const struct asked *)r;

	for (size_t i = 0; i < own->count; i++)
		if (strcasecmp(own->fields[i].name, name) == 0 && n-- == 0)
			return own->fields[i].value;
	return NULL;
}

static void answer(struct http_request *r, const struct rpc_web_reply *reply)
{
	hear((struct asked *)r, reply);
}

static void freed(struct http_request *r)
{
	alive--;
	free(r);
}

static const struct http_carrier carrier = { .header = get_header,
					     .answer = answer,
					     .freed = freed };

/* "name: value" and a line's end, of which h1_request.c and nghttp2 let no other pass. */
static void take_headers(struct asked *own, char *text)
{
	char *rest = NULL;

	for (char *line = strtok_r(text, "\n", &rest); line && own->count < BROWSER_FIELDS_MAX;
	     line = strtok_r(NULL, "\n", &rest)) {
		char *value = strstr(line, ": ");

		if (!value || value == line)
			continue;
		*value = 0;
		own->fields[own->count].name = line;
		own->fields[own->count++].value = value + 2;
	}
}

static void take_way(struct http_request *r, enum browser_way way)
{
	static const char key[] = "00112233445566778899aabbccddeeff"
				  "00112233445566778899aabbccddeeff";

	r->peer = "127.0.0.1:4000";
	r->source.bytes[0] = (uint8_t)way;
	r->is_tls = way == BROWSER_TLS || way == BROWSER_CERTIFICATE;
	r->identity.has_uid = way == BROWSER_UNIX;
	r->identity.key = way == BROWSER_CERTIFICATE ? key : NULL;
}

static bool may_hear(const struct browser_request *request)
{
	return !hidden || request->way == BROWSER_UNIX || strstr(request->target, hidden) ||
	       strstr(request->headers, hidden) ||
	       (request->body && memmem(request->body, request->body_len, hidden, strlen(hidden)));
}

static void run(struct asked *own, struct browser_request *request)
{
	const char *host = get_header(&own->r, "host", 0);
	const char *type = get_header(&own->r, "content-type", 0);
	const struct rpc_web_request q = { .method = request->method,
					   .target = request->target,
					   .authority = host ? host : "",
					   .content_type = type ? type : "" };
	size_t most = 0;
	struct err e;

	if (strlen(q.target) > RPC_WEB_TARGET_MAX || strlen(q.authority) > RPC_WEB_AUTHORITY_MAX ||
	    strlen(q.content_type) > RPC_WEB_TYPE_MAX) {
		http_request_end(&own->r, NULL);
	} else if (!http_request_begin(&own->r, &q, &most)) {
		assert(own->answers == 1);
	} else if (request->body_len > most) {
		err_set(&e, ERR_OUT_OF_RANGE, "the body is too large");
		http_request_end(&own->r, &e);
	} else {
		http_request_run(&own->r, TAKE_PTR(request->body), request->body_len);
	}
}

struct browser_said browser_ask(uv_loop_t *loop, const struct http_routes *routes,
				struct browser_request *request, const struct http_route **route)
{
	struct asked *own = calloc(1, sizeof(*own));
	struct browser_said said = { .status = 0 };

	assert(own);
	alive++;
	http_request_init(&own->r, &carrier, routes);
	take_way(&own->r, request->way);
	own->may_hear = may_hear(request);
	take_headers(own, request->headers);
	run(own, request);
	if (request->leaves) {
		/* Its headers may be gone while the pool works. */
		own->count = 0;
	} else {
		grpc_peer_settle(loop);
		assert(own->answers == 1);
		said = own->said;
		*route = own->r.route;
	}
	http_stream_over(&own->r);
	http_request_unref(&own->r);
	grpc_peer_settle(loop);
	assert(!alive);
	return said;
}
