/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way in with a provider of identities: requests to the page, and what the provider says when the service asks it,
 * with the service's own threads between. Input: flags(1); then steps, each a kind(1): ASK and a request, as web_world.h
 * has it; DOCUMENT, KEYS or ANSWER and length(2) bytes, which the provider says from now on; TOKEN, an algorithm(1),
 * and header and claims, each length(2) bytes, which it signs for each code; FAILS, and the code of the error(1) that
 * the next fetch ends with; STOPS: the service begins to stop. Words of web_browser.h are in all of these.
 *
 * What web_world.h says holds; and whoever comes in, or is linked or made, is that by a token that the provider has
 * signed with its key for this nonce: one for each.
 */
#include "attestation/endorse/endorse_http.h"
#include "common/base/file.h"
#include "tests/fuzz/web_world.h"
#include "tests/jws_sign.h"

#include <semaphore.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { STEPS_MAX = 24, SAID_MAX = 64 << 10 };
enum { ASK, DOCUMENT, KEYS, ANSWER, TOKEN, FAILS, STOPS, STEPS };

static const char *const patterns[] = {
	"/sign-in",
	"/sign-in/code",
	"/sign-in/with/{provider}",
	"/sign-in/with/{provider}/back",
	"/sign-in/with/{provider}/link",
	"/me",
	"/me/factor",
	"/me/factor/confirm",
	"/me/identities/{number}",
	"/in/{secret}",
	NULL,
};

/* ---- the provider ---- */

/* Of one that says who is new, of one that wants a second factor, and of one without a secret. */
static const char table[] =
	"provider clinic issuer=https://idp.example client=cocos secret=/secret scopes=profile "
	"name=preferred_username\n"
	"provider lab issuer=https://lab.example/x/ client=id:7 secret=/secret acr=phr amr=mfa "
	"name=preferred_username\n"
	"provider open issuer=https://open.example client=cocos\n"
	"map clinic groups=staff default member\n"
	"map clinic groups=heads default administrator\n"
	"map clinic groups=ghosts nowhere member\n"
	"map lab groups=staff default member\n";

static struct {
	uint8_t *bytes[TOKEN]; /* NULL: what is right */
	size_t len[TOKEN];
	bool is_signed; /* the answer, for the nonce of the browser */
	int fails;
	int told, ins; /* tokens that it gave; who came in by one */
	sem_t is_over; /* a job of the service's thread */
} provider;

int __wrap_provider_table_read(const char *path, struct provider_table *t, struct err *e);
int __wrap_provider_table_read(const char *path, struct provider_table *t, struct err *e)
{
	CLEANUP(free) char *text = NULL;

	assert(text_format(&text, e, "%s%s", path, table) == 0);
	assert(provider_table_parse(text, strlen(text), "table", t, e) == 0);
	for (size_t i = 0; i < t->count; i++)
		if (*t->rows[i].secret_path)
			snprintf(t->rows[i].secret, sizeof(t->rows[i].secret), "se cret&=%%");
	return 0;
}

int __wrap_endorse_http_new(const char *ca, const atomic_bool *stopped, struct endorse_http **made,
			    struct err *e);
int __wrap_endorse_http_new(const char *ca, const atomic_bool *stopped, struct endorse_http **made,
			    struct err *e)
{
	assert(stopped);
	*made = NULL;
	return 0;
}

void __wrap_endorse_http_free(struct endorse_http *http);
void __wrap_endorse_http_free(struct endorse_http *http)
{
	assert(!http);
}

/* What a browser or a provider is given is one line, whose parts nothing parts that stood in them. */
static void check_form(const char *form)
{
	static const char *const parts[] = { "grant_type=authorization_code&code=",
					     "&redirect_uri=", "&code_verifier=" };

	assert(strncmp(form, parts[0], strlen(parts[0])) == 0);
	assert(strstr(form, parts[1]) && strstr(form, parts[2]));
	for (const char *c = form; *c; c++)
		assert((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
		       (*c >= '0' && *c <= '9') || strchr("-._~%=&", *c));
}

static void put_document(struct writer *w, const char *issuer)
{
	writer_printf(w,
		      "{\"issuer\":\"%s\",\"authorization_endpoint\":\"https://idp.example/auth\","
		      "\"token_endpoint\":\"https://idp.example/token\","
		      "\"jwks_uri\":\"https://idp.example/keys\","
		      "\"response_types_supported\":[\"code\"]}",
		      issuer);
}

static const char *issuer_of(const char *url)
{
	return strstr(url, "//lab.")    ? "https://lab.example/x/"
	       : strstr(url, "//open.") ? "https://open.example"
					: "https://idp.example";
}

static int tell(const struct endorse_request *r, struct endorse_answer *answer, struct err *e)
{
	const bool is_document = strstr(r->url, "/.well-known/openid-configuration");
	const int what = r->form ? ANSWER : is_document ? DOCUMENT : KEYS;
	struct writer w = writer_up_to(SAID_MAX);

	if (provider.bytes[what])
		writer_bytes(&w, provider.bytes[what], provider.len[what]);
	else if (what == DOCUMENT)
		put_document(&w, issuer_of(r->url));
	else if (what == KEYS)
		jws_put_set(&w);
	if (w.len > r->max) {
		writer_done(&w);
		return err_set(e, ERR_EXHAUSTED, "too large");
	}
	provider.told += what == ANSWER && provider.is_signed;
	writer_u8(&w, 0);
	answer->body = writer_take(&w, &answer->len);
	answer->len--;
	return 0;
}

/* In a thread of the service's, while the loop waits. */
int __wrap_endorse_http_get(struct endorse_http *http, const struct endorse_request *r,
			    int64_t deadline, struct endorse_answer *answer, struct err *e);
int __wrap_endorse_http_get(struct endorse_http *http, const struct endorse_request *r,
			    int64_t deadline, struct endorse_answer *answer, struct err *e)
{
	const int fails = provider.fails;

	assert(!http && deadline > 0 && strncmp(r->url, "https://", 8) == 0);
	assert(!r->user == !r->password && (r->form || !r->user));
	if (r->form)
		check_form(r->form);
	provider.fails = 0;
	if (fails)
		return err_set(e, (enum err_code)fails, "it fails");
	return tell(r, answer, e);
}

/* ---- the thread's work is over before the next step ---- */

int __real_uv_async_send(uv_async_t *async);
int __wrap_uv_async_send(uv_async_t *async);
int __wrap_uv_async_send(uv_async_t *async)
{
	int failed = __real_uv_async_send(async);

	if (world.web.oidc && async->data == world.web.oidc)
		assert(sem_post(&provider.is_over) == 0);
	return failed;
}

int __real_oidc_add(struct oidc *oidc, struct oidc_job *job, struct err *e);
int __wrap_oidc_add(struct oidc *oidc, struct oidc_job *job, struct err *e);
int __wrap_oidc_add(struct oidc *oidc, struct oidc_job *job, struct err *e)
{
	if (__real_oidc_add(oidc, job, e) < 0)
		return err_code(e);
	assert(sem_wait(&provider.is_over) == 0);
	return 0;
}

/* ---- what is said, and what must hold ---- */

static uint8_t *read_words(struct reader *r, size_t *len)
{
	struct writer w = writer_up_to(SAID_MAX);
	struct browser_request ignored = { .body = NULL };
	size_t count = reader_be16(r);
	const uint8_t *bytes = reader_take(r, count);

	if (bytes)
		browser_put(&w, bytes, count, &ignored);
	writer_u8(&w, 0);
	if (w.bad) {
		writer_done(&w);
		w = writer_up_to(1);
		writer_u8(&w, 0);
	}
	bytes = writer_take(&w, len);
	assert(bytes);
	(*len)--;
	return (uint8_t *)(uintptr_t)bytes;
}

static void say(int what, uint8_t *bytes, size_t len)
{
	free(provider.bytes[what]);
	provider.bytes[what] = bytes;
	provider.len[what] = len;
	if (what == ANSWER)
		provider.is_signed = false;
}

static void sign(struct reader *r)
{
	const enum jws_algorithm algorithm = (enum jws_algorithm)(reader_u8(r) % JWS_ALGORITHMS);
	struct writer w = writer_up_to(4 * SAID_MAX);
	CLEANUP(free) uint8_t *header = NULL, *claims = NULL;
	const char *nonce = browser_knows('x');
	uint8_t *signed_token;
	size_t header_len, claims_len, len;
	bool is_for_it;

	header = read_words(r, &header_len);
	claims = read_words(r, &claims_len);
	is_for_it = *nonce && strstr((char *)claims, nonce);
	writer_text(&w, "{\"token_type\":\"Bearer\",\"id_token\":\"");
	jws_put_token(&w, algorithm, (char *)header, claims, claims_len);
	writer_text(&w, "\"}");
	signed_token = writer_take(&w, &len);
	assert(signed_token);
	say(ANSWER, signed_token, len);
	provider.is_signed = is_for_it;
}

static void check(const struct browser_request *request, const struct browser_said *said,
		  const struct http_route *route)
{
	if (said->is_in && route && strstr(route->pattern, "/with/"))
		assert(++provider.ins <= provider.told);
	assert(web_world_count("SELECT count(*) FROM identities") <= provider.told);
	assert(web_world_count("SELECT count(*) FROM users") <= 1 + provider.told);
}

static void enter(uint8_t flags)
{
	const char *origin = flags & WORLD_LOOPBACK_ORIGIN ? "http://localhost:8080" : "";
	struct err e;

	provider.fails = 0;
	provider.told = provider.ins = 0;
	provider.is_signed = false;
	assert(sem_init(&provider.is_over, 0, 0) == 0);
	web_world_enter(flags | WORLD_PASSWORD, patterns);
	assert(oidc_new(&world.loop, *origin ? "" : "page https://example.org\n", origin,
			&world.web.oidc, &e) == 0);
}

static void leave(void)
{
	struct oidc *oidc = world.web.oidc;

	oidc_close(oidc);
	web_world_leave();
	oidc_free(oidc);
	assert(sem_destroy(&provider.is_over) == 0);
	for (int what = 0; what < TOKEN; what++)
		say(what, NULL, 0);
}

static void step(struct reader *r)
{
	const int kind = reader_u8(r) % STEPS;
	uint8_t *bytes;
	size_t len;

	switch (kind) {
	case ASK:
		web_world_ask(r, check);
		break;
	case TOKEN:
		sign(r);
		break;
	case FAILS:
		provider.fails = 1 + reader_u8(r) % ERR_CANCELLED;
		break;
	case STOPS:
		world.service.stopping = true;
		break;
	default:
		bytes = read_words(r, &len);
		say(kind, bytes, len);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_over(bytes, len);

	enter(reader_u8(&r));
	for (int i = 0; i < STEPS_MAX && reader_ok(&r) && reader_left(&r); i++)
		step(&r);
	leave();
	return 0;
}
