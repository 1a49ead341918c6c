/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/token/eat.h"

#include "attestation/token/eat_key.h"
#include "common/base/writer.h"
#include "common/crypto/digest.h"

#include <string.h>

enum { /* CWT and EAT claim keys, IANA */
       CLAIM_ISS = 1,
       CLAIM_EXP = 4,
       CLAIM_NBF = 5,
       CLAIM_IAT = 6,
       CLAIM_CNF = 8,
       CLAIM_NONCE = 10,
};

static const char *const uses[] = {
	[EAT_USE_UNSAID] = NULL,
	[EAT_USE_CHANNEL] = "channel",
	[EAT_USE_NONCE] = "nonce",
	[EAT_USE_RUN] = "run",
};

const char *eat_nonce_use_name(enum eat_nonce_use use)
{
	return uses[use];
}

/* Claims of bytes under text keys, and where each goes. */
static const struct {
	const char *key;
	size_t offset, max;
	bool required;
} byte_claims[] = {
	{ "raw_report", offsetof(struct eat, raw_report), EAT_RAW_REPORT_MAX, true },
	{ "x-cocos-tee-report", offsetof(struct eat, tee_report), 65536, false },
	{ "x-cocos-run", offsetof(struct eat, run), 65536, false },
	{ "x-cocos-run-evidence", offsetof(struct eat, run_evidence), EAT_RAW_REPORT_MAX, false },
	{ "x-cocos-event-log", offsetof(struct eat, event_log), EAT_RAW_REPORT_MAX, false },
};

static int take_bytes(const struct datum *claim, const char *name, size_t max, bool required,
		      struct eat_bytes *out, struct err *e)
{
	if (datum_absent(claim))
		return required ? err_set(e, ERR_INVALID, "token: '%s' is missing", name) : 0;
	if (claim->type != DATUM_BYTES)
		return err_set(e, ERR_INVALID, "token: '%s' is %s, not bytes", name,
			       datum_type_name(claim->type));
	if (claim->len == 0 || claim->len > max)
		return err_set(e, ERR_INVALID, "token: '%s' has %zu bytes; 1 to %zu", name,
			       claim->len, max);
	*out = (struct eat_bytes){ claim->bytes, claim->len };
	return 0;
}

static int take_time(const struct datum *claims, int64_t key, const char *name, int64_t *out,
		     struct err *e)
{
	const struct datum *claim = datum_get(claims, key);

	if (datum_absent(claim) || claim->type != DATUM_UINT || !datum_int(claim, out))
		return err_set(e, ERR_INVALID, "token: '%s' is missing or no time", name);
	return 0;
}

static int unknown_word(const char *name, struct err *e)
{
	return err_set(e, ERR_INVALID, "token: '%s' is missing or an unknown word", name);
}

static int take_platform(struct eat *t, struct err *e)
{
	const struct datum *claim = datum_get_text(t->claims, "platform_type");

	for (size_t i = 0; i < EVIDENCE_KINDS; i++)
		if (evidence_kind_rows[i].platform &&
		    datum_is_text(claim, evidence_kind_rows[i].platform)) {
			t->platform = (enum evidence_kind)i;
			return 0;
		}
	return unknown_word("platform_type", e);
}

static int take_nonce_use(struct eat *t, struct err *e)
{
	const struct datum *claim = datum_get_text(t->claims, "x-cocos-nonce-use");

	if (datum_absent(claim))
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(uses); i++)
		if (uses[i] && datum_is_text(claim, uses[i])) {
			t->nonce_use = (enum eat_nonce_use)i;
			return 0;
		}
	return unknown_word("x-cocos-nonce-use", e);
}

static int take_claims(struct eat *t, struct err *e)
{
	const struct datum *cnf = datum_get(t->claims, CLAIM_CNF);

	if (t->claims->type != DATUM_MAP)
		return err_set(e, ERR_INVALID, "token: the claims are %s, not a map",
			       datum_type_name(t->claims->type));
	if (datum_has_tag(t->claims))
		return err_set(e, ERR_INVALID, "token: a tag inside the claims");
	if (datum_get(t->claims, CLAIM_NBF) &&
	    take_time(t->claims, CLAIM_NBF, "nbf", &t->not_before, e) < 0)
		return err_code(e);
	if (take_time(t->claims, CLAIM_EXP, "exp", &t->expires, e) < 0 ||
	    take_time(t->claims, CLAIM_IAT, "iat", &t->issued, e) < 0 ||
	    take_bytes(datum_get(t->claims, CLAIM_NONCE), "eat_nonce", EAT_NONCE_MAX, true,
		       &t->nonce, e) < 0 ||
	    take_platform(t, e) < 0 || take_nonce_use(t, e) < 0)
		return err_code(e);
	if (t->nonce.len < EAT_NONCE_MIN)
		return err_set(e, ERR_INVALID, "token: 'eat_nonce' has %zu bytes; %d to %d",
			       t->nonce.len, EAT_NONCE_MIN, EAT_NONCE_MAX);
	for (size_t i = 0; i < ARRAY_LEN(byte_claims); i++) {
		void *out = (char *)t + byte_claims[i].offset;

		if (take_bytes(datum_get_text(t->claims, byte_claims[i].key), byte_claims[i].key,
			       byte_claims[i].max, byte_claims[i].required, out, e) < 0)
			return err_code(e);
	}
	return datum_absent(cnf) ? 0 : eat_key_parse(cnf, &t->spki, &t->spki_len, e);
}

int eat_parse(const void *bytes, size_t len, struct eat *token, struct err *e)
{
	struct eat t = { .claims = NULL };

	if (cose_parse(bytes, len, NULL, 0, &t.cose, e) < 0)
		return err_wrap(e, "token");
	if (t.cose.algorithm != COSE_ES256)
		err_set(e, ERR_INVALID, "token: signed with %s, not ES256",
			cose_algorithm_name(t.cose.algorithm));
	else if (datum_parse(t.cose.payload, t.cose.payload_len, &t.claims, e) < 0)
		err_wrap(e, "token: claims");
	else if (take_claims(&t, e) == 0) {
		*token = t;
		return 0;
	}
	eat_done(&t);
	return err_code(e);
}

void eat_done(struct eat *token)
{
	cose_done(&token->cose);
	datum_free(token->claims);
	free(token->spki);
	*token = (struct eat){ .claims = NULL };
}

int eat_verify(const struct eat *token, EVP_PKEY *key, struct err *e)
{
	if (cose_verify(&token->cose, key, NULL, 0, e) < 0)
		return err_wrap(e, "token");
	return 0;
}

int eat_check_time(const struct eat *token, int64_t at, uint32_t skew, struct err *e)
{
	if (token->expires < token->issued)
		return err_set(e, ERR_DENIED, "token: exp %lld is before iat %lld",
			       (long long)token->expires, (long long)token->issued);
	/* All times are at least 0, so these differences don't overflow. */
	if (token->issued - (int64_t)skew > at)
		return err_set(e, ERR_DENIED, "token: iat %lld is after %lld by more than %u s",
			       (long long)token->issued, (long long)at, skew);
	if (token->not_before - (int64_t)skew > at)
		return err_set(e, ERR_DENIED, "token: nbf %lld is after %lld by more than %u s",
			       (long long)token->not_before, (long long)at, skew);
	if (at - (int64_t)skew > token->expires)
		return err_set(e, ERR_DENIED, "token: exp %lld is before %lld by more than %u s",
			       (long long)token->expires, (long long)at, skew);
	return 0;
}

int eat_check_nonce(const struct eat *token, const uint8_t *nonce, size_t len, struct err *e)
{
	if (len < EAT_NONCE_MIN)
		return err_set(e, ERR_INVALID,
			       "token: a nonce of %zu bytes was wanted; at least %d", len,
			       EAT_NONCE_MIN);
	if (token->nonce.len != len || !bytes_equal(token->nonce.bytes, nonce, len))
		return err_set(e, ERR_DENIED,
			       "token: 'eat_nonce' is not the one that was asked for");
	return 0;
}

/* ---- making one ---- */

enum { CLAIM_UEID = 256, CLAIM_MEASUREMENTS = 265 };

static size_t count_claims(const struct eat_content *c)
{
	const struct eat_bytes *optional[] = { &c->ueid, &c->measurement,  &c->tee_report,
					       &c->run,  &c->run_evidence, &c->event_log };
	size_t n = 7; /* iss, exp, iat, cnf, nonce, platform_type, raw_report */

	for (size_t i = 0; i < ARRAY_LEN(optional); i++)
		n += optional[i]->len != 0;
	return n + (uses[c->nonce_use] != NULL);
}

static void put_claim(struct writer *w, const char *key, struct eat_bytes value)
{
	if (!value.len)
		return;
	datum_put_text(w, key);
	datum_put_bytes(w, value.bytes, value.len);
}

static void put_numbered(struct writer *w, uint64_t key, struct eat_bytes value)
{
	if (!value.len)
		return;
	datum_put_uint(w, key);
	datum_put_bytes(w, value.bytes, value.len);
}

static int put_claims(const struct eat_content *c, EVP_PKEY *key, struct writer *w, struct err *e)
{
	datum_put_map(w, count_claims(c));
	datum_put_uint(w, CLAIM_ISS);
	datum_put_text(w, c->issuer);
	datum_put_uint(w, CLAIM_EXP);
	datum_put_int(w, c->expires);
	datum_put_uint(w, CLAIM_IAT);
	datum_put_int(w, c->issued);
	datum_put_uint(w, CLAIM_CNF);
	if (eat_key_write(key, w, e) < 0)
		return err_code(e);
	put_numbered(w, CLAIM_NONCE, c->nonce);
	put_numbered(w, CLAIM_UEID, c->ueid);
	put_numbered(w, CLAIM_MEASUREMENTS, c->measurement);
	datum_put_text(w, "platform_type");
	datum_put_text(w, evidence_kind_platform(c->platform));
	if (uses[c->nonce_use]) {
		datum_put_text(w, "x-cocos-nonce-use");
		datum_put_text(w, uses[c->nonce_use]);
	}
	put_claim(w, "x-cocos-tee-report", c->tee_report);
	put_claim(w, "x-cocos-run", c->run);
	put_claim(w, "x-cocos-run-evidence", c->run_evidence);
	put_claim(w, "x-cocos-event-log", c->event_log);
	put_claim(w, "raw_report", c->raw_report);
	return writer_check(w, "token: claims", e);
}

int eat_write(const struct eat_content *content, EVP_PKEY *key, struct writer *out, struct err *e)
{
	CLEANUP_WRITER struct writer claims = writer_up_to(EAT_MAX);

	if (!content->nonce.len || !content->raw_report.len)
		return err_set(e, ERR_INVALID, "token: without a nonce or without a report");
	if (content->platform >= EVIDENCE_KINDS || !evidence_kind_rows[content->platform].platform)
		return err_set(e, ERR_INTERNAL, "token: of a kind of evidence that no token names");
	if (put_claims(content, key, &claims, e) < 0)
		return err_code(e);
	const struct cose_content c = { .payload = claims.bytes,
					.payload_len = claims.len,
					.kid = content->issuer,
					.kid_len = strlen(content->issuer) };
	return cose_sign(&c, key, out, e);
}
