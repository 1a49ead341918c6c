/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ca_pkcs11.h — a PKCS#11 token: its module, a session in which its user is known, and one object; for ca_signer_pkcs11.c
 * alone.
 */
#pragma once

#include "computations/ca/ca_signer_kind.h"

#include <p11-kit/p11-kit.h>
#include <p11-kit/uri.h>

struct ca_pkcs11 {
	P11KitUri *uri;
	char *pin_path; /* NULL: none is named */

	CK_FUNCTION_LIST *module; /* NULL: it was not loaded yet */
	bool is_begun;            /* C_Initialize */
	CK_SESSION_HANDLE session;
	bool is_open;
	CK_OBJECT_HANDLE key;
	bool is_refused; /* its PIN was: it is tried no more */
};

/* Reads the URI alone. */
int ca_pkcs11_new(const char *text, struct ca_pkcs11 **token, struct err *e) MUST_CHECK;
void ca_pkcs11_free(struct ca_pkcs11 *token);
DEFINE_CLEANUP(struct ca_pkcs11 *, ca_pkcs11_free)

/* A session and the private key, if they are not there yet. ERR_UNAVAILABLE: the token is not there; ERR_DENIED: its PIN
 * was refused, now or before. ERR_NOT_FOUND: it has no such key, and the session is there all the same. `writes`: for new
 * objects. */
int ca_pkcs11_need(struct ca_pkcs11 *token, bool writes, struct err *e) MUST_CHECK;
/* Session and module end: what is asked next begins anew. */
void ca_pkcs11_drop(struct ca_pkcs11 *token);

/* The one object of that class with the URI's names. ERR_NOT_FOUND: none; ERR_PRECONDITION: several. */
int ca_pkcs11_find(struct ca_pkcs11 *token, CK_OBJECT_CLASS class, CK_OBJECT_HANDLE *object,
		   struct err *e) MUST_CHECK;
/* Whether the URI has that name (CKA_LABEL, CKA_ID), which is lent. */
bool ca_pkcs11_name(struct ca_pkcs11 *token, CK_ATTRIBUTE_TYPE type, CK_ATTRIBUTE *name);

int ca_pkcs11_fault(struct err *e, CK_RV rv, const char *what);
