/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/tls_groups.h"

#include "common/crypto/key.h"

#include <stdio.h>
#include <string.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/objects.h>

enum { LIST_MAX = 128 };

uint32_t tls_groups_here(SSL_CTX *context, uint32_t groups)
{
	uint32_t here = 0;

	for (size_t i = 0; i < KEX_GROUPS; i++)
		if ((groups & UINT32_C(1) << i) &&
		    SSL_CTX_set1_groups_list(context, kex_groups[i].openssl) == 1)
			here |= UINT32_C(1) << i;
	ERR_clear_error();
	return here;
}

/* Joined, the best first. With `tuples` as OpenSSL 3.5 reads it: hybrid ones before a '/', behind which no server
 * looks while one of them is common; '*' before those of which a share is sent, the best of each kind. */
static void list_groups(uint32_t groups, bool tuples, char list[LIST_MAX])
{
	bool sent[2] = { false, false }, had_hybrid = false;
	size_t at = 0;

	for (size_t i = 0; i < KEX_GROUPS; i++) {
		const struct kex_group *g = &kex_groups[i];

		if (!(groups & UINT32_C(1) << i))
			continue;
		at += (size_t)snprintf(list + at, LIST_MAX - at, "%s%s%s",
				       !at                                     ? ""
				       : tuples && had_hybrid && !g->is_hybrid ? "/"
									       : ":",
				       tuples && !sent[g->is_hybrid] ? "*" : "", g->openssl);
		sent[g->is_hybrid] = true;
		had_hybrid = g->is_hybrid;
	}
}

int tls_groups_set(SSL_CTX *context, uint32_t groups, struct err *e)
{
	uint32_t here = tls_groups_here(context, groups);
	bool tuples = false;
	char list[LIST_MAX];

	if (!here)
		return err_set(e, ERR_PRECONDITION,
			       "TLS: OpenSSL %s of this machine has no %s, which is demanded; "
			       "X25519MLKEM768 comes with 3.5 (Debian 13)",
			       OpenSSL_version(OPENSSL_VERSION_STRING),
			       kex_groups_show(groups).text);
	for (size_t i = 0; i < KEX_GROUPS; i++)
		tuples = tuples || (kex_groups[i].is_hybrid && (here & UINT32_C(1) << i));
	list_groups(here, tuples, list);
	if (SSL_CTX_set1_groups_list(context, list) != 1)
		return err_openssl(e, ERR_INTERNAL, "TLS: key exchanges %s", list);
	return 0;
}

uint32_t tls_groups_agreed(SSL *ssl)
{
	long agreed = SSL_get_negotiated_group(ssl);

	/* One without a number among OpenSSL's objects has that of the wire. */
	if (agreed & TLSEXT_nid_unknown)
		return kex_group_of((uint16_t)agreed);
	for (size_t i = 0; i < KEX_GROUPS && agreed != NID_undef; i++)
		if (OBJ_sn2nid(kex_groups[i].openssl) == agreed)
			return UINT32_C(1) << i;
	return 0;
}
