/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/tls_revoked.h"

#include <stdlib.h>

/* Of a connection. */
struct looked {
	struct revocation *revocation;
	uint64_t turn; /* of the lists that it was judged by */
	struct crl_judged judged;
	struct err why;
};

static void free_looked(void *parent, void *looked, CRYPTO_EX_DATA *all, int index, long number,
			void *pointer)
{
	free(looked);
}

/* Each connection's place for it; for the life of the program. */
static int place(void)
{
	static int index = -1; /* loops have one thread */

	if (index < 0)
		index = SSL_get_ex_new_index(0, NULL, NULL, NULL, free_looked);
	return index;
}

static struct looked *looked_of(SSL *ssl)
{
	return SSL_get_ex_data(ssl, place());
}

static struct looked *look(SSL *ssl, struct revocation *revocation)
{
	struct looked *l = looked_of(ssl);

	if (!l) {
		l = calloc(1, sizeof(*l));
		if (l && SSL_set_ex_data(ssl, place(), l) != 1) {
			free(l);
			l = NULL;
		}
	}
	if (l) {
		l->revocation = revocation;
		l->turn = revocation_turn(revocation);
	}
	return l;
}

/* After all that OpenSSL looks at by itself: lists are asked of a chain that holds. */
static int verify(X509_STORE_CTX *store, void *data)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct looked *l;
	int ok = X509_verify_cert(store);

	if (ok <= 0)
		return ok;
	l = look(ssl, data);
	if (!l) {
		X509_STORE_CTX_set_error(store, X509_V_ERR_OUT_OF_MEM);
		return 0;
	}
	l->judged = revocation_judge(data, X509_STORE_CTX_get0_chain(store), &l->why);
	if (l->judged.outcome == CRL_GOOD)
		return 1;
	X509_STORE_CTX_set_error(store, l->judged.outcome == CRL_REVOKED
						? X509_V_ERR_CERT_REVOKED
						: X509_V_ERR_UNABLE_TO_GET_CRL);
	return 0;
}

void tls_revoked_use(SSL_CTX *context, struct revocation *revocation)
{
	SSL_CTX_set_cert_verify_callback(context, verify, revocation);
}

const char *tls_revoked_why(SSL *ssl)
{
	const struct looked *l = looked_of(ssl);

	return l && l->judged.outcome != CRL_GOOD ? l->why.text : NULL;
}

void tls_revoked_tell(SSL *ssl, const char *peer)
{
	const struct looked *l = looked_of(ssl);

	if (!tls_revoked_why(ssl))
		return;
	revocation_tell(l->revocation,
			&(struct revocation_refused){ .event = l->judged.outcome == CRL_REVOKED
								       ? REVOCATION_REVOKED
								       : REVOCATION_UNKNOWN,
						      .judged = &l->judged,
						      .peer = peer,
						      .text = l->why.text });
}

bool tls_revoked_now(SSL *ssl, const char *peer, struct err *why)
{
	struct looked *l = looked_of(ssl);
	struct crl_judged judged;

	if (!l || l->turn == revocation_turn(l->revocation))
		return false;
	l->turn = revocation_turn(l->revocation);
	judged = revocation_judge(l->revocation, SSL_get0_verified_chain(ssl), why);
	/* That a list ended, or is not there any more, says nothing new about who came in before. */
	if (judged.outcome != CRL_REVOKED)
		return false;
	revocation_tell(l->revocation, &(struct revocation_refused){ .event = REVOCATION_ENDED,
								     .judged = &judged,
								     .peer = peer,
								     .text = why->text });
	return true;
}
