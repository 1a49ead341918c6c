/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/tdx/tdx_collateral.h"

#include "common/base/file.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	size_t offset; /* of the span in struct tdx_collateral */
} documents[] = {
	{ "tcb_info.json", offsetof(struct tdx_collateral, tcb_info) },
	{ "tcb_info_issuer_chain.pem", offsetof(struct tdx_collateral, tcb_info_chain) },
	{ "qe_identity.json", offsetof(struct tdx_collateral, qe_identity) },
	{ "qe_identity_issuer_chain.pem", offsetof(struct tdx_collateral, qe_identity_chain) },
	{ "pck_crl.der", offsetof(struct tdx_collateral, pck_crl) },
	{ "pck_crl_issuer_chain.pem", offsetof(struct tdx_collateral, pck_crl_chain) },
	{ "root_ca_crl.der", offsetof(struct tdx_collateral, root_crl) },
};

static struct span *document_of(struct tdx_collateral *c, size_t i)
{
	return (struct span *)((char *)c + documents[i].offset);
}

static int document_load(const char *folder, const char *name, struct span *s, struct err *e)
{
	CLEANUP(free) char *path = NULL;
	uint8_t *bytes;

	if (text_format(&path, e, "%s/%s", folder, name) < 0)
		return err_code(e);
	if (file_read(path, TDX_COLLATERAL_FILE_MAX, &bytes, &s->len, e) < 0)
		return e->code == ERR_NOT_FOUND ? 0 : err_code(e);
	s->bytes = bytes;
	return 0;
}

int tdx_collateral_load(const char *folder, struct tdx_collateral *c, struct err *e)
{
	struct tdx_collateral loaded = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(documents); i++)
		if (document_load(folder, documents[i].name, document_of(&loaded, i), e) < 0) {
			tdx_collateral_done(&loaded);
			return err_code(e);
		}
	*c = loaded;
	return 0;
}

void tdx_collateral_done(struct tdx_collateral *c)
{
	for (size_t i = 0; i < ARRAY_LEN(documents); i++)
		free((void *)(uintptr_t)document_of(c, i)->bytes);
	memset(c, 0, sizeof(*c));
}
