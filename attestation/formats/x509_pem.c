/* SPDX-License-Identifier: Apache-2.0 */
/* PEM armour (RFC 7468), strictly: no headers, no text around, base64 in its only form. */
#include "attestation/formats/x509.h"
#include "common/base/encode.h"

#include <stdio.h>
#include <string.h>

enum { LABEL_MAX = 40, LINE_MAX_CHARS = 76 };

static const char dashes[] = "-----";

static size_t white_space(const char *pem, size_t len, size_t at)
{
	while (at < len &&
	       (pem[at] == '\n' || pem[at] == '\r' || pem[at] == ' ' || pem[at] == '\t'))
		at++;
	return at;
}

/* Where the text after `line` and its line end begins, or 0 if `line` is not at `at`. */
static size_t step_over(const char *pem, size_t len, size_t at, const char *line)
{
	size_t line_len = strlen(line);

	if (len - at < line_len || memcmp(pem + at, line, line_len) != 0)
		return 0;
	at += line_len;
	if (at < len && pem[at] == '\r')
		at++;
	return at < len && pem[at] == '\n' ? at + 1 : 0;
}

/* The base64 characters of the lines up to the end, without the line ends. All lines are as long as
 * the first, but for the last, which may be shorter. */
static int join_lines(const char *pem, size_t len, char *joined, size_t *chars, struct err *e)
{
	size_t out = 0, width = 0;

	for (size_t at = 0; at < len;) {
		const char *end = memchr(pem + at, '\n', len - at);
		size_t line = end ? (size_t)(end - pem) - at : len - at;
		size_t next = at + line + 1;

		if (line > 0 && pem[at + line - 1] == '\r')
			line--;
		if (!end || line == 0 || line > LINE_MAX_CHARS || (width && line > width) ||
		    (line < width && next < len))
			return err_set(e, ERR_INVALID, "PEM: a line of %zu characters", line);
		memcpy(joined + out, pem + at, line);
		out += line;
		width = line;
		at = next;
	}
	*chars = out;
	return 0;
}

static bool only_white_space(const char *pem, size_t len, size_t at)
{
	at = white_space(pem, len, at);
	if (at < len && pem[at] == 0) /* some of Intel's files end with it */
		at++;
	return at == len;
}

int x509_pem_decode(const char *pem, size_t len, const char *label, uint8_t **der, size_t *der_len,
		    size_t *next, struct err *e)
{
	char begin[LABEL_MAX + 20], end[LABEL_MAX + 20];
	size_t at, body, after, chars;
	const char *stop;

	if (len > (size_t)X509_PEM_MAX * 256)
		return err_set(e, ERR_INVALID, "PEM: %zu characters are too many", len);
	snprintf(begin, sizeof(begin), "%sBEGIN %.*s%s", dashes, LABEL_MAX, label, dashes);
	snprintf(end, sizeof(end), "%sEND %.*s%s", dashes, LABEL_MAX, label, dashes);
	at = white_space(pem, len, 0);
	body = step_over(pem, len, at, begin);
	stop = body ? memmem(pem + body, len - body, end, strlen(end)) : NULL;
	if (!stop)
		return err_set(e, ERR_INVALID, "PEM: wanted a '%s' block", label);
	after = (size_t)(stop - pem) + strlen(end);

	CLEANUP(free) char *joined = malloc((size_t)(stop - pem) - body + 1);
	if (!joined)
		return err_nomem(e);
	if (join_lines(pem + body, (size_t)(stop - pem) - body, joined, &chars, e) < 0)
		return err_code(e);
	if (!next && !only_white_space(pem, len, after))
		return err_set(e, ERR_INVALID, "PEM: there is something after the end");
	if (base64_decode(joined, chars, der, der_len, e) < 0)
		return err_wrap(e, "PEM");
	if (next)
		*next = after;
	return 0;
}

int x509_load(const void *bytes, size_t len, struct x509 **cert, struct err *e)
{
	CLEANUP(free) uint8_t *der = NULL;
	size_t der_len;

	if (len < strlen(dashes) || memcmp(bytes, dashes, strlen(dashes)) != 0)
		return x509_from_der(bytes, len, cert, e);
	if (len > X509_PEM_MAX)
		return err_set(e, ERR_INVALID, "certificate: PEM of %zu characters; at most %d",
			       len, X509_PEM_MAX);
	if (x509_pem_decode(bytes, len, "CERTIFICATE", &der, &der_len, NULL, e) < 0)
		return err_wrap(e, "certificate");
	return x509_from_der(der, der_len, cert, e);
}

/* Chains whose certificates may be shared, and the one that grows. */
struct growing {
	const struct x509_chain *known;
	size_t known_count;
	struct x509_chain *chain;
};

static struct x509 *find_known(const struct growing *g, const uint8_t *der, size_t len)
{
	for (size_t k = 0; k < g->known_count; k++)
		for (size_t i = 0; i < g->known[k].count; i++) {
			struct x509 *cert = g->known[k].certs[i];

			if (cert->len == len && memcmp(cert->der, der, len) == 0)
				return cert;
		}
	return NULL;
}

static int chain_add(const struct growing *g, const char *pem, size_t len, size_t *next,
		     struct err *e)
{
	CLEANUP(free) uint8_t *der = NULL;
	struct x509 **place = &g->chain->certs[g->chain->count];
	size_t der_len;

	if (g->chain->count == X509_CHAIN_MAX)
		return err_set(e, ERR_INVALID, "more than %d certificates", X509_CHAIN_MAX);
	if (x509_pem_decode(pem, len, "CERTIFICATE", &der, &der_len, next, e) < 0)
		return err_code(e);

	struct x509 *known = find_known(g, der, der_len);

	if (known) {
		known->shares++;
		*place = known;
	} else if (x509_from_der(der, der_len, place, e) < 0) {
		return err_code(e);
	}
	g->chain->count++;
	return 0;
}

int x509_chain_from_pem_known(const void *pem, size_t len, const struct x509_chain *known,
			      size_t known_count, struct x509_chain *chain, struct err *e)
{
	__attribute__((cleanup(x509_chain_done))) struct x509_chain made = { 0 };
	struct growing g = { known, known_count, &made };
	const char *text = pem;
	size_t at = 0, next = 0;

	if (len == 0 || len > X509_PEM_MAX)
		return err_set(e, ERR_INVALID, "certificate chain of %zu characters; at most %d",
			       len, X509_PEM_MAX);
	do {
		if (chain_add(&g, text + at, len - at, &next, e) < 0)
			return err_wrap(e, "certificate %zu of the chain", made.count + 1);
		at += next;
	} while (!only_white_space(text, len, at));
	*chain = made;
	made = (struct x509_chain){ 0 };
	return 0;
}

int x509_chain_from_pem(const void *pem, size_t len, struct x509_chain *chain, struct err *e)
{
	return x509_chain_from_pem_known(pem, len, NULL, 0, chain, e);
}

void x509_chain_done(struct x509_chain *chain)
{
	for (size_t i = 0; i < chain->count; i++)
		x509_free(chain->certs[i]);
	*chain = (struct x509_chain){ 0 };
}
